//! The registrar: this node's own changes to the name table, one after the other, each under the lock `global` (6.4).

use std::collections::VecDeque;
use std::time::Duration;

use proto::Now;
use term::{Atom, Term};

use super::events::{Actor, CallId, Level, Request, RequestId};
use super::locker::Round;
use super::machine::Global;
use super::messages::{self, LockId, Named, Op};

/// The change at hand, and those that wait.
#[derive(Debug, Default)]
pub(super) struct Registrar {
    queue: VecDeque<(RequestId, Change)>,
    pub(super) task: Option<Task>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Only when the name is free.
    Register(Named),
    ReRegister(Named),
    Unregister(Term),
    /// What somebody else began, unless somebody has changed it again.
    Finish(Op),
}

#[derive(Debug)]
pub(super) struct Task {
    id: RequestId,
    change: Change,
    /// How often the lock was refused.
    times: u32,
    pub(super) stage: Stage,
    pub(super) since: Now,
    /// The known nodes and ourselves, as they were when the lock was first asked for.
    nodes: Vec<Atom>,
    asked: Vec<Atom>,
}

#[derive(Debug)]
pub(super) enum Stage {
    LockBoss(Round),
    LockAll(Round),
    Change(Round),
    Sleep(Now),
}

impl Global {
    pub(super) fn registrar_request(&mut self, id: RequestId, request: Request) {
        let change = match request {
            Request::Register { name, pid, method } => Change::Register(Named { name, pid, method }),
            Request::ReRegister { name, pid, method } => Change::ReRegister(Named { name, pid, method }),
            Request::Unregister { name } if self.names.get(&name).is_none() => return self.answer(id, "ok"),
            Request::Unregister { name } => Change::Unregister(name),
            _ => return,
        };
        self.registrar_enqueue(id, change);
    }

    pub(super) fn registrar_enqueue(&mut self, id: RequestId, change: Change) {
        self.registrar.queue.push_back((id, change));
    }

    pub(super) fn registrar_settle(&mut self) {
        while self.registrar.task.is_none() {
            let Some((id, change)) = self.registrar.queue.pop_front() else { return };
            let stage = Stage::Sleep(self.now);
            let (nodes, asked) = (Vec::new(), Vec::new());
            self.registrar.task = Some(Task { id, change, times: 0, stage, since: self.now, nodes, asked });
            self.registrar_begin();
        }
    }

    pub(super) fn registrar_deadline(&self) -> Option<Now> {
        match self.registrar.task.as_ref()?.stage {
            Stage::Sleep(until) => Some(until),
            _ => None,
        }
    }

    pub(super) fn registrar_wake(&mut self) {
        if self.registrar_deadline().is_some_and(|until| until <= self.now) {
            self.registrar_begin();
        }
    }

    /// The boss first, as the lockers do.
    fn registrar_begin(&mut self) {
        let mut nodes = self.peers.known_nodes();
        nodes.push(self.me.clone());
        let boss = self.boss();
        let lock = self.registrar_lock();
        let round = self.ask(&Actor::Registrar, &lock, std::slice::from_ref(&boss));
        let now = self.now;
        let Some(task) = &mut self.registrar.task else { return };
        task.nodes = nodes;
        task.asked = vec![boss];
        task.since = now;
        task.stage = Stage::LockBoss(round);
        self.registrar_go_on();
    }

    pub(super) fn registrar_reply(&mut self, id: CallId, granted: Option<bool>) {
        if let Some(round) = self.registrar_round()
            && round.take(id, granted)
        {
            self.registrar_go_on();
        }
    }

    pub(super) fn registrar_lose(&mut self, node: &Atom) {
        if let Some(round) = self.registrar_round()
            && round.lose(node)
        {
            self.registrar_go_on();
        }
    }

    pub(super) fn registrar_round(&mut self) -> Option<&mut Round> {
        match &mut self.registrar.task.as_mut()?.stage {
            Stage::LockBoss(round) | Stage::LockAll(round) | Stage::Change(round) => Some(round),
            Stage::Sleep(_) => None,
        }
    }

    /// Goes from stage to stage, as far as that goes without waiting.
    fn registrar_go_on(&mut self) {
        while let Some(round) = self.registrar_round() {
            if !round.is_over() {
                return;
            }
            let refused = round.refused;
            match self.registrar.task.as_ref().map(|task| &task.stage) {
                Some(Stage::Change(_)) => self.registrar_done(),
                Some(_) if refused => self.registrar_sleep(),
                Some(Stage::LockBoss(_)) => self.registrar_lock_all(),
                Some(Stage::LockAll(_)) if self.registrar_knows_more() => self.registrar_sleep(),
                Some(Stage::LockAll(_)) => self.registrar_change(),
                _ => return,
            }
        }
    }

