//! Partitions must not overlap: whoever loses a connection says so, and all others drop the lost one too (6.6).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::{Actor, CallId, Effect, Level};
use super::machine::Global;
use super::messages::{self, VERSION_OVERLAP};
use super::peers::Peer;
use super::sessions::Leave;
use crate::limits::{
    GLOBAL_LOST_CONNECTION_SECS, GLOBAL_LOST_CONNECTIONS_MAX, GLOBAL_SAME_LOSS_SECS, GLOBAL_STALE_NEWS_SECS,
};

/// How long a node may take to say that it has not lost us.
const DOUBT: Duration = Duration::from_secs(3);

/// What was told about lost connections, so that each tale is passed on once.
#[derive(Debug)]
pub(super) struct Overlap {
    prevented: bool,
    told: BTreeMap<(Atom, Atom), Told>,
    /// Nodes of whom somebody else told that they lost us, and whom we ask whether that is so.
    doubts: BTreeMap<CallId, (Atom, Now)>,
    /// Nodes that were of our partition: what each of the others tells next of their loss is what we know already.
    departed: BTreeMap<Atom, Departed>,
}

#[derive(Debug)]
struct Departed {
    at: Now,
    /// Those of our partition who may tell of this loss: who was with us then, and has been since. A tale of anybody else is about
    /// a loss that is new.
    tellers: BTreeSet<Atom>,
}

#[derive(Debug)]
struct Told {
    creation: Term,
    serial: Term,
    at: Now,
    /// We had not heard of the node's coming when we heard of its loss: that news is still on its way.
    ahead: bool,
}

impl Overlap {
    pub(super) fn new(prevented: bool) -> Overlap {
        Overlap { prevented, told: BTreeMap::new(), doubts: BTreeMap::new(), departed: BTreeMap::new() }
    }

    /// We are about to go: what we lose now is nobody's business.
    pub(super) fn stop(&mut self) {
        self.prevented = false;
    }

    pub(super) fn is_prevented(&self) -> bool {
        self.prevented
    }

    /// A node is one of our partition now.
    pub(super) fn arrived(&mut self, node: &Atom) {
        self.departed.remove(node);
    }

    /// A node is none of our partition any more.
    pub(super) fn departed(&mut self, now: Now, node: &Atom, others: Vec<Atom>) {
        let kept = Duration::from_secs(GLOBAL_SAME_LOSS_SECS);
        self.departed.retain(|_, departed| now.since(departed.at) < kept);
        for departed in self.departed.values_mut() {
            departed.tellers.remove(node);
        }
        if self.departed.len() < GLOBAL_LOST_CONNECTIONS_MAX {
            self.departed.insert(node.clone(), Departed { at: now, tellers: others.into_iter().collect() });
        }
    }

    /// Whether it was of our partition a moment ago, and is not any more.
    pub(super) fn has_departed(&self, now: Now, node: &Atom) -> bool {
        let kept = Duration::from_secs(GLOBAL_SAME_LOSS_SECS);
        self.departed.get(node).is_some_and(|departed| now.since(departed.at) < kept)
    }

    /// Whether a tale is about a loss that we know of; each of the others tells of it once.
    fn is_old_loss(&mut self, now: Now, lost: &Atom, teller: &Atom) -> bool {
        let kept = Duration::from_secs(GLOBAL_SAME_LOSS_SECS);
        let departed = self.departed.get_mut(lost).filter(|departed| now.since(departed.at) < kept);
        departed.is_some_and(|departed| departed.tellers.remove(teller))
    }

    /// Whether this tale is new.
    fn note(&mut self, now: Now, pair: (Atom, Atom), creation: &Term, serial: &Term, known: bool) -> bool {
        if self.told.get(&pair).is_some_and(|told| told.creation == *creation && *serial <= told.serial) {
            return false;
        }
        self.told.retain(|_, told| now.since(told.at) < Duration::from_secs(GLOBAL_LOST_CONNECTION_SECS));
        if self.told.len() >= GLOBAL_LOST_CONNECTIONS_MAX
            && let Some(oldest) =
                self.told.iter().min_by_key(|(_, told)| told.at).map(|(pair, _)| pair.clone())
        {
            self.told.remove(&oldest);
        }
        let ahead = !known && !self.is_old_loss(now, &pair.1, &pair.0);
        self.told.insert(pair, Told { creation: creation.clone(), serial: serial.clone(), at: now, ahead });
        true
    }
}

impl Global {
    /// We lost a node.
    pub(super) fn tell_lost_connection(&mut self, lost: &Atom) {
        if !self.overlap.is_prevented() {
            return;
        }
        // OTP adds the creation to random bits above it, and takes off the least small integer.
        let creation = self.config.creation_extension.wrapping_add(i64::from(self.config.me.creation()));
        let serial = Term::Int(self.unique());
        let tale = messages::lost_connection(&self.me, Term::Int(creation), serial, lost);
        self.tell_all(&tale, lost);
    }

    /// A message to every known and pending node, but one.
    fn tell_all(&mut self, tale: &Term, but: &Atom) {
        let listeners: Vec<Atom> = self
            .peers
            .iter()
            .filter(|(node, peer)| {
                *node != but && peer.potentially_known() && peer.version() >= VERSION_OVERLAP
            })
            .map(|(node, _)| node.clone())
            .collect();
        for node in listeners {
            self.send(Actor::Server, &node, tale.clone());
        }
    }

