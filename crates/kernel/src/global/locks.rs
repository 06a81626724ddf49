//! The locks of `global`. Pure: who holds what, and what a death sets free.

use std::collections::{BTreeMap, BTreeSet};

use term::{Pid, Term};

use crate::limits::GLOBAL_LOCKS_MAX;

/// The table: resource → who asked for it, and the processes that hold it in his name.
#[derive(Debug, Default)]
pub(crate) struct Locks(BTreeMap<Key, Lock>);

/// A term as a key: ordered as map keys are, `1` and `1.0` apart.
#[derive(Clone, Debug)]
struct Key(Term);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Key) -> std::cmp::Ordering {
        self.0.cmp_exact(&other.0)
    }
}

#[derive(Debug)]
struct Lock {
    requester: Term,
    holders: BTreeSet<Pid>,
}

impl Locks {
    /// Takes a lock. The same requester may take it again, from the same or another process.
    pub(crate) fn set(&mut self, resource: &Term, requester: &Term, holder: &Pid) -> bool {
        let full = self.0.len() >= GLOBAL_LOCKS_MAX;
        let key = Key(resource.clone());
        match self.0.get_mut(&key) {
            Some(lock) if lock.requester.cmp_exact(requester).is_eq() => {
                lock.holders.insert(holder.clone());
                true
            }
            Some(_) => false,
            None if full => false,
            None => {
                let holders = BTreeSet::from([holder.clone()]);
                self.0.insert(key, Lock { requester: requester.clone(), holders });
                true
            }
        }
    }

    /// Gives a lock back, and says whether it was held. What was not held is not missed.
    pub(crate) fn del(&mut self, resource: &Term, requester: &Term, holder: &Pid) -> bool {
        let key = Key(resource.clone());
        let Some(lock) = self.0.get_mut(&key) else { return false };
        let held = lock.requester.cmp_exact(requester).is_eq() && lock.holders.remove(holder);
        if lock.holders.is_empty() {
            self.0.remove(&key);
        }
        held
    }

    /// Sets free what a dead process held, and lists what nobody else holds.
    pub(crate) fn died(&mut self, holder: &Pid) -> Vec<Term> {
        let mut free = Vec::new();
        self.0.retain(|key, lock| {
            lock.holders.remove(holder);
            if lock.holders.is_empty() {
                free.push(key.0.clone());
            }
            !lock.holders.is_empty()
        });
        free
    }

    /// Who has the resource, and the processes that hold it for him.
    pub(crate) fn lock(&self, resource: &Term) -> Option<(&Term, &BTreeSet<Pid>)> {
        self.0.get(&Key(resource.clone())).map(|lock| (&lock.requester, &lock.holders))
    }

    /// Whether the process holds the resource.
    pub(crate) fn holds(&self, resource: &Term, holder: &Pid) -> bool {
        self.lock(resource).is_some_and(|(_, holders)| holders.contains(holder))
    }

    /// Whether the requester could take the resource now.
    pub(crate) fn can_set(&self, resource: &Term, requester: &Term) -> bool {
        self.lock(resource).is_none_or(|(other, _)| other.cmp_exact(requester).is_eq())
    }

    /// Every lock: resource, requester, holders.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Term, &Term, &BTreeSet<Pid>)> {
        self.0.iter().map(|(key, lock)| (&key.0, &lock.requester, &lock.holders))
    }

    /// Whether the process holds any lock.
    #[cfg(test)]
    pub(crate) fn holds_any(&self, holder: &Pid) -> bool {
        self.0.values().any(|lock| lock.holders.contains(holder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use term::{Atom, NodeId};

    fn pid(id: u32) -> Pid {
        Pid { node: NodeId::new(Atom::new("a@h"), 1), id, serial: 0 }
    }

    #[test]
    fn a_lock_is_one_requester_s_until_every_holder_gave_it_back() {
        let mut locks = Locks::default();
        let (resource, anna, bert) = (Term::atom("r"), Term::atom("anna"), Term::atom("bert"));
        assert!(locks.set(&resource, &anna, &pid(1)));
        assert!(locks.set(&resource, &anna, &pid(2)));
        assert!(!locks.set(&resource, &bert, &pid(3)));
        locks.del(&resource, &bert, &pid(1));
        locks.del(&resource, &anna, &pid(1));
        assert!(!locks.set(&resource, &bert, &pid(3)));
        locks.del(&resource, &anna, &pid(2));
        assert!(locks.set(&resource, &bert, &pid(3)));
    }

    #[test]
    fn the_dead_hold_nothing() {
        let mut locks = Locks::default();
        assert!(locks.set(&Term::atom("r"), &Term::Int(1), &pid(1)));
        assert!(locks.holds_any(&pid(1)));
        locks.died(&pid(1));
        assert!(!locks.holds_any(&pid(1)));
        assert!(locks.set(&Term::atom("r"), &Term::Int(2), &pid(2)));
    }
}
