//! Distributed Erlang, built in Rust: a program becomes a node that Erlang/OTP takes for one of its own.
//!
//! Two nodes, a process on each, one message there and one back:
//!
//! ```no_run
//! use trunkline::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let zoey = trunkline::node("zoey@localhost").cookie("s3cret").start().await?;
//!     let bill = trunkline::node("bill@localhost").cookie("s3cret").start().await?;
//!
//!     let echo = zoey.spawn(|mut ctx: Ctx| async move {
//!         loop {
//!             let (from, text): (Pid, String) = ctx.receive().await;
//!             ctx.send(&from, text.to_uppercase());
//!         }
//!     });
//!     zoey.register("echo", &echo)?;
//!
//!     bill.connect("zoey@localhost").await?;
//!     let answer = bill.run(|mut ctx| async move {
//!         let me = ctx.pid();
//!         ctx.send(("echo", "zoey@localhost"), (me, "hello".to_string()));
//!         ctx.receive::<String>().await
//!     });
//!     assert_eq!(answer.await, "HELLO");
//!     Ok(())
//! }
//! ```
//!
//! Names only: everything lives in the rooms behind this door, and may move between them. [`prelude`] has what nearly
//! every program wants.
//!
//! - [`Node`]: start a node, connect it, spawn processes; [`Ctx`]: what a process holds in its hand.
//! - [`net_kernel`]: connections, who is up, tick time, allow list, cookies at run time.
//! - [`global`]: names and locks for the whole cluster.
//! - [`rpc`], [`erpc`]: functions with names, exported here and called there; [`macro@module`]: a Rust module of them.
//! - [`request`]: questions to generic servers.
//! - [`io`]: output and input across nodes, group leaders.
//! - [`gen_server`]: processes that answer questions; [`gen_statem`]: state machines; [`sys`]: looking into them while they run.
//! - [`gen_event`]: processes that tell others what happens. [`supervisor`]: processes that start others, and start them again.
//! - [`application`]: parts of a program that start and stop as a whole; [`dist_ac`]: those that move to another node when
//!   theirs is lost.
//! - [`config`]: parameters from `sys.config`, TOML and the command line.
//! - [`pg`]: groups of processes that every node knows.
//! - [`discovery`], [`epmd`], [`carrier`]: how nodes are found and reached.
//! - [`term`]: values; with the feature `derive`, Rust types as terms; with `serde`, serde's.
//! - With the feature `sim`, `sim`: many nodes in one thread, from one seed.

pub mod prelude;

/// ```
/// use trunkline::prelude::*;
/// use trunkline::rpc::Raise;
///
/// #[trunkline::module]
/// mod shop {
///     use super::*;
///
///     /// What so many of them cost.
///     pub fn price(count: i64, each: i64) -> i64 {
///         count * each
///     }
///
///     /// Throws what is missing.
///     pub async fn sell(ctx: &mut Ctx, item: Atom) -> Result<Pid, Raise> {
///         if item == *"tea" { Ok(ctx.pid()) } else { Err(Raise::throw(("sold_out", item))) }
///     }
///
///     #[export(name = "is_open?")]
///     pub fn is_open() -> bool {
///         true
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let node = Node::alone();
/// shop::export(&node);
/// assert_eq!(node.call::<i64>(node.name(), "shop", "price", (3, 14)).await, Ok(42));
/// assert_eq!(node.call::<bool>(node.name(), "shop", "is_open?", ()).await, Ok(true));
/// let sold_out = node.call::<Pid>(node.name(), "shop", "sell", (Atom::new("milk"),)).await;
/// assert!(matches!(sold_out, Err(rpc::RpcError::Threw(_))));
/// # }
/// ```
///
/// Private functions stay private. What cannot be exported is refused. Type parameters:
///
/// ```compile_fail
/// #[trunkline::module]
/// mod shop {
///     pub fn show<T: std::fmt::Debug>(what: T) -> String { format!("{what:?}") }
/// }
/// ```
///
/// References, for what comes from another node has no owner here:
///
/// ```compile_fail
/// #[trunkline::module]
/// mod shop {
///     pub fn length(text: &str) -> i64 { text.len() as i64 }
/// }
/// ```
///
/// Methods, unsafe functions, what is no term, and two functions of one name and arity:
///
/// ```compile_fail
/// #[trunkline::module]
/// mod shop {
///     pub unsafe fn danger() {}
/// }
/// ```
///
/// ```compile_fail
/// #[trunkline::module]
/// mod shop {
///     pub fn file() -> std::fs::File { unimplemented!() }
/// }
/// ```
///
/// ```compile_fail
/// #[trunkline::module]
/// mod shop {
///     #[export(name = "b")]
///     pub fn a() {}
///     pub fn b() {}
/// }
/// ```
pub use ::module::module;
pub use carrier;
pub use kernel::erpc;
#[cfg(feature = "sim")]
pub use kernel::sim;
pub use kernel::{
    Builder, Cookie, Node, PingError, StartError, config, cookies, discovery, dist_ac, epmd, global, io,
    names, net_kernel, node, pg, ping, rpc,
};
pub use otp::{
    Flow, GenServer, Nothing, Reply, Request, Server, ServerRef, application, gen_event, gen_server,
    gen_statem, registry, request, supervisor, sys,
};
pub use runtime::{
    AliasMode, Ctx, Down, Exit, ExitSignal, ExportedFn, ExportedFuture, Limit, Mark, Message, Outcome,
    Policy, ProcessInfo, RegisterError, Replies, SendOptions, Sent, SpawnAt, SpawnError, SpawnOptions,
    SpawnRequest, Status, To,
};
#[cfg(feature = "serde")]
pub use term::serde::Serde;
pub use term::{Atom, Binary, FromTerm, IntoTerm, List, Map, NodeId, Pid, Port, Ref, Term, Tuple};
pub use {otp, proto, runtime, term};
