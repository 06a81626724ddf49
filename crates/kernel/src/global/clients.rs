//! What this node's processes wait for: locks, and `sync`.

use std::collections::BTreeSet;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::{Actor, CallId, Effect, RequestId};
use super::locker::Round;
use super::machine::Global;
use super::messages::{self, LockId};
use crate::limits::GLOBAL_WHEREIS_WAITING_MAX;

/// A process that wants a lock, or gives one back.
#[derive(Debug)]
pub(super) struct ClientJob {
    pub(super) client: Pid,
    lock: LockId,
    nodes: Vec<Atom>,
    retries: Option<u32>,
    times: u32,
    pub(super) stage: Stage,
    pub(super) since: Now,
}

#[derive(Debug)]
pub(super) enum Stage {
    Taking(Round),
    Sleeping(Now),
    Giving(Round),
}

/// Somebody who waits until we are in sync with all of these.
#[derive(Debug)]
pub(super) struct Syncing {
    who: Who,
    nodes: BTreeSet<Atom>,
}

#[derive(Debug)]
enum Who {
    Request(RequestId),
    Caller(Term),
}

impl Global {
    pub(super) fn client_set_lock(
        &mut self,
        id: RequestId,
        client: Pid,
        lock: LockId,
        nodes: Option<Vec<Atom>>,
        retries: Option<u32>,
    ) {
        let nodes = nodes.unwrap_or_else(|| self.everybody());
        self.watch(&client);
        let stage = Stage::Sleeping(self.now);
        self.clients.insert(id, ClientJob { client, lock, nodes, retries, times: 1, stage, since: self.now });
        self.client_try(id);
    }

    pub(super) fn client_del_lock(
        &mut self,
        id: RequestId,
        client: Pid,
        lock: &LockId,
        nodes: Option<Vec<Atom>>,
    ) {
        let nodes = nodes.unwrap_or_else(|| self.everybody());
        let mut round = Round::default();
        for node in &nodes {
            if *node == self.me {
                self.give_lock(lock, &client);
            } else if let Some(call) =
                self.call(Actor::Client(client.clone()), node, messages::del_lock(lock))
            {
                round.waiting.insert(call, node.clone());
            }
        }
        self.watch(&client);
        let job = ClientJob {
            client,
            lock: lock.clone(),
            nodes,
            retries: None,
            times: 0,
            stage: Stage::Giving(round),
            since: self.now,
        };
        self.clients.insert(id, job);
        self.client_go_on(id);
    }

    fn everybody(&self) -> Vec<Atom> {
        let up = self.peers.iter().filter(|(_, peer)| peer.up.is_some()).map(|(node, _)| node.clone());
        std::iter::once(self.me.clone()).chain(up).collect()
    }

    fn client_try(&mut self, id: RequestId) {
        let Some(job) = self.clients.get(&id) else { return };
        let (actor, lock, nodes) = (Actor::Client(job.client.clone()), job.lock.clone(), job.nodes.clone());
        let round = self.ask(&actor, &lock, &nodes);
        let now = self.now;
        if let Some(job) = self.clients.get_mut(&id) {
            job.stage = Stage::Taking(round);
            job.since = now;
        }
        self.client_go_on(id);
    }

    fn client_go_on(&mut self, id: RequestId) {
        let Some(job) = self.clients.get_mut(&id) else { return };
        match &job.stage {
            Stage::Taking(round) if round.refused => self.client_refused(id),
            Stage::Taking(round) if round.is_over() => self.client_finish(id, "true"),
            Stage::Giving(round) if round.waiting.is_empty() => self.client_finish(id, "true"),
            _ => {}
        }
    }

    /// Gives back what was granted; tries again as often as was asked for.
    pub(super) fn client_refused(&mut self, id: RequestId) {
        let Some(job) = self.clients.get_mut(&id) else { return };
        let (actor, lock, nodes) = (Actor::Client(job.client.clone()), job.lock.clone(), job.nodes.clone());
        let times = job.times;
        job.times += 1;
        let last = job.retries == Some(0);
        job.retries = job.retries.map(|left| left.saturating_sub(1));
        self.release(&actor, &lock, &nodes);
        if last {
            return self.client_finish(id, "false");
        }
        let until = self.now + self.sleep(times);
        if let Some(job) = self.clients.get_mut(&id) {
            job.stage = Stage::Sleeping(until);
        }
    }

    pub(super) fn client_finish(&mut self, id: RequestId, answer: &str) {
        if let Some(job) = self.clients.remove(&id) {
            self.unwatch(&job.client);
            self.answer(id, answer);
        }
    }

    pub(super) fn client_reply(&mut self, call: CallId, granted: Option<bool>) {
        let id = self.clients.iter_mut().find_map(|(id, job)| match &mut job.stage {
            Stage::Taking(round) | Stage::Giving(round) => round.take(call, granted).then_some(*id),
            Stage::Sleeping(_) => None,
        });
        if let Some(id) = id {
            self.client_go_on(id);
        }
    }

