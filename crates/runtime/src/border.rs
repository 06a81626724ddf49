//! The border: lanes are made and end here, and what comes in from a peer finds its way.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, ThreadId};

use proto::signal::{Arrival, Dest, Payload, Signal};
use term::{Atom, NodeId, Pid, Term};
use tracing::{debug, error, info};

use crate::exit::NOCONNECTION;
use crate::lane::{Lane, LaneState, PeerInfo};
use crate::mail::{Cause, Mail, Order};
use crate::message::{Form, Message};
use crate::node::{Node, owner_of};
use crate::remote::SpawnOrder;
use crate::sched::At;
use crate::table::lock;

/// What the room above supplies: a way to reach others.
pub trait Gateway: Send + Sync {
    /// Whether a signal to `peer` may cause a connection (`dist_auto_connect`). Must not block.
    fn may_dial(&self, peer: &Atom) -> bool {
        let _ = peer;
        true
    }

    /// Somebody sends to `peer` and there is no connection: start one. [`Node::lane_up`] or [`Node::lane_down`] must
    /// follow some time later, for the pending lane. Must not block.
    fn dial(&self, peer: &Atom);
}

/// What listeners hear of peers.
#[derive(Clone, Debug)]
pub enum PeerEvent {
    /// Before the first signal of the connection is delivered.
    Up(Arc<Lane>, PeerInfo),
    /// After the last signal of the connection, and after links and monitors were told. With the reason.
    Down(Arc<Lane>, PeerInfo, Term),
}

/// Called in the order in which they were added, one event after the other. Must not block. May call whatever it likes of the
/// node: none of its locks is held.
pub type PeerListener = Arc<dyn Fn(&PeerEvent) + Send + Sync>;

/// One peer, in [`Node::peers`].
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its name.
    pub name: Atom,
    /// Its incarnation; not known while it is being dialled.
    pub id: Option<NodeId>,
    /// Whether it counts in `nodes()`.
    pub visible: bool,
    /// Whether it is being dialled, or connected.
    pub state: LaneState,
    /// The number of the connection.
    pub connection: u64,
    /// Bytes that wait for it.
    pub queued_bytes: usize,
}

/// Whether the driver may go on reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Pace {
    /// Read on.
    Go,
    /// The peer has too many answers to read: read on after a short while, and start nothing new for it before
    /// [`Lane::owes_too_much`] says that it has read them. Or it sends to services faster than they can hear it: read on when
    /// [`Lane::piles_up`] says that they have, or after a while that is not short.
    Pause,
    /// The peer sent a signal that cannot be decoded and that somebody depends on: the connection must end, so that links and
    /// monitors over it fire.
    Garbled,
}

/// The lanes of a node.
#[derive(Default)]
pub(crate) struct Border {
    lanes: RwLock<BTreeMap<Atom, Arc<Lane>>>,
    ids: AtomicU64,
    gateway: RwLock<Option<Arc<dyn Gateway>>>,
    listeners: RwLock<Vec<PeerListener>>,
    /// What the listeners have not heard yet.
    events: Mutex<VecDeque<PeerEvent>>,
    /// Held by whoever tells the listeners …
    telling: Mutex<()>,
    /// … and who that is.
    teller: Mutex<Option<ThreadId>>,
}

impl Border {
    fn new_lane(&self, peer: &Atom) -> Arc<Lane> {
        Arc::new(Lane::new(self.ids.fetch_add(1, Ordering::Relaxed) + 1, peer.clone()))
    }

    fn note(&self, event: PeerEvent) {
        lock(&self.events).push_back(event);
    }

    /// Tells the listeners everything there is to tell. A listener that causes an event itself is told when it has returned.
    fn tell(&self) {
        let me = thread::current().id();
        if *lock(&self.teller) == Some(me) {
            return;
        }
        let turn = lock(&self.telling);
        *lock(&self.teller) = Some(me);
        while let Some(event) = self.next_event() {
            let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner).clone();
            for listener in listeners.iter() {
                // What a listener does wrong must not cost others their connections.
                if catch_unwind(AssertUnwindSafe(|| listener(&event))).is_err() {
                    error!("a listener for peers panicked");
                }
            }
        }
        *lock(&self.teller) = None;
        drop(turn);
    }

    fn next_event(&self) -> Option<PeerEvent> {
        lock(&self.events).pop_front()
    }
}

