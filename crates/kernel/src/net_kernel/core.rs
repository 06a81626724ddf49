//! The state of net_kernel: one lock, held for a line or a few, and the verbs that keep table, lanes and watchers in step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use carrier::Carrier;
use proto::Flags;
use proto::handshake::{Framing, Me, Peer};
use proto::{Misuse, Now};
use runtime::{Gateway, Lane, Node, PeerInfo};
use term::{Atom, NodeId, Term};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::dial;
use super::end::{ConnectError, End, SetupFault};
use super::guard::AttemptGuard;
use super::hush::{Hush, Kind};
use super::naming::{self, Named, Naming};
use super::table::{Attempt, Cause, ConnectionId, Failed, Knock, Table, Want};
use super::ticktime::{TickSettings, TickTimeChange};
use super::watch::{Change, tell};
use crate::cookies::Cookies;
use crate::discovery::Discovery;
use crate::limits::{DIALS_UNASKED_MAX, DYNAMIC_HOSTS_MAX, DYNAMIC_NAMES_FREE_MAX, UNPROVED_KNOCK_MILLIS};
use crate::names::{self, Form};

/// What net_kernel is given when the node starts, and keeps.
pub struct Setup {
    /// How bytes get to other hosts.
    pub carrier: Arc<dyn Carrier>,
    /// How nodes are found.
    pub discovery: Arc<dyn Discovery>,
    /// Short or long names.
    pub form: Form,
    /// What we announce.
    pub flags: Flags,
    /// Longest a handshake may take.
    pub setup_time: Duration,
    /// Whether to connect to the nodes of our nodes.
    pub connect_all: bool,
}

impl Setup {
    /// How wide the length of a handshake frame is on our carrier.
    pub(super) fn framing(&self) -> Framing {
        if self.carrier.handshake_length_bytes() == 4 { Framing::Four } else { Framing::Two }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("carrier", &self.carrier.name()).finish_non_exhaustive()
    }
}

/// What a net_kernel begins with.
pub(crate) struct Beginning {
    pub(crate) setup: Setup,
    pub(crate) cookies: Cookies,
    pub(crate) policy: super::AutoConnect,
    pub(crate) ticktime: Duration,
    pub(crate) intensity: u32,
    /// Whether it may be stopped again: [`super::start`] began it, in a node that was there before.
    pub(crate) may_stop: bool,
    /// For a node that will be named by the first peer: its host.
    pub(crate) nameless: Option<String>,
}

/// One node's net_kernel, on the node's shelf, from the moment when the node gets a name to the one when it loses it.
pub(crate) struct NetKernel {
    pub(super) setup: Setup,
    pub(super) cookies: Cookies,
    /// What strangers may make us log.
    pub(super) hush: Hush,
    pub(super) may_stop: bool,
    /// What was last said with `net_kernel:verbose/1`.
    pub(super) verbose: AtomicI64,
    /// How this node gets its name, if it has none of its own.
    pub(super) naming: Option<Naming>,
    state: Mutex<State>,
    /// What goes with it: the door, the registration, the keepers of its processes.
    tasks: Mutex<Vec<AbortHandle>>,
}

pub(super) struct State {
    pub(super) table: Table,
    pub(super) ticktime: TickSettings,
    /// The node is losing its name: nobody comes in or goes out any more.
    closed: bool,
    connections: BTreeMap<Atom, Connection>,
    waiting: BTreeMap<Atom, Vec<Waiter>>,
    /// Why our own attempts failed, while somebody knocks who may be the peer.
    failures: BTreeMap<Atom, SetupFault>,
    /// Our own dials and the handshakes at our door, to be stopped when another takes their place.
    attempts: BTreeMap<Attempt, AbortHandle>,
    /// Our own dials that nobody asked for: a signal to a node that is not connected caused them, maybe by a peer's doing.
    unasked: BTreeSet<Attempt>,
    /// Peers that are dialled as by a hidden node. (`net_kernel:hidden_connect_node/1`.)
    from_hiding: BTreeSet<Atom>,
    /// Names of dynamic nodes that left, to be given again: host → names and next creations.
    free_names: BTreeMap<String, VecDeque<(String, u32)>>,
}

pub(super) type Waiter = oneshot::Sender<Result<(), ConnectError>>;

struct Connection {
    number: ConnectionId,
    lane: Arc<Lane>,
    info: PeerInfo,
    orders: mpsc::UnboundedSender<Order>,
    traffic: Arc<Traffic>,
    address: String,
    gone: Vec<oneshot::Sender<()>>,
    /// We gave the peer its name.
    named: bool,
}

