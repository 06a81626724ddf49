//! `global`, the machine: names, locks and meetings of partitions. Events and time in, effects out.
//!
//! The rooms: [`messages`](super::messages) the words, [`peers`](super::peers) what is known of each peer,
//! [`sessions`](super::sessions) the meeting of two partitions, [`locker`](super::locker) the locks of a meeting,
//! [`names`](super::names) the table, [`registrar`](super::registrar) our own changes to it, [`clients`](super::clients)
//! locks for this node's processes, [`overlap`](super::overlap) partitions that must not overlap,
//! [`serve`](super::serve) what peers ask,
//! [`interrupted`](super::interrupted) changes that somebody began and did not finish, [`debts`](super::debts) what peers may
//! have locked for us, [`watch`](super::watch) who keeps us waiting.
//! What the shell has to do for each effect: [`events`](super::events).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proto::Now;
use term::{Atom, NodeId, Pid, Term};

use super::clients::{ClientJob, Syncing};
use super::debts::Debts;
use super::dice::Dice;
use super::events::{Actor, CallId, Effect, Event, Level, MonitorId, Request, RequestId, ResolveId};
use super::interrupted::UnderWay;
use super::locker::Locker;
use super::locks::Locks;
use super::messages::{External, LockId, Named};
use super::names::Names;
use super::overlap::Overlap;
use super::peers::Peers;
use super::registrar::Registrar;
use crate::limits::GLOBAL_NAMES_MAX;

/// What does not change while the node lives, but that `me` follows its name.
#[derive(Clone, Debug)]
pub struct Config {
    /// This incarnation of this node.
    pub me: NodeId,
    /// The pid of the server process.
    pub server: Pid,
    /// The pid of the locker.
    pub locker: Pid,
    /// The pid of the registrar.
    pub registrar: Pid,
    /// Distinguishes this incarnation in `lost_connection` (OTP: random bits above 32, plus the creation).
    pub creation_extension: i64,
    /// Kernel parameter `connect_all`: without it global has no peers.
    pub connect_all: bool,
    /// Kernel parameter `prevent_overlapping_partitions`.
    pub prevent_overlapping: bool,
    /// Kernel parameter `global_multi_name_action` is `allow`: a process may have several names.
    pub many_names: bool,
    /// Where the dice begin.
    pub seed: u64,
    /// A known mistake to make.
    #[cfg(test)]
    pub mistake: super::Mistake,
}

/// The machine.
#[derive(Debug)]
pub struct Global {
    pub(super) config: Config,
    pub(super) me: Atom,
    pub(super) now: Now,
    pub(super) dice: Dice,
    pub(super) peers: Peers,
    pub(super) names: Names,
    pub(super) locks: Locks,
    /// The lock `global` was last lost by a death, not given back: what comes late under it is refused (6.4).
    pub(super) global_lock_down: bool,
    /// Since when somebody holds the lock `global` here, and whether we have said that it is long.
    pub(super) global_lock_since: Option<(Now, bool)>,
    /// Changes of others that may be cut short.
    pub(super) under_way: UnderWay,
    /// What peers may have locked for us.
    pub(super) debts: Debts,
    pub(super) locker: Locker,
    pub(super) registrar: Registrar,
    pub(super) clients: BTreeMap<RequestId, ClientJob>,
    pub(super) syncing: Vec<Syncing>,
    /// Those who ask `whereis` by message wait until no name is changing.
    pub(super) whereis: VecDeque<(Term, Term)>,
    pub(super) overlap: Overlap,
    pub(super) resolving: BTreeMap<ResolveId, (Atom, i64)>,
    watched: BTreeMap<Pid, (MonitorId, u32)>,
    monitors: BTreeMap<MonitorId, Pid>,
    /// Monitors of processes on nodes that we are about to connect to: set when we are. Were they set at once, a first
    /// attempt that fails would take names away that the second finds alive.
    unset: BTreeSet<MonitorId>,
    next_number: u64,
    next_unique: i64,
    effects: VecDeque<Effect>,
}

impl Global {
    /// A name server that knows nobody yet.
    pub fn new(config: Config) -> Global {
        let mut dice = Dice::new(config.seed);
        Global {
            me: config.me.name().clone(),
            now: Now::ZERO,
            peers: Peers::default(),
            names: Names::default(),
            locks: Locks::default(),
            global_lock_down: false,
            global_lock_since: None,
            under_way: UnderWay::default(),
            debts: Debts::default(),
            locker: Locker::default(),
            registrar: Registrar::default(),
            clients: BTreeMap::new(),
            syncing: Vec::new(),
            whereis: VecDeque::new(),
            overlap: Overlap::new(config.connect_all && config.prevent_overlapping),
            resolving: BTreeMap::new(),
            watched: BTreeMap::new(),
            monitors: BTreeMap::new(),
            unset: BTreeSet::new(),
            next_number: 1,
            next_unique: (dice.next() >> 24) as i64,
            effects: VecDeque::new(),
            dice,
            config,
        }
    }

