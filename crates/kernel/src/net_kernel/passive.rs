//! Waiting for a peer that may not be dialled: it may dial us. (`allow_passive_connect`, with `dist_auto_connect`.)

use std::time::Duration;

use runtime::{LaneState, Node};
use term::Atom;
use tokio::sync::oneshot;

use super::core::{NetKernel, Wanted};
use super::table::Cause;
use crate::limits::PASSIVE_LOOK_MILLIS;
use crate::names;

/// Connects as a signal would, or waits for the peer where that is not wanted; whether there is a connection.
pub(super) async fn connect(node: &Node, peer: &Atom) -> bool {
    if peer == node.name() {
        return true;
    }
    let Some(net) = NetKernel::of(node) else { return false };
    if names::check_peer(peer.as_str(), net.setup.form).is_err() {
        return false;
    }
    let (done, outcome) = oneshot::channel();
    match net.want(node, peer, Cause::Auto, Some(done)) {
        Wanted::Up => true,
        Wanted::Pending => matches!(outcome.await, Ok(Ok(()))),
        Wanted::Barred => wait(node, peer).await,
        Wanted::NotAllowed | Wanted::TooMany => false,
    }
}

/// Waits for as long as a connection may take to be made; whether it was.
pub(super) async fn wait(node: &Node, peer: &Atom) -> bool {
    let Some(net) = NetKernel::of(node) else { return false };
    let up = async {
        while node.lane(peer).is_none_or(|lane| lane.state() != LaneState::Up) {
            tokio::time::sleep(Duration::from_millis(PASSIVE_LOOK_MILLIS)).await;
        }
    };
    tokio::time::timeout(net.setup.setup_time, up).await.is_ok()
}
