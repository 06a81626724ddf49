//! What nearly every program wants: `use trunkline::prelude::*`.
//!
//! ```
//! use trunkline::prelude::*;
//!
//! #[derive(IntoTerm, FromTerm)]
//! struct Ping(Pid); // {ping, Pid}
//!
//! #[derive(IntoTerm, FromTerm)]
//! struct Pong; // pong
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let node = Node::alone();
//! let ponger = node.spawn(|mut ctx: Ctx| async move {
//!     let Ping(from) = ctx.receive().await;
//!     ctx.send(&from, Pong);
//! });
//! node.run(move |mut ctx| async move {
//!     let me = ctx.pid();
//!     ctx.send(&ponger, Ping(me));
//!     let Pong = ctx.receive().await;
//! })
//! .await;
//! # }
//! ```

pub use kernel::Node;
pub use kernel::{global, net_kernel, pg, rpc};
pub use otp::{Flow, GenServer, Nothing, Reply, Request, Server};
pub use runtime::{Ctx, Down, Exit, ExitSignal};
pub use term::{Atom, FromTerm, IntoTerm, Pid, Ref, Term};
