//! Many nodes in one thread, from one seed, in virtual time: same seed, same story.
//!
//! Nodes are whole nodes: their processes, net_kernel and wire protocol are the real ones. Only bytes, names and time are
//! ours: wires are those of [`MemoryNet`], each delivery is delayed by seeded dice (never out of order within a wire), and
//! the clock jumps to whatever is due next. A story of minutes runs in milliseconds.
//!
//! ```
//! use std::time::Duration;
//! # use trunkline_kernel as kernel;
//! use kernel::sim::sim;
//!
//! let story = sim(7, |net| async move {
//!     let [a, b] = net.boot(["a", "b"], |builder| builder).await;
//!     a.connect(b.name().clone()).await.unwrap();
//!     let cut = net.partition(&["a"], &["b"]);
//!     net.until("a misses b", || a.nodes().is_empty()).await;
//!     drop(cut);
//!     a.connect(b.name().clone()).await.unwrap();
//! });
//! assert!(story.log.iter().any(|line| line.contains("a@a: nodedown b@b")));
//! ```

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use carrier::{Crossing, MemoryNet, RuleGuard, Verdict};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::PeerEvent;
use tokio::time::Instant;

use crate::builder::Builder;
use crate::discovery::MemoryNames;
use crate::limits::{SIM_CHECK_MILLIS, SIM_CHECK_MILLIS_MAX, SIM_DELAY_MICROS_MAX, SIM_PATIENCE_SECS};
use crate::node::Node;

/// What a simulation leaves: the value of its story, and its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story<T> {
    /// What the story gave back.
    pub value: T,
    /// What happened, with virtual times; the last line is a fingerprint of every byte that crossed a wire.
    pub log: Vec<String>,
}

/// Runs a story. The seed is printed when it panics.
///
/// # Panics
/// When the story does, and when it is called inside of a tokio runtime.
pub fn sim<T, F, Fut>(seed: u64, story: F) -> Story<T>
where
    F: FnOnce(Net) -> Fut,
    Fut: Future<Output = T>,
{
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a single-threaded tokio runtime");
    executor.block_on(async move {
        let net = Net::new(seed);
        let confession = Confession(net.clone());
        let value = story(net.clone()).await;
        net.check();
        let nodes: Vec<Node> = net.world().nodes.values().cloned().collect();
        for node in nodes {
            node.shutdown().await;
        }
        let mut world = net.world();
        let fingerprint = format!("fingerprint {:016x}", world.fingerprint);
        world.log.push(fingerprint);
        let log = std::mem::take(&mut world.log);
        drop(world);
        drop(confession);
        Story { value, log }
    })
}

/// The simulated network and its nodes. Clones are the same.
#[derive(Clone)]
pub struct Net(Arc<Inner>);

struct Inner {
    seed: u64,
    born: Instant,
    wires: MemoryNet,
    names: MemoryNames,
    world: Mutex<World>,
}

struct World {
    dice: StdRng,
    nodes: BTreeMap<String, Node>,
    shapes: BTreeMap<String, Shape>,
    invariants: Vec<(String, Box<dyn Fn() -> bool + Send>)>,
    checking: bool,
    log: Vec<String>,
    fingerprint: u64,
}

type Shape = Arc<dyn Fn(Builder) -> Builder + Send + Sync>;

