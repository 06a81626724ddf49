//! Who is pending, up, or barred. Pure: dials, knocks and ends in, decisions out.
//!
//! One line per peer. An *attempt* is one handshake, ours or the peer's, and has a number; a *connection* is what came of
//! it, and has another (the `connection_id` of `monitor_nodes`).

use std::collections::{BTreeMap, BTreeSet};

use proto::handshake::{Winner, simultaneous};
use term::Atom;

/// The number of an attempt.
pub type Attempt = u64;

/// The number of a connection.
pub type ConnectionId = u64;

/// When sending to an unconnected node connects to it (kernel parameter `dist_auto_connect`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AutoConnect {
    /// Whenever something is sent.
    #[default]
    Always,
    /// Once: a node that was up before is barred until somebody connects to it explicitly.
    Once,
    /// Never: only explicitly.
    Never,
}

/// Who wants a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something is sent there.
    Auto,
    /// Somebody asked for it.
    Explicit,
}

/// What to do about a wanted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Dial; report under this number.
    Dial(Attempt),
    /// An attempt is under way.
    Pending,
    /// It is there.
    Up(ConnectionId),
    /// The allow list does not have it.
    NotAllowed,
    /// The policy forbids it.
    Barred,
}

/// What to answer to a knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// Come in.
    Ok(Attempt),
    /// Come in; the other attempt, if there is one, must be stopped.
    OkSimultaneous {
        /// The number of the attempt that goes on.
        attempt: Attempt,
        /// The attempt to stop.
        stop: Attempt,
    },
    /// Another attempt wins.
    Nok,
    /// Not on the list.
    NotAllowed,
    /// Still connected; goes on only if the peer insists.
    Alive {
        /// The number of the attempt.
        attempt: Attempt,
        /// The connection that must be gone before the end of the handshake.
        old: ConnectionId,
    },
    /// A replacement is under way already: close without a word.
    AlreadyPending,
}

/// How an attempt that ended without a connection leaves the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Nothing is left: what waits for the peer has waited in vain.
    Idle,
    /// The old connection stays up, or another attempt goes on.
    Unchanged,
}

/// The table.
#[derive(Debug)]
pub struct Table {
    me: Atom,
    peers: BTreeMap<Atom, Line>,
    barred: BTreeSet<Atom>,
    allowed: Vec<Atom>,
    policy: AutoConnect,
    last_attempt: Attempt,
    last_connection: ConnectionId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Pending { attempt: Attempt },
    Up { connection: ConnectionId },
    UpPending { connection: ConnectionId, attempt: Attempt },
}

impl Table {
    /// The empty table of `me`.
    pub fn new(me: Atom, policy: AutoConnect) -> Table {
        Table {
            me,
            peers: BTreeMap::new(),
            barred: BTreeSet::new(),
            allowed: Vec::new(),
            policy,
            last_attempt: 0,
            last_connection: 0,
        }
    }

    /// We have got a (new) name of our own.
    pub fn rename(&mut self, me: Atom) {
        self.me = me;
    }

    /// Somebody wants a connection to `peer`.
    pub fn want(&mut self, peer: &Atom, cause: Cause) -> Want {
        match self.peers.get(peer) {
            Some(Line::Pending { .. }) => Want::Pending,
            Some(Line::Up { connection } | Line::UpPending { connection, .. }) => Want::Up(*connection),
            None if !self.is_allowed(peer) => Want::NotAllowed,
            None if cause == Cause::Auto && !self.may_auto_connect(peer) => Want::Barred,
            None => {
                self.barred.remove(peer);
                Want::Dial(self.begin(peer))
            }
        }
    }

