//! Distributed Erlang, built in Rust: the front door.

pub use kernel::{cookies, epmd, names};
pub use {proto, term};
