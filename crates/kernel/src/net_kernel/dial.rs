//! Our own attempts: find the peer, reach it, shake hands.

use std::sync::Arc;
use std::time::Duration;

use carrier::Wire;
use proto::handshake::{Initiation, Refusal};
use proto::{Blame, PeerFault};
use runtime::Node;

use super::core::NetKernel;
use super::driver;
use super::end::SetupFault;
use super::guard::AttemptGuard;
use super::handshake::{self, Met};

/// One attempt, from the name to the connection.
pub(super) async fn dial(node: Node, net: Arc<NetKernel>, guard: AttemptGuard) {
    let peer = guard.peer().clone();
    let patience = net.setup.setup_time;
    match tokio::time::timeout(patience, reach(&node, &net, &guard)).await {
        Ok(Ok((wire, (met, rest)))) => match net.attempt_succeeded(&node, guard.attempt(), &met, false) {
            Some(opened) => {
                guard.succeeded();
                driver::start(&node, &net, wire, met, rest, opened);
            }
            None => guard.failed(SetupFault::Abandoned),
        },
        Ok(Err(why)) => {
            tell(&peer, &why);
            guard.failed(why);
        }
        Err(_) => guard.failed(SetupFault::TimedOut { millis: Duration::as_millis(&patience) }),
    }
}

async fn reach(
    node: &Node,
    net: &NetKernel,
    guard: &AttemptGuard,
) -> Result<(Box<dyn Wire>, Met), SetupFault> {
    let peer = guard.peer();
    let me = net.me(node).map_err(Blame::from)?;
    let address = net.setup.discovery.resolve(peer.as_str()).await?;
    let mut wire = net.setup.carrier.dial(&address).await?;
    let machine = Initiation::begin(me, peer.as_str(), net.cookies.of(peer), node.roll() as u32);
    let insist = || net.may_insist(peer, guard.attempt());
    match handshake::initiate(&mut *wire, machine, insist).await {
        Ok(met) => Ok((wire, met)),
        Err(SetupFault::Refused(Refusal::Nok)) => {
            // The peer's own attempt wins. When it arrives it stops this one; never dial again meanwhile.
            drop(wire);
            std::future::pending().await
        }
        Err(why) => Err(why),
    }
}

/// The lines that operators know from OTP. A peer that simply is not there is told only to whoever asked.
fn tell(peer: &term::Atom, why: &SetupFault) {
    match why {
        SetupFault::Blame(Blame::Peer(PeerFault::BadCookie { .. })) => {
            tracing::error!(
                "** Connection attempt to node {peer} aborted: its digest does not match our cookie **"
            );
        }
        SetupFault::Blame(blame) => {
            tracing::error!("** Connection attempt to node {peer} aborted: {blame} **")
        }
        SetupFault::Closed => {
            tracing::warn!(
                "** Connection attempt to node {peer} was closed by it: compare the cookies of both **"
            );
        }
        SetupFault::Refused(Refusal::NotAllowed) => {
            tracing::warn!("** Connection attempt to node {peer}: it does not allow this node **");
        }
        why => tracing::debug!(%peer, "no connection: {why}"),
    }
}
