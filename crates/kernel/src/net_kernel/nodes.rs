//! Which nodes there are, seen from here.

use std::collections::BTreeSet;

use runtime::{LaneState, Node};
use term::Atom;

use super::naming::Named;

/// A kind of nodes. (`erlang:nodes/1`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Connected, and both sides say so to everybody.
    Visible,
    /// Connected, and at least one side hides.
    Hidden,
    /// Visible or hidden.
    Connected,
    /// This very node.
    This,
    /// Everybody of whom we know: connected or being dialled now, connected at some time, and this node by all its names.
    /// (OTP forgets a node when nothing names it any more; here it is remembered.)
    Known,
}

impl Kind {
    /// What Erlang calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Visible => "visible",
            Kind::Hidden => "hidden",
            Kind::Connected => "connected",
            Kind::This => "this",
            Kind::Known => "known",
        }
    }

    /// The kind that Erlang calls so.
    pub fn from_name(name: &str) -> Option<Kind> {
        Some(match name {
            "visible" => Kind::Visible,
            "hidden" => Kind::Hidden,
            "connected" => Kind::Connected,
            "this" => Kind::This,
            "known" => Kind::Known,
            _ => return None,
        })
    }
}

/// One kind, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds(BTreeSet<Kind>);

impl From<Kind> for Kinds {
    fn from(kind: Kind) -> Kinds {
        Kinds(BTreeSet::from([kind]))
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Kinds {
        Kinds(kinds.into_iter().collect())
    }
}

/// What is known of a node. (`erlang:nodes/2`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its name.
    pub name: Atom,
    /// Visible, hidden, this, or merely known.
    pub kind: Kind,
    /// The number of the connection, where there is one.
    pub connection_id: Option<u64>,
    /// Bytes that wait to be sent there.
    pub queued_bytes: usize,
}

/// The nodes of these kinds, in the order of their names.
pub fn nodes(node: &Node, kinds: impl Into<Kinds>) -> Vec<Atom> {
    nodes_info(node, kinds).into_iter().map(|info| info.name).collect()
}

/// The nodes of these kinds and what is known of them, in the order of their names.
pub fn nodes_info(node: &Node, kinds: impl Into<Kinds>) -> Vec<NodeInfo> {
    let Kinds(kinds) = kinds.into();
    let mut found: Vec<NodeInfo> = node.peers().into_iter().map(of_peer).collect();
    found.push(NodeInfo {
        name: node.name().clone(),
        kind: Kind::This,
        connection_id: None,
        queued_bytes: 0,
    });
    let seen: BTreeSet<Atom> = found.iter().map(|info| info.name.clone()).collect();
    let gone = node.shelf::<Named>().all().into_iter().filter(|name| !seen.contains(name));
    found.extend(gone.map(|name| NodeInfo { name, kind: Kind::Known, connection_id: None, queued_bytes: 0 }));
    found.retain(|info| kinds.iter().any(|kind| covers(*kind, info.kind)));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn of_peer(peer: runtime::Peer) -> NodeInfo {
    let up = peer.state == LaneState::Up;
    let kind = match (up, peer.visible) {
        (false, _) => Kind::Known,
        (true, true) => Kind::Visible,
        (true, false) => Kind::Hidden,
    };
    let connection_id = up.then_some(peer.connection);
    NodeInfo { name: peer.name, kind, connection_id, queued_bytes: peer.queued_bytes }
}

fn covers(asked: Kind, found: Kind) -> bool {
    match asked {
        Kind::Known => true,
        Kind::Connected => matches!(found, Kind::Visible | Kind::Hidden),
        kind => kind == found,
    }
}
