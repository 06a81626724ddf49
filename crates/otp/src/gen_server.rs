//! Generic servers: processes that keep a state and answer questions about it.
//!
//! ```
//! # use trunkline_otp as otp;
//! # use runtime::{Ctx, Exit, Node};
//! # use term::{FromTerm, IntoTerm};
//! use otp::{Flow, GenServer, Nothing, Reply, Request, Server, gen_server};
//!
//! struct Counter {
//!     n: i64,
//! }
//!
//! #[derive(Request)] // on the wire: get, {add, K}
//! # #[request(crate = "otp")]
//! enum Ask {
//!     Get(Reply<i64>),
//!     Add(i64, Reply<i64>),
//! }
//!
//! #[derive(IntoTerm, FromTerm)] // reset
//! # #[term(crate = "term")]
//! enum Tell {
//!     Reset,
//! }
//!
//! impl GenServer for Counter {
//!     type Args = i64;
//!     type Call = Ask;
//!     type Cast = Tell;
//!     type Info = Nothing;
//!
//!     async fn init(_: &mut Ctx, start: i64) -> Result<Self, Exit> {
//!         Ok(Counter { n: start })
//!     }
//!
//!     async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Flow {
//!         match ask {
//!             Ask::Get(reply) => reply.send(self.n),
//!             Ask::Add(k, reply) => {
//!                 self.n += k;
//!                 reply.send(self.n);
//!             }
//!         }
//!         Flow::Continue
//!     }
//!
//!     async fn handle_cast(&mut self, _: &mut Ctx, Tell::Reset: Tell) -> Flow {
//!         self.n = 0;
//!         Flow::Continue
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::alone();
//! let counter = gen_server::start::<Counter>(&node, 0).await?;
//! assert_eq!(counter.call(&node, |reply| Ask::Add(3, reply)).await?, 3);
//! counter.cast(&node, Tell::Reset);
//! assert_eq!(counter.call(&node, Ask::Get).await?, 0);
//! # Ok(())
//! # }
//! ```
//!
//! The return address travels inside the question: a forgotten answer is an unused variable, a [`Reply`] kept in the state can
//! be answered later. A forgotten variant, and a forgotten handler, do not compile. An Erlang client's
//! `gen_server:call(counter, get)` arrives as the same `Ask::Get`; [`Server::at`] asks a server of OTP in the same way.
//! Near questions are moved as they are and never encoded.

mod mail;
mod serve;
mod server;
mod start;

use std::any::Any;
use std::future::Future;
use std::time::Duration;

use runtime::{Ctx, Exit};
use term::{Atom, FromTerm, IntoTerm, Term};

pub(crate) use self::serve::log_unknown;
pub use self::server::{Multi, Server};
pub(crate) use self::start::module_of;
pub use self::start::{Start, export, start, start_link, start_monitor};
use crate::ask::Request;
use crate::reply::Reply;