    fn clients_lose(&mut self, node: &Atom) {
        let ids: Vec<RequestId> = self
            .clients
            .iter_mut()
            .filter_map(|(id, job)| match &mut job.stage {
                Stage::Taking(round) | Stage::Giving(round) => round.lose(node).then_some(*id),
                Stage::Sleeping(_) => None,
            })
            .collect();
        ids.into_iter().for_each(|id| self.client_go_on(id));
    }

    /// Its monitor is gone already; what it holds elsewhere is let go by theirs.
    pub(super) fn client_died(&mut self, pid: &Pid) {
        self.clients.retain(|_, job| job.client != *pid);
    }

    pub(super) fn clients_deadline(&self) -> Option<Now> {
        self.clients
            .values()
            .filter_map(|job| match job.stage {
                Stage::Sleeping(until) => Some(until),
                _ => None,
            })
            .min()
    }

    pub(super) fn clients_wake(&mut self) {
        let due: Vec<RequestId> = self
            .clients
            .iter()
            .filter(|(_, job)| matches!(job.stage, Stage::Sleeping(until) if until <= self.now))
            .map(|(id, _)| *id)
            .collect();
        due.into_iter().for_each(|id| self.client_try(id));
    }

    /// A node is there at last: whoever waited for it asks now.
    pub(super) fn unpark(&mut self, node: &Atom) {
        let mut asks: Vec<(Actor, LockId)> = Vec::new();
        if let Some((lock, round)) = self.locker_round()
            && round.parked.contains(node)
        {
            asks.push((Actor::Locker, lock));
        }
        let lock = self.registrar_lock();
        if self.registrar_round().is_some_and(|round| round.parked.contains(node)) {
            asks.push((Actor::Registrar, lock));
        }
        for job in self.clients.values() {
            if let Stage::Taking(round) = &job.stage
                && round.parked.contains(node)
            {
                asks.push((Actor::Client(job.client.clone()), job.lock.clone()));
            }
        }
        for (actor, lock) in asks {
            let Some(id) = self.call_set_lock(&actor, node, &lock) else { return };
            let round = match &actor {
                Actor::Locker => self.locker_round().map(|(_, round)| round),
                Actor::Registrar => self.registrar_round(),
                Actor::Client(pid) => self.clients.values_mut().find_map(|job| match &mut job.stage {
                    Stage::Taking(round) if job.client == *pid && round.parked.contains(node) => Some(round),
                    _ => None,
                }),
                Actor::Server => None,
            };
            if let Some(round) = round {
                round.parked.retain(|parked| parked != node);
                round.waiting.insert(id, node.clone());
            }
        }
    }

    /// A node is gone: no call waits for it any more.
    pub(super) fn calls_down(&mut self, node: &Atom) {
        self.locker_lose(node);
        self.registrar_lose(node);
        self.clients_lose(node);
    }

    // sync

    pub(super) fn sync_request(&mut self, id: RequestId, nodes: Option<Vec<Atom>>) {
        let nodes = nodes.unwrap_or_else(|| self.everybody());
        self.sync_begin(Who::Request(id), nodes);
    }

    pub(super) fn sync_call(&mut self, from: Term, nodes: Vec<Atom>) {
        self.sync_begin(Who::Caller(from), nodes);
    }

    fn sync_begin(&mut self, who: Who, nodes: Vec<Atom>) {
        let synced = |node: &Atom| self.peers.get(node).is_some_and(|peer| peer.synced);
        let nodes: BTreeSet<Atom> =
            nodes.into_iter().filter(|node| *node != self.me && !synced(node)).collect();
        for node in nodes.iter().filter(|node| !self.peers.is_up(node)).cloned().collect::<Vec<_>>() {
            self.effect(Effect::Connect { node });
        }
        self.syncing.push(Syncing { who, nodes });
        self.sync_settle();
    }

    pub(super) fn sync_reached(&mut self, node: &Atom) {
        self.sync_gone(node);
    }

    /// Nobody waits for this node any more: it is in sync, or gone.
    pub(super) fn sync_gone(&mut self, node: &Atom) {
        for syncing in &mut self.syncing {
            syncing.nodes.remove(node);
        }
        self.sync_settle();
    }

    fn sync_settle(&mut self) {
        let done: Vec<Syncing> = self.syncing.extract_if(.., |syncing| syncing.nodes.is_empty()).collect();
        for syncing in done {
            match syncing.who {
                Who::Request(id) => self.answer(id, "ok"),
                Who::Caller(to) => self.effect(Effect::Reply { to, reply: Term::atom("ok") }),
            }
        }
    }

    // whereis by message

    pub(super) fn whereis_later(&mut self, from: Term, name: Term) {
        self.whereis.push_back((from, name));
        if self.whereis.len() > GLOBAL_WHEREIS_WAITING_MAX {
            self.whereis.pop_front();
        }
    }

    pub(super) fn answer_whereis(&mut self) {
        while !self.global_lock_is_set()
            && let Some((to, name)) = self.whereis.pop_front()
        {
            let reply = self.whereis(&name).map_or(Term::atom("undefined"), |pid| Term::Pid(pid.clone()));
            self.effect(Effect::Reply { to, reply });
        }
    }
}
