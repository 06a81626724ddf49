//! The state of one scope: its groups, its peers, who wants to hear of changes. Pure: what happened in, effects out.

use std::collections::{BTreeMap, BTreeSet};

use term::{Atom, NodeId, Pid, Ref, Term};

use super::table::{Bag, Owner, Table, bag, listed};
use super::wire::{self, Change, PeerMessage, VERSION};
use crate::limits::{PG_MEMBERS_OF_PEER_MAX, PG_MONITORS_MAX, PG_PEERS_MAX};

/// Something to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Send to the scope process of our name on a node, unless that needs a connection.
    SendNode { node: Atom, message: Term },
    /// Send to a scope process, unless that needs a connection. What cannot be sent because too much waits for the
    /// peer is left out until [`Groups::catch_up`].
    Send { peer: Pid, message: Term },
    /// Cast to a scope process what it asked for.
    Cast { peer: Pid, message: Term },
    /// Tell one who wants to hear of changes.
    Tell { pid: Pid, message: Term },
    /// Watch a process; its end comes back as [`Groups::down`].
    Monitor(Pid),
    /// Do not watch it any more.
    Demonitor(Pid),
}

/// One scope as one node sees it.
pub(super) struct Groups {
    node: NodeId,
    /// The scope process, once it runs.
    me: Option<Pid>,
    table: Table,
    /// Our members: which groups they joined, and how often.
    joined: BTreeMap<Pid, BTreeMap<Term, u32>>,
    peers: BTreeMap<Pid, Peer>,
    monitors: BTreeMap<Ref, Monitor>,
    /// Those of one group; those of the whole scope are under nothing.
    monitors_of: BTreeMap<Option<Term>, BTreeSet<Ref>>,
    /// Those of one process.
    monitors_by: BTreeMap<Pid, BTreeSet<Ref>>,
    /// How many reasons there are to watch a process.
    watched: BTreeMap<Pid, usize>,
    effects: Vec<Effect>,
}

/// A scope process of another node.
#[derive(Default)]
struct Peer {
    /// The highest version that it is known to speak.
    version: i64,
    groups: BTreeSet<Term>,
    members: usize,
}

struct Monitor {
    pid: Pid,
    group: Option<Term>,
}

impl Groups {
    pub(super) fn new(node: NodeId) -> Groups {
        Groups {
            node,
            me: None,
            table: Table::default(),
            joined: BTreeMap::new(),
            peers: BTreeMap::new(),
            monitors: BTreeMap::new(),
            monitors_of: BTreeMap::new(),
            monitors_by: BTreeMap::new(),
            watched: BTreeMap::new(),
            effects: Vec::new(),
        }
    }

    /// What is to be done now.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(super) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The scope process runs, maybe once more: what the one before watched and knew of peers is gone with it.
    pub(super) fn begin(&mut self, me: Pid, nodes: impl IntoIterator<Item = Atom>) {
        for peer in self.peers.keys().cloned().collect::<Vec<_>>() {
            self.forget_peer(&peer);
        }
        self.effects.retain(|effect| matches!(effect, Effect::Tell { .. }));
        let members = self.joined.keys().map(|pid| (pid, 1));
        self.watched.clear();
        for (pid, reasons) in members.chain(self.monitors_by.iter().map(|(pid, theirs)| (pid, theirs.len())))
        {
            *self.watched.entry(pid.clone()).or_insert(0) += reasons;
        }
        self.effects.extend(self.watched.keys().cloned().map(Effect::Monitor));
        for node in nodes {
            let message = wire::discover(&me, 0);
            self.effects.push(Effect::SendNode { node, message });
        }
        self.me = Some(me);
    }

    /// A visible node is connected.
    pub(super) fn node_up(&mut self, node: Atom) {
        if let Some(me) = &self.me {
            let message = wire::discover(me, 0);
            self.effects.push(Effect::SendNode { node, message });
        }
    }

    /// Processes of this node join a group.
    pub(super) fn join(&mut self, group: &Term, pids: &[Pid]) {
        for pid in pids {
            if !self.joined.contains_key(pid) {
                self.watch(pid);
            }
            let groups = self.joined.entry(pid.clone()).or_default();
            *groups.entry(group.clone()).or_insert(0) += 1;
        }
        self.table.add(Owner::Here, group, pids);
        self.tell("join", group, pids);
        if !pids.is_empty() {
            self.broadcast(|me, version| wire::join(me, version, group, pids));
        }
    }

    /// Processes of this node leave a group, each once; whether any of them was in it.
    pub(super) fn leave(&mut self, group: &Term, pids: &[Pid]) -> bool {
        let left = self.table.remove(Owner::Here, group, &bag(pids.iter().cloned()), 1);
        for pid in &left {
            self.forget_joined(pid, group);
        }
        self.tell("leave", group, &left);
        if !left.is_empty() {
            self.broadcast(|me, version| wire::leave(me, version, group, &left));
        }
        !left.is_empty()
    }

