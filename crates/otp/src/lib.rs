//! Behaviours: generic servers, state machines, event managers, supervisors, and the protocol under them.
//!
//! - [`gen_server`]: a process that answers questions. [`Server`] is the handle with which others ask it.
//! - [`gen_statem`]: a process that is a state machine. [`gen_event`]: a process that runs event handlers.
//! - [`supervisor`]: a process that starts others and starts them again. [`registry`]: names of this node by any key.
//! - [`sys`]: looking into processes of all these behaviours, and changing them, while they run.
//! - [`application`]: parts of a program that start and stop as a whole.
//! - [`request`]: the protocol by which they are asked; [`pending`]: many questions at a time; [`proc_lib`]: how they start.
//!
//! On the wire all of it is OTP's: an Erlang client cannot tell a server written here from one of its own.

pub mod application;
mod ask;
mod caught;
pub mod gen_event;
pub mod gen_server;
pub mod gen_statem;
pub mod limits;
pub mod pending;
pub mod place;
pub mod proc_lib;
pub mod registry;
mod reply;
pub mod report;
pub mod request;
pub mod supervisor;
pub mod sys;

pub use ask::{Asker, Nothing, Request};
pub use gen_event::GenEvent;
pub use gen_server::{Flow, GenServer, Server, Unknown};
pub use gen_statem::GenStatem;
pub use pending::{RequestId, Requests};
pub use place::{Name, NameService, ServerRef};
pub use proc_lib::StartError;
pub use registry::Registry;
pub use reply::{Reply, ReplyTo};
pub use request::CallError;
pub use supervisor::{Child, Supervisor, SupervisorRef};
#[cfg(feature = "derive")]
pub use term_derive::Request;

/// For the code that `derive(Request)` writes.
#[doc(hidden)]
pub use term as __term;
