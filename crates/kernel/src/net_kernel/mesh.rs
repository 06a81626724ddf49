//! What `global` needs of net_kernel, and what takes its place with peers that do not have it: such a peer is asked for its
//! nodes, and those are connected to.

use std::time::Duration;

use runtime::Node;
use term::{Atom, Pid, Term};

use super::core::{NetKernel, Wanted};
use super::driver::can_spawn;
use super::end::End;
use super::table::Cause;
use super::watch::{NodeType, Shape, WatchOptions};
use crate::limits::{MESH_ANSWER_MILLIS, MESH_NODES_MAX};
use crate::names;
use crate::rpc;

/// Tells `who` of every connection that comes and goes, with its number.
pub(crate) fn watch_connections(node: &Node, who: &Pid) {
    let options = WatchOptions {
        node_type: Some(NodeType::All),
        connection_id: true,
        shape: Shape::Map,
        ..WatchOptions::default()
    };
    super::monitor_nodes(node, who, options);
}

/// Ends this very connection, if it is there still.
pub(crate) fn hang_up(node: &Node, peer: &Atom, connection: u64) {
    if let Some(net) = NetKernel::of(node)
        && node.lane(peer).is_some_and(|lane| lane.id() == connection)
    {
        let _ = net.end_connection(peer, End::Asked);
    }
}

/// Learns from a visible peer that has no `global`.
pub(crate) fn learn(node: &Node, peer: &Atom) {
    let Some(net) = NetKernel::of(node) else { return };
    let info = node.lane(peer).and_then(|lane| lane.info());
    if !(net.setup.connect_all && info.is_some_and(|info| info.visible && can_spawn(info.flags))) {
        return;
    }
    let (node, peer) = (node.clone(), peer.clone());
    node.clone().spawn_task(async move {
        let patience = Duration::from_millis(MESH_ANSWER_MILLIS);
        match rpc::call_within::<Vec<Term>>(&node, peer.clone(), "erlang", "nodes", (), patience).await {
            Ok(theirs) => {
                let theirs = theirs.iter().filter_map(Term::as_atom).take(MESH_NODES_MAX);
                theirs.for_each(|other| meet(&node, other));
            }
            Err(error) => tracing::debug!(%peer, "its nodes are not known: {error}"),
        }
    });
}

fn meet(node: &Node, other: &Atom) {
    let Some(net) = NetKernel::of(node) else { return };
    if other == node.name() || names::check_peer(other.as_str(), net.setup.form).is_err() {
        return;
    }
    if let Wanted::Pending = net.want(node, other, Cause::Auto, None) {
        tracing::debug!(peer = %other, "connecting to a node of our nodes");
    }
}