    fn forget_joined(&mut self, pid: &Pid, group: &Term) {
        let Some(groups) = self.joined.get_mut(pid) else { return };
        if let Some(times) = groups.get_mut(group) {
            *times -= 1;
            if *times == 0 {
                groups.remove(group);
            }
        }
        if groups.is_empty() {
            self.joined.remove(pid);
            self.unwatch(pid);
        }
    }

    /// A peer speaks.
    pub(super) fn hear(&mut self, message: PeerMessage) {
        if message.peer().node.name() == self.node.name() {
            return;
        }
        match message {
            PeerMessage::Discover { peer, version } => self.discovered(peer, version),
            PeerMessage::Data { peer, version, groups } => {
                if self.meet(&peer, version) {
                    self.replace(&peer, groups);
                }
            }
            PeerMessage::Update { peer, changes } => {
                // One that we lost, or never met, will discover us.
                if self.peers.contains_key(&peer) {
                    changes.into_iter().for_each(|change| self.change(&peer, change));
                }
            }
            PeerMessage::Leave { peer, pids, groups } => {
                if self.peers.contains_key(&peer) {
                    groups.iter().for_each(|(group, times)| self.left(&peer, group, &pids, *times));
                }
            }
        }
    }

    /// Answered with everything, whoever asks; one whom we do not know is asked in turn.
    fn discovered(&mut self, peer: Pid, version: i64) {
        let Some(me) = self.me.clone() else { return };
        let version = version.min(VERSION);
        let known = self.peers.contains_key(&peer);
        if !self.meet(&peer, version) {
            return;
        }
        let message = wire::data(&me, version, self.table.local());
        self.effects.push(Effect::Cast { peer: peer.clone(), message });
        if !known {
            let message = wire::discover(&me, version);
            self.effects.push(Effect::Send { peer, message });
        }
    }

    /// Makes the peer one of ours, and notes what it understands; not when there are too many.
    fn meet(&mut self, peer: &Pid, version: i64) -> bool {
        if !self.peers.contains_key(peer) {
            if self.peers.len() >= PG_PEERS_MAX {
                tracing::warn!(%peer, "pg: too many scope processes, this one is ignored");
                return false;
            }
            self.watch(peer);
        }
        let known = self.peers.entry(peer.clone()).or_default();
        known.version = known.version.max(version.min(VERSION));
        true
    }

    /// Everything the peer has is this.
    fn replace(&mut self, peer: &Pid, groups: Vec<(Term, Vec<Pid>)>) {
        let mut new: BTreeMap<Term, Bag> = BTreeMap::new();
        for (group, pids) in groups {
            for (pid, count) in bag(pids) {
                *new.entry(group.clone()).or_default().entry(pid).or_insert(0) += count;
            }
        }
        let old = self.peers.get(peer).map_or_else(BTreeSet::new, |known| known.groups.clone());
        for group in old {
            let there = self.table.announced(peer, &group);
            let now = new.remove(&group).unwrap_or_default();
            let (leave, join) = (missing(&there, &now), missing(&now, &there));
            self.change(peer, Change { group, join, leave });
        }
        for (group, pids) in new {
            self.change(peer, Change { group, join: listed(&pids), leave: Vec::new() });
        }
    }

    fn change(&mut self, peer: &Pid, change: Change) {
        let Change { group, mut join, leave } = change;
        if !leave.is_empty() {
            self.left(peer, &group, &bag(leave), 1);
        }
        let Some(known) = self.peers.get_mut(peer) else { return };
        let room = PG_MEMBERS_OF_PEER_MAX - known.members;
        if join.len() > room {
            tracing::warn!(%peer, "pg: too many members of one peer, the last are left out");
            join.truncate(room);
        }
        if join.is_empty() {
            return;
        }
        known.members += join.len();
        known.groups.insert(group.clone());
        self.table.add(Owner::Peer(peer), &group, &join);
        self.tell("join", &group, &join);
    }

    fn left(&mut self, peer: &Pid, group: &Term, pids: &Bag, times: u32) {
        let left = self.table.remove(Owner::Peer(peer), group, pids, times);
        if let Some(known) = self.peers.get_mut(peer) {
            known.members -= left.len();
            if !left.is_empty() && self.table.announced(peer, group).is_empty() {
                known.groups.remove(group);
            }
        }
        self.tell("leave", group, &left);
    }

    /// A process that we watched is gone, or the way to it: it was a member, a peer, or wanted to hear of changes.
    pub(super) fn down(&mut self, pid: &Pid) {
        self.watched.remove(pid);
        if let Some(groups) = self.joined.remove(pid) {
            for (group, times) in &groups {
                let left = self.table.remove(Owner::Here, group, &bag([pid.clone()]), *times);
                self.tell("leave", group, &left);
            }
            self.broadcast(|me, version| wire::gone(me, version, pid, &groups));
        }
        self.forget_peer(pid);
        let theirs = self.monitors_by.get(pid).cloned().unwrap_or_default();
        theirs.iter().for_each(|reference| drop(self.drop_monitor(reference)));
    }

