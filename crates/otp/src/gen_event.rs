//! Event managers: one process, any number of handlers, each of which hears every event.
//!
//! ```
//! # use trunkline_otp as otp;
//! # use runtime::{Ctx, Exit, Node};
//! # use term::{FromTerm, IntoTerm, Term, term};
//! use otp::gen_event::{self, Handler, Next};
//! use otp::{GenEvent, Reply, Request};
//!
//! /// Counts alarms.
//! struct Alarms(i64);
//!
//! #[derive(FromTerm)]
//! # #[term(crate = "term")]
//! enum Event {
//!     Alarm(Term), // {alarm, What}
//! }
//!
//! #[derive(Request)]
//! # #[request(crate = "otp")]
//! enum Ask {
//!     Count(Reply<i64>),
//! }
//!
//! impl GenEvent for Alarms {
//!     type Args = i64;
//!     type Event = Event;
//!     type Call = Ask;
//!
//!     async fn init(_: &mut Ctx, start: i64) -> Result<Self, Exit> {
//!         Ok(Alarms(start))
//!     }
//!
//!     async fn handle_event(&mut self, _: &mut Ctx, Event::Alarm(_): Event) -> Next {
//!         self.0 += 1;
//!         Next::Continue
//!     }
//!
//!     async fn handle_call(&mut self, _: &mut Ctx, Ask::Count(reply): Ask) -> Next {
//!         reply.send(self.0);
//!         Next::Continue
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::alone();
//! let manager = gen_event::Start::new().named("alarms").start(&node).await?;
//! manager.add_handler(&node, Handler::new::<Alarms>("counter", 0)).await?;
//! manager.notify(&node, term!({alarm, fire}));
//! manager.sync_notify(&node, term!({alarm, smoke})).await?;
//! assert_eq!(manager.call::<Alarms, _>(&node, "counter", Ask::Count).await?, 2);
//! # Ok(())
//! # }
//! ```
//!
//! Erlang programs use `gen_event:notify({alarms, Node}, …)` and its like with ours; handlers that they may add by the name of
//! a module are offered with [`Start::offer`]. [`Manager`] works with OTP's managers too.

mod handler;
mod manager;
mod serve;

use std::future::Future;

use runtime::{Ctx, Exit};
use term::{FromTerm, Term};

pub use self::handler::{Handler, HandlerId};
pub use self::manager::{EventError, Manager, Start};
use crate::ask::Request;
use crate::gen_server::opaque;

/// An event handler: a state that hears events. Many live in one manager, in its process.
///
/// Write the methods as `async fn`. A handler that panics is removed; the manager and its other handlers go on.
pub trait GenEvent: Sized + Send + 'static {
    /// What [`GenEvent::init`] gets.
    type Args: Send + 'static;
    /// What it listens to. Events that do not read as this pass it by.
    type Event: FromTerm + Send + 'static;
    /// What it is asked; [`Nothing`](crate::Nothing) when it is not.
    type Call: Request;

    /// Makes the state. An error is what whoever adds it gets.
    fn init(ctx: &mut Ctx, args: Self::Args) -> impl Future<Output = Result<Self, Exit>> + Send;

    /// Hears an event.
    fn handle_event(&mut self, ctx: &mut Ctx, event: Self::Event) -> impl Future<Output = Next> + Send;

    /// Answers a question.
    fn handle_call(&mut self, ctx: &mut Ctx, call: Self::Call) -> impl Future<Output = Next> + Send {
        const { assert!(crate::gen_server::has_no_values::<Self::Call>(), "handle_call is missing") };
        let _ = (ctx, call);
        async { Next::Continue }
    }

    /// Hears a message that is no event, such as `{'EXIT', From, Reason}` of a process that supervises a handler.
    fn handle_info(&mut self, ctx: &mut Ctx, info: Term) -> impl Future<Output = Next> + Send {
        let _ = (ctx, info);
        async { Next::Continue }
    }

    /// The last words. What is returned goes to whoever deleted the handler, or to the handler that takes its place.
    fn terminate(&mut self, ctx: &mut Ctx, why: Leave) -> impl Future<Output = Term> + Send {
        let _ = (ctx, why);
        async { Term::atom("ok") }
    }

    /// The state as `sys` and reports show it.
    fn state_term(&self) -> Term {
        opaque::<Self>()
    }
}

/// How a handler goes on.
#[derive(Debug)]
#[must_use]
pub enum Next {
    /// As it is.
    Continue,
    /// Not at all.
    Remove,
    /// Another one takes its place: made from what [`GenEvent::terminate`] leaves when it is called with this argument.
    Swap(Term, Handler),
}

/// Why a handler goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Leave {
    /// Somebody deleted or swapped it, with this argument.
    Asked(Term),
    /// It said [`Next::Remove`].
    Removed,
    /// The manager ends.
    Stopped,
    /// The process that supervises it has ended.
    Orphaned(Term),
    /// It crashed.
    Crashed(Term),
}