    fn registrar_lock_all(&mut self) {
        let lock = self.registrar_lock();
        let Some(task) = &self.registrar.task else { return };
        let nodes: Vec<Atom> = task.nodes.iter().filter(|node| !task.asked.contains(node)).cloned().collect();
        let round = self.ask(&Actor::Registrar, &lock, &nodes);
        let now = self.now;
        let Some(task) = &mut self.registrar.task else { return };
        task.asked.extend(nodes);
        task.since = now;
        task.stage = Stage::LockAll(round);
    }

    /// Whether a node became known that we have not locked.
    fn registrar_knows_more(&self) -> bool {
        let Some(task) = &self.registrar.task else { return false };
        self.peers.known().any(|(node, _)| !task.nodes.contains(node))
    }

    fn registrar_change(&mut self) {
        let Some(task) = &self.registrar.task else { return };
        let (mut change, nodes) = (task.change.clone(), task.nodes.clone());
        if let Change::Register(named) = &change
            && !self.may_register(named)
        {
            return self.registrar_finish("no");
        }
        // As if it had been registered just before we lost its node.
        if let Change::Register(named) | Change::ReRegister(named) = &change
            && self.is_lost(&named.pid)
        {
            return self.registrar_finish("yes");
        }
        if let Change::Finish(op) = change {
            let Some(op) = self.to_finish(op) else { return self.registrar_finish("no") };
            change = Change::Finish(op);
        }
        let request = match &change {
            Change::Register(named) | Change::ReRegister(named) | Change::Finish(Op::Insert(named)) => {
                messages::register(named)
            }
            Change::Unregister(name) | Change::Finish(Op::Delete(name)) => messages::unregister(name),
        };
        let mut round = Round::default();
        // Who left meanwhile is not one of us any more, even if it is back.
        let known = self.peers.known_nodes();
        for node in nodes.iter().filter(|node| known.contains(node)) {
            if let Some(id) = self.call(Actor::Registrar, node, request.clone()) {
                round.waiting.insert(id, node.clone());
            }
        }
        match change {
            Change::Register(named) | Change::ReRegister(named) | Change::Finish(Op::Insert(named)) => {
                let held = self.lock_held_by(&self.config.registrar.clone());
                self.insert_name(named, None, held);
            }
            Change::Unregister(name) | Change::Finish(Op::Delete(name)) => self.delete_name(&name),
        }
        let now = self.now;
        if let Some(task) = &mut self.registrar.task {
            task.since = now;
            task.stage = Stage::Change(round);
        }
    }

    fn may_register(&mut self, named: &Named) -> bool {
        if self.names.get(&named.name).is_some() {
            return false;
        }
        let names: Vec<&Term> = self.names.names_of(&named.pid).collect();
        if names.is_empty() || self.config.many_names {
            return true;
        }
        let text =
            format!("global: {} registered under several names: {:?}", named.pid, (&named.name, &names));
        self.log(Level::Error, text);
        false
    }

    fn registrar_done(&mut self) {
        let answer = match self.registrar.task.as_ref().map(|task| &task.change) {
            Some(Change::Unregister(_)) => "ok",
            _ => "yes",
        };
        self.registrar_finish(answer);
    }

    fn registrar_finish(&mut self, answer: &str) {
        let Some(task) = self.registrar.task.take() else { return };
        let lock = self.registrar_lock();
        self.release(&Actor::Registrar, &lock, &task.asked);
        self.answer(task.id, answer);
    }

    /// Gives back what it has and tries again later.
    pub(super) fn registrar_sleep(&mut self) {
        let lock = self.registrar_lock();
        let Some(task) = &mut self.registrar.task else { return };
        let asked = std::mem::take(&mut task.asked);
        let times = task.times;
        task.times += 1;
        self.release(&Actor::Registrar, &lock, &asked);
        let until = self.now + self.sleep(times);
        if let Some(task) = &mut self.registrar.task {
            task.stage = Stage::Sleep(until);
        }
    }

    /// Every silent node is given up: the change counts as made there (it may be, or it will be gone).
    pub(super) fn registrar_give_up(&mut self) {
        match self.registrar.task.as_mut().map(|task| &mut task.stage) {
            Some(Stage::Change(round)) => {
                round.waiting.clear();
                round.parked.clear();
                self.registrar_go_on();
            }
            Some(Stage::LockBoss(_) | Stage::LockAll(_)) => self.registrar_sleep(),
            _ => {}
        }
    }

    pub(super) fn registrar_lock(&self) -> LockId {
        LockId::global(Term::Pid(self.config.registrar.clone()))
    }

    /// Whether what this process brings is under the lock (6.4): it holds it, or nobody does and none was lost.
    pub(super) fn lock_held_by(&self, pid: &term::Pid) -> bool {
        match self.locks.lock(&Term::atom("global")) {
            Some((_, holders)) => holders.contains(pid),
            None => !self.global_lock_down,
        }
    }

    /// OTP's time to sleep between attempts: up to 1/8 s at first, doubling up to 8 s.
    pub(super) fn sleep(&mut self, times: u32) -> Duration {
        let most = if times > 5 { 8_000 } else { (1_000 << times) / 8 };
        Duration::from_millis(1 + self.dice.below(most))
    }
}
