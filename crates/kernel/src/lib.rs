//! What turns one node into a cluster: net_kernel, EPMD, cookies, exported functions.
//!
//! [`Node::builder`] starts a node; [`net_kernel`] connects it, [`rpc`] calls functions and lets others call ours.
//! Protocol, carrier and processes meet in one place: `net_kernel`'s driver.

mod builder;
pub mod config;
pub mod cookies;
pub mod discovery;
pub mod dist_ac;
pub mod epmd;
pub mod erpc;
mod functions;
pub mod global;
pub mod io;
pub mod limits;
pub mod names;
pub mod net_kernel;
mod node;
pub mod pg;
mod ping;
pub mod rpc;
mod services;
#[cfg(feature = "sim")]
pub mod sim;
mod via;

pub use builder::{Builder, StartError};
pub use node::Node;
pub use ping::{PingError, ping};
pub use proto::handshake::Cookie;

/// Begins a node with this name: [`Node::builder`].
pub fn node(name: &str) -> Builder {
    Node::builder(name)
}
