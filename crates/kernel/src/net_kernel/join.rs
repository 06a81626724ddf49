//! A node without a name of its own is given one by the first node it connects with.

use carrier::Wire;
use proto::Blame;
use proto::handshake::{Cookie, Granted, Initiation, Me};
use runtime::Node;
use term::Atom;

use super::core::{NetKernel, Setup};
use super::driver;
use super::end::SetupFault;
use super::handshake::{self, Met};
use super::table::{Cause, Want};

/// A connection that came with a name, before the node exists that is called so.
pub(crate) struct Joined {
    wire: Box<dyn Wire>,
    met: Met,
    /// The name and creation we are given.
    pub(crate) granted: Granted,
}

/// Connects to `peer` from `host`, asking for a name.
pub(crate) async fn ask_for_name(
    setup: &Setup,
    host: &str,
    peer: &Atom,
    cookie: Cookie,
) -> Result<Joined, SetupFault> {
    let patience = setup.setup_time;
    let asking = async {
        let me = Me::nameless(host, setup.flags).map_err(Blame::from)?.framed(setup.framing());
        let address = setup.discovery.resolve(peer.as_str()).await?;
        let mut wire = setup.carrier.dial(&address).await?;
        let machine = Initiation::begin(me, peer.as_str(), cookie, rand::random());
        let met = handshake::initiate(&mut *wire, machine, || true).await?;
        let granted = met.0.granted.clone().ok_or(SetupFault::Nameless)?;
        Ok(Joined { wire, met, granted })
    };
    let millis = patience.as_millis();
    tokio::time::timeout(patience, asking).await.unwrap_or(Err(SetupFault::TimedOut { millis }))
}

/// Starts the connection, now that there is a node of that name.
pub(crate) fn settle(node: &Node, peer: &Atom, joined: Joined) -> Result<(), SetupFault> {
    let net = NetKernel::of(node).ok_or(SetupFault::Abandoned)?;
    let want = net.state().table.want(peer, Cause::Explicit);
    let Want::Dial(attempt) = want else { return Err(SetupFault::Abandoned) };
    let Joined { wire, met: (met, rest), .. } = joined;
    let opened = net.attempt_succeeded(node, attempt, &met, false).ok_or(SetupFault::Abandoned)?;
    driver::start(node, &net, wire, met, rest, opened);
    Ok(())
}
