//! The meeting of two partitions, as the name server sees it (6.3, 6.8): first words, tables, verdicts, and who is told.

use std::time::Duration;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::{Actor, ConnectionId, Effect, Level, ResolveId};
use super::machine::Global;
use super::messages::{self, External, LockId, Message, Named, News, Op, VERSION, VERSION_VERIFY, Versioned};
use super::names::Resolver;
use super::peers::{Hello, HisPart, Session};
use crate::limits::{GLOBAL_CONNECT_RETRIES, GLOBAL_PEERS_MAX};

/// Why a peer leaves the known ones (6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// The connection broke: tell the others, unless we had asked for it.
    Lost,
    /// Somebody lost it: we have asked it to hang up.
    Remove,
}

impl Global {
    pub(super) fn node_up(&mut self, node: &Atom, connection: Option<ConnectionId>) {
        if connection.is_none() {
            // Whoever it is, it does not speak global; if we owe it a word, it will not hear it.
            return if self.peers.is_owed(node) {
                self.unreachable(node)
            };
        }
        let peer = self.peers.entry(node);
        peer.up = connection;
        peer.removing = None;
        peer.restarts = 0;
        self.pay_debts(node);
        if self.peers.entry(node).owed.take().is_some() {
            self.say_in_sync(node);
            self.set_monitors(node);
            self.unpark(node);
        }
        self.start_session(node);
    }

    pub(super) fn node_down(&mut self, node: &Atom) {
        if !self.peers.is_up(node) {
            return;
        }
        let peer = self.peers.entry(node);
        peer.up = None;
        peer.owed = None;
        self.debts.lost(node);
        self.leave(node, Leave::Lost);
        self.calls_down(node);
        self.sync_gone(node);
        self.peers.tidy(node);
    }

    /// We could not connect to a node that others know: for us it went down (OTP's `extra_nodedown`).
    pub(super) fn connect_failed(&mut self, node: &Atom) {
        if self.peers.is_up(node) {
            return;
        }
        let Some(owed) = self.peers.get_mut(node).and_then(|peer| peer.owed.as_mut()) else {
            return self.sync_gone(node);
        };
        if *owed > 0 {
            *owed -= 1;
            return self.effect(Effect::Connect { node: node.clone() });
        }
        self.log(Level::Warning, format!("'global' at {} failed to connect to {node}", self.me));
        self.unreachable(node);
    }

    fn unreachable(&mut self, node: &Atom) {
        self.peers.entry(node).owed = None;
        self.leave(node, Leave::Lost);
        self.calls_down(node);
        self.sync_gone(node);
        self.peers.tidy(node);
    }

    /// Takes a node out of the known ones. The names of its processes go at once, though the connection may last a little:
    /// else we would tell of them at the next meeting, and nobody would take them back. Its locks go with the connection:
    /// what it is changing in all of the partition now, it changes here too.
    pub(super) fn leave(&mut self, node: &Atom, how: Leave) {
        self.end_session(node, End::Tell, None);
        let now = self.now;
        let peer = self.peers.entry(node);
        let asked = peer.removing.is_some();
        let was_known = peer.known.take().is_some();
        peer.synced = false;
        peer.one_sided = None;
        peer.early = None;
        peer.restart_at = None;
        peer.removing = (how == Leave::Remove).then_some(now);
        if was_known {
            self.overlap.departed(now, node, self.peers.known_nodes());
        }
        if how == Leave::Remove {
            self.forget_names_of(node);
        } else {
            self.bury_node(node);
        }
        if how == Leave::Lost && !asked {
            self.tell_lost_connection(node);
        }
    }