impl Node {
    /// Installs what dials. Until then the node is alone: what is sent to other nodes is dropped and counted.
    pub fn set_gateway(&self, gateway: Arc<dyn Gateway>) {
        *self.border().gateway.write().unwrap_or_else(PoisonError::into_inner) = Some(gateway);
    }

    /// Adds a listener for peers that come and go.
    pub fn on_peer(&self, listener: PeerListener) {
        self.border().listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// The peers that are connected or being dialled, by name.
    pub fn peers(&self) -> Vec<Peer> {
        let lanes = self.border().lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.values().map(peer_of).collect()
    }

    /// The lane to `peer`, pending or up, if there is one.
    pub fn lane(&self, peer: &Atom) -> Option<Arc<Lane>> {
        self.border().lanes.read().unwrap_or_else(PoisonError::into_inner).get(peer).cloned()
    }

    /// The lane to `peer`; a pending one is made, and dialled, if there is none. `None` when the node is alone,
    /// when `peer` is this node, and when the gateway does not want to dial.
    pub fn lane_to(&self, peer: &Atom) -> Option<Arc<Lane>> {
        if let Some(lane) = self.lane(peer) {
            return Some(lane);
        }
        if peer == self.name() || self.is_closing() {
            return None;
        }
        let gateway = self.border().gateway.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        if !gateway.may_dial(peer) {
            return None;
        }
        let (lane, made) = {
            let mut lanes = self.border().lanes.write().unwrap_or_else(PoisonError::into_inner);
            match lanes.get(peer) {
                Some(lane) => (lane.clone(), false),
                None => {
                    let lane = self.border().new_lane(peer);
                    lanes.insert(peer.clone(), lane.clone());
                    (lane, true)
                }
            }
        };
        if made {
            gateway.dial(peer);
        }
        Some(lane)
    }

    /// For the driver: a connection to a peer stands. The pending lane goes up with all that waits in it; without one a
    /// new lane is made. A lane that is up already for the same peer ends first.
    ///
    /// Deliver nothing that came through the connection before this and [`Node::tell_listeners`] have returned.
    pub fn lane_up(&self, info: PeerInfo) -> Arc<Lane> {
        let peer = info.id.name().clone();
        if let Some(old) = self.lane(&peer).filter(|lane| lane.state() != LaneState::Pending) {
            self.lane_down(&old, Term::atom("connection_replaced"));
        }
        let lane = {
            let mut lanes = self.border().lanes.write().unwrap_or_else(PoisonError::into_inner);
            let lane = match lanes.get(&peer) {
                Some(lane) if lane.open(info.clone()) => lane.clone(),
                _ => {
                    let lane = self.border().new_lane(&peer);
                    lane.open(info.clone());
                    lane
                }
            };
            lanes.insert(peer, lane.clone());
            lane
        };
        info!(peer = %lane.peer(), connection = lane.id(), visible = info.visible, "connected");
        self.border().note(PeerEvent::Up(lane.clone(), info));
        lane
    }

    /// For the driver, and for whoever fails to dial: the connection is over. Every link over it exits and every monitor
    /// fires with `noconnection`, once; then, with [`Node::tell_listeners`], the listeners hear `reason`. Does nothing for a lane
    /// that is down.
    pub fn lane_down(&self, lane: &Arc<Lane>, reason: Term) {
        let info = lane.info();
        let Some(closed) = lane.close() else { return };
        {
            let mut lanes = self.border().lanes.write().unwrap_or_else(PoisonError::into_inner);
            if lanes.get(lane.peer()).is_some_and(|current| current.id() == lane.id()) {
                lanes.remove(lane.peer());
            }
        }
        for seat in closed.tied {
            let order = Order::LaneDown { lane: lane.id(), reason: Term::Atom(NOCONNECTION) };
            let _ = self.post(seat, Mail::order(order), At::ELSEWHERE);
        }
        let (peer, connection, dropped) = (lane.peer(), lane.id(), closed.dropped);
        match info {
            Some(info) if closed.was_up => {
                info!(%peer, connection, dropped, ?reason, "connection lost");
                self.border().note(PeerEvent::Down(lane.clone(), info, reason));
            }
            _ => info!(%peer, connection, dropped, ?reason, "could not connect"),
        }
    }

    /// For the driver, after [`Node::lane_up`] and [`Node::lane_down`], and without any lock that a listener might want: the
    /// listeners hear of it. When this returns they have heard everything that happened before, in its order, whoever told
    /// them. (But for a listener that calls this itself: there is nothing to wait for.)
    pub fn tell_listeners(&self) {
        self.border().tell();
    }

    /// For the driver: a signal that came through `lane`. Signals of one connection must be delivered in their order.
    pub fn deliver(&self, lane: &Arc<Lane>, arrival: Arrival) -> Pace {
        let Arrival { signal, mut payload } = arrival;
        if has_reason(&signal) && !self.decode_reason(lane, &mut payload) {
            return Pace::Garbled;
        }
        match signal {
            Signal::Send { to, .. } => self.deliver_message(lane, to, payload),
            Signal::Exit { from, to, .. } => self.deliver_exit(from, &to, payload, Cause::Link),
            Signal::Exit2 { from, to, .. } => self.deliver_exit2(from, to, payload),
            Signal::Link { from, to } => {
                let order = Order::LinkFar { from, lane: lane.clone() };
                self.deliver_or_bounce(&to, Mail::order(order));
            }
            Signal::Unlink { id, from, to } => {
                let order = Order::Unlink { id, from, lane: Some(lane.clone()) };
                self.deliver_or_bounce(&to, Mail::order(order));
            }
            Signal::UnlinkAck { id, from, to } => {
                self.push(&to, Mail::order(Order::UnlinkAck { id, from }));
            }
            Signal::UnlinkOld { from, to } => {
                self.push(&to, Mail::order(Order::UnlinkOld(from)));
            }
            Signal::GroupLeader { leader, to } => {
                self.push(&to, Mail::order(Order::Leader(leader)));
            }
            Signal::Monitor { from, to, reference } => self.deliver_monitor(lane, from, to, reference),
            Signal::Demonitor { to, reference, .. } => self.deliver_demonitor(to, reference),
            Signal::Down { to, reference, .. } => {
                if let Payload::Term(reason) = payload {
                    self.push(&to, Mail::order(Order::Down { reference, reason }));
                }
            }
            Signal::SpawnRequest { id, from, leader, module, function, arity, options, .. } => {
                let order = SpawnOrder { id, from, leader, module, function, arity, options };
                self.on_spawn_request(lane, order, payload);
            }
            Signal::SpawnReply { id, to, linked, monitored, result, .. } => {
                let lane = Some(lane.clone());
                let order = Order::SpawnReply { id, lane, linked, monitored, result };
                self.deliver_or_bounce(&to, Mail::order(order));
            }
        }
        if lane.owes_too_much() || lane.piles_up() { Pace::Pause } else { Pace::Go }
    }

    fn deliver_message(&self, lane: &Arc<Lane>, to: Dest, payload: Payload) {
        let message = match payload {
            Payload::Wire(wire) => Message::from_wire(wire),
            Payload::Term(term) => Message(Form::Term(term)),
            Payload::None => return self.count_drop(),
        };
        let seat_and_mail = match to {
            Dest::Pid(pid) => self.seat(&pid).map(|seat| (seat, Mail::Message(message))),
            Dest::Name(name) => {
                let pid = self.names().whereis(&name);
                pid.and_then(|pid| self.seat(&pid)).map(|seat| (seat, Mail::Message(message)))
            }
            Dest::Alias(alias) if alias.node() == self.id() => {
                owner_of(&alias).map(|(seat, counter)| (seat, Mail::Aliased(counter, message)))
            }
            Dest::Alias(_) => None,
        };
        let sent = seat_and_mail.and_then(|(seat, mail)| self.table().push_far(seat, mail, lane).ok());
        match sent {
            Some(roused) => self.rouse(roused, At::ELSEWHERE),
            None => self.count_drop(),
        }
    }

    fn deliver_exit(&self, from: Pid, to: &Pid, payload: Payload, cause: Cause) {
        if let Payload::Term(reason) = payload {
            self.push(to, Mail::exit(from, reason, cause));
        }
    }

    fn deliver_exit2(&self, from: Pid, to: Dest, payload: Payload) {
        let pid = match to {
            Dest::Pid(pid) => Some(pid),
            Dest::Name(name) => self.names().whereis(&name),
            Dest::Alias(alias) => self.owner_by_alias(&alias),
        };
        if let Some(pid) = pid {
            self.deliver_exit(from, &pid, payload, Cause::Call);
        }
    }

    /// The process whose active alias this is.
    fn owner_by_alias(&self, alias: &term::Ref) -> Option<Pid> {
        let (seat, counter) = owner_of(alias).filter(|_| alias.node() == self.id())?;
        let pid = Pid { node: self.id().clone(), id: seat.id, serial: seat.serial };
        let process = self.process(&pid)?;
        let active = process.state().ties.as_ref().is_some_and(|ties| ties.has_alias(counter));
        active.then_some(pid)
    }

    fn deliver_monitor(&self, lane: &Arc<Lane>, from: Pid, to: Dest, reference: term::Ref) {
        let (pid, name) = match &to {
            Dest::Pid(pid) => (Some(pid.clone()), None),
            Dest::Name(name) => (self.names().whereis(name), Some(name.clone())),
            Dest::Alias(_) => (None, None),
        };
        match pid {
            Some(pid) => {
                let order = Order::MonitorFar { from, reference, name, lane: lane.clone() };
                self.deliver_or_bounce(&pid, Mail::order(order));
            }
            // The name goes back exactly as it was given.
            None => self.send_down(to, &from, Some(lane), reference, &Term::Atom(crate::exit::NOPROC)),
        }
    }

    /// By name it reaches whoever has the name now. If that is another process than when the monitor was made, the
    /// first one keeps a watcher that will ignore its `Down`: harmless, and gone with the process or the connection.
    fn deliver_demonitor(&self, to: Dest, reference: term::Ref) {
        match to {
            Dest::Pid(pid) => {
                self.push(&pid, Mail::Demonitor(reference));
            }
            Dest::Name(name) => {
                let pid = self.names().whereis(&name);
                let holds = |pid: &Pid| self.push(pid, Mail::Demonitor(reference.clone()));
                if !pid.as_ref().is_some_and(holds) {
                    debug!(%name, "a monitor by a name that nobody has any more is taken back");
                }
            }
            Dest::Alias(_) => {}
        }
    }

    fn deliver_or_bounce(&self, to: &Pid, mail: Mail) {
        let Some(seat) = self.seat(to) else { return self.bounce(to, mail) };
        if let Err(mail) = self.post(seat, mail, At::ELSEWHERE) {
            self.bounce(to, mail);
        }
    }
}

fn peer_of(lane: &Arc<Lane>) -> Peer {
    let info = lane.info();
    Peer {
        name: lane.peer().clone(),
        visible: info.as_ref().is_some_and(|info| info.visible),
        id: info.map(|info| info.id),
        state: lane.state(),
        connection: lane.id(),
        queued_bytes: lane.queued_bytes(),
    }
}

/// Whether the payload of this signal is why something ended. (Operations 3, 8, 21, 24, 26 and 28.)
fn has_reason(signal: &Signal) -> bool {
    matches!(signal, Signal::Exit { .. } | Signal::Exit2 { .. } | Signal::Down { .. })
}

impl Node {
    /// Reasons are small and are needed at once. Whether this one can be read: who waits for it must not wait for ever.
    fn decode_reason(&self, lane: &Lane, payload: &mut Payload) -> bool {
        if let Payload::Wire(wire) = payload {
            match wire.decode() {
                Ok(reason) => *payload = Payload::Term(reason),
                Err(error) => {
                    debug!(peer = %lane.peer(), %error, "an exit reason cannot be decoded");
                    return false;
                }
            }
        }
        // The connection lets no such signal without a reason through.
        true
    }
}
