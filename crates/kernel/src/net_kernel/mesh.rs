//! Everybody ends up connected to everybody: a new visible peer is asked for its peers, and those are connected to.
//!
//! In OTP this is a part of what `global` does; its protocol takes over when it lives here.

use std::sync::Arc;
use std::time::Duration;

use proto::handshake::Peer;
use runtime::Node;
use term::{Atom, Term};

use super::core::{NetKernel, Wanted};
use super::driver::can_spawn;
use super::table::Cause;
use crate::limits::{MESH_ANSWER_MILLIS, MESH_NODES_MAX};
use crate::names;
use crate::rpc;

/// Learns from a peer that has just come up.
pub(super) fn learn(node: &Node, net: &Arc<NetKernel>, met: &Peer) {
    if !(net.setup.connect_all && met.visible && can_spawn(met.negotiated)) {
        return;
    }
    let (node, net, peer) = (node.clone(), net.clone(), Atom::new(&met.name));
    node.clone().spawn_task(async move {
        let patience = Duration::from_millis(MESH_ANSWER_MILLIS);
        match rpc::call_within::<Vec<Term>>(&node, peer.clone(), "erlang", "nodes", (), patience).await {
            Ok(theirs) => theirs.iter().filter_map(Term::as_atom).take(MESH_NODES_MAX).for_each(|other| meet(&node, &net, other)),
            Err(error) => tracing::debug!(%peer, "its nodes are not known: {error}"),
        }
    });
}

fn meet(node: &Node, net: &Arc<NetKernel>, other: &Atom) {
    if other == node.name() || names::check_peer(other.as_str(), net.setup.form).is_err() {
        return;
    }
    if let Wanted::Pending = net.want(node, other, Cause::Auto, None) {
        tracing::debug!(peer = %other, "connecting to a node of our nodes");
    }
}
