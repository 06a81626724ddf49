//! The locker: before two partitions meet, each is locked by its own locker, both under one name (6.3, steps 2 and 3).
//!
//! One job at a time. Active: we chose a peer, lock our partition and the peer's node, and ask. Passive: a peer asked, we
//! lock our partition and say whether we could. Nothing here waits for ever: see `watch`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::{Actor, CallId};
use super::machine::Global;
use super::messages::{self, LockId};
use super::peers::Hello;
use crate::limits::{GLOBAL_FIRST_TRY_MILLIS, GLOBAL_FIRST_WORDS_MILLIS};

/// Who waits to be met, and the job at hand.
#[derive(Debug, Default)]
pub(super) struct Locker {
    queue: BTreeMap<Atom, Him>,
    /// `lock_set`s that came while a job for somebody else was at hand.
    inbox: VecDeque<LockSet>,
    pub(super) job: Option<Job>,
    next_try: Option<Now>,
    /// The last job was a success: no reason to wait for the next.
    just_synced: bool,
    /// Jobs that were refused since the last success.
    refusals: u32,
}

#[derive(Debug)]
struct Him {
    tag: i64,
    hello: Hello,
    /// He has kept us waiting: not chosen before then.
    not_before: Now,
}

#[derive(Debug)]
struct LockSet {
    node: Atom,
    tag: i64,
    set: bool,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) peer: Atom,
    tag: i64,
    active: bool,
    pub(super) lock: LockId,
    /// Where the lock may be ours, or become so when our request arrives: all of them are told when it is over.
    asked: Vec<Atom>,
    pub(super) stage: Stage,
    pub(super) since: Now,
}

#[derive(Debug)]
pub(super) enum Stage {
    Locking(Step, Round),
    /// For the peer's `lock_set`.
    Waiting,
    /// Both sides are locked; the name server says when it is over.
    Held,
}

/// Whom we lock: first the boss, whom all others lock first too; then ourselves and the peer; then the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Boss,
    Us,
    Rest,
}

/// The same request to several nodes.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) waiting: BTreeMap<CallId, Atom>,
    /// Nodes to ask as soon as we are connected to them.
    pub(super) parked: Vec<Atom>,
    pub(super) refused: bool,
}

impl Round {
    /// Takes an answer, if it is one of ours. No answer at all (a node that is gone) refuses nothing, as in OTP.
    pub(super) fn take(&mut self, id: CallId, granted: Option<bool>) -> bool {
        let ours = self.waiting.remove(&id).is_some();
        self.refused |= ours && granted == Some(false);
        ours
    }

    pub(super) fn lose(&mut self, node: &Atom) -> bool {
        let before = self.waiting.len() + self.parked.len();
        self.waiting.retain(|_, asked| asked != node);
        self.parked.retain(|parked| parked != node);
        before != self.waiting.len() + self.parked.len()
    }

    pub(super) fn is_over(&self) -> bool {
        self.refused || (self.waiting.is_empty() && self.parked.is_empty())
    }

