//! EPMD, the name server of a host: its frames, a client and the whole server, all without a socket.
//!
//! Where the manual and the program disagree, this follows the program.
//! (Erlang Distribution Protocol, "EPMD Protocol".)

pub mod client;
pub mod frames;
mod register;
pub mod server;

pub use frames::{AliveReply, Listed, Listing, NODE_HIDDEN, NODE_NORMAL, Registration, Request};

#[cfg(test)]
mod server_tests;