    pub(super) fn message(&mut self, from: &Atom, term: &Term) {
        let Some(message) = Message::read(term) else {
            let text = format!("The global_name_server received an unexpected message from {from}: {term:?}");
            return self.log(Level::Warning, text);
        };
        if message.speaker().is_some_and(|speaker| speaker != from) {
            let text = format!("global: {from} speaks in the name of another node: {message:?}");
            return self.log(Level::Warning, text);
        }
        match message {
            Message::InitConnect { version, theirs, node, locker } => {
                self.init_connect(&node, Hello { version, tag: theirs, locker });
            }
            Message::InitConnectAck { node, tag, theirs } => self.init_connect_ack(&node, &tag, theirs),
            Message::LockSet { locker, set, tag } => self.lock_set(from, locker, set, tag),
            Message::Exchange { node, names, tag } => self.exchange(&node, names, &tag),
            Message::Resolved { node, ops, known, external, tag } => {
                self.resolved(&node, HisPart { ops, known, external }, &tag);
            }
            Message::NewNodes { node, ops, external, nodes, lock } => {
                self.new_nodes(&node, ops, &external, &nodes, lock.as_ref());
            }
            Message::InSync { node } => self.in_sync(&node),
            Message::CancelConnect { node, tag } => self.cancel_connect(&node, &tag),
            Message::LostConnection { teller, creation, serial, lost } => {
                self.lost_connection(&teller, creation, serial, &lost);
            }
            Message::RemoveConnection { node } => self.remove_connection(&node),
            Message::Whereis { name, from } => self.whereis_later(from, name),
            Message::PrepareShutdown { from, reference } => {
                self.config.connect_all = false;
                self.overlap.stop();
                let message = Term::tuple([reference, Term::atom("ok")]);
                self.effect(Effect::SendPid { pid: from, message });
            }
            Message::Old => {}
        }
    }

    // First words.

    /// Says hello to a peer that is up and unknown, with a new tag.
    pub(super) fn start_session(&mut self, node: &Atom) {
        let fresh = self.peers.get(node).is_some_and(|peer| {
            peer.up.is_some() && peer.known.is_none() && peer.session.is_none() && peer.removing.is_none()
        });
        if !fresh || !self.config.connect_all {
            return;
        }
        let tag = self.unique();
        let now = self.now;
        let peer = self.peers.entry(node);
        peer.session = Some(Session::new(tag, now));
        peer.restart_at = None;
        let early = peer.early.take();
        let hello = messages::init_connect(&self.me, Term::Int(tag), &self.config.locker);
        self.send(Actor::Server, node, hello);
        if let Some((hello, _)) = early {
            self.init_connect(node, hello);
        }
    }

