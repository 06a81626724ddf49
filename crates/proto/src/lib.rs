//! Erlang's wire protocols as machines: bytes and time in, events out. No I/O, no clock.
//!
//! Every machine is drained the same way: feed it what happened, take out what it wants done, ask it for its next
//! deadline last. What a peer sends can make a machine return [`Blame`], never panic, and never keep more than
//! [`limits`] says.

pub mod connection;
pub mod epmd;
pub mod error;
pub mod flags;
pub mod handshake;
pub mod limits;
pub mod signal;
pub mod time;

pub use error::{Blame, Misuse, PeerFault};
pub use flags::Flags;
pub use time::Now;