    /// Something happened. Drain [`Global::poll_effect`] after it.
    pub fn on(&mut self, now: Now, event: Event) {
        self.now = self.now.max(now);
        match event {
            Event::NodeUp { node, visible, connection } => {
                self.node_up(&node, visible.then_some(connection));
            }
            Event::NodeDown { node } => self.node_down(&node),
            Event::ConnectFailed { node } => self.connect_failed(&node),
            Event::Message { from, message } => self.message(&from, &message),
            Event::Call { from, caller, request } => self.serve(from, &caller, &request),
            Event::CallReply { id, reply } => self.call_reply(id, reply.as_ref()),
            Event::Resolved { id, verdict } => self.resolve_reply(id, verdict),
            Event::PidDown { id } => self.pid_down(id),
            Event::Request { id, request } => self.request(id, request),
            Event::Wake => self.wake(),
        }
        self.settle();
    }

    /// This node is called so from here on. Its names and locks stay; what belongs to peers has gone with them before.
    pub(super) fn rename(&mut self, me: Atom) {
        self.me = me;
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to say [`Event::Wake`], if nothing else happens. Ask last.
    pub fn poll_deadline(&self) -> Option<Now> {
        let rooms = [
            self.locker_deadline(),
            self.registrar_deadline(),
            self.clients_deadline(),
            self.watch_deadline(),
        ];
        rooms.into_iter().chain([self.doubts_deadline()]).flatten().min()
    }

    /// The process of a name, by our table alone. The caller looks whether a near process still lives.
    pub fn whereis(&self, name: &Term) -> Option<&Pid> {
        self.names.get(name).map(|named| &named.pid)
    }

    /// Every name, in term order.
    #[cfg(test)]
    pub fn registered_names(&self) -> impl Iterator<Item = (&Term, &Pid)> {
        self.names.iter().map(|named| (&named.name, &named.pid))
    }

    /// What changed in the name table since this was asked last, oldest first.
    pub(super) fn take_name_changes(&mut self) -> Vec<(Term, Option<Named>)> {
        self.names.take_changes()
    }

    /// The nodes whose names are ours, in atom order.
    #[cfg(test)]
    pub fn known(&self) -> impl Iterator<Item = &Atom> {
        self.peers.known().map(|(node, _)| node)
    }

    /// The nodes that said that they know us.
    pub fn synced(&self) -> impl Iterator<Item = &Atom> {
        self.peers.iter().filter(|(_, peer)| peer.synced).map(|(node, _)| node)
    }

    /// Every lock: resource, requester, holders.
    #[cfg(test)]
    pub fn locks(&self) -> impl Iterator<Item = (&Term, &Term, Vec<&Pid>)> {
        self.locks
            .iter()
            .map(|(resource, requester, holders)| (resource, requester, holders.iter().collect()))
    }

    fn request(&mut self, id: RequestId, request: Request) {
        match request {
            Request::Register { .. } | Request::ReRegister { .. } | Request::Unregister { .. } => {
                self.registrar_request(id, request);
            }
            Request::SetLock { client, resource, requester, nodes, retries } => {
                self.client_set_lock(id, client, LockId { resource, requester }, nodes, retries);
            }
            Request::DelLock { client, resource, requester, nodes } => {
                self.client_del_lock(id, client, &LockId { resource, requester }, nodes);
            }
            Request::Sync { nodes } => self.sync_request(id, nodes),
        }
    }

    fn call_reply(&mut self, id: CallId, reply: Option<&Term>) {
        let granted = reply.and_then(|reply| match reply.as_atom()?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        });
        self.debts.answered(id, reply.is_some());
        self.locker_reply(id, granted);
        self.registrar_reply(id, granted);
        self.client_reply(id, granted);
        self.doubt_reply(id, reply);
    }

    /// What may go on now, after whatever happened.
    fn settle(&mut self) {
        self.note_global_lock();
        self.locker_settle();
        self.registrar_settle();
        self.answer_whereis();
        self.note_global_lock();
    }

    fn wake(&mut self) {
        self.locker_wake();
        self.registrar_wake();
        self.clients_wake();
        self.watch_wake();
        self.doubts_wake();
    }

    // What all rooms use.

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(super) fn send(&mut self, actor: Actor, node: &Atom, message: Term) {
        if let Some(connection) = self.peers.connection(node) {
            self.effect(Effect::Send { actor, node: node.clone(), connection, message });
        }
    }

    /// Asks a peer, if it is up.
    pub(super) fn call(&mut self, actor: Actor, node: &Atom, request: Term) -> Option<CallId> {
        let connection = self.peers.connection(node)?;
        let id = self.number();
        self.effect(Effect::Call { id, actor, node: node.clone(), connection, request });
        Some(id)
    }

    pub(super) fn answer(&mut self, id: RequestId, answer: &str) {
        self.effect(Effect::Answer { id, answer: Term::atom(answer) });
    }

