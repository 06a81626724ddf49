//! Distributed Erlang, built in Rust: the front door.