    /// Drops all that a peer has announced.
    fn forget_peer(&mut self, peer: &Pid) {
        let Some(known) = self.peers.remove(peer) else { return };
        self.watched.remove(peer);
        for group in known.groups {
            let left = listed(&self.table.take(Owner::Peer(peer), &group));
            self.tell("leave", &group, &left);
        }
    }

    /// From now on `pid` hears of every change in the group, or in all groups; `false` when too many do.
    pub(super) fn monitor(&mut self, reference: Ref, pid: &Pid, group: Option<Term>) -> bool {
        if self.monitors.len() >= PG_MONITORS_MAX {
            return false;
        }
        self.watch(pid);
        self.monitors_of.entry(group.clone()).or_default().insert(reference.clone());
        self.monitors_by.entry(pid.clone()).or_default().insert(reference.clone());
        self.monitors.insert(reference, Monitor { pid: pid.clone(), group });
        true
    }

    /// Ends that; whether there was something to end.
    pub(super) fn demonitor(&mut self, reference: &Ref) -> bool {
        let monitor = self.drop_monitor(reference);
        if let Some(monitor) = &monitor {
            self.unwatch(&monitor.pid);
        }
        monitor.is_some()
    }

    fn drop_monitor(&mut self, reference: &Ref) -> Option<Monitor> {
        let monitor = self.monitors.remove(reference)?;
        forget_in(&mut self.monitors_of, &monitor.group, reference);
        forget_in(&mut self.monitors_by, &monitor.pid, reference);
        Some(monitor)
    }

    /// Not every change could be sent to this peer: everything we have takes the place of those that still wait.
    pub(super) fn catch_up(&mut self, peer: &Pid) {
        let (Some(known), Some(me)) = (self.peers.get(peer), &self.me) else { return };
        let message = wire::data(me, known.version, self.table.local());
        self.effects.retain(|effect| !matches!(effect, Effect::Send { peer: to, .. } if to == peer));
        self.effects.push(Effect::Cast { peer: peer.clone(), message });
    }

    /// `{Ref, join | leave, Group, Pids}` to those who want to hear it.
    fn tell(&mut self, word: &str, group: &Term, pids: &[Pid]) {
        if pids.is_empty() || self.monitors.is_empty() {
            return;
        }
        let pids = wire::pid_list(pids.to_vec());
        let of_group = Some(group.clone());
        let who = [self.monitors_of.get(&None), self.monitors_of.get(&of_group)];
        for reference in who.into_iter().flatten().flatten() {
            let Some(monitor) = self.monitors.get(reference) else { continue };
            let message = [Term::Ref(reference.clone()), Term::atom(word), group.clone(), pids.clone()];
            self.effects.push(Effect::Tell { pid: monitor.pid.clone(), message: Term::tuple(message) });
        }
    }

    /// Tells every peer what it understands.
    fn broadcast(&mut self, message: impl Fn(&Pid, i64) -> Term) {
        let Some(me) = &self.me else { return };
        let mut made: BTreeMap<i64, Term> = BTreeMap::new();
        for (peer, known) in &self.peers {
            let message = made.entry(known.version).or_insert_with(|| message(me, known.version)).clone();
            self.effects.push(Effect::Send { peer: peer.clone(), message });
        }
    }

    fn watch(&mut self, pid: &Pid) {
        let reasons = self.watched.entry(pid.clone()).or_insert(0);
        *reasons += 1;
        if *reasons == 1 {
            self.effects.push(Effect::Monitor(pid.clone()));
        }
    }

    fn unwatch(&mut self, pid: &Pid) {
        let Some(reasons) = self.watched.get_mut(pid) else { return };
        *reasons -= 1;
        if *reasons == 0 {
            self.watched.remove(pid);
            self.effects.push(Effect::Demonitor(pid.clone()));
        }
    }
}

fn forget_in<K: Ord>(index: &mut BTreeMap<K, BTreeSet<Ref>>, key: &K, reference: &Ref) {
    if let Some(others) = index.get_mut(key) {
        others.remove(reference);
        if others.is_empty() {
            index.remove(key);
        }
    }
}

/// What of `all` is not in `present`.
fn missing(all: &Bag, present: &Bag) -> Vec<Pid> {
    let rest = |(pid, count): (&Pid, &u32)| {
        let rest = count.saturating_sub(present.get(pid).copied().unwrap_or(0));
        (pid.clone(), rest)
    };
    let rest: Bag = all.iter().map(rest).filter(|(_, count)| *count > 0).collect();
    listed(&rest)
}
