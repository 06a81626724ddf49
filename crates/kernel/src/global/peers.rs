//! What we know of each peer: whether it is up, known, synced, and the session with it (the protocol manual, 6.8).

use std::collections::BTreeMap;

use proto::Now;
use term::{Atom, Pid, Term};

use super::events::ConnectionId;
use super::messages::{External, LockId, Named, Op, Versioned};
use super::names::Resolver;

/// Everything about one peer.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// There is a connection, and both of us are visible: its number.
    pub(super) up: Option<ConnectionId>,
    /// Fully synchronised: the version it speaks, zero when nobody told.
    pub(super) known: Option<u64>,
    /// It said that it knows us.
    pub(super) synced: bool,
    /// The handshake under way.
    pub(super) session: Option<Session>,
    /// We asked it to hang up, then.
    pub(super) removing: Option<Now>,
    /// Its first word, which came while we had no session for it, and when.
    pub(super) early: Option<(Hello, Now)>,
    /// It knows us and we do not know it, since then.
    pub(super) one_sided: Option<Now>,
    /// We know it before we are connected: connect and say `in_sync`; attempts left.
    pub(super) owed: Option<u32>,
    /// How often we began anew on this connection, and when we do it next: two that cancel each other's beginnings must
    /// not do so for ever.
    pub(super) restarts: u32,
    pub(super) restart_at: Option<Now>,
    /// How often it made us wait too long, in a row.
    pub(super) wedged: u32,
}

impl Peer {
    fn is_empty(&self) -> bool {
        self.up.is_none()
            && self.known.is_none()
            && self.session.is_none()
            && self.owed.is_none()
            && !self.synced
    }

    /// Known, or about to be: what 6.6 speaks of.
    pub(super) fn potentially_known(&self) -> bool {
        self.known.is_some() || self.pending().is_some()
    }

    /// The other side of the session, once it has spoken.
    pub(super) fn pending(&self) -> Option<&Hello> {
        self.session.as_ref().and_then(|session| session.his.as_ref())
    }

    /// The version it speaks, as far as we know.
    pub(super) fn version(&self) -> u64 {
        self.known.or_else(|| self.pending().map(|his| his.version)).unwrap_or(0)
    }
}

/// What `init_connect` said.
#[derive(Clone, Debug)]
pub(super) struct Hello {
    pub(super) version: u64,
    pub(super) tag: Term,
    pub(super) locker: Pid,
}

/// A handshake with a peer.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) tag: i64,
    pub(super) since: Now,
    /// Whether we have said that it does not answer.
    pub(super) told: bool,
    pub(super) his: Option<Hello>,
    /// The lock both sides hold, once they do.
    pub(super) lock: Option<LockId>,
    /// His names, when they came before our locker was ready.
    pub(super) his_names: Option<Vec<Named>>,
    pub(super) resolver: Option<Resolver>,
    /// What we shall do, when our part is done.
    pub(super) ops: Option<Vec<Op>>,
    /// What we have under names that he settles.
    pub(super) left_to_him: Vec<Named>,
    /// His part, when it came before ours was done.
    pub(super) his_part: Option<HisPart>,
}

/// What `resolved` said.
#[derive(Debug)]
pub(super) struct HisPart {
    pub(super) ops: Vec<Op>,
    pub(super) known: Vec<Versioned>,
    pub(super) external: Vec<External>,
}

impl Session {
    pub(super) fn new(tag: i64, since: Now) -> Session {
        Session {
            tag,
            since,
            told: false,
            his: None,
            lock: None,
            his_names: None,
            resolver: None,
            ops: None,
            left_to_him: Vec::new(),
            his_part: None,
        }
    }
}

/// All peers, by name.
#[derive(Debug, Default)]
pub(super) struct Peers(BTreeMap<Atom, Peer>);

impl Peers {
    pub(super) fn get(&self, node: &Atom) -> Option<&Peer> {
        self.0.get(node)
    }

    pub(super) fn get_mut(&mut self, node: &Atom) -> Option<&mut Peer> {
        self.0.get_mut(node)
    }

    pub(super) fn entry(&mut self, node: &Atom) -> &mut Peer {
        self.0.entry(node.clone()).or_default()
    }

    pub(super) fn session_mut(&mut self, node: &Atom) -> Option<&mut Session> {
        self.0.get_mut(node)?.session.as_mut()
    }

    /// The session, if `tag` is its tag: anything else speaks of a session that is no more.
    pub(super) fn session_of_tag(&mut self, node: &Atom, tag: &Term) -> Option<&mut Session> {
        self.session_mut(node).filter(|session| *tag == Term::Int(session.tag))
    }

    /// Forgets a peer of whom nothing is left.
    pub(super) fn tidy(&mut self, node: &Atom) {
        if self.0.get(node).is_some_and(Peer::is_empty) {
            self.0.remove(node);
        }
    }

    pub(super) fn is_known(&self, node: &Atom) -> bool {
        self.0.get(node).is_some_and(|peer| peer.known.is_some())
    }

    pub(super) fn is_up(&self, node: &Atom) -> bool {
        self.connection(node).is_some()
    }

    pub(super) fn connection(&self, node: &Atom) -> Option<ConnectionId> {
        self.0.get(node)?.up
    }

    /// We are about to connect to it.
    pub(super) fn is_owed(&self, node: &Atom) -> bool {
        self.0.get(node).is_some_and(|peer| peer.owed.is_some())
    }

    /// The fully synchronised nodes.
    pub(super) fn known(&self) -> impl Iterator<Item = (&Atom, u64)> {
        self.0.iter().filter_map(|(node, peer)| peer.known.map(|version| (node, version)))
    }

    pub(super) fn known_nodes(&self) -> Vec<Atom> {
        self.known().map(|(node, _)| node.clone()).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Atom, &Peer)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
