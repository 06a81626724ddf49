//! How nodes find each other's ports: EPMD, a fixed list, or memory. Strangers may plug in their own.

use std::fmt;
use std::io;
use std::net::IpAddr;

use carrier::{Address, BoxFuture};

mod epmd;
mod list;
mod memory;

pub use epmd::Epmd;
pub use list::{FixedPort, List};
pub use memory::MemoryNames;

use crate::names::NodeName;

/// A way to find nodes.
pub trait Discovery: Send + Sync + 'static {
    /// Makes a node known that listens on `port`. The name must be free.
    ///
    /// # Cancel-safety
    /// Dropping the future takes the registration back.
    fn register<'a>(&'a self, who: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>>;

    /// Where the node `name` (full: `local@host`) listens.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>>;

    /// The nodes of a host: their local names and ports.
    fn names<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>>;
}

/// Who is to be made known.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The node's name.
    pub name: NodeName,
    /// The interface on which it listens, where the carrier has one.
    pub interface: Option<IpAddr>,
    /// The port on which it listens.
    pub port: u16,
    /// Whether it is hidden.
    pub hidden: bool,
}

/// A registration that was accepted.
pub struct Registered {
    /// Which life of this name begins. Nothing: make one up.
    pub creation: Option<u32>,
    /// Keeps the registration; to be run as long as the node lives. Dropping it ends the registration.
    pub keep: BoxFuture<'static, ()>,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("creation", &self.creation).finish_non_exhaustive()
    }
}

/// Why a node cannot be made known or found, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Somebody else has the name.
    #[error(
        "the name {name} is in use by another node, registered at {place}: stop that node, or choose another name"
    )]
    NameTaken {
        /// The full node name.
        name: String,
        /// Where: `port 40123 of EPMD 127.0.0.1:4369`.
        place: String,
    },
    /// Nobody of that name.
    #[error("{name} is not registered at {place}: check that the node runs and how its name is written")]
    NotFound {
        /// The full node name.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// EPMD, or what takes its place, cannot be asked.
    #[error("{place} cannot be asked: {source}")]
    Unreachable {
        /// Who.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// The answer is no answer.
    #[error("{place} answered nonsense: {why}")]
    Nonsense {
        /// Who.
        place: String,
        /// What is wrong.
        why: String,
    },
}
