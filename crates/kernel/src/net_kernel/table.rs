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
    /// Somebody knocks under that name, who may be anybody: wait a while, then [`Table::insist`].
    Doubtful,
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
    /// Come in; our own attempt gives way as soon as the peer has proved itself.
    OkSimultaneous {
        /// The number of the attempt that goes on.
        attempt: Attempt,
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
}

/// How an attempt that ended without a connection leaves the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// What waits for the peer has waited in vain.
    Idle,
    /// Our own attempt failed, but those who knock under that name may be the peer: what waits waits for them.
    Hoping,
    /// The old connection stays up, or another attempt goes on, or nobody waits.
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

/// A peer. Whoever knocks under its name may be anybody until he has proved himself, so any number may, side by side, and
/// none of them stops an attempt of ours: the first who proves himself is the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// No connection yet.
    Pending { dial: Option<Attempt>, knocks: BTreeSet<Attempt>, wish: Wish },
    /// Connected. Those who knock have to prove themselves before they replace the connection.
    Up { connection: ConnectionId, knocks: BTreeSet<Attempt> },
}

/// What is done for those here who wait for a connection, besides an attempt of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// Nothing: nobody waits, or our attempt is under way.
    None,
    /// [`Table::insist`] will come.
    Insist,
    /// Our attempt has failed, the knocks up to this number have not. Later ones do not count: strangers could knock for ever.
    Hope(Attempt),
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

    /// Whether there is a connection with `peer`, or an attempt.
    pub fn has_line(&self, peer: &Atom) -> bool {
        self.peers.contains_key(peer)
    }

    /// Somebody wants a connection to `peer`.
    pub fn want(&mut self, peer: &Atom, cause: Cause) -> Want {
        if let Some(line) = self.peers.get_mut(peer) {
            return match line {
                Line::Pending { dial: None, wish: wish @ Wish::None, .. } => {
                    *wish = Wish::Insist;
                    Want::Doubtful
                }
                Line::Pending { .. } => Want::Pending,
                Line::Up { connection, .. } => Want::Up(*connection),
            };
        }
        if !self.is_allowed(peer) {
            return Want::NotAllowed;
        }
        if cause == Cause::Auto && !self.may_auto_connect(peer) {
            return Want::Barred;
        }
        self.barred.remove(peer);
        let attempt = self.next_attempt();
        let line = Line::Pending { dial: Some(attempt), knocks: BTreeSet::new(), wish: Wish::None };
        self.peers.insert(peer.clone(), line);
        Want::Dial(attempt)
    }

    /// After [`Want::Doubtful`], some time later: if nobody has proved himself we dial. Gives the number of the dial, and of
    /// those who must go, so that one of the two directions remains: everybody who knocks, where our direction is the one.
    /// Where it is the other, an honest peer tells our dial that it is busy, and goes on knocking.
    pub fn insist(&mut self, peer: &Atom) -> Option<(Attempt, BTreeSet<Attempt>)> {
        let attempt = self.next_attempt();
        match self.peers.get_mut(peer) {
            Some(Line::Pending { dial: dial @ None, knocks, wish: wish @ Wish::Insist }) => {
                (*dial, *wish) = (Some(attempt), Wish::None);
                Some(match simultaneous(self.me.as_str(), peer.as_str()) {
                    Winner::Me => (attempt, std::mem::take(knocks)),
                    Winner::Peer => (attempt, BTreeSet::new()),
                })
            }
            _ => None,
        }
    }

    /// `peer` knocks. The rules of `net_kernel`'s `accept_pending`, but that what a stranger says changes nothing yet.
    pub fn knock(&mut self, peer: &Atom) -> Knock {
        if !self.is_allowed(peer) {
            return Knock::NotAllowed;
        }
        let attempt = self.next_attempt();
        match self.peers.get_mut(peer) {
            // A node that dials itself is told that it is busy.
            None if *peer == self.me => Knock::Nok,
            None => {
                let line = Line::Pending { dial: None, knocks: BTreeSet::from([attempt]), wish: Wish::None };
                self.peers.insert(peer.clone(), line);
                Knock::Ok(attempt)
            }
            Some(Line::Pending { dial: None, knocks, .. }) => {
                knocks.insert(attempt);
                Knock::Ok(attempt)
            }
            Some(Line::Pending { knocks, .. }) => match simultaneous(self.me.as_str(), peer.as_str()) {
                Winner::Me => Knock::Nok,
                // The true peer does not let our own attempt through meanwhile: it answers `nok`.
                Winner::Peer => {
                    knocks.insert(attempt);
                    Knock::OkSimultaneous { attempt }
                }
            },
            Some(Line::Up { connection, knocks }) => {
                knocks.insert(attempt);
                Knock::Alive { attempt, old: *connection }
            }
        }
    }

    /// Whether `attempt` is still one that counts for `peer`.
    pub fn is_current(&self, peer: &Atom, attempt: Attempt) -> bool {
        match self.peers.get(peer) {
            Some(Line::Pending { dial, knocks, .. }) => *dial == Some(attempt) || knocks.contains(&attempt),
            Some(Line::Up { knocks, .. }) => knocks.contains(&attempt),
            None => false,
        }
    }

    /// Whether our own attempt is the only one. Only then may it replace a connection that the peer still believes in:
    /// that connection could be the one which has just been made in the other direction.
    pub fn may_insist(&self, peer: &Atom, attempt: Attempt) -> bool {
        let line = self.peers.get(peer);
        matches!(line, Some(Line::Pending { dial, knocks, .. }) if *dial == Some(attempt) && knocks.is_empty())
    }

    /// An attempt came to nothing.
    pub fn failed(&mut self, peer: &Atom, attempt: Attempt) -> Failed {
        let Some(line) = self.peers.get_mut(peer) else { return Failed::Unchanged };
        let (outcome, over) = match line {
            Line::Pending { dial, knocks, wish } if *dial == Some(attempt) => {
                *dial = None;
                match knocks.last() {
                    Some(last) => {
                        *wish = Wish::Hope(*last);
                        (Failed::Hoping, false)
                    }
                    None => (Failed::Idle, true),
                }
            }
            Line::Pending { dial, knocks, wish } => {
                knocks.remove(&attempt);
                let in_vain =
                    matches!(wish, Wish::Hope(last) if knocks.first().is_none_or(|first| first > last));
                if in_vain {
                    *wish = Wish::None;
                }
                let outcome = if in_vain { Failed::Idle } else { Failed::Unchanged };
                (outcome, knocks.is_empty() && dial.is_none() && *wish == Wish::None)
            }
            Line::Up { knocks, .. } => {
                knocks.remove(&attempt);
                (Failed::Unchanged, false)
            }
        };
        if over {
            self.peers.remove(peer);
        }
        outcome
    }

    /// An attempt succeeded: the number of the connection and the attempts that must be stopped, or nothing when another
    /// has taken its place.
    pub fn up(&mut self, peer: &Atom, attempt: Attempt) -> Option<(ConnectionId, BTreeSet<Attempt>)> {
        let stopped = match self.peers.get_mut(peer) {
            Some(Line::Pending { dial, knocks, .. })
                if *dial == Some(attempt) || knocks.contains(&attempt) =>
            {
                let mut others = std::mem::take(knocks);
                others.extend(*dial);
                others.remove(&attempt);
                others
            }
            _ => return None,
        };
        self.last_connection += 1;
        let connection = self.last_connection;
        self.peers.insert(peer.clone(), Line::Up { connection, knocks: BTreeSet::new() });
        Some((connection, stopped))
    }

    /// A connection is gone, links and monitors answered. An attempt that waited for this may go on.
    pub fn down(&mut self, peer: &Atom, connection: ConnectionId) {
        match self.peers.get_mut(peer) {
            Some(Line::Up { connection: c, knocks }) if *c == connection => {
                let knocks = std::mem::take(knocks);
                if knocks.is_empty() {
                    self.peers.remove(peer);
                } else {
                    self.peers.insert(peer.clone(), Line::Pending { dial: None, knocks, wish: Wish::None });
                }
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
        let Knock::OkSimultaneous { attempt } = at_a.knock(&b) else { panic!() };
        assert!(!at_a.may_insist(&b, from_a), "the other may be up at the peer already");
        assert_eq!(at_a.up(&b, attempt), Some((1, BTreeSet::from([from_a]))));
        assert_eq!(
            at_a.failed(&b, from_a),
            Failed::Unchanged,
            "the stopped attempt changes nothing any more"
        );
        assert_eq!(at_b.up(&a, from_b), Some((1, BTreeSet::new())));
    }

    #[test]
    fn a_new_incarnation_waits_until_the_old_connection_is_gone() {
        let b = Atom::new("b@h");
        let mut table = table("a@h");
        let attempt = dial(&mut table, &b);
        let old = table.up(&b, attempt).unwrap().0;
        let Knock::Alive { attempt, old: named } = table.knock(&b) else { panic!() };
        assert_eq!(named, old);
        let Knock::Alive { attempt: second, .. } = table.knock(&b) else { panic!() };
        assert_eq!(table.up(&b, attempt), None, "not before the old one is down");
        table.down(&b, old);
        assert_eq!(table.want(&b, Cause::Auto), Want::Doubtful);
        assert_eq!(table.up(&b, attempt), Some((old + 1, BTreeSet::from([second]))));
    }

    #[test]
    fn a_peer_that_does_not_insist_leaves_the_old_connection_up() {
        let b = Atom::new("b@h");
        let mut table = table("a@h");
        let attempt = dial(&mut table, &b);
        let old = table.up(&b, attempt).unwrap().0;
        let Knock::Alive { attempt, .. } = table.knock(&b) else { panic!() };
        assert_eq!(table.failed(&b, attempt), Failed::Unchanged);
        assert_eq!(table.want(&b, Cause::Auto), Want::Up(old));
    }

    #[test]
    fn strangers_under_a_name_keep_nobody_out_and_stop_nobody() {
        let b = Atom::new("b@h");
        let mut table = table("a@h");
        let Knock::Ok(stranger) = table.knock(&b) else { panic!() };
        let Knock::Ok(honest) = table.knock(&b) else { panic!() };
        assert_eq!(table.want(&b, Cause::Auto), Want::Doubtful);
        assert_eq!(table.want(&b, Cause::Auto), Want::Pending, "asked once is enough");
        assert_eq!(table.failed(&b, stranger), Failed::Unchanged);
        assert_eq!(
            table.failed(&b, honest),
            Failed::Unchanged,
            "who waits will be served by our own attempt"
        );
        let Knock::Ok(another) = table.knock(&b) else { panic!() };
        let (ours, gone) = table.insist(&b).unwrap();
        assert_eq!(gone, BTreeSet::new(), "b's direction is the one: our dial will be told so");
        assert_eq!(table.insist(&b), None);
        assert_eq!(table.failed(&b, another), Failed::Unchanged);
        let Knock::OkSimultaneous { attempt } = table.knock(&b) else { panic!() };
        assert!(table.is_current(&b, ours), "a knock without a proof stops nothing");
        assert_eq!(table.failed(&b, ours), Failed::Hoping, "it may be the peer");
        let Knock::Ok(later) = table.knock(&b) else { panic!() };
        assert_eq!(
            table.failed(&b, attempt),
            Failed::Idle,
            "strangers cannot make us wait by knocking again"
        );
        assert_eq!(table.failed(&b, later), Failed::Unchanged);
        assert!(matches!(table.want(&b, Cause::Auto), Want::Dial(_)));
    }

    #[test]
    fn who_insists_and_has_the_greater_name_sends_away_those_who_knock() {
        let a = Atom::new("a@h");
        let mut table = table("b@h");
        let Knock::Ok(knock) = table.knock(&a) else { panic!() };
        assert_eq!(table.want(&a, Cause::Auto), Want::Doubtful);
        let (ours, gone) = table.insist(&a).unwrap();
        assert_eq!(gone, BTreeSet::from([knock]));
        assert_eq!(table.up(&a, knock), None);
        assert_eq!(table.failed(&a, knock), Failed::Unchanged);
        assert!(table.may_insist(&a, ours));
    }

    /// Our dial of b and a knock under b's name, in every order of events; what waits for b is dropped only when both are
    /// over, and never when one of them leads to a connection.
    #[test]
    fn what_waits_for_a_peer_is_dropped_only_with_the_last_hope() {
        let b = Atom::new("b@h");
        let both = || {
            let mut table = table("a@h");
            let ours = dial(&mut table, &b);
            let Knock::OkSimultaneous { attempt } = table.knock(&b) else { panic!() };
            (table, ours, attempt)
        };
        let (mut table, ours, knock) = both();
        assert_eq!(table.failed(&b, ours), Failed::Hoping);
        assert_eq!(table.want(&b, Cause::Auto), Want::Pending, "it waits with the others");
        assert_eq!(table.insist(&b), None);
        assert!(table.is_current(&b, knock));
        assert_eq!(table.up(&b, knock), Some((1, BTreeSet::new())));

        let (mut table, ours, knock) = both();
        assert_eq!(table.failed(&b, ours), Failed::Hoping);
        assert_eq!(table.failed(&b, knock), Failed::Idle);
        assert!(matches!(table.want(&b, Cause::Auto), Want::Dial(_)), "nothing is left of either");

        let (mut table, ours, knock) = both();
        assert_eq!(table.failed(&b, knock), Failed::Unchanged);
        assert_eq!(table.failed(&b, ours), Failed::Idle);

        let (mut table, ours, knock) = both();
        assert_eq!(table.up(&b, ours), Some((1, BTreeSet::from([knock]))));
        assert_eq!(table.failed(&b, knock), Failed::Unchanged);

        let (mut table, ours, knock) = both();
        let Knock::OkSimultaneous { attempt: second } = table.knock(&b) else { panic!() };
        assert_eq!(table.failed(&b, ours), Failed::Hoping);
        assert_eq!(table.failed(&b, knock), Failed::Unchanged, "the other may be the peer");
        assert_eq!(table.failed(&b, second), Failed::Idle);

        let (mut table, ours, knock) = both();
        assert_eq!(table.failed(&b, ours), Failed::Hoping);
        let Knock::Ok(later) = table.knock(&b) else { panic!() };
        assert_eq!(
            table.up(&b, later),
            Some((1, BTreeSet::from([knock]))),
            "whoever proves himself is the peer"
        );
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
        let connection = table.up(&b, attempt).unwrap().0;
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