/// What went over a connection, in packets.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
}

/// What can be told of a connection, or of an attempt.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) peer: Atom,
    pub(super) up: bool,
    pub(super) visible: bool,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// Where its wire leads, as the carrier writes it.
    pub(super) address: String,
}

/// What a connection's driver is told.
pub(super) enum Order {
    End(End),
    Ticktime(Duration, Duration),
}

/// What became of a wish.
pub(super) enum Wanted {
    Up,
    Pending,
    NotAllowed,
    Barred,
    /// There are too many dials already that nobody asked for.
    TooMany,
}

/// A connection that has just come up, for its driver.
pub(super) struct Opened {
    pub(super) number: ConnectionId,
    pub(super) lane: Arc<Lane>,
    pub(super) id: NodeId,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) ticks: proto::connection::Ticks,
    pub(super) traffic: Arc<Traffic>,
}

#[derive(Default)]
struct Shelf {
    net: RwLock<Option<Arc<NetKernel>>>,
    gate: OnceLock<Arc<Gate>>,
}

impl Shelf {
    fn put(&self, net: Option<Arc<NetKernel>>) {
        *self.net.write().unwrap_or_else(PoisonError::into_inner) = net;
    }
}

impl NetKernel {
    /// How this node finds others.
    pub(crate) fn discovery(&self) -> Arc<dyn crate::discovery::Discovery> {
        self.setup.discovery.clone()
    }

    /// Puts a net_kernel on the shelf of a node, and connects it to the node's lanes.
    pub(crate) fn install(node: &Node, beginning: Beginning) -> Arc<NetKernel> {
        let Beginning { setup, cookies, policy, ticktime, intensity, may_stop, nameless } = beginning;
        let state = State {
            table: Table::new(node.name().clone(), policy),
            ticktime: TickSettings::new(ticktime, intensity),
            closed: false,
            connections: BTreeMap::new(),
            waiting: BTreeMap::new(),
            failures: BTreeMap::new(),
            attempts: BTreeMap::new(),
            unasked: BTreeSet::new(),
            from_hiding: BTreeSet::new(),
            free_names: BTreeMap::new(),
        };
        let net = Arc::new(NetKernel {
            setup,
            cookies,
            hush: Hush::default(),
            may_stop,
            verbose: AtomicI64::new(0),
            naming: nameless.map(Naming::new),
            state: Mutex::new(state),
            tasks: Mutex::default(),
        });
        let shelf = node.shelf::<Shelf>();
        let gate = shelf.gate.get_or_init(|| Arc::new(Gate(Mutex::new(Some(node.clone()))))).clone();
        shelf.put(Some(net.clone()));
        node.set_gateway(gate);
        net
    }

    /// The node is alone from here on: nobody finds this net_kernel any more, and it does nothing new.
    pub(super) fn close(&self, node: &Node) {
        node.shelf::<Shelf>().put(None);
        let mut state = self.state();
        state.closed = true;
        drop(state);
        self.abandon_attempts();
        std::mem::take(&mut *self.tasks()).into_iter().for_each(|task| task.abort());
    }

    /// Nobody is dialled any more, and nobody who knocks comes in.
    pub(super) fn abandon_attempts(&self) {
        let attempts = std::mem::take(&mut self.state().attempts);
        attempts.into_values().for_each(|task| task.abort());
    }