    pub(super) fn log(&mut self, level: Level, text: String) {
        self.effect(Effect::Log { level, text });
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Larger than every one before.
    pub(super) fn unique(&mut self) -> i64 {
        self.next_unique += 1;
        self.next_unique
    }

    pub(super) fn pid_of(&self, actor: &Actor) -> Pid {
        match actor {
            Actor::Server => self.config.server.clone(),
            Actor::Locker => self.config.locker.clone(),
            Actor::Registrar => self.config.registrar.clone(),
            Actor::Client(pid) => pid.clone(),
        }
    }

    // Names and locks of this node, each entry watched by a monitor that all entries of a process share.

    /// Puts a name in, unless the lock it was given out under is gone (6.4).
    pub(super) fn insert_name(&mut self, named: Named, external: Option<External>, lock_held: bool) {
        if !lock_held {
            self.delete_name(&named.name);
            return;
        }
        if self.names.len() >= GLOBAL_NAMES_MAX && self.names.get(&named.name).is_none() {
            let text = format!("global: more than {GLOBAL_NAMES_MAX} names, {:?} is left out", named.name);
            self.log(Level::Error, text);
            return;
        }
        self.watch(&named.pid);
        if let Some(old) = self.names.insert(named) {
            self.unwatch(&old);
        }
        if let Some(external) = external {
            self.names.mark_external(external);
        }
    }

    pub(super) fn delete_name(&mut self, name: &Term) {
        if let Some(pid) = self.names.remove(name) {
            self.unwatch(&pid);
        }
    }

    /// Takes a lock in our own table.
    pub(super) fn take_lock(&mut self, id: &LockId, holder: &Pid) -> bool {
        if self.locks.holds(&id.resource, holder) {
            return self.locks.can_set(&id.resource, &id.requester);
        }
        let taken = self.locks.set(&id.resource, &id.requester, holder);
        if taken {
            self.watch(holder);
        }
        taken
    }

    /// Gives a lock back in our own table.
    pub(super) fn give_lock(&mut self, id: &LockId, holder: &Pid) {
        if !self.locks.del(&id.resource, &id.requester, holder) {
            return;
        }
        if id.resource.is_atom("global") {
            self.under_way.done(self.now, holder);
        }
        self.unwatch(holder);
        if id.resource.is_atom("global") && !self.global_lock_is_set() {
            self.global_lock_down = false;
        }
    }

    pub(super) fn global_lock_is_set(&self) -> bool {
        self.locks.lock(&Term::atom("global")).is_some()
    }

    pub(super) fn watch(&mut self, pid: &Pid) {
        if let Some((_, count)) = self.watched.get_mut(pid) {
            *count += 1;
            return;
        }
        let id = self.number();
        self.watched.insert(pid.clone(), (id, 1));
        self.monitors.insert(id, pid.clone());
        if self.peers.is_owed(pid.node.name()) {
            self.unset.insert(id);
        } else {
            self.effect(Effect::Monitor { id, pid: pid.clone() });
        }
    }

    /// We are connected to a node that we were about to connect to.
    pub(super) fn set_monitors(&mut self, node: &Atom) {
        for (id, pid) in &self.monitors {
            if pid.node.name() == node && self.unset.remove(id) {
                self.effects.push_back(Effect::Monitor { id: *id, pid: pid.clone() });
            }
        }
    }

    fn demonitor(&mut self, id: MonitorId) {
        self.monitors.remove(&id);
        if !self.unset.remove(&id) {
            self.effect(Effect::Demonitor { id });
        }
    }

    pub(super) fn unwatch(&mut self, pid: &Pid) {
        let Some((id, count)) = self.watched.get_mut(pid) else { return };
        *count -= 1;
        if *count == 0 {
            let id = *id;
            self.watched.remove(pid);
            self.demonitor(id);
        }
    }

    fn pid_down(&mut self, id: MonitorId) {
        if let Some(pid) = self.monitors.remove(&id) {
            self.watched.remove(&pid);
            self.bury(&pid);
        }
    }

    /// Forgets what every process of a node had: its connection is gone, whatever the monitors say later.
    pub(super) fn bury_node(&mut self, node: &Atom) {
        let gone: Vec<(Pid, MonitorId)> = self
            .watched
            .iter()
            .filter(|(pid, (id, _))| pid.node.name() == node && self.is_to_bury(*id))
            .map(|(pid, (id, _))| (pid.clone(), *id))
            .collect();
        gone.iter().for_each(|(pid, _)| self.names.died(pid));
        self.finish_changes_of_node(node);
        for (pid, id) in gone {
            self.watched.remove(&pid);
            self.demonitor(id);
            self.bury(&pid);
        }
    }

    /// Whether nothing but us takes away what the process of this monitor has, once its node is gone.
    fn is_to_bury(&self, _monitor: MonitorId) -> bool {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::TrustMonitors {
            return self.unset.contains(&_monitor);
        }
        true
    }

    pub(super) fn forget_names_of(&mut self, node: &Atom) {
        let names: Vec<Term> = self
            .names
            .iter()
            .filter(|named| named.pid.node.name() == node)
            .map(|named| named.name.clone())
            .collect();
        names.iter().for_each(|name| self.delete_name(name));
    }

    fn bury(&mut self, pid: &Pid) {
        self.names.died(pid);
        if self.locks.died(pid).iter().any(|resource| resource.is_atom("global")) {
            self.global_lock_down = true;
        }
        self.finish_changes_of(pid);
        self.client_died(pid);
    }
}
