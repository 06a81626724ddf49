//! Our own attempts: find the peer, reach it, shake hands.

use std::sync::Arc;
use std::time::Duration;

use carrier::Wire;
use proto::handshake::{Initiation, Refusal, Winner, simultaneous};
use proto::{Blame, Now, PeerFault};
use runtime::Node;
use term::Atom;

use super::core::NetKernel;
use super::driver;
use super::end::SetupFault;
use super::guard::AttemptGuard;
use super::handshake::{self, Met};
use super::naming;
use crate::limits::UNPROVED_KNOCK_MILLIS;

/// One attempt, from the name to the connection.
pub(super) async fn dial(node: Node, net: Arc<NetKernel>, guard: AttemptGuard) {
    let peer = guard.peer().clone();
    let patience = net.setup.setup_time;
    match tokio::time::timeout(patience, reach_in_turn(&node, &net, &guard)).await {
        Ok(Ok((wire, (met, rest), _turn))) => {
            if let Some(granted) = &met.granted
                && naming::is_nameless(&node, &net)
            {
                naming::adopt(&node, &net, granted);
            }
            match net.attempt_succeeded(&node, guard.attempt(), &met, false) {
                Some(opened) => {
                    guard.succeeded();
                    if let (Some(naming), Some(_)) = (&net.naming, &met.granted) {
                        naming.named_by(&peer, opened.number);
                    }
                    driver::start(&node, &net, wire, met, rest, opened);
                }
                None => guard.failed(SetupFault::Abandoned),
            }
        }
        Ok(Err(why)) => {
            tell(&peer, &why);
            guard.failed(why);
        }
        Err(_) => guard.failed(SetupFault::TimedOut { millis: Duration::as_millis(&patience) }),
    }
}

type Turn<'a> = Option<tokio::sync::MutexGuard<'a, ()>>;

/// A node that waits for a name asks one peer at a time: the others would give it another.
async fn reach_in_turn<'a>(
    node: &Node,
    net: &'a NetKernel,
    guard: &AttemptGuard,
) -> Result<(Box<dyn Wire>, Met, Turn<'a>), SetupFault> {
    let mut turn = None;
    if let Some(naming) = net.naming.as_ref().filter(|_| naming::is_nameless(node, net)) {
        let mine = naming.turn.lock().await;
        turn = naming::is_nameless(node, net).then_some(mine);
    }
    let (wire, met) = reach(node, net, guard).await?;
    if turn.is_some() && met.0.granted.is_none() {
        return Err(SetupFault::Nameless);
    }
    Ok((wire, met, turn))
}

async fn reach(
    node: &Node,
    net: &NetKernel,
    guard: &AttemptGuard,
) -> Result<(Box<dyn Wire>, Met), SetupFault> {
    let peer = guard.peer();
    let me = net.me_for(node, peer).map_err(Blame::from)?;
    let address = net.setup.discovery.resolve(peer.as_str()).await?;
    let mut wire = net.setup.carrier.dial(&address).await?;
    let machine = Initiation::begin(me, peer.as_str(), net.cookies.of(peer), node.roll() as u32);
    let insist = || net.may_insist(peer, guard.attempt());
    let knocked = node.now();
    match handshake::initiate(&mut *wire, machine, insist).await {
        Ok(met) => Ok((wire, met)),
        Err(SetupFault::Refused(Refusal::Nok)) => {
            // The peer's own attempt wins. When it arrives it stops this one; never dial again meanwhile.
            drop(wire);
            std::future::pending().await
        }
        Err(why @ (SetupFault::Closed | SetupFault::Wire(_))) if may_dial_instead(node, peer, knocked) => {
            // When it knocks, its attempt is the one.
            drop(wire);
            tokio::time::sleep(Duration::from_millis(UNPROVED_KNOCK_MILLIS)).await;
            Err(why)
        }
        Err(why) => Err(why),
    }
}

/// Whether a peer that has closed the wire may have done so because our handshake took so long that it dials us instead: as
/// [`super::table::Table::insist`] does on that side.
fn may_dial_instead(node: &Node, peer: &Atom, knocked: Now) -> bool {
    let long = node.now().since(knocked) >= Duration::from_millis(UNPROVED_KNOCK_MILLIS / 2);
    long && simultaneous(node.name().as_str(), peer.as_str()) == Winner::Peer
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
