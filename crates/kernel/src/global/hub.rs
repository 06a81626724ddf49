//! What `global` keeps on the shelf of its node: the table that everybody reads, and the box for what its process is asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use runtime::Node;
use term::{Atom, Pid, Term};
use tokio::sync::oneshot;

use super::events::{Request, ResolveId};
use super::messages::Named;

/// What a node is told about `global` before it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Kernel parameter `connect_all`.
    pub(crate) connect_all: bool,
    /// Kernel parameter `prevent_overlapping_partitions`.
    pub(crate) prevent_overlapping: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { connect_all: true, prevent_overlapping: true }
    }
}

/// The shelf of `global`.
#[derive(Default)]
pub(crate) struct Hub {
    started: AtomicBool,
    /// The machine's name table, as of the last event.
    names: RwLock<BTreeMap<Term, Named>>,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    server: Option<Pid>,
    notes: VecDeque<Note>,
    /// The process has been told that there is something to read.
    poked: bool,
}

/// What the process finds on its desk.
pub(super) enum Note {
    /// A process of this node asks.
    Request(Request, oneshot::Sender<Term>),
    /// What the process of that pid wanted to be connected to cannot be.
    Unconnected { server: Pid, node: Atom },
    /// A conflict method that the process of that pid asked for has spoken.
    Resolved { server: Pid, id: ResolveId, verdict: Result<Term, Term> },
}

/// Tells the process to look at its desk. Whoever else sends it makes the process look, no more.
pub(crate) const WAKE: Atom = Atom::constant(&"$trunkline_global_wake");

impl Hub {
    /// The hub of a node, whose process runs: an alone node has one from here on.
    pub(crate) fn of(node: &Node) -> Arc<Hub> {
        let hub = node.shelf::<Hub>();
        if !hub.started.swap(true, Ordering::SeqCst) {
            crate::services::start_global(node);
        }
        hub
    }

    pub(super) fn names(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<Term, Named>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the table up to date.
    pub(super) fn publish(&self, changes: Vec<(Term, Option<Named>)>) {
        if changes.is_empty() {
            return;
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        for (name, named) in changes {
            match named {
                Some(named) => names.insert(name, named),
                None => names.remove(&name),
            };
        }
    }

    /// A process begins. It gets the names that its predecessor left; nothing when it is the first.
    pub(super) fn begin(&self, server: &Pid) -> Option<BTreeMap<Term, Named>> {
        let before = self.desk().server.replace(server.clone());
        let left = std::mem::take(&mut *self.names.write().unwrap_or_else(PoisonError::into_inner));
        before.map(|_| left)
    }

    pub(super) fn take_notes(&self) -> VecDeque<Note> {
        let mut desk = self.desk();
        desk.poked = false;
        std::mem::take(&mut desk.notes)
    }

    pub(super) fn post(&self, node: &Node, note: Note) {
        let mut desk = self.desk();
        desk.notes.push_back(note);
        // Before the first process begins nobody has to be told: it looks at its desk first.
        if desk.poked {
            return;
        }
        if let Some(server) = desk.server.clone() {
            desk.poked = true;
            drop(desk);
            node.send(server, WAKE);
        }
    }

    /// Asks the process; nothing when it ended before it answered.
    pub(super) fn ask(&self, node: &Node, request: Request) -> oneshot::Receiver<Term> {
        let (give, take) = oneshot::channel();
        self.post(node, Note::Request(request, give));
        take
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