    /// The nodes whose answer is missing, for the operator.
    pub(super) fn silent(&self) -> String {
        self.waiting.values().chain(&self.parked).map(Atom::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Global {
    /// A peer with whom we are going to meet.
    pub(super) fn locker_meet(&mut self, node: &Atom, tag: i64, hello: Hello) {
        let wedged = self.peers.get(node).map_or(0, |peer| peer.wedged);
        // When an OTP 27 or later hears from a third that it knows somebody now, and that one's `init_connect_ack` comes after
        // that, it takes back his names (`restart_connect`), and nobody tells them again. New nodes connect to many at once: a
        // little later they are through with their first words to all.
        let others = self.peers.iter().any(|(other, peer)| other != node && peer.up.is_some());
        let quiet = Duration::from_millis(if others { GLOBAL_FIRST_WORDS_MILLIS } else { 0 });
        let not_before = self.now + quiet.max(Duration::from_secs(u64::from(wedged.min(30)) * 10));
        self.locker.queue.insert(node.clone(), Him { tag, hello, not_before });
        self.locker_schedule();
    }

    /// A session is over: nothing is locked for it any more. `news` go out before the lock goes, from the same process,
    /// so that nobody takes the lock who has not heard them.
    pub(super) fn locker_drop(&mut self, node: &Atom, news: Option<Vec<(Atom, Term)>>) {
        self.locker.queue.remove(node);
        self.locker.inbox.retain(|lock_set| lock_set.node != *node);
        for (reader, message) in news.into_iter().flatten() {
            self.send(Actor::Locker, &reader, message);
        }
        if let Some(job) = self.locker.job.take_if(|job| job.peer == *node) {
            self.locker.just_synced = matches!(job.stage, Stage::Held);
            if self.locker.just_synced {
                self.locker.refusals = 0;
            }
            #[cfg(test)]
            if self.config.mistake == super::Mistake::KeepTheLock && job.active {
                return;
            }
            self.release(&Actor::Locker, &job.lock, &job.asked);
            self.locker_schedule();
        }
    }

    /// A peer's locker has (or has not) locked its partition, and our node.
    pub(super) fn lock_set(&mut self, node: &Atom, locker: Pid, set: bool, tag: Option<Term>) {
        let session = match &tag {
            Some(tag) => self.session_of_tag(node, tag),
            None => self.peers.session_mut(node),
        };
        let Some(session) = session else { return };
        if session.his.as_ref().is_none_or(|his| his.locker != locker) {
            return;
        }
        let tag = session.tag;
        match &self.locker.job {
            Some(job) if job.peer == *node && matches!(job.stage, Stage::Waiting) => {
                self.locker_answered(set)
            }
            _ => {
                self.locker.inbox.retain(|lock_set| lock_set.node != *node);
                self.locker.inbox.push_back(LockSet { node: node.clone(), tag, set });
            }
        }
    }

    fn locker_answered(&mut self, set: bool) {
        let now = self.now;
        if !set {
            return self.locker_refused();
        }
        let Some(job) = &mut self.locker.job else { return };
        job.stage = Stage::Held;
        job.since = now;
        let (peer, lock) = (job.peer.clone(), job.lock.clone());
        self.lock_is_set(&peer, lock);
    }

    /// Answers what came meanwhile, as long as there is no job.
    pub(super) fn locker_settle(&mut self) {
        while self.locker.job.is_none() {
            let Some(LockSet { node, tag, set }) = self.locker.inbox.pop_front() else { return };
            let queued = self.locker.queue.get(&node).is_some_and(|him| him.tag == tag);
            match (set, queued) {
                (true, true) => self.locker_start(&node, false),
                (true, false) => self.send_lock_set(&node, false),
                (false, _) => {}
            }
        }
    }

    pub(super) fn locker_deadline(&self) -> Option<Now> {
        self.locker.next_try.filter(|_| self.locker.job.is_none())
    }

    pub(super) fn locker_wake(&mut self) {
        if self.locker.job.is_some() || self.locker.next_try.is_none_or(|at| at > self.now) {
            return;
        }
        self.locker.next_try = None;
        self.locker.just_synced = false;
        let known: Vec<Atom> =
            self.locker.queue.keys().filter(|node| self.peers.is_known(node)).cloned().collect();
        for node in known {
            self.locker.queue.remove(&node);
        }
        if !self.global_lock_is_set()
            && let Some(peer) = self.locker_choose()
        {
            self.locker_start(&peer, true);
        }
        self.locker_schedule();
    }

    /// Somebody of our own host first, a random one among equals.
    fn locker_choose(&mut self) -> Option<Atom> {
        let host = |node: &Atom| node.as_str().split_once('@').map(|(_, host)| host.to_owned());
        let here = host(&self.me);
        let now = self.now;
        let ready =
            || self.locker.queue.iter().filter(move |(_, him)| him.not_before <= now).map(|(node, _)| node);
        let mut choice: Vec<Atom> = ready().filter(|node| host(node) == here).cloned().collect();
        if choice.is_empty() {
            choice = ready().cloned().collect();
        }
        let index = self.dice.below(choice.len() as u64) as usize;
        choice.into_iter().nth(index)
    }

    fn locker_schedule(&mut self) {
        if self.locker.queue.is_empty() {
            self.locker.next_try = None;
            return;
        }
        if self.locker.next_try.is_some() && !self.locker.just_synced {
            return;
        }
        let known = self.peers.known().count() as u64;
        // OTP always waits as long as we do at most: a fifth of a second alone, one to three seconds among others. The first
        // tries come sooner, because most find nobody in the way.
        let most = if known == 0 { 200 } else { (1_000 + 100 * known).min(3_000) };
        let millis = match self.locker.refusals {
            _ if self.locker.just_synced => 0,
            refusals => most.min(GLOBAL_FIRST_TRY_MILLIS << refusals.min(16)),
        };
        // A little chance is added, so that two that disturb each other do not do it for ever.
        let millis = millis + self.dice.below(millis + 1);
        self.locker.next_try = Some(self.now + Duration::from_millis(millis));
    }

    fn locker_start(&mut self, peer: &Atom, active: bool) {
        let Some(him) = self.locker.queue.get(peer) else { return };
        let mut lockers = [self.config.locker.clone(), him.hello.locker.clone()];
        lockers.sort();
        let lock = LockId::global(Term::list(lockers.map(Term::Pid)));
        let boss = self.boss();
        self.locker.job = Some(Job {
            peer: peer.clone(),
            tag: him.tag,
            active,
            lock: lock.clone(),
            asked: Vec::new(),
            stage: Stage::Waiting,
            since: self.now,
        });
        // To lock the boss while our own node is taken could stop the one who took it.
        if boss != self.me && !self.locks.can_set(&lock.resource, &lock.requester) {
            return self.locker_refused();
        }
        self.locker_run(Step::Boss);
    }

    /// Locks step by step, as far as that goes without waiting.
    fn locker_run(&mut self, step: Step) {
        let mut next = Some(step);
        while let Some(step) = next {
            let Some(job) = &self.locker.job else { return };
            let lock = job.lock.clone();
            let nodes: Vec<Atom> =
                self.locker_nodes(step, job).into_iter().filter(|node| !job.asked.contains(node)).collect();
            let round = self.ask(&Actor::Locker, &lock, &nodes);
            let Some(job) = &mut self.locker.job else { return };
            job.asked.extend(nodes);
            if round.refused {
                return self.locker_refused();
            }
            if !round.is_over() {
                job.stage = Stage::Locking(step, round);
                return;
            }
            next = step.next();
        }
        self.locker_locked();
    }

    fn locker_nodes(&self, step: Step, job: &Job) -> Vec<Atom> {
        match step {
            Step::Boss => vec![self.boss()],
            // His node too: whoever locks there now has to deal with us first. That is what prevents deadlock.
            Step::Us if job.active => vec![self.me.clone(), job.peer.clone()],
            Step::Us => vec![self.me.clone()],
            Step::Rest => self.peers.known_nodes(),
        }
    }

    pub(super) fn locker_reply(&mut self, id: CallId, granted: Option<bool>) {
        if let Some(Job { stage: Stage::Locking(_, round), .. }) = &mut self.locker.job
            && round.take(id, granted)
        {
            self.locker_go_on();
        }
    }

    pub(super) fn locker_round(&mut self) -> Option<(LockId, &mut Round)> {
        match self.locker.job.as_mut()? {
            Job { stage: Stage::Locking(_, round), lock, .. } => Some((lock.clone(), round)),
            _ => None,
        }
    }

    /// A node is gone: nobody waits for it.
    pub(super) fn locker_lose(&mut self, node: &Atom) {
        if let Some(Job { stage: Stage::Locking(_, round), .. }) = &mut self.locker.job
            && round.lose(node)
        {
            self.locker_go_on();
        }
    }

    fn locker_go_on(&mut self) {
        let Some(Job { stage: Stage::Locking(step, round), .. }) = &self.locker.job else { return };
        let step = *step;
        if round.refused {
            self.locker_refused();
        } else if round.is_over() {
            match step.next() {
                Some(next) => self.locker_run(next),
                None => self.locker_locked(),
            }
        }
    }

    /// Our partition is locked.
    fn locker_locked(&mut self) {
        let now = self.now;
        let Some(job) = &mut self.locker.job else { return };
        job.stage = Stage::Waiting;
        job.since = now;
        let (peer, active) = (job.peer.clone(), job.active);
        self.touch_session(&peer, now);
        self.send_lock_set(&peer, true);
        if !active {
            return self.locker_answered(true);
        }
        let tag = self.locker.job.as_ref().map(|job| job.tag);
        let at =
            self.locker.inbox.iter().position(|lock_set| lock_set.node == peer && Some(lock_set.tag) == tag);
        if let Some(answer) = at.and_then(|at| self.locker.inbox.remove(at)) {
            self.locker_answered(answer.set);
        }
    }

    /// Somebody else has a lock that we need: give back what we have, try again later.
    pub(super) fn locker_refused(&mut self) {
        let Some(job) = self.locker.job.take() else { return };
        self.release(&Actor::Locker, &job.lock, &job.asked);
        if !job.active {
            self.send_lock_set(&job.peer, false);
        }
        self.locker.just_synced = false;
        self.locker.refusals = self.locker.refusals.saturating_add(1);
        self.locker.next_try = None;
        self.locker_schedule();
    }

    fn send_lock_set(&mut self, peer: &Atom, set: bool) {
        let Some(his) = self.peers.get(peer).and_then(|peer| peer.pending()) else { return };
        let tag = (his.version >= messages::VERSION_VERIFY).then(|| his.tag.clone());
        let known = Term::list(self.peers.known().map(|(node, _)| messages::atom(node)));
        let message = messages::lock_set(&self.config.locker, set, known, tag);
        self.send(Actor::Locker, peer, message);
    }

    // What the registrar and clients use too.

    /// The node whose lock everybody takes first.
    pub(super) fn boss(&self) -> Atom {
        self.peers
            .known()
            .map(|(node, _)| node)
            .max()
            .filter(|node| **node > self.me)
            .unwrap_or(&self.me)
            .clone()
    }

    /// Asks nodes for a lock, ourselves first: when we refuse, nobody else is bothered.
    pub(super) fn ask(&mut self, actor: &Actor, lock: &LockId, nodes: &[Atom]) -> Round {
        let mut round = Round::default();
        if nodes.contains(&self.me) {
            let holder = self.pid_of(actor);
            if !self.take_lock(lock, &holder) {
                round.refused = true;
                return round;
            }
        }
        for node in nodes {
            if *node == self.me {
            } else if let Some(id) = self.call_set_lock(actor, node, lock) {
                round.waiting.insert(id, node.clone());
            } else if self.peers.is_owed(node) {
                round.parked.push(node.clone());
            }
        }
        round
    }

    /// Gives a lock back everywhere, to the boss last: whoever gets the boss then finds the others free. Nobody waits for
    /// the answers; a request sent later to the same node arrives later.
    pub(super) fn release(&mut self, actor: &Actor, lock: &LockId, nodes: &[Atom]) {
        let boss = nodes.iter().max().cloned();
        let others = nodes.iter().filter(|node| Some(*node) != boss.as_ref());
        for node in others.chain(boss.as_ref()).cloned().collect::<Vec<_>>() {
            if node == self.me {
                let holder = self.pid_of(actor);
                self.give_lock(lock, &holder);
            } else {
                self.call(actor.clone(), &node, messages::del_lock(lock));
            }
        }
    }
}

impl Step {
    fn next(self) -> Option<Step> {
        match self {
            Step::Boss => Some(Step::Us),
            Step::Us => Some(Step::Rest),
            Step::Rest => None,
        }
    }
}