    /// `peer` knocks. The rules of `net_kernel`'s `accept_pending`.
    pub fn knock(&mut self, peer: &Atom) -> Knock {
        if !self.is_allowed(peer) {
            return Knock::NotAllowed;
        }
        match self.peers.get(peer).copied() {
            // A node that dials itself is told that it is busy.
            None if *peer == self.me => Knock::Nok,
            None => Knock::Ok(self.begin(peer)),
            Some(Line::Pending { attempt: stop }) => match simultaneous(self.me.as_str(), peer.as_str()) {
                Winner::Me => Knock::Nok,
                Winner::Peer => Knock::OkSimultaneous { attempt: self.begin(peer), stop },
            },
            Some(Line::Up { connection: old }) => {
                let attempt = self.next_attempt();
                self.peers.insert(peer.clone(), Line::UpPending { connection: old, attempt });
                Knock::Alive { attempt, old }
            }
            Some(Line::UpPending { .. }) => Knock::AlreadyPending,
        }
    }

    /// Whether `attempt` is still the one that counts for `peer`.
    pub fn is_current(&self, peer: &Atom, attempt: Attempt) -> bool {
        matches!(
            self.peers.get(peer),
            Some(Line::Pending { attempt: a } | Line::UpPending { attempt: a, .. }) if *a == attempt
        )
    }

    /// An attempt came to nothing.
    pub fn failed(&mut self, peer: &Atom, attempt: Attempt) -> Failed {
        match self.peers.get(peer).copied() {
            Some(Line::Pending { attempt: a }) if a == attempt => {
                self.peers.remove(peer);
                Failed::Idle
            }
            Some(Line::UpPending { connection, attempt: a }) if a == attempt => {
                self.peers.insert(peer.clone(), Line::Up { connection });
                Failed::Unchanged
            }
            _ => Failed::Unchanged,
        }
    }

    /// An attempt succeeded: the number of the connection, or nothing when another attempt has taken its place.
    pub fn up(&mut self, peer: &Atom, attempt: Attempt) -> Option<ConnectionId> {
        match self.peers.get(peer) {
            Some(Line::Pending { attempt: a }) if *a == attempt => {}
            _ => return None,
        }
        self.last_connection += 1;
        let connection = self.last_connection;
        self.peers.insert(peer.clone(), Line::Up { connection });
        Some(connection)
    }

    /// A connection is gone, links and monitors answered. An attempt that waited for this may go on.
    pub fn down(&mut self, peer: &Atom, connection: ConnectionId) {
        match self.peers.get(peer).copied() {
            Some(Line::Up { connection: c }) if c == connection => {
                self.peers.remove(peer);
            }
            Some(Line::UpPending { connection: c, attempt }) if c == connection => {
                self.peers.insert(peer.clone(), Line::Pending { attempt });
            }
            _ => return,
        }
        if self.policy == AutoConnect::Once {
            self.barred.insert(peer.clone());
        }
    }

    /// Lets only the nodes of this list in and out, besides those allowed before. Entries are full names, hosts, or
    /// names with an `@` and no host. (`net_kernel:allow/1`.)
    pub fn allow(&mut self, entries: impl IntoIterator<Item = Atom>) {
        self.allowed.extend(entries);
    }

    /// The list given to [`Table::allow`].
    pub fn allowed(&self) -> &[Atom] {
        &self.allowed
    }

    /// The peers with an attempt under way and no connection.
    pub fn pending(&self) -> impl Iterator<Item = &Atom> {
        self.peers.iter().filter(|(_, line)| matches!(line, Line::Pending { .. })).map(|(peer, _)| peer)
    }

    fn is_allowed(&self, peer: &Atom) -> bool {
        let (local, host) = peer.as_str().split_once('@').unwrap_or((peer.as_str(), ""));
        self.allowed.is_empty()
            || self.allowed.iter().any(|entry| match entry.as_str().split_once('@') {
                None => entry.as_str() == host,
                Some((name, "")) => name == local,
                Some(_) => entry == peer,
            })
    }

    fn may_auto_connect(&self, peer: &Atom) -> bool {
        match self.policy {
            AutoConnect::Always => true,
            AutoConnect::Once => !self.barred.contains(peer),
            AutoConnect::Never => false,
        }
    }

    fn begin(&mut self, peer: &Atom) -> Attempt {
        let attempt = self.next_attempt();
        self.peers.insert(peer.clone(), Line::Pending { attempt });
        attempt
    }

