//! Changes that were cut short: who makes one tells all nodes, one after the other, and may die, or lose some, in between.
//! Those who heard of it finish it, or some would have the name for ever and some not. (OTP leaves that as it is.)

use std::collections::VecDeque;
use std::time::Duration;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::RequestId;
use super::machine::Global;
use super::messages::Op;
use super::registrar::Change;

/// Requests that nobody waits for.
const NOBODY: RequestId = RequestId::MAX;

/// Changes under one lock that are remembered, most recent last. OTP's registrar and ours make one; a transaction of
/// somebody's own may make more.
const CHANGES_MAX: usize = 1_000;

/// How long after its end a change may turn out not to have reached everybody: who made it lost one of us meanwhile, and hears
/// or tells of that later.
const DOUBTFUL: Duration = Duration::from_secs(10);

/// What was changed here under the lock `global`, by whom, and since when he has given the lock back.
#[derive(Debug, Default)]
pub(super) struct UnderWay(VecDeque<Underway>);

#[derive(Debug)]
struct Underway {
    by: Pid,
    op: Op,
    done: Option<Now>,
}

impl UnderWay {
    fn note(&mut self, now: Now, by: &Pid, op: Op) {
        let counts = |before: &Underway| before.done.is_none_or(|at| now.since(at) < DOUBTFUL);
        self.0.retain(|before| before.op.name() != op.name() && counts(before));
        if self.0.len() >= CHANGES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Underway { by: by.clone(), op, done: None });
    }

    /// He gave the lock back: all that he knows have heard him.
    pub(super) fn done(&mut self, now: Now, by: &Pid) {
        let his = self.0.iter_mut().filter(|change| change.by == *by && change.done.is_none());
        his.for_each(|change| change.done = Some(now));
    }

    fn take(&mut self, mut wanted: impl FnMut(&Underway) -> bool) -> Vec<Op> {
        let mut taken = Vec::new();
        for change in std::mem::take(&mut self.0) {
            if wanted(&change) {
                taken.push(change.op);
            } else {
                self.0.push_back(change);
            }
        }
        taken
    }
}

impl Global {
    /// A peer's process has changed a name here, under the lock if it holds it.
    pub(super) fn note_change(&mut self, by: &Pid, op: Op) {
        if *by.node.name() != self.me && self.locks.holds(&Term::atom("global"), by) {
            self.under_way.note(self.now, by, op);
        }
    }

    /// Who held the lock is gone, and did not give it back.
    pub(super) fn finish_changes_of(&mut self, holder: &Pid) {
        let ops = self.under_way.take(|change| change.by == *holder && change.done.is_none());
        self.finish(ops);
    }

    /// A node is none of ours any more: it may have lost others of us before, in the middle of its last change.
    pub(super) fn finish_changes_of_node(&mut self, node: &Atom) {
        let now = self.now;
        let ops = self.under_way.take(|change| {
            change.by.node.name() == node && change.done.is_none_or(|at| now.since(at) < DOUBTFUL)
        });
        self.finish(ops);
    }

    fn finish(&mut self, ops: Vec<Op>) {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::LeaveChangesUndone {
            return;
        }
        for op in ops {
            self.registrar_enqueue(NOBODY, Change::Finish(op));
        }
    }

    /// Whether it still is as he wanted it here: later changes count more.
    pub(super) fn is_unfinished(&self, op: &Op) -> bool {
        match op {
            Op::Insert(named) => self.names.get(&named.name).is_some_and(|now| now.pid == named.pid),
            Op::Delete(name) => self.names.get(name).is_none(),
        }
    }
}
