//! Changes that were cut short: who makes one tells all nodes, one after the other, and may die, or lose some, in between.
//! Those who heard of it finish it, or some would have the name for ever and some not. (OTP leaves that as it is.)

use std::collections::VecDeque;

use term::{Pid, Term};

use super::events::RequestId;
use super::machine::Global;
use super::messages::Op;
use super::registrar::Change;

/// Requests that nobody waits for.
const NOBODY: RequestId = RequestId::MAX;

/// Changes under one lock that are remembered, most recent last. OTP's registrar and ours make one; a transaction of
/// somebody's own may make more.
const CHANGES_MAX: usize = 1_000;

/// What was changed here under the lock `global` that somebody still holds.
#[derive(Debug, Default)]
pub(super) struct UnderWay(VecDeque<(Pid, Op)>);

impl UnderWay {
    fn note(&mut self, holder: &Pid, op: Op) {
        self.0.retain(|(_, before)| before.name() != op.name());
        if self.0.len() >= CHANGES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((holder.clone(), op));
    }

    /// He gave the lock back: all of them have heard him.
    pub(super) fn done(&mut self, holder: &Pid) {
        self.0.retain(|(who, _)| who != holder);
    }

    fn take(&mut self, holder: &Pid) -> Vec<Op> {
        let (his, others) = std::mem::take(&mut self.0).into_iter().partition(|(who, _)| who == holder);
        self.0 = others;
        let his: VecDeque<(Pid, Op)> = his;
        his.into_iter().map(|(_, op)| op).collect()
    }
}

impl Global {
    /// A peer's process has changed a name here, under the lock if it holds it.
    pub(super) fn note_change(&mut self, by: &Pid, op: Op) {
        if *by.node.name() != self.me && self.locks.holds(&Term::atom("global"), by) {
            self.under_way.note(by, op);
        }
    }

    /// Who held the lock is gone, and did not give it back.
    pub(super) fn finish_changes_of(&mut self, holder: &Pid) {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::LeaveChangesUndone {
            return;
        }
        for op in self.under_way.take(holder) {
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
