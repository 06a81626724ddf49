//! `net_adm:ping`: is the node there, does it let us in, does its net_kernel answer?

use std::time::Duration;

use otp::request::{self, CallError};
use proto::Now;
use runtime::Node;
use term::{Atom, Term};

use crate::net_kernel::{self, ConnectError};

/// Why a node does not answer (`pang`).
#[derive(Clone, Debug, thiserror::Error)]
pub enum PingError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// There is a connection, but net_kernel does not answer as it should.
    #[error("the net_kernel of {peer} does not answer: {why}")]
    Silent {
        /// Who.
        peer: Atom,
        /// Why.
        why: CallError,
    },
}

/// Connects to `peer`, where `dist_auto_connect` lets signals do so, and asks its net_kernel. Gives back how long the question and its answer took, without the time
/// for connecting. (`net_adm:ping/1`.)
///
/// # Errors
/// When there is no answer. As OTP does, a peer whose net_kernel does not answer is disconnected.
pub async fn ping(node: &Node, peer: impl Into<Atom>) -> Result<Duration, PingError> {
    let peer = peer.into();
    if peer == *node.name() {
        return Ok(Duration::ZERO);
    }
    net_kernel::connect_as_signals(node, peer.clone()).await?;
    let asked: Now = node.now();
    let name = peer.clone();
    let answer = node.try_run(move |mut ctx| async move {
        let question = Term::tuple([Term::atom("is_auth"), Term::Atom(ctx.node().name().clone())]);
        let to = (Atom::inline("net_kernel"), name);
        request::call(&mut ctx, to, question, Some(PATIENCE)).await
    });
    let why = match answer.await {
        Some(Ok(answer)) if answer.is_atom("yes") => return Ok(node.now() - asked),
        Some(Ok(other)) => CallError::Exited(other),
        Some(Err(why)) => why,
        None => CallError::NoProc,
    };
    net_kernel::disconnect(node, peer.clone()).await;
    Err(PingError::Silent { peer, why })
}

/// OTP waits for ever; a node that takes this long is of no use.
const PATIENCE: Duration = Duration::from_secs(60);
