//! Who is registered, newest first, and who was, oldest first.

use std::collections::BTreeMap;

use super::frames::Registration;
use crate::limits::{EPMD_DEAD_NAMES_DEBUG_MAX, EPMD_DEAD_NAMES_MAX};

/// Creations 0 to 3 mean something else to old nodes.
const CREATION_MIN: u32 = 4;

/// The names of one host. Every look-up is logarithmic: a host may have many nodes, and strangers may ask.
#[derive(Debug, Default)]
pub(super) struct Register {
    dead_max: usize,
    ticket: u64,
    alive: BTreeMap<u64, Alive>,
    alive_by_name: BTreeMap<String, u64>,
    alive_by_owner: BTreeMap<u64, u64>,
    dead: BTreeMap<u64, Dead>,
    dead_by_name: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Alive {
    node: Registration,
    owner: u64,
    counter: u32,
}

/// A node that once was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dead {
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) version_high: u16,
    pub(super) owner: u64,
    pub(super) counter: u32,
}

impl Register {
    pub(super) fn new(debug: bool) -> Register {
        let dead_max = if debug { EPMD_DEAD_NAMES_DEBUG_MAX } else { EPMD_DEAD_NAMES_MAX };
        Register { dead_max, ..Register::default() }
    }

    /// Registers a node for the connection `owner`; its counter, or nothing when the name is taken.
    /// `time` is the time of day in seconds.
    pub(super) fn register(&mut self, owner: u64, node: Registration, time: u64) -> Option<u32> {
        if self.alive_by_name.contains_key(&node.name) {
            return None;
        }
        // Erlang's program starts at the time of day plus one, and counts on when the name comes back.
        let before = match self.dead_by_name.remove(&node.name) {
            Some(ticket) => self.dead.remove(&ticket).map(|dead| dead.counter),
            None => None,
        };
        // The low 32 bits: a counter need not survive the year 2106 in order.
        let counter = before.unwrap_or(time as u32).wrapping_add(1).max(CREATION_MIN);
        let ticket = self.next_ticket();
        self.alive_by_name.insert(node.name.clone(), ticket);
        self.alive_by_owner.insert(owner, ticket);
        self.alive.insert(ticket, Alive { node, owner, counter });
        Some(counter)
    }

    /// The connection `owner` is gone; what it had registered, if it had.
    pub(super) fn unregister(&mut self, owner: u64) -> Option<Dead> {
        let ticket = self.alive_by_owner.remove(&owner)?;
        let Alive { node, counter, .. } = self.alive.remove(&ticket)?;
        self.alive_by_name.remove(&node.name);
        let Registration { name, port, version_high, .. } = node;
        let dead = Dead { name, port, version_high, owner, counter };
        let ticket = self.next_ticket();
        self.dead_by_name.insert(dead.name.clone(), ticket);
        self.dead.insert(ticket, dead.clone());
        if self.dead.len() > self.dead_max
            && let Some((_, oldest)) = self.dead.pop_first()
        {
            self.dead_by_name.remove(&oldest.name);
        }
        Some(dead)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Registration> {
        let ticket = self.alive_by_name.get(name)?;
        self.alive.get(ticket).map(|alive| &alive.node)
    }

    pub(super) fn owner(&self, name: &str) -> Option<u64> {
        let ticket = self.alive_by_name.get(name)?;
        self.alive.get(ticket).map(|alive| alive.owner)
    }

    /// Nodes and their connections, newest first: the order in which EPMD lists them.
    pub(super) fn alive(&self) -> impl Iterator<Item = (&Registration, u64)> {
        self.alive.values().rev().map(|alive| (&alive.node, alive.owner))
    }

    /// Name, port and last connection of those that were, oldest first.
    pub(super) fn dead(&self) -> impl Iterator<Item = (&str, u16, u64)> {
        self.dead.values().map(|dead| (dead.name.as_str(), dead.port, dead.owner))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alive.is_empty()
    }

    fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_back_counts_on() {
        let mut register = Register::new(false);
        assert_eq!(register.register(1, Registration::new("a", 1), 1_000), Some(1_001));
        assert_eq!(register.register(2, Registration::new("a", 1), 1_000), None);
        register.unregister(1);
        assert_eq!(register.register(3, Registration::new("a", 1), 9_000), Some(1_002));
        assert_eq!(register.unregister(2), None);
    }

    #[test]
    fn a_counter_never_falls_below_four() {
        let mut register = Register::new(false);
        assert_eq!(register.register(1, Registration::new("a", 1), 0), Some(4));
        assert_eq!(register.register(2, Registration::new("b", 1), u64::from(u32::MAX)), Some(4));
    }

    #[test]
    fn only_the_last_dead_are_remembered() {
        let mut register = Register::new(true);
        for id in 0..9 {
            register.register(id, Registration::new(&format!("n{id}"), 1), 100);
            register.unregister(id);
        }
        let names: Vec<_> = register.dead().map(|(name, ..)| name.to_owned()).collect();
        assert_eq!(names, ["n4", "n5", "n6", "n7", "n8"]);
        assert_eq!(register.dead_by_name.len(), 5);
    }
}