    fn init_connect(&mut self, node: &Atom, hello: Hello) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(node).filter(|peer| peer.up.is_some()) else { return };
        let Some(session) = &mut peer.session else {
            // Known already, or not wanted: kept until that is settled (OTP's `pre_connect`).
            peer.early = Some((hello, now));
            if peer.restart_at.is_some() {
                self.start_session(node);
            }
            return;
        };
        if session.his.is_some() {
            // He has begun anew, and what he knows of us is old: so do we, and tell him (6.8).
            if hello.version < VERSION_VERIFY {
                let text = format!(
                    "'global' at node {} got an out of sync connection attempt from old version {} node {node}. \
                     Disconnecting from it.",
                    self.me, hello.version
                );
                self.log(Level::Error, text);
                return self.effect(Effect::Disconnect { node: node.clone() });
            }
            self.send(Actor::Server, node, messages::cancel_connect(&self.me, hello.tag));
            return self.restart_session(node, End::Silent);
        }
        session.his = Some(hello.clone());
        session.since = now;
        let tag = session.tag;
        if hello.version >= VERSION_VERIFY {
            let ack = messages::init_connect_ack(&self.me, hello.tag.clone(), Term::Int(tag));
            self.send(Actor::Server, node, ack);
        }
        self.locker_meet(node, tag, hello);
    }

    fn init_connect_ack(&mut self, node: &Atom, tag: &Term, theirs: Term) {
        let mine = self.session_of_tag(node, tag);
        if mine.is_some_and(|session| session.his.as_ref().is_some_and(|his| his.tag == theirs)) {
            return;
        }
        #[cfg(test)]
        if self.config.mistake == super::Mistake::TrustEveryAck {
            return;
        }
        self.send(Actor::Server, node, messages::cancel_connect(&self.me, theirs));
        self.restart_session(node, End::Silent);
    }

    fn cancel_connect(&mut self, node: &Atom, tag: &Term) {
        if let Some(peer) = self.peers.get_mut(node) {
            // His session is over: what he said at its beginning is old.
            peer.early = None;
        }
        if self.session_of_tag(node, tag).is_some() {
            self.restart_session(node, End::Silent);
        }
    }

    /// Ends a session and begins the next one.
    pub(super) fn restart_session(&mut self, node: &Atom, end: End) {
        if self.peers.session_mut(node).is_some() {
            self.end_session(node, end, None);
            let peer = self.peers.entry(node);
            peer.restarts = peer.restarts.saturating_add(1);
            match peer.restarts {
                0..=2 => self.start_session(node),
                more => {
                    let wait = Duration::from_millis(1 + self.dice.below(100 << more.min(7)));
                    self.peers.entry(node).restart_at = Some(self.now + wait);
                }
            }
        }
    }

    /// Ends the session with a peer, if there is one, and lets go of every lock held for it.
    pub(super) fn end_session(&mut self, node: &Atom, end: End, news: Option<Vec<(Atom, Term)>>) {
        let session = self.peers.get_mut(node).and_then(|peer| peer.session.take());
        if let (End::Tell, Some(his)) = (end, session.as_ref().and_then(|session| session.his.as_ref()))
            && his.version >= VERSION_VERIFY
        {
            let tag = his.tag.clone();
            self.send(Actor::Server, node, messages::cancel_connect(&self.me, tag));
        }
        self.resolving.retain(|_, (asked_for, _)| asked_for != node);
        self.locker_drop(node, news);
    }

    // The tables.

    /// Our locker and his have locked both partitions.
    pub(super) fn lock_is_set(&mut self, node: &Atom, lock: LockId) {
        let now = self.now;
        let Some(session) = self.peers.session_mut(node) else { return };
        let Some(his) = session.his.as_ref().map(|his| his.tag.clone()) else { return };
        session.lock = Some(lock);
        session.since = now;
        session.told = false;
        let names = session.his_names.take();
        let table = messages::exchange(&self.me, self.names.iter().cloned(), his);
        self.send(Actor::Server, node, table);
        if let Some(names) = names {
            self.start_resolver(node, names);
        }
    }

    fn exchange(&mut self, node: &Atom, names: Vec<Named>, tag: &Term) {
        let Some(session) = self.session_of_tag(node, tag) else { return };
        if session.lock.is_none() {
            session.his_names = Some(names);
        } else if session.resolver.is_none() && session.ops.is_none() {
            self.start_resolver(node, names);
        }
    }

    fn start_resolver(&mut self, node: &Atom, names: Vec<Named>) {
        if let Some(session) = self.peers.session_mut(node) {
            session.resolver = Some(Resolver::new(names));
            self.run_resolver(node);
        }
    }

    fn run_resolver(&mut self, node: &Atom) {
        let ours_to_settle = self.me < *node;
        let Some(session) = self.peers.session_mut(node) else { return };
        let Some(resolver) = &mut session.resolver else { return };
        let tag = session.tag;
        let Some(clash) = resolver.next_clash(&self.names, ours_to_settle) else {
            return self.my_part(node);
        };
        let id = self.number();
        self.resolving.insert(id, (node.clone(), tag));
        self.effect(Effect::Resolve {
            id,
            node: clash.ours.pid.node.name().clone(),
            method: clash.ours.method,
            name: clash.ours.name,
            theirs: clash.theirs.pid,
            ours: clash.ours.pid,
        });
    }

    pub(super) fn resolve_reply(&mut self, id: ResolveId, verdict: Result<Term, Term>) {
        let Some((node, tag)) = self.resolving.remove(&id) else { return };
        let now = self.now;
        let Some(session) = self.peers.session_of_tag(&node, &Term::Int(tag)) else { return };
        let Some(resolver) = &mut session.resolver else { return };
        session.since = now;
        if let Some(text) = resolver.verdict(verdict) {
            self.log(Level::Info, text);
        }
        self.run_resolver(&node);
    }

    /// Every clash is settled: tell him his part, and go on if his is there.
    fn my_part(&mut self, node: &Atom) {
        let known: Vec<Versioned> =
            self.peers.known().map(|(node, version)| (node.clone(), version)).collect();
        let prevented = self.overlap.is_prevented();
        let Some(session) = self.peers.session_mut(node) else { return };
        let (Some(mut resolver), Some(his)) = (session.resolver.take(), session.his.clone()) else { return };
        let member = |node: &Atom| *node == self.me || known.iter().any(|(other, _)| other == node);
        if prevented {
            // Partitions that may overlap have much in common, and all of it is known to all.
            resolver.add_shared();
        }
        resolver.add_strangers(&self.names, |pid: &Pid| !member(pid.node.name()));
        session.ops = Some(resolver.ops);
        session.left_to_him = resolver.left_to_him;
        let part = session.his_part.take();
        let external: Vec<External> = self.names.external().cloned().collect();
        let resolved =
            messages::resolved(&self.me, &resolver.resolved, &known, &external, his.tag, his.version);
        self.send(Actor::Server, node, resolved);
        if let Some(part) = part {
            self.merge(node, part);
        }
    }

    fn resolved(&mut self, node: &Atom, part: HisPart, tag: &Term) {
        let Some(session) = self.session_of_tag(node, tag) else { return };
        if session.ops.is_some() {
            self.merge(node, part);
        } else {
            session.his_part = Some(part);
        }
    }

    /// Both parts are here: two partitions become one.
    fn merge(&mut self, node: &Atom, part: HisPart) {
        let before: Vec<Versioned> =
            self.peers.known().map(|(node, version)| (node.clone(), version)).collect();
        let Some(session) = self.peers.session_mut(node) else { return };
        let (Some(mut ops), Some(his), Some(lock)) =
            (session.ops.take(), session.his.clone(), session.lock.clone())
        else {
            return;
        };
        let left = std::mem::take(&mut session.left_to_him);
        ops.extend(part.ops);
        // He has found nothing for us to do about it: ours stays, and those of us are told who have lost it meanwhile.
        let stays =
            left.into_iter().filter(|ours| self.names.get(&ours.name).is_some_and(|now| now.pid == ours.pid));
        for ours in stays.collect::<Vec<_>>() {
            if !ops.iter().any(|op| *op.name() == ours.name) {
                ops.push(Op::Insert(ours));
            }
        }
        let nodes = self.with_versions(node, &his, part.known);
        for (other, _) in nodes.iter().filter(|(other, _)| other != node) {
            self.owe_in_sync(other);
        }
        self.apply(&ops, &part.external, Some(&lock));
        self.sync_reached(node);
        for (other, _) in nodes.iter().filter(|(other, _)| other != node) {
            self.end_session(other, End::Silent, None);
        }
        let news = News {
            node: &self.me,
            ops: &ops,
            external: &part.external,
            nodes: &nodes,
            version: his.version.min(VERSION),
            lock: &lock,
        };
        let news = before.into_iter().map(|(reader, version)| (reader, news.to_term(version))).collect();
        self.end_session(node, End::Silent, Some(news));
        self.add_known(&nodes);
        if let Some(peer) = self.peers.get_mut(node) {
            peer.synced = true;
            peer.wedged = 0;
            peer.restarts = 0;
        }
    }

    /// He and all he knows, with the versions we know where he does not.
    fn with_versions(&self, node: &Atom, his: &Hello, known: Vec<Versioned>) -> Vec<Versioned> {
        let mut nodes = vec![(node.clone(), his.version)];
        nodes.extend(known.into_iter().filter(|(other, _)| *other != self.me && other != node).map(
            |(other, version)| match self.peers.get(&other) {
                Some(peer) if version == 0 => (other, peer.version()),
                _ => (other, version),
            },
        ));
        nodes
    }

    fn new_nodes(
        &mut self,
        teller: &Atom,
        ops: Vec<Op>,
        external: &[External],
        nodes: &[Versioned],
        lock: Option<&LockId>,
    ) {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::DeafToNews {
            return;
        }
        if !self.hears(teller) {
            // He counts us as one of his partition, and we do not: we alone of ours would have his news. We meet soon.
            let text = format!("global: {teller} tells us of nodes and is not in our partition, ignored");
            return self.log(Level::Info, text);
        }
        let (stale, fresh): (Vec<Versioned>, Vec<Versioned>) =
            nodes.iter().cloned().partition(|(node, _)| self.is_stale_news(node));
        let strangers = self.strangers_among(&fresh);
        for node in self.add_known(&fresh) {
            self.owe_in_sync(&node);
        }
        self.apply(&ops, external, lock);
        self.tell_of(strangers, &ops);
        stale.iter().for_each(|(node, _)| self.refuse_stale(node));
    }

    fn hears(&self, teller: &Atom) -> bool {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::HearStrangers {
            return true;
        }
        self.is_of_us(teller)
    }

    /// Does what a meeting decided, under the lock it was decided under (6.4).
    fn apply(&mut self, ops: &[Op], external: &[External], lock: Option<&LockId>) {
        let global = Term::atom("global");
        for op in ops {
            let Op::Insert(named) = op else { continue };
            let held = match self.locks.lock(&global) {
                Some((requester, _)) => lock.is_some_and(|lock| lock.requester == *requester),
                None => !self.global_lock_down,
            };
            let mark = external.iter().find(|mark| mark.name == named.name && mark.pid == named.pid);
            self.insert_name(named.clone(), mark.cloned(), held);
        }
        for op in ops {
            if let Op::Delete(name) = op {
                self.delete_name(name);
            }
        }
    }

    /// Makes nodes known, and says which of them were not.
    fn add_known(&mut self, nodes: &[Versioned]) -> Vec<Atom> {
        let mut added = Vec::new();
        for (node, version) in nodes {
            if *node == self.me {
                continue;
            }
            if self.peers.get(node).is_none() && self.peers.len() >= GLOBAL_PEERS_MAX {
                let text = format!("global: more than {GLOBAL_PEERS_MAX} nodes, {node} is left out");
                self.log(Level::Error, text);
                continue;
            }
            let peer = self.peers.entry(node);
            match peer.known {
                None => {
                    added.push(node.clone());
                    self.overlap.arrived(node);
                    peer.known = Some(*version);
                    peer.removing = None;
                    peer.one_sided = None;
                }
                Some(0) => peer.known = Some(*version),
                Some(_) => {}
            }
        }
        added
    }

    /// A node that others know has to hear `in_sync` from us; if need be over a new connection.
    fn owe_in_sync(&mut self, node: &Atom) {
        if *node == self.me {
        } else if self.peers.is_up(node) {
            self.say_in_sync(node);
        } else if self.peers.get(node).is_some() || self.peers.len() < GLOBAL_PEERS_MAX {
            let peer = self.peers.entry(node);
            if peer.owed.replace(GLOBAL_CONNECT_RETRIES).is_none() {
                self.effect(Effect::Connect { node: node.clone() });
            }
        }
    }

    fn say_in_sync(&mut self, node: &Atom) {
        self.send(Actor::Server, node, messages::in_sync(&self.me));
    }

    fn in_sync(&mut self, node: &Atom) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(node) else { return };
        peer.synced = true;
        peer.early = None;
        if peer.known.is_none() {
            // The `new_nodes` that tells us of it is on its way, if its sender lives; see `watch`.
            peer.one_sided = Some(now);
        }
        self.sync_reached(node);
        self.end_session(node, End::Silent, None);
    }

    pub(super) fn session_of_tag(&mut self, node: &Atom, tag: &Term) -> Option<&mut Session> {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::BlindToTags {
            return self.peers.session_mut(node);
        }
        self.peers.session_of_tag(node, tag)
    }

    /// For the watch: since when the session waits, in which state.
    pub(super) fn touch_session(&mut self, node: &Atom, now: Now) {
        if let Some(session) = self.peers.session_mut(node) {
            session.since = now;
        }
    }
}

/// Whether the peer hears that a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `cancel_connect`.
    Tell,
    /// It knows, or it does not matter.
    Silent,
}

impl Message {
    /// The node that a message says it is from.
    fn speaker(&self) -> Option<&Atom> {
        match self {
            Message::InitConnect { node, .. }
            | Message::InitConnectAck { node, .. }
            | Message::Exchange { node, .. }
            | Message::Resolved { node, .. }
            | Message::NewNodes { node, .. }
            | Message::InSync { node }
            | Message::CancelConnect { node, .. }
            | Message::RemoveConnection { node } => Some(node),
            Message::LockSet { locker, .. } => Some(locker.node.name()),
            Message::LostConnection { .. }
            | Message::Whereis { .. }
            | Message::PrepareShutdown { .. }
            | Message::Old => None,
        }
    }
}