    /// `teller` lost `lost`. To stay one partition, everybody drops `lost`.
    pub(super) fn lost_connection(&mut self, teller: &Atom, creation: Term, serial: Term, lost: &Atom) {
        if !self.overlap.is_prevented() || *teller == self.me {
            return;
        }
        #[cfg(test)]
        if self.config.mistake == super::Mistake::DeafToLosses {
            return;
        }
        let known = self.peers.is_known(lost);
        if !self.overlap.note(self.now, (teller.clone(), lost.clone()), &creation, &serial, known) {
            return;
        }
        // The teller may have been cut off while it told: so everybody tells everybody.
        let tale = messages::lost_connection(teller, creation, serial, lost);
        self.tell_all(&tale, teller);
        if *lost == self.me {
            return self.doubt(teller);
        }
        self.drop_lost(lost);
        if known {
            self.overlap.is_old_loss(self.now, lost, teller);
        }
    }

    /// Others say that he lost us. They may have slept, and he may have met us again since: he is asked. Who has lost us does
    /// not answer, or does not know us, and goes.
    fn doubt(&mut self, teller: &Atom) {
        let asked = self.overlap.doubts.values().any(|(node, _)| node == teller);
        if asked || !self.peers.get(teller).is_some_and(Peer::potentially_known) {
            return;
        }
        match self.call(Actor::Server, teller, messages::get_known()) {
            Some(id) => {
                self.overlap.doubts.insert(id, (teller.clone(), self.now));
            }
            None => self.drop_lost(teller),
        }
    }

    pub(super) fn doubt_reply(&mut self, id: CallId, reply: Option<&Term>) {
        if let Some((node, _)) = self.overlap.doubts.remove(&id)
            && !reply.is_some_and(|known| messages::knows(known, &self.me))
        {
            self.drop_lost(&node);
        }
    }

    pub(super) fn doubts_deadline(&self) -> Option<Now> {
        self.overlap.doubts.values().map(|(_, since)| *since + DOUBT).min()
    }

    pub(super) fn doubts_wake(&mut self) {
        let now = self.now;
        let late = self.overlap.doubts.extract_if(.., |_, (_, since)| *since + DOUBT <= now);
        let silent: Vec<Atom> = late.map(|(_, (node, _))| node).collect();
        silent.iter().for_each(|node| self.drop_lost(node));
    }

    fn drop_lost(&mut self, drop: &Atom) {
        let Some(peer) = self.peers.get(drop).filter(|peer| peer.potentially_known()) else { return };
        let what = if peer.version() < VERSION_OVERLAP {
            self.effect(Effect::Disconnect { node: drop.clone() });
            "disconnected old"
        } else {
            let please = messages::remove_connection(&self.me);
            self.send(Actor::Server, drop, please);
            "requested disconnect from"
        };
        self.say_overlap(what, drop);
        self.leave(drop, Leave::Remove);
    }

    /// Whether a process lives where we have just lost the way to. A node that is connected again is none of those: our partition
    /// is about to meet it, and what one of us registers there meanwhile is for all.
    pub(super) fn is_lost(&self, pid: &Pid) -> bool {
        let node = pid.node.name();
        let back = self.peers.get(node).is_some_and(|peer| peer.up.is_some() && peer.removing.is_none());
        !self.peers.is_known(node) && !back && self.overlap.has_departed(self.now, node)
    }

    /// Whether somebody of our partition has just lost this node, and we never heard that it had come: then the news of its
    /// coming are older than that, and late. News of a node that was lost and is back are none of those.
    pub(super) fn is_stale_news(&self, node: &Atom) -> bool {
        let stale = Duration::from_secs(GLOBAL_STALE_NEWS_SECS);
        let lost = |pair: &(Atom, Atom), told: &Told| {
            told.ahead && pair.1 == *node && self.now.since(told.at) < stale && self.peers.is_known(&pair.0)
        };
        // The news may speak of ourselves, and the tales too: we are never late for ourselves.
        self.overlap.is_prevented()
            && *node != self.me
            && !self.peers.is_known(node)
            && self.overlap.told.iter().any(|(pair, told)| lost(pair, told))
    }

    /// We alone would know it: it goes, and the others hear of that in case they do know it (again).
    pub(super) fn refuse_stale(&mut self, node: &Atom) {
        let please = messages::remove_connection(&self.me);
        self.send(Actor::Server, node, please);
        self.tell_lost_connection(node);
        self.leave(node, Leave::Remove);
        self.peers.tidy(node);
    }

    /// A node asks us to hang up.
    pub(super) fn remove_connection(&mut self, node: &Atom) {
        if !self.peers.get(node).is_some_and(|peer| peer.potentially_known()) {
            return;
        }
        self.effect(Effect::Disconnect { node: node.clone() });
        self.leave(node, Leave::Remove);
        self.say_overlap("disconnected", node);
    }

    fn say_overlap(&mut self, what: &str, node: &Atom) {
        let text = format!(
            "'global' at node {} {what} node {node} in order to prevent overlapping partitions",
            self.me
        );
        self.log(Level::Warning, text);
    }
}
