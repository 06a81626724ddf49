//! How attempts and connections end, and in one table what follows.

use std::io;
use std::sync::Arc;

use proto::error::Blame;
use proto::handshake::Refusal;
use term::Term;
use tracing::Level;

use crate::discovery::DiscoveryError;
use crate::names::NameError;

/// How a connection ends.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// Somebody broke the protocol.
    #[error(transparent)]
    Blame(#[from] Blame),
    /// The wire broke.
    #[error("the wire broke: {0}")]
    Wire(#[from] io::Error),
    /// The peer hung up.
    #[error("the peer closed the connection")]
    Closed,
    /// Nothing was heard for too long.
    #[error("not responding: nothing was heard for net_ticktime")]
    Silence,
    /// The peer asked and asked, and did not read the answers.
    #[error("it does not read the answers to what it asks, and too much of both waits")]
    Deaf,
    /// The peer sent an exit reason that is no term: whoever waits for it hears of a lost connection instead.
    #[error("the peer is at fault: it sent an exit signal whose reason cannot be decoded")]
    Garbled,
    /// What reads from the connection has failed: a fault of this program, which the log tells in the lines before.
    #[error("we are at fault: its reader panicked or was stopped")]
    Crashed,
    /// Somebody on this node asked for it.
    #[error("disconnected")]
    Asked,
    /// The peer started again, and its new life insisted.
    #[error("replaced by a new connection of the same name")]
    Replaced,
    /// This node leaves the network.
    #[error("this node stops")]
    Stopped,
}

impl End {
    /// What `nodedown` says to those who asked for the reason.
    pub fn reason(&self) -> Term {
        Term::atom(match self {
            End::Blame(_) | End::Wire(_) | End::Closed | End::Deaf | End::Garbled | End::Crashed => {
                "connection_closed"
            }
            End::Silence => "net_tick_timeout",
            End::Asked | End::Replaced => "disconnect",
            End::Stopped => "net_kernel_terminated",
        })
    }

    /// How loudly it is said, once.
    pub fn level(&self) -> Level {
        match self {
            End::Blame(_) | End::Deaf | End::Garbled | End::Crashed => Level::ERROR,
            End::Silence => Level::WARN,
            End::Wire(_) | End::Closed | End::Replaced => Level::INFO,
            End::Asked | End::Stopped => Level::DEBUG,
        }
    }
}

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SetupFault {
    /// Nobody knows where the peer is.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The wire could not be made, or broke.
    #[error("{0}")]
    Wire(#[from] io::Error),
    /// Somebody broke the protocol, or the cookies differ.
    #[error(transparent)]
    Blame(#[from] Blame),
    /// The peer hung up in the middle of the handshake. After our proof this means: another cookie.
    #[error(
        "the peer closed the connection during the handshake: compare the cookies of both nodes, and look into its log"
    )]
    Closed,
    /// The peer refused us.
    #[error("{}", refusal(.0))]
    Refused(Refusal),
    /// It took too long.
    #[error("no connection within {millis} ms")]
    TimedOut {
        /// How long was waited, in milliseconds.
        millis: u128,
    },
    /// We asked for a name and were given none.
    #[error("the peer gave us no name")]
    Nameless,
    /// Another attempt took the place of this one, or the node stops.
    #[error("the attempt was abandoned")]
    Abandoned,
}

fn refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Nok => "the peer is connecting to us at this moment, but did not arrive",
        Refusal::NotAllowed => "the peer does not allow this node: see its allow list (net_kernel:allow/1)",
        Refusal::StillAlive => "the peer believes that it is still connected with us",
    }
}

/// Why there is no connection to a peer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name is no good.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Our own allow list does not have the peer.
    #[error("{0} is not on this node's allow list")]
    NotAllowed(String),
    /// `dist_auto_connect` forbids it.
    #[error("{0} is not connected to automatically (dist_auto_connect): connect explicitly")]
    Barred(String),
    /// It was tried.
    #[error("cannot connect to {peer}: {why}")]
    Failed {
        /// To whom.
        peer: String,
        /// Why.
        why: Arc<SetupFault>,
    },
    /// A node without a name has no peers.
    #[error("this node is not distributed: start it with a name")]
    NotDistributed,
}
