//! Connections to other nodes.

mod end;
mod handshake;
mod table;
mod watch;
