//! Functions with names: exported here for other nodes to call, and called there. (`rpc`; [`crate::erpc`] has what only
//! `erpc` has.)
//!
//! - [`export`], [`export_async`]: a Rust function becomes `module:function/arity` for every node. [`Raise`]: it throws, exits
//!   or fails on purpose.
//! - [`call`], [`call_within`], [`block_call`], [`cast`]: one function on one node. [`async_call`]: a promise.
//! - [`multicall`], [`eval_everywhere`], [`parallel_eval`], [`pmap`]: many at once; [`everywhere`] are the nodes there are.
//! - [`abcast`], [`sbcast`], [`server_call`], [`multi_server_call`]: messages to named processes.
//!
//! Whoever calls is an [`Asker`]: a process by its [`runtime::Ctx`], or a node from outside. No answer, late or not, ever comes
//! to a mailbox.

mod asker;
mod builtin;
mod client;
mod error;
mod export;
mod functions;
#[doc(hidden)]
pub mod glue;
mod info;
mod many;
mod raise;
mod request;
mod server;
mod servers;
mod stdout;

pub use asker::Asker;
pub(crate) use builtin::install;
pub use client::{Arguments, Key, async_call, badrpc, call, call_within, cast, eval_everywhere, everywhere};
pub use error::RpcError;
pub(crate) use error::listed;
pub(crate) use export::failure;
pub use export::{AsyncFunction, Function, Running, WithCtx, export, export_async};
pub(crate) use many::call_all;
pub use many::{Answers, Mfa, Waiting, multicall, parallel_eval, pmap};
pub use raise::{Answer, Exiting, Plain, Raise, Raising};
pub use request::RequestId;
pub(crate) use server::{Ran, apply, apply_terms, spawn_local};
pub use servers::{
    Reached, Replies, abcast, block_call, multi_server_call, pinfo, pinfo_of, sbcast, server_call,
};
pub(crate) use stdout::forward_output;
