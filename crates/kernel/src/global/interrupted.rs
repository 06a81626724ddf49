//! Changes that were cut short: who makes one tells all nodes, one after the other, and may die, or lose some, in between.
//! Those who heard of it finish it, or some would have the name for ever and some not. (OTP leaves that as it is.)

use std::collections::VecDeque;
use std::time::Duration;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::RequestId;
use super::machine::Global;
use super::messages::{Named, Op, Versioned};
use super::registrar::Change;
use crate::limits::GLOBAL_ONE_SIDED_SECS_MAX;

/// Requests that nobody waits for.
const NOBODY: RequestId = RequestId::MAX;

/// Changes under one lock that are remembered, most recent last. OTP's registrar and ours make one; a transaction of
/// somebody's own may make more.
const CHANGES_MAX: usize = 1_000;

/// How long after its end a change may turn out not to have reached everybody: who made it lost one of us meanwhile, and hears
/// or tells of that later. One of us may not have known him at all, and it takes both of them their time to do something about it
/// (`GLOBAL_ONE_SIDED_SECS_MAX`).
const DOUBTFUL: Duration = Duration::from_secs(5 * GLOBAL_ONE_SIDED_SECS_MAX);

/// What was changed here under the lock `global`, by whom, and since when he has given the lock back.
#[derive(Debug, Default)]
pub(super) struct UnderWay(VecDeque<Underway>);

#[derive(Debug)]
struct Underway {
    by: Pid,
    op: Op,
    /// Whoever did not hear it may still have what the name was before.
    replaces: bool,
    done: Option<Now>,
}

impl UnderWay {
    fn note(&mut self, now: Now, by: &Pid, op: Op, replaces: bool) {
        let counts = |before: &Underway| before.done.is_none_or(|at| now.since(at) < DOUBTFUL);
        let replaces =
            replaces || self.0.iter().any(|before| before.op.name() == op.name() && before.replaces);
        self.0.retain(|before| before.op.name() != op.name() && counts(before));
        if self.0.len() >= CHANGES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Underway { by: by.clone(), op, replaces, done: None });
    }

    /// He gave the lock back: all that he knows have heard him.
    pub(super) fn done(&mut self, now: Now, by: &Pid) {
        let his = self.0.iter_mut().filter(|change| change.by == *by && change.done.is_none());
        his.for_each(|change| change.done = Some(now));
    }

    fn take(&mut self, mut wanted: impl FnMut(&Underway) -> bool) -> Vec<Underway> {
        let mut taken = Vec::new();
        for change in std::mem::take(&mut self.0) {
            if wanted(&change) {
                taken.push(change);
            } else {
                self.0.push_back(change);
            }
        }
        taken
    }
}

impl Global {
    /// A peer's process is about to change a name here, under the lock if it holds it.
    pub(super) fn note_change(&mut self, by: &Pid, op: Op) {
        if *by.node.name() != self.me && self.locks.holds(&Term::atom("global"), by) {
            let replaces = self.names.get(op.name()).is_some();
            self.under_way.note(self.now, by, op, replaces);
        }
    }

    /// Who held the lock is gone, and did not give it back.
    pub(super) fn finish_changes_of(&mut self, holder: &Pid) {
        let changes = self.under_way.take(|change| change.by == *holder && change.done.is_none());
        self.finish(changes);
    }

    /// A node is none of ours any more: it may have lost others of us before, in the middle of its last change.
    pub(super) fn finish_changes_of_node(&mut self, node: &Atom) {
        let now = self.now;
        let changes = self.under_way.take(|change| {
            change.by.node.name() == node && change.done.is_none_or(|at| now.since(at) < DOUBTFUL)
        });
        self.finish(changes);
    }

    /// The names we have for processes of nodes that are about to become ours: they were registered while these were connected to
    /// some of us, and of nobody's partition.
    pub(super) fn strangers_among(&self, arriving: &[Versioned]) -> Vec<Named> {
        let arrives = |node: &Atom| {
            *node != self.me && !self.peers.is_known(node) && arriving.iter().any(|(other, _)| other == node)
        };
        self.names.iter().filter(|named| arrives(named.pid.node.name())).cloned().collect()
    }

    /// Those who met these nodes saw no reason to tell of such a name, if both sides had it; but who had lost the node again
    /// meanwhile has lost the name too. So who has it tells all, unless the news spoke of it. (OTP leaves that as it is.)
    pub(super) fn tell_of(&mut self, strangers: Vec<Named>, news: &[Op]) {
        for named in strangers {
            if !news.iter().any(|op| *op.name() == named.name) {
                self.registrar_enqueue(NOBODY, Change::Finish(Op::Insert(named)));
            }
        }
    }

    fn finish(&mut self, changes: Vec<Underway>) {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::LeaveChangesUndone {
            return;
        }
        for Underway { op, replaces, .. } in changes {
            // A new name that went with its process: nobody has it, heard or not.
            let gone = matches!(&op, Op::Insert(named) if self.names.get(&named.name).is_none());
            if !gone || replaces {
                self.registrar_enqueue(NOBODY, Change::Finish(op));
            }
        }
    }

    /// What is to be told of a change now: nothing when somebody has changed it again. A name that went with its process
    /// meanwhile goes from those too who did not hear of that process, and have what the name was before.
    pub(super) fn to_finish(&self, op: Op) -> Option<Op> {
        match (self.names.get(op.name()), op) {
            (None, op) => Some(Op::Delete(op.name().clone())),
            (Some(now), Op::Insert(named)) => (now.pid == named.pid).then_some(Op::Insert(named)),
            (Some(_), Op::Delete(_)) => None,
        }
    }
}