impl Net {
    fn new(seed: u64) -> Net {
        let world = World {
            dice: StdRng::seed_from_u64(seed),
            nodes: BTreeMap::new(),
            shapes: BTreeMap::new(),
            invariants: Vec::new(),
            checking: false,
            log: Vec::new(),
            fingerprint: FINGERPRINT_START,
        };
        let (born, wires, names) = (Instant::now(), MemoryNet::new(), MemoryNames::default());
        let net = Net(Arc::new(Inner { seed, born, wires, names, world: Mutex::new(world) }));
        let weak = Arc::downgrade(&net.0);
        let delay = move |crossing: &Crossing<'_>| match weak.upgrade() {
            Some(inner) => Net(inner).delay(crossing),
            None => Verdict::Pass,
        };
        net.0.wires.rule(delay).forever();
        net
    }

    /// The seed of this story.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Virtual time since the story began.
    pub fn now(&self) -> Duration {
        Instant::now() - self.0.born
    }

    /// 64 bits of the story's dice.
    pub fn roll(&self) -> u64 {
        self.world().dice.random()
    }

    /// Boots a node on each host; the node of host `a` is `a@a`. `shape` may change the builder, and is kept for
    /// [`Net::boot_again`].
    ///
    /// # Panics
    /// When a node does not start.
    pub async fn boot<const N: usize>(
        &self,
        hosts: [&str; N],
        shape: impl Fn(Builder) -> Builder + Send + Sync + 'static,
    ) -> [Node; N] {
        let shape: Shape = Arc::new(shape);
        let mut nodes = Vec::with_capacity(N);
        for host in hosts {
            self.world().shapes.insert(host.to_owned(), shape.clone());
            nodes.push(self.boot_again(host).await);
        }
        nodes.try_into().unwrap_or_else(|_| unreachable!("one node per host"))
    }

    /// Boots the node of a host once more, as it was booted first: the same name, a new creation.
    ///
    /// # Panics
    /// When the node runs still, or does not start.
    pub async fn boot_again(&self, host: &str) -> Node {
        let name = format!("{host}@{host}");
        let shape = self.world().shapes.get(host).cloned();
        let builder = Node::builder(&name).cookie("sim").short_names();
        let builder = match shape {
            Some(shape) => shape(builder),
            None => builder,
        };
        let builder = builder
            .seed(self.roll())
            .interface(std::net::Ipv4Addr::LOCALHOST.into())
            .carrier(self.0.wires.host(host))
            .discovery(self.0.names.clone());
        let node = builder.start().await.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let (net, own) = (Arc::downgrade(&self.0), name.clone());
        node.on_peer(Arc::new(move |event| {
            if let Some(inner) = net.upgrade() {
                Net(inner).hear(&own, event);
            }
        }));
        self.say(format!("{name}: boots"));
        self.world().nodes.insert(host.to_owned(), node.clone());
        node
    }

    /// Ends a node without goodbyes: its wires are cut, then its processes and tasks end.
    pub async fn crash(&self, node: &Node) {
        let host = host_of(node);
        self.say(format!("{}: crashes", node.name()));
        self.0.wires.crash(&host);
        self.world().nodes.remove(&host);
        node.shutdown().await;
        // Aborted tasks are dropped when the executor comes by: only then the name is free again.
        for _ in 0..ABORT_ROUNDS {
            tokio::task::yield_now().await;
        }
    }

    /// A rule about what crosses the wires, in force until its guard is dropped.
    pub fn rule(&self, rule: impl Fn(&Crossing<'_>) -> Verdict + Send + Sync + 'static) -> RuleGuard {
        self.0.wires.rule(rule)
    }

    /// Nothing gets from these hosts to those or back. Wires stall, as they do when a cable is pulled.
    pub fn partition(&self, these: &[&str], those: &[&str]) -> RuleGuard {
        self.say(format!("partition: {these:?} from {those:?}"));
        self.0.wires.partition(these, those)
    }

    /// What goes from one host to another takes this much longer.
    pub fn slow(&self, from: &str, to: &str, by: Duration) -> RuleGuard {
        self.0.wires.slow(from, to, by)
    }

    /// The network itself, for rules beyond these.
    pub fn wires(&self) -> &MemoryNet {
        &self.0.wires
    }

    /// Waits until it is so.
    ///
    /// # Panics
    /// When it is not so within an hour of virtual time.
    pub async fn until(&self, what: &str, mut so: impl FnMut() -> bool) {
        let start = self.now();
        while !so() {
            self.check();
            let waited = self.now() - start;
            assert!(waited < Duration::from_secs(SIM_PATIENCE_SECS), "it never came true: {what}");
            // Long waits are looked at less often, to within a hundredth.
            let step = (waited / 100)
                .clamp(Duration::from_millis(SIM_CHECK_MILLIS), Duration::from_millis(SIM_CHECK_MILLIS_MAX));
            tokio::time::sleep(step).await;
        }
        self.check();
        self.say(format!("so it is: {what}"));
    }

    /// Checked every virtual millisecond from now on.
    pub fn always(&self, name: &str, so: impl Fn() -> bool + Send + 'static) {
        let mut world = self.world();
        world.invariants.push((name.to_owned(), Box::new(so)));
        if std::mem::replace(&mut world.checking, true) {
            return;
        }
        drop(world);
        let weak = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            while let Some(inner) = weak.upgrade() {
                Net(inner).note_violations();
                tokio::time::sleep(Duration::from_millis(SIM_CHECK_MILLIS)).await;
            }
        });
    }

    /// Adds a line to the log.
    pub fn say(&self, line: impl AsRef<str>) {
        let now = self.now();
        let line = format!("{:>6}.{:06} {}", now.as_secs(), now.subsec_micros(), line.as_ref());
        self.world().log.push(line);
    }

    fn hear(&self, own: &str, event: &PeerEvent) {
        match event {
            PeerEvent::Up(lane, _) => self.say(format!("{own}: nodeup {}", lane.peer())),
            PeerEvent::Down(lane, _, reason) => self.say(format!("{own}: nodedown {} {reason}", lane.peer())),
        }
    }

    /// The seeded delay of a crossing; each goes into the fingerprint.
    fn delay(&self, crossing: &Crossing<'_>) -> Verdict {
        let now = self.now().as_micros();
        let mut world = self.world();
        let micros = world.dice.random_range(1..=SIM_DELAY_MICROS_MAX);
        let seen = format!("{now} {} {} {} {}", crossing.from, crossing.to, crossing.bytes, crossing.dial);
        for byte in seen.bytes() {
            world.fingerprint = (world.fingerprint ^ u64::from(byte)).wrapping_mul(FINGERPRINT_PRIME);
        }
        Verdict::Deliver(Duration::from_micros(micros))
    }

    fn note_violations(&self) {
        let invariants = std::mem::take(&mut self.world().invariants);
        let broken: Vec<String> =
            invariants.iter().filter(|(_, so)| !so()).map(|(name, _)| name.clone()).collect();
        self.world().invariants.extend(invariants);
        for name in broken {
            self.say(format!("{BROKEN}{name}"));
        }
    }

    fn check(&self) {
        let broken = self.world().log.iter().find(|line| line.contains(BROKEN)).cloned();
        if let Some(line) = broken {
            panic!("{line}");
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

const BROKEN: &str = "not always so: ";

/// FNV-1a.
const FINGERPRINT_START: u64 = 0xcbf2_9ce4_8422_2325;
const FINGERPRINT_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Turns of the executor after which aborted tasks are gone.
const ABORT_ROUNDS: usize = 100;

fn host_of(node: &Node) -> String {
    node.name().as_str().split_once('@').map_or_else(String::new, |(_, host)| host.to_owned())
}

/// Prints the seed and the story so far when a story panics.
struct Confession(Net);

impl Drop for Confession {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the story of seed {} went wrong:", self.0.seed());
            self.0.world().log.iter().for_each(|line| eprintln!("{line}"));
        }
    }
}