    /// A task that ends with this net_kernel.
    pub(crate) fn keep(&self, task: AbortHandle) {
        self.tasks().push(task);
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peers that are connected, or nearly.
    pub(super) fn peers(&self) -> Vec<Atom> {
        let state = self.state();
        let mut peers: BTreeSet<Atom> = state.connections.keys().cloned().collect();
        peers.extend(state.waiting.keys().cloned());
        peers.into_iter().collect()
    }

    /// No more dials: the node stops.
    pub(crate) fn close_gate(node: &Node) {
        if let Some(gate) = node.shelf::<Shelf>().gate.get() {
            gate.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        }
    }

    /// The net_kernel of a node; nothing when it is alone.
    pub(crate) fn of(node: &Node) -> Option<Arc<NetKernel>> {
        node.shelf::<Shelf>().net.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who we are, on our carrier: a host that wants a name, or a name.
    pub(super) fn me_for(&self, node: &Node, peer: &Atom) -> Result<Me, Misuse> {
        if !self.state().from_hiding.contains(peer) || naming::is_nameless(node, self) {
            return self.me(node);
        }
        let me = Me::new(node.name().as_str(), node.id().creation(), self.setup.flags.hidden())?;
        Ok(me.framed(self.setup.framing()))
    }

    /// As [`NetKernel::me_for`], for whoever knocks.
    pub(super) fn me(&self, node: &Node) -> Result<Me, Misuse> {
        if let Some(naming) = self.naming.as_ref().filter(|_| naming::is_nameless(node, self)) {
            return Ok(Me::nameless(&naming.host, self.setup.flags)?.framed(self.setup.framing()));
        }
        let me = Me::new(node.name().as_str(), node.id().creation(), self.setup.flags)?;
        Ok(me.framed(self.setup.framing()))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Somebody wants a connection. `done` hears how it ended if it is pending.
    pub(super) fn want(
        self: &Arc<Self>,
        node: &Node,
        peer: &Atom,
        cause: Cause,
        done: Option<Waiter>,
    ) -> Wanted {
        let mut state = self.state();
        if state.closed {
            return Wanted::NotAllowed;
        }
        let unasked = cause == Cause::Auto;
        if unasked && state.unasked.len() >= DIALS_UNASKED_MAX && !state.table.has_line(peer) {
            return Wanted::TooMany;
        }
        let want = state.table.want(peer, cause);
        if let (true, Want::Dial(attempt)) = (unasked, want) {
            state.unasked.insert(attempt);
        }
        match want {
            Want::Up(_) => return Wanted::Up,
            Want::NotAllowed => return Wanted::NotAllowed,
            Want::Barred => return Wanted::Barred,
            Want::Pending | Want::Doubtful | Want::Dial(_) => {}
        }
        state.waiting.entry(peer.clone()).or_default().extend(done);
        // The guard of an attempt takes the lock when it is dropped: it must not come to life under it.
        drop(state);
        match want {
            Want::Dial(attempt) => self.dial(node, peer, attempt),
            Want::Doubtful => {
                let (node, net, peer) = (node.clone(), self.clone(), peer.clone());
                node.clone().spawn_task(async move {
                    tokio::time::sleep(Duration::from_millis(UNPROVED_KNOCK_MILLIS)).await;
                    net.insist(&node, &peer);
                });
            }
            _ => {}
        }
        Wanted::Pending
    }

    /// Nobody who knocks has proved that he is `peer`: dial.
    fn insist(self: &Arc<Self>, node: &Node, peer: &Atom) {
        let mut state = self.state();
        let Some((attempt, gone)) = state.table.insist(peer) else { return };
        let tasks = state.take_tasks(&gone);
        drop(state);
        tasks.iter().for_each(AbortHandle::abort);
        self.dial(node, peer, attempt);
    }

    fn dial(self: &Arc<Self>, node: &Node, peer: &Atom, attempt: Attempt) {
        let guard = AttemptGuard::new(node, self, peer, attempt);
        let task = node.spawn_task(dial::dial(node.clone(), self.clone(), guard));
        self.remember(peer, attempt, task);
    }

    /// The lane asks for a connection that may not be: what waits in it waits in vain.
    fn refuse_lane(&self, node: &Node, peer: &Atom, why: &dyn fmt::Display) {
        let state = self.state();
        tracing::debug!(%peer, "not connecting: {why}");
        drop_pending_lane(node, peer);
        drop(state);
    }

    /// Remembers the task of an attempt, so that another can stop it.
    pub(super) fn remember(&self, peer: &Atom, attempt: Attempt, task: AbortHandle) {
        let mut state = self.state();
        if state.table.is_current(peer, attempt) {
            state.attempts.insert(attempt, task);
        } else if !task.is_finished() {
            drop(state);
            task.abort();
        }
    }

    /// Somebody knocks.
    pub(super) fn knock(&self, peer: &Atom) -> Knock {
        let mut state = self.state();
        if state.closed { Knock::NotAllowed } else { state.table.knock(peer) }
    }

    /// Whether a peer that believes it is still connected may be told to drop that connection.
    pub(super) fn may_insist(&self, peer: &Atom, attempt: Attempt) -> bool {
        self.state().table.may_insist(peer, attempt)
    }

    /// An attempt came to nothing.
    pub(super) fn attempt_failed(&self, node: &Node, peer: &Atom, attempt: Attempt, why: SetupFault) {
        let mut state = self.state();
        state.attempts.remove(&attempt);
        state.unasked.remove(&attempt);
        match state.table.failed(peer, attempt) {
            Failed::Unchanged => return,
            Failed::Hoping => {
                state.failures.insert(peer.clone(), why);
                return;
            }
            Failed::Idle => drop_pending_lane(node, peer),
        }
        let waiting = state.waiting.remove(peer).unwrap_or_default();
        let why = Arc::new(state.failures.remove(peer).unwrap_or(why));
        drop(state);
        for done in waiting {
            let _ = done.send(Err(ConnectError::Failed { peer: peer.to_string(), why: why.clone() }));
        }
    }

    /// A handshake is done. Nothing, when another attempt has taken the place of this one.
    ///
    /// `nodes()` shows the peer, then watchers and listeners hear `nodeup`, then the driver may deliver signals.
    pub(super) fn attempt_succeeded(
        &self,
        node: &Node,
        attempt: Attempt,
        peer: &Peer,
        named: bool,
    ) -> Option<Opened> {
        let name = Atom::try_new(&peer.name)?;
        let mut state = self.state();
        state.attempts.remove(&attempt);
        state.unasked.remove(&attempt);
        if state.closed {
            return None;
        }
        let (number, stopped) = state.table.up(&name, attempt)?;
        let stopped = state.take_tasks(&stopped);
        let id = NodeId::new(name.clone(), peer.creation);
        let info = PeerInfo { id: id.clone(), flags: peer.negotiated, visible: peer.visible };
        let lane = node.lane_up(info.clone());
        let (orders, inbox) = mpsc::unbounded_channel();
        let now = node.now();
        let ticks = state.ticktime.ticks(now, !peer.visible);
        let gone = Vec::new();
        let traffic = Arc::<Traffic>::default();
        let address = String::new();
        let connection = Connection {
            number,
            lane: lane.clone(),
            info,
            orders,
            traffic: traffic.clone(),
            address,
            gone,
            named,
        };
        state.connections.insert(name.clone(), connection);
        node.shelf::<Named>().remember(&name);
        tell(
            node,
            &Change { node: name.clone(), visible: peer.visible, connection: Some(lane.id()), down: None },
        );
        let waiting = state.waiting.remove(&name).unwrap_or_default();
        state.failures.remove(&name);
        drop(state);
        node.tell_listeners();
        stopped.iter().for_each(AbortHandle::abort);
        for done in waiting {
            let _ = done.send(Ok(()));
        }
        Some(Opened { number, lane, id, orders: inbox, ticks, traffic })
    }

    /// The driver of a connection has stopped: the one place where a connection ends.
    pub(super) fn connection_over(&self, node: &Node, peer: &Atom, number: ConnectionId, end: &End) {
        let mut state = self.state();
        let Some(connection) = state.connections.get(peer).filter(|connection| connection.number == number)
        else {
            return;
        };
        let (lane, visible, creation) =
            (connection.lane.clone(), connection.info.visible, connection.info.id.creation());
        // Links and monitors fire first, then watchers hear `nodedown`, then the peer may come again. Listeners are told in the
        // same order, but when nothing is locked any more.
        node.lane_down(&lane, end.reason());
        let Some(connection) = state.connections.remove(peer) else { return };
        let down = Some(end.reason());
        tell(node, &Change { node: peer.clone(), visible, connection: Some(lane.id()), down });
        if connection.named {
            state.free_name(peer, creation);
        }
        state.table.down(peer, number);
        drop(state);
        node.tell_listeners();
        for gone in connection.gone {
            let _ = gone.send(());
        }
        if self.naming.as_ref().is_some_and(|naming| naming.lost(peer, number))
            && let Some(net) = NetKernel::of(node)
        {
            let owner = node.clone();
            node.spawn_task(async move { naming::lose_name(&owner, &net).await });
        }
    }

    /// Where the wire of this connection leads.
    pub(super) fn note_address(&self, peer: &Atom, number: ConnectionId, address: String) {
        if let Some(connection) =
            self.state().connections.get_mut(peer).filter(|there| there.number == number)
        {
            connection.address = address;
        }
    }

    /// What is known of the connections, and of the attempts to make one.
    pub(super) fn facts(&self) -> Vec<Facts> {
        let state = self.state();
        let up = state.connections.iter().map(|(peer, connection)| Facts {
            peer: peer.clone(),
            up: true,
            visible: connection.info.visible,
            received: connection.traffic.received.load(Ordering::Relaxed),
            sent: connection.traffic.sent.load(Ordering::Relaxed),
            address: connection.address.clone(),
        });
        let pending = state.table.pending().filter(|peer| !state.connections.contains_key(*peer));
        let pending = pending.map(|peer| Facts {
            peer: peer.clone(),
            up: false,
            visible: true,
            received: 0,
            sent: 0,
            address: String::new(),
        });
        up.chain(pending).collect()
    }

    /// The next dial of `peer` is that of a hidden node.
    pub(super) fn hide_from(&self, peer: &Atom, hide: bool) {
        let mut state = self.state();
        if hide {
            state.from_hiding.insert(peer.clone())
        } else {
            state.from_hiding.remove(peer)
        };
    }

    /// Asks the driver to end; the answer comes when links and monitors have fired. Nothing without a connection.
    pub(super) fn end_connection(&self, peer: &Atom, end: End) -> Option<oneshot::Receiver<()>> {
        let mut state = self.state();
        let connection = state.connections.get_mut(peer)?;
        let (done, gone) = oneshot::channel();
        connection.gone.push(done);
        let _ = connection.orders.send(Order::End(end));
        Some(gone)
    }

    pub(super) fn set_ticktime(&self, now: Now, ticktime: Duration, transition: Duration) -> TickTimeChange {
        let mut state = self.state();
        let change = state.ticktime.set(now, ticktime, transition);
        if change == TickTimeChange::ChangeInitiated {
            let (new, within) = (ticktime.as_secs(), transition.as_secs());
            tracing::info!("net_ticktime changes to {new} s, within {within} s");
            for connection in state.connections.values() {
                let _ = connection.orders.send(Order::Ticktime(ticktime, transition));
            }
        }
        change
    }
}

impl State {
    fn take_tasks(&mut self, attempts: &BTreeSet<Attempt>) -> Vec<AbortHandle> {
        attempts.iter().filter_map(|attempt| self.attempts.remove(attempt)).collect()
    }

    /// A name for a node of `host` that asks for one: one that was used before if there is one, else a new one.
    pub(super) fn grant(&mut self, node: &Node, host: &str) -> (String, u32) {
        let free = self.free_names.get_mut(host).and_then(VecDeque::pop_front);
        free.unwrap_or_else(|| {
            (format!("{}@{host}", base36(node.roll())), node.roll() as u32 | FIRST_CREATION)
        })
    }

    fn free_name(&mut self, peer: &Atom, creation: u32) {
        let Some((_, host)) = names::split(peer.as_str()) else { return };
        if self.free_names.len() >= DYNAMIC_HOSTS_MAX && !self.free_names.contains_key(host) {
            return;
        }
        let free = self.free_names.entry(host.to_owned()).or_default();
        if free.len() < DYNAMIC_NAMES_FREE_MAX {
            free.push_back((peer.to_string(), creation.wrapping_add(1).max(FIRST_CREATION)));
        }
    }
}

/// 0 to 3 belong to times with two bits for a creation.
const FIRST_CREATION: u32 = 4;

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
    }
    digits.iter().rev().map(char::to_ascii_uppercase).collect()
}

fn drop_pending_lane(node: &Node, peer: &Atom) {
    if let Some(lane) = node.lane(peer).filter(|lane| lane.state() == runtime::LaneState::Pending) {
        node.lane_down(&lane, Term::atom("connection_setup_failed"));
    }
}

/// What the lanes of the node call when they need a connection.
///
/// The node holds the gate and the gate holds the node: [`NetKernel::close_gate`] cuts the circle when the node stops.
struct Gate(Mutex<Option<Node>>);

impl Gate {
    fn net(&self) -> Option<Arc<NetKernel>> {
        self.node().as_ref().and_then(NetKernel::of)
    }

