//! How a node that was started as `undefined` gets its name: from the first peer it connects with, for as long as that
//! connection lasts. (Distribution protocol, "Dynamic node names".)

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use proto::handshake::Granted;
use runtime::Node;
use term::Atom;

use super::core::NetKernel;
use super::end::End;
use super::life::{self, ALONE};
use super::table::ConnectionId;
use crate::limits::KNOWN_NODES_MAX;

/// The way to a name.
pub(super) struct Naming {
    /// Where the name will be.
    pub(super) host: String,
    /// One at a time asks for a name; others wait, and may have one by then.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Who named us, and by which connection.
    namer: Mutex<Option<(Atom, ConnectionId)>>,
}

impl Naming {
    pub(super) fn new(host: String) -> Naming {
        Naming { host, turn: tokio::sync::Mutex::default(), namer: Mutex::default() }
    }

    fn namer(&self) -> std::sync::MutexGuard<'_, Option<(Atom, ConnectionId)>> {
        self.namer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This connection is what the name depends on.
    pub(super) fn named_by(&self, peer: &Atom, number: ConnectionId) {
        *self.namer() = Some((peer.clone(), number));
    }

    /// Whether the name went with this connection.
    pub(super) fn lost(&self, peer: &Atom, number: ConnectionId) -> bool {
        let mut namer = self.namer();
        let lost = namer.as_ref().is_some_and(|(name, by)| name == peer && *by == number);
        if lost {
            *namer = None;
        }
        lost
    }
}

/// Whether this node waits for a name.
pub(super) fn is_nameless(node: &Node, net: &NetKernel) -> bool {
    net.naming.is_some() && *node.name() == ALONE
}

/// The name is ours.
pub(super) fn adopt(node: &Node, net: &NetKernel, granted: &Granted) {
    let name = Atom::new(&granted.name);
    net.state().table.rename(name.clone());
    life::rename(node, name, granted.creation);
}

/// The connection that gave us our name is gone: another node may be called so soon. The other connections end, and the next
/// one brings a new name. (OTP restarts its net_kernel.)
pub(super) async fn lose_name(node: &Node, net: &NetKernel) {
    let Some(naming) = &net.naming else { return };
    let _turn = naming.turn.lock().await;
    // Those under way say a name that is ours no more.
    net.abandon_attempts();
    for peer in net.peers() {
        if let Some(gone) = net.end_connection(&peer, End::Stopped) {
            let _ = gone.await;
        }
    }
    net.state().table.rename(ALONE);
    life::rename(node, ALONE, 0);
}

/// The names of nodes that were seen from here: peers, and this one's own earlier names. For `nodes(known)`.
#[derive(Default)]
pub(super) struct Named(Mutex<BTreeSet<Atom>>);

impl Named {
    pub(super) fn remember(&self, name: &Atom) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < KNOWN_NODES_MAX && !names.contains(name) {
            names.insert(name.clone());
        }
    }

    pub(super) fn all(&self) -> Vec<Atom> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Whether this node, or one that it was connected with, was once called so.
pub(crate) fn has_had(node: &Node, name: &Atom) -> bool {
    node.shelf::<Named>().0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
}
