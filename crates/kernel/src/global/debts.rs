//! Locks that a peer may hold in our name though we know nothing of it: given back as soon as the peer is connected again.
//!
//! A node of OTP takes a lock when it reads the request, and watches the process in whose name it was asked over the connection
//! that there is by then. When the one that brought the request is gone, and there is a new one already, nothing ends the lock:
//! the answer and our `del_lock` were for the old one. OTP's own nodes give locks back over whatever connection there is; we
//! let no word slip into a connection it was not meant for, so we note what may be held, and give it back first thing.

use std::collections::BTreeMap;

use term::Atom;

use super::events::{Actor, CallId};
use super::machine::Global;
use super::messages::{self, LockId};
use crate::limits::GLOBAL_LOCKS_MAX;

/// Requests for locks that nobody has answered.
#[derive(Debug, Default)]
pub(super) struct Debts {
    /// The answer may come.
    asked: BTreeMap<CallId, Debt>,
    /// The connection has gone, and the answer with it.
    owed: Vec<Debt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Debt {
    node: Atom,
    actor: Actor,
    lock: LockId,
}

impl Debts {
    fn owe(&mut self, debt: Debt) {
        if !self.owed.contains(&debt) && self.owed.len() < GLOBAL_LOCKS_MAX {
            self.owed.push(debt);
        }
    }

    /// An answer came, or none will.
    pub(super) fn answered(&mut self, id: CallId, answered: bool) {
        if let Some(debt) = self.asked.remove(&id)
            && !answered
        {
            self.owe(debt);
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, node: &Atom) {
        let gone: Vec<Debt> =
            self.asked.extract_if(.., |_, debt| debt.node == *node).map(|(_, debt)| debt).collect();
        gone.into_iter().for_each(|debt| self.owe(debt));
    }
}

impl Global {
    /// Asks a peer for a lock, if it is up.
    pub(super) fn call_set_lock(&mut self, actor: &Actor, node: &Atom, lock: &LockId) -> Option<CallId> {
        let id = self.call(actor.clone(), node, messages::set_lock(lock))?;
        if self.debts.asked.len() >= GLOBAL_LOCKS_MAX {
            self.debts.asked.pop_first();
        }
        self.debts.asked.insert(id, Debt { node: node.clone(), actor: actor.clone(), lock: lock.clone() });
        Some(id)
    }

    /// A new connection, over which nothing was asked yet.
    pub(super) fn pay_debts(&mut self, node: &Atom) {
        #[cfg(test)]
        if self.config.mistake == super::Mistake::LeaveDebts {
            return;
        }
        let (due, rest) =
            std::mem::take(&mut self.debts.owed).into_iter().partition(|debt| debt.node == *node);
        self.debts.owed = rest;
        let due: Vec<Debt> = due;
        for debt in due {
            self.call(debt.actor, node, messages::del_lock(&debt.lock));
        }
    }
}