/// A generic server. The methods with bodies are optional; `handle_call`, `handle_cast` and `handle_info` are only where the
/// type of what they handle is [`Nothing`](crate::Nothing).
///
/// ```compile_fail
/// # use trunkline_otp as otp;
/// # use runtime::{Ctx, Exit, Node};
/// # use otp::{GenServer, Nothing, gen_server};
/// struct Forgetful;
///
/// impl GenServer for Forgetful {
///     type Args = ();
///     type Call = Nothing;
///     type Cast = i64; // and no handle_cast
///     type Info = Nothing;
///
///     async fn init(_: &mut Ctx, (): ()) -> Result<Self, Exit> {
///         Ok(Forgetful)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let node = Node::alone();
/// let server = gen_server::start::<Forgetful>(&node, ()).await;
/// # }
/// ```
///
/// Write the methods as `async fn`. A callback that panics ends the server; [`GenServer::terminate`] is called, what happened
/// is reported as OTP reports it, and links and monitors hear `{{panic, <<"message">>}, Stack}`.
pub trait GenServer: Sized + Send + 'static {
    /// What [`GenServer::init`] gets.
    type Args: Send + 'static;
    /// The questions: see [`Request`].
    type Call: Request;
    /// The messages of `gen_server:cast/2`.
    type Cast: IntoTerm + FromTerm + Send + 'static;
    /// All other messages, such as [`runtime::Down`], or `ExitSignal` where exits are trapped.
    type Info: FromTerm + Send + 'static;

    /// Makes the state. The starter waits until this is done. An error is what the starter gets; [`crate::proc_lib::ignore`]
    /// says that there is nothing to do.
    fn init(ctx: &mut Ctx, args: Self::Args) -> impl Future<Output = Result<Self, Exit>> + Send;

    /// What is left to do when the starter has been told, before the first message: OTP's `{continue, _}` of `init`.
    fn started(&mut self, ctx: &mut Ctx) -> impl Future<Output = Flow> + Send {
        let _ = ctx;
        async { Flow::Continue }
    }

    /// Answers a question.
    fn handle_call(&mut self, ctx: &mut Ctx, call: Self::Call) -> impl Future<Output = Flow> + Send {
        const { assert!(has_no_values::<Self::Call>(), "handle_call is missing: there are questions") };
        let _ = (ctx, call);
        async { Flow::Continue }
    }

    /// Handles a cast.
    fn handle_cast(&mut self, ctx: &mut Ctx, cast: Self::Cast) -> impl Future<Output = Flow> + Send {
        const { assert!(has_no_values::<Self::Cast>(), "handle_cast is missing: there are casts") };
        let _ = (ctx, cast);
        async { Flow::Continue }
    }

    /// Handles any other message.
    fn handle_info(&mut self, ctx: &mut Ctx, info: Self::Info) -> impl Future<Output = Flow> + Send {
        const { assert!(has_no_values::<Self::Info>(), "handle_info is missing: there are other messages") };
        let _ = (ctx, info);
        async { Flow::Continue }
    }

    /// Goes on after [`Flow::HandleContinue`], before any other message.
    fn handle_continue(&mut self, ctx: &mut Ctx) -> impl Future<Output = Flow> + Send {
        let _ = ctx;
        async { Flow::Continue }
    }

    /// The time of [`Flow::Timeout`] is over.
    fn handle_timeout(&mut self, ctx: &mut Ctx) -> impl Future<Output = Flow> + Send {
        let _ = ctx;
        async { Flow::Continue }
    }

    /// Handles what does not read as a question, a cast or a message of this server. Says so in the log; who asked a question
    /// hears `function_clause`, as if it had crashed the server, which goes on.
    fn handle_unknown(&mut self, ctx: &mut Ctx, unknown: Unknown) -> impl Future<Output = Flow> + Send {
        serve::log_unknown::<Self>(ctx, unknown);
        async { Flow::Continue }
    }

    /// A good moment to give memory back: see [`Flow::Hibernate`].
    fn hibernate(&mut self) {}

    /// The last words, unless the process is ended by an exit signal that it does not trap. As in OTP: when a callback said
    /// [`Flow::Stop`] or panicked, when `sys` asked for it, and when the parent ends and exits are trapped.
    fn terminate(&mut self, ctx: &mut Ctx, reason: &Exit) -> impl Future<Output = ()> + Send {
        let _ = (ctx, reason);
        async {}
    }

    /// The state as `sys` and reports show it; nothing but its type when nothing is said.
    fn state_term(&self) -> Term {
        opaque::<Self>()
    }

    /// For behaviours built on this one.
    #[doc(hidden)]
    const BEHAVIOUR: &'static str = "gen_server";

    /// The module in reports and initial calls.
    #[doc(hidden)]
    fn module() -> Atom {
        module_of::<Self>()
    }

    /// Takes a change by [`crate::sys::replace_state`].
    #[doc(hidden)]
    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool {
        crate::sys::apply(self, change)
    }

    /// How to go on after a system message, having been going on like this before.
    #[doc(hidden)]
    fn resumed(&mut self, flow: &Flow) -> Flow {
        flow.clone()
    }
}

/// How a server goes on.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Flow {
    /// With the next message.
    Continue,
    /// With the next message, or with [`GenServer::handle_timeout`] when there is none for so long.
    Timeout(Duration),
    /// With [`GenServer::handle_continue`], before any message. What is to be done is in the state.
    HandleContinue,
    /// With the next message, for which it may have to wait long: [`GenServer::hibernate`] is called. (Here a process that
    /// waits costs no more than its state; there is no heap to shrink, but there may be caches to drop.)
    Hibernate,
    /// Not at all: the server ends with this reason.
    Stop(Exit),
}

impl Flow {
    /// The server ends.
    pub fn stop(reason: impl Into<Exit>) -> Flow {
        Flow::Stop(reason.into())
    }

    /// The server has done what it was for.
    pub fn stop_normal() -> Flow {
        Flow::Stop(Exit::normal())
    }
}

/// A handler that fails can say why with `?` inside an inner `async` block: `async { …?; Ok(Flow::Continue) }.await.into()`.
impl From<Result<Flow, Exit>> for Flow {
    fn from(result: Result<Flow, Exit>) -> Flow {
        result.unwrap_or_else(Flow::Stop)
    }
}

/// What came and could not be read.
#[derive(Debug)]
pub enum Unknown {
    /// A question. It can still be answered.
    Call(Term, Reply<Term>),
    /// A cast.
    Cast(Term),
    /// Another message.
    Info(Term),
}

/// `{'$opaque', 'module::Type'}`-like: that there is a state, and of which type.
pub(crate) fn opaque<S>() -> Term {
    Term::tuple([Term::atom("$rust"), Term::binary(std::any::type_name::<S>())])
}

/// Whether there is no value of this type, so that nothing can be forgotten. An `Option` of such a type takes no room.
pub(crate) const fn has_no_values<T>() -> bool {
    size_of::<Option<T>>() == 0
}
