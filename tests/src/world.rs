//! A private world for one test: an EPMD that no one else knows, and nodes of our own that ask it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trunkline::epmd::{Epmd, EpmdConfig};
use trunkline::{Builder, Ctx, Node, Pid, Term, otp, term};

/// The cookie of every node in the tests.
pub const COOKIE: &str = "monster";

/// Longer than anything takes on a busy machine, shorter than a stuck test is bearable.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A name that no other test of this program uses: log lines of all tests end up in one place.
pub fn unique(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{stem}{}@localhost", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Our EPMD, inside this program, on a port that the system chose.
///
/// # Panics
/// When there is no loopback.
pub fn private_epmd() -> u16 {
    let config = EpmdConfig { port: 0, relaxed_command_check: true, ..EpmdConfig::default() };
    let epmd = Epmd::bind(config).expect("an EPMD on loopback");
    let port = epmd.port();
    tokio::spawn(epmd.run(|line| println!("epmd: {line}")));
    port
}

/// Erlang's own EPMD on a private port. Killed when dropped.
pub struct RealEpmd {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

impl RealEpmd {
    /// Starts `epmd`, and waits until it answers.
    ///
    /// # Panics
    /// When it can't be started, or takes too long.
    pub fn start() -> RealEpmd {
        // A port that was free a moment ago. Should somebody be faster, the next one will do.
        for _ in 0..10 {
            let port =
                TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
            let child = Command::new("epmd")
                .args(["-port", &port.port().to_string(), "-address", "127.0.0.1", "-relaxed_command_check"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("epmd starts");
            let mut epmd = RealEpmd { child, port: port.port() };
            if epmd.answers() {
                return epmd;
            }
        }
        panic!("epmd does not answer");
    }

    fn answers(&mut self) -> bool {
        for _ in 0..500 {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for RealEpmd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node of ours that asks this EPMD and knows the cookie.
pub fn node(name: &str, epmd: u16) -> Builder {
    Node::builder(name).cookie(COOKIE).epmd_port(epmd).output(|_| {})
}

/// The time of day since 1970, on which all nodes of a test can agree.
///
/// # Panics
/// Before 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "a test that meets with other programs at one moment needs the time of day"
)]
pub fn time_of_day() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970")
}

/// The term that this text says, for what tests expect.
///
/// # Panics
/// When the text says none.
#[track_caller]
pub fn t(text: &str) -> Term {
    term::read::read_term(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

/// Looks again and again until it is so.
///
/// # Panics
/// When it does not come true in time.
pub async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// The next message; a test that waits for one in vain fails here.
///
/// # Panics
/// When none comes in time.
pub async fn message(ctx: &mut Ctx) -> Term {
    ctx.receive_within::<Term>(PATIENCE).await.expect("a message in time")
}

/// Registers `echo`, which answers `{From, Message}` with `{echo, Message}` (to a pid or an alias), `{From, link}` with a link,
/// and ends as `{stop, Reason}` says.
pub fn echo(node: &Node) -> Pid {
    let pid = echo_process(node);
    node.register("echo", &pid).expect("the name is free");
    pid
}

/// As [`echo`], without a name.
pub fn echo_process(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match message.as_tuple() {
                Some([Term::Pid(from), word]) if word.is_atom("link") => {
                    ctx.link(from);
                    ctx.send(from, Term::atom("linked"));
                }
                Some([Term::Pid(from), word]) if word.is_atom("unlink") => {
                    ctx.unlink(from);
                    ctx.send(from, Term::atom("unlinked"));
                }
                Some([Term::Ref(alias), word]) => {
                    ctx.send(alias, Term::tuple([Term::atom("echo"), word.clone()]));
                }
                Some([Term::Pid(from), word]) => {
                    let answer = Term::tuple([Term::atom("echo"), word.clone()]);
                    ctx.send_paced(from, answer).await;
                }
                Some([word, reason]) if word.is_atom("stop") => return trunkline::Exit(reason.clone()),
                _ => {}
            }
        }
    })
}

/// A generic server named `counter`: `{add, N}` adds and answers the sum, a cast `{add, N}` adds, `self` answers the pid,
/// `never` is not answered, `{stop, Reason}` ends it.
pub fn counter(node: &Node) -> Pid {
    let pid = node.spawn(|mut ctx: Ctx| async move {
        let mut sum = 0;
        loop {
            let message: Term = ctx.receive().await;
            match otp::request::Request::read(message) {
                otp::request::Request::Call(from, question) => match question.as_tuple() {
                    Some([word, Term::Int(number)]) if word.is_atom("add") => {
                        sum += number;
                        otp::request::reply(&mut ctx, &from, sum);
                    }
                    Some([word, reason]) if word.is_atom("stop") => return trunkline::Exit(reason.clone()),
                    _ if question.is_atom("self") => {
                        let me = ctx.pid();
                        otp::request::reply(&mut ctx, &from, me);
                    }
                    _ => {}
                },
                otp::request::Request::Cast(message) => {
                    if let Some([_, Term::Int(number)]) = message.as_tuple() {
                        sum += number;
                    }
                }
                _ => {}
            }
        }
    });
    node.register("counter", &pid).expect("the name is free");
    pid
}
