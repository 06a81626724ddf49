//! The scene of every attack: a node, a friend that must be served all the while, and strangers with raw sockets.
#![allow(clippy::disallowed_methods, reason = "the time that a friend waits is the time on the wall")]
#![allow(dead_code, unreachable_pub, reason = "every test program uses a part of this")]

mod stranger;

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once};
use std::time::{Duration, Instant};

use kernel::Node;
use kernel::epmd::{Epmd, EpmdConfig};
use runtime::Ctx;
use term::{Atom, Pid, Term};
use tokio::runtime::Runtime;
use tracing_subscriber::fmt::MakeWriter;

pub use stranger::*;

pub const COOKIE: &str = "monster";

/// Longer than anything takes on a busy machine, shorter than a stuck test is bearable.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Within this the friend must be answered, even when a process that it needs is flooded.
pub const FLOODED: Duration = Duration::from_secs(10);

/// Within this the friend must be answered, whatever happens.
pub const SERVED: Duration = Duration::from_secs(1);

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// One scene at a time: memory is measured for the whole program.
static STAGE: Mutex<()> = Mutex::new(());
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Remembers every line of the log, and every panic of another thread than the test's own.
fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(Recorder)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first one");
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let of_test = std::thread::current().name().is_none_or(|name| name.starts_with("the "));
            if of_test {
                PANICS.lock().unwrap_or_else(|e| e.into_inner()).push(panic.to_string());
            }
            usual(panic);
        }));
    });
}

struct Recorder;

impl std::io::Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(|e| e.into_inner()).push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Recorder {
    type Writer = Recorder;

    fn make_writer(&'a self) -> Recorder {
        Recorder
    }
}

/// The lines of the log that have all these words in them.
pub fn lines(words: &[&str]) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(|e| e.into_inner());
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
}

/// Waits for a line with all these words at the levels an operator reads.
#[track_caller]
pub fn expect_line(words: &[&str]) -> String {
    let start = Instant::now();
    loop {
        let found = lines(words);
        if let Some(line) = found.iter().find(|line| !line.contains("DEBUG")) {
            return line.clone();
        }
        assert!(start.elapsed() < PATIENCE, "no line with {words:?}; at debug level: {found:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until it is so.
#[track_caller]
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes of memory this program has in use.
pub fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4096
}

pub const MIB: u64 = 1024 * 1024;

/// A node under attack and the friend that watches over it.
pub struct Scene {
    pub runtime: Runtime,
    pub node: Node,
    pub friend: Node,
    pub epmd: u16,
    pub port: u16,
    worst: Arc<AtomicU64>,
    beats: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    heart: Option<tokio::task::JoinHandle<()>>,
    _alone: MutexGuard<'static, ()>,
}

impl Scene {
    /// The attacked node is called `victim_NAME@localhost`.
    pub fn new(name: &str) -> Scene {
        Scene::with(name, |builder| builder)
    }

    pub fn with(name: &str, how: impl FnOnce(kernel::Builder) -> kernel::Builder) -> Scene {
        record();
        let alone = STAGE.lock().unwrap_or_else(|e| e.into_inner());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(3)
            .thread_name("the nodes")
            .enable_all()
            .build()
            .expect("a runtime");
        let (node, friend, epmd, port) = runtime.block_on(async {
            let epmd = Epmd::bind(EpmdConfig { port: 0, ..EpmdConfig::default() }).expect("loopback");
            let epmd_port = epmd.port();
            tokio::spawn(epmd.run(|line| tracing::info!("epmd: {line}")));
            let builder = |who: &str| Node::builder(who).cookie(COOKIE).epmd_port(epmd_port).output(|_| {});
            let node = how(builder(&format!("victim_{name}@localhost"))).start().await.expect("the node");
            let friend = builder(&format!("friend_{name}@localhost")).start().await.expect("the friend");
            let found = kernel::discovery::Epmd::at(epmd_port);
            let names = kernel::discovery::Discovery::names(&found, "localhost").await.expect("names");
            let port =
                names.iter().find(|(found, _)| *found == format!("victim_{name}")).expect("registered").1;
            (node, friend, epmd_port, port)
        });
        let mut scene = Scene {
            runtime,
            node,
            friend,
            epmd,
            port,
            worst: Arc::default(),
            beats: Arc::default(),
            over: Arc::default(),
            heart: None,
            _alone: alone,
        };
        scene.start_heart();
        scene
    }

    pub fn name(&self) -> String {
        self.node.name().to_string()
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// A raw wire to the node's door.
    pub fn knock(&self) -> TcpStream {
        dial(self.address())
    }

    /// The friend asks the node's net_kernel and a process of its program, over and over, and keeps the longest wait.
    fn start_heart(&mut self) {
        let echo = self.node.spawn(|mut ctx: Ctx| async move {
            loop {
                let (from, message): (Pid, Term) = ctx.receive().await;
                ctx.send(&from, message);
            }
        });
        self.node.register("friendly_echo", &echo).expect("a free name");
        let (friend, victim) = (self.friend.clone(), self.node.name().clone());
        let (worst, beats, over) = (self.worst.clone(), self.beats.clone(), self.over.clone());
        self.runtime.block_on(async { self.friend.connect(victim.clone()).await.expect("connected") });
        let heart = self.runtime.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let start = Instant::now();
                let pinged = tokio::time::timeout(PATIENCE, friend.ping(victim.clone())).await;
                let who = victim.clone();
                let echoed = friend
                    .run(move |mut ctx: Ctx| async move {
                        ctx.send((Atom::new("friendly_echo"), who), (ctx.pid(), Term::Int(7)));
                        ctx.receive_within::<i64>(PATIENCE).await
                    })
                    .await;
                let answered = matches!(pinged, Ok(Ok(_))) && echoed == Some(7);
                let millis = if answered { start.elapsed().as_millis() as u64 } else { u64::MAX };
                worst.fetch_max(millis, Ordering::Relaxed);
                beats.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        self.heart = Some(heart);
        eventually("the first answer", || self.beats.load(Ordering::Relaxed) > 0);
        self.worst.store(0, Ordering::Relaxed);
    }

    /// The friend was answered in time all the while, is still, and nothing panicked.
    #[track_caller]
    pub fn stands(&self) {
        self.stands_within(SERVED);
    }

    /// The same after an attack that makes a process work which the friend needs: messages wait for one another in a
    /// mailbox, and this build is slow.
    #[track_caller]
    pub fn stands_within(&self, patience: Duration) {
        let before = self.beats.load(Ordering::Relaxed);
        eventually("two more answers for the friend", || self.beats.load(Ordering::Relaxed) > before + 1);
        let worst = Duration::from_millis(self.worst.load(Ordering::Relaxed));
        println!("the friend waited {worst:?} at most");
        assert!(worst < patience, "the friend waited {worst:?}");
        let panics = PANICS.lock().unwrap_or_else(|e| e.into_inner()).clone();
        assert!(panics.is_empty(), "{panics:?}");
    }

    /// The longest wait so far; begins anew.
    pub fn take_worst(&self) -> Duration {
        Duration::from_millis(self.worst.swap(0, Ordering::Relaxed))
    }

    pub fn worst(&self) -> Duration {
        Duration::from_millis(self.worst.load(Ordering::Relaxed))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let (node, friend) = (self.node.clone(), self.friend.clone());
        let heart = self.heart.take();
        self.runtime.block_on(async {
            if let Some(heart) = heart {
                let _ = heart.await;
            }
            friend.shutdown().await;
            node.shutdown().await;
        });
    }
}