    fn node(&self) -> Option<Node> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl Gateway for Gate {
    fn may_dial(&self, peer: &Atom) -> bool {
        self.net().is_some_and(|net| names::check_peer(peer.as_str(), net.setup.form).is_ok())
    }

    fn dial(&self, peer: &Atom) {
        let Some(node) = self.node() else { return };
        let peer = peer.clone();
        // Not here and now: the caller may hold locks of the runtime, and the order of locks is ours first.
        node.clone().spawn_task(async move {
            let Some(net) = NetKernel::of(&node) else { return drop_pending_lane(&node, &peer) };
            if let Err(error) = names::check_peer(peer.as_str(), net.setup.form) {
                tracing::error!("** {error} **");
                return net.refuse_lane(&node, &peer, &error);
            }
            match net.want(&node, &peer, Cause::Auto, None) {
                Wanted::Up | Wanted::Pending => {}
                Wanted::NotAllowed => net.refuse_lane(&node, &peer, &"not on the allow list"),
                Wanted::Barred => net.refuse_lane(&node, &peer, &"dist_auto_connect"),
                Wanted::TooMany => {
                    if let Some(unsaid) = net.hush.allows(Kind::TooManyDials, node.now()) {
                        let max = DIALS_UNASKED_MAX;
                        tracing::warn!(max, %peer, unsaid, "too many nodes are being dialled: this one is not");
                    }
                    net.refuse_lane(&node, &peer, &"too many dials");
                }
            }
        });
    }
}
