//! Functions with names: exported here for other nodes to call, and called there. (`erpc`, `rpc`.)

mod builtin;
mod client;
mod export;
mod facts;
mod server;

pub(crate) use builtin::install;
pub use client::{Arguments, RpcError, call, call_within, cast, multicall};
pub(crate) use export::failure;
pub use export::{AsyncFunction, Function, export, export_async};
pub(crate) use server::{Ran, apply, spawn_local};