    fn next_attempt(&mut self) -> Attempt {
        self.last_attempt += 1;
        self.last_attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(me: &str) -> Table {
        Table::new(Atom::new(me), AutoConnect::Always)
    }

    fn dial(table: &mut Table, peer: &Atom) -> Attempt {
        match table.want(peer, Cause::Explicit) {
            Want::Dial(attempt) => attempt,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_two_simultaneous_attempts_that_of_the_greater_name_survives() {
        let (a, b) = (Atom::new("a@h"), Atom::new("b@h"));
        let (mut at_a, mut at_b) = (table("a@h"), table("b@h"));
        let (from_a, from_b) = (dial(&mut at_a, &b), dial(&mut at_b, &a));
        assert_eq!(at_b.knock(&a), Knock::Nok);
        let Knock::OkSimultaneous { attempt, stop } = at_a.knock(&b) else { panic!() };
        assert_eq!(stop, from_a);
        assert_eq!(
            at_a.failed(&b, from_a),
            Failed::Unchanged,
            "the stopped attempt changes nothing any more"
        );
        assert_eq!(at_a.up(&b, attempt), Some(1));
        assert_eq!(at_b.up(&a, from_b), Some(1));
    }

    #[test]
    fn a_new_incarnation_waits_until_the_old_connection_is_gone() {
        let b = Atom::new("b@h");
        let mut table = table("a@h");
        let attempt = dial(&mut table, &b);
        let old = table.up(&b, attempt).unwrap();
        let Knock::Alive { attempt, old: named } = table.knock(&b) else { panic!() };
        assert_eq!(named, old);
        assert_eq!(table.knock(&b), Knock::AlreadyPending);
        assert_eq!(table.up(&b, attempt), None, "not before the old one is down");
        table.down(&b, old);
        assert_eq!(table.want(&b, Cause::Auto), Want::Pending);
        assert_eq!(table.up(&b, attempt), Some(old + 1));
    }

    #[test]
    fn a_peer_that_does_not_insist_leaves_the_old_connection_up() {
        let b = Atom::new("b@h");
        let mut table = table("a@h");
        let attempt = dial(&mut table, &b);
        let old = table.up(&b, attempt).unwrap();
        let Knock::Alive { attempt, .. } = table.knock(&b) else { panic!() };
        assert_eq!(table.failed(&b, attempt), Failed::Unchanged);
        assert_eq!(table.want(&b, Cause::Auto), Want::Up(old));
    }

    #[test]
    fn dialling_oneself_gets_nok() {
        let me = Atom::new("a@h");
        assert_eq!(table("a@h").knock(&me), Knock::Nok);
    }

    #[test]
    fn once_means_once_until_somebody_asks() {
        let b = Atom::new("b@h");
        let mut table = Table::new(Atom::new("a@h"), AutoConnect::Once);
        let Want::Dial(attempt) = table.want(&b, Cause::Auto) else { panic!() };
        let connection = table.up(&b, attempt).unwrap();
        table.down(&b, connection);
        assert_eq!(table.want(&b, Cause::Auto), Want::Barred);
        let Want::Dial(attempt) = table.want(&b, Cause::Explicit) else { panic!() };
        assert_eq!(table.failed(&b, attempt), Failed::Idle);
        assert!(matches!(table.want(&b, Cause::Auto), Want::Dial(_)));
        let mut never = Table::new(Atom::new("a@h"), AutoConnect::Never);
        assert_eq!(never.want(&b, Cause::Auto), Want::Barred);
    }

    #[test]
    fn the_allow_list_names_nodes_hosts_and_names() {
        let mut table = table("a@h");
        assert!(table.is_allowed(&Atom::new("x@y")));
        table.allow(["b@h", "there", "ops@"].map(Atom::new));
        for (peer, allowed) in [("b@h", true), ("c@h", false), ("c@there", true), ("ops@moon", true)] {
            assert_eq!(table.is_allowed(&Atom::new(peer)), allowed, "{peer}");
        }
        assert_eq!(table.knock(&Atom::new("c@h")), Knock::NotAllowed);
        assert_eq!(table.want(&Atom::new("c@h"), Cause::Explicit), Want::NotAllowed);
    }
}
