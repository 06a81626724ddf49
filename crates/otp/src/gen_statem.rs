//! State machines: processes that handle each event according to the state they are in.
//!
//! ```
//! # use trunkline_otp as otp;
//! # use runtime::{Ctx, Exit, Node};
//! # use term::{FromTerm, IntoTerm};
//! use std::time::Duration;
//!
//! use otp::gen_statem::{self, Event, Step};
//! use otp::{GenStatem, Nothing, Reply, Request};
//!
//! /// A door that closes by itself.
//! struct Door {
//!     opened: i64,
//! }
//!
//! #[derive(Clone, Copy, PartialEq, IntoTerm)] // open, closed
//! # #[term(crate = "term")]
//! enum State {
//!     Open,
//!     Closed,
//! }
//!
//! #[derive(Request)]
//! # #[request(crate = "otp")]
//! enum Ask {
//!     Push(Reply<bool>),
//!     Count(Reply<i64>),
//! }
//!
//! impl GenStatem for Door {
//!     type Args = ();
//!     type State = State;
//!     type Call = Ask;
//!     type Cast = Nothing;
//!     type Info = Nothing;
//!     type Internal = ();
//!
//!     async fn init(_: &mut Ctx, (): ()) -> Result<(State, Door), Exit> {
//!         Ok((State::Closed, Door { opened: 0 }))
//!     }
//!
//!     async fn handle_event(&mut self, _: &mut Ctx, state: &State, event: Event<Self>) -> Step<Self> {
//!         match (state, event) {
//!             (State::Closed, Event::Call(Ask::Push(reply))) => {
//!                 self.opened += 1;
//!                 Step::to(State::Open).reply(reply, true).state_timeout(Duration::from_millis(10), ())
//!             }
//!             (State::Open, Event::Call(Ask::Push(reply))) => Step::keep().reply(reply, false),
//!             (State::Open, Event::StateTimeout(())) => Step::to(State::Closed),
//!             // Answered when the door is closed again:
//!             (State::Open, event @ Event::Call(Ask::Count(_))) => Step::keep().postpone(event),
//!             (State::Closed, Event::Call(Ask::Count(reply))) => Step::keep().reply(reply, self.opened),
//!             (_, _) => Step::keep(),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::alone();
//! let door = gen_statem::start::<Door>(&node, ()).await?;
//! assert!(door.call(&node, Ask::Push).await?);
//! assert_eq!(door.call(&node, Ask::Count).await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! This is OTP's callback mode `handle_event_function`. Where each state has a function of its own (`state_functions`),
//! [`GenStatem::handle_event`] is one `match` over the state:
//!
//! ```text
//! match state {
//!     State::Open => self.open(ctx, event).await,
//!     State::Closed => self.closed(ctx, event).await,
//! }
//! ```
//!
//! An event that is postponed is given back, so that one cannot postpone what has been answered. [`Machine`] is the handle;
//! Erlang programs use `gen_statem:call({door, Node}, push)` and its like.

mod engine;
mod step;
mod timers;

use std::future::Future;

use runtime::{Ctx, Exit};
use term::{Atom, FromTerm, IntoTerm, Ref, Term};

pub use self::engine::Engine;
pub use self::step::Step;
use crate::ask::{Asker, Request};
use crate::gen_server::{self, Server, Unknown, opaque};
use crate::proc_lib::StartError;

/// A state machine: the data beside the state. Write the methods as `async fn`.
///
/// A callback that panics ends the machine; [`GenStatem::terminate`] is called, and what happened is reported.
pub trait GenStatem: Sized + Send + 'static {
    /// What [`GenStatem::init`] gets.
    type Args: Send + 'static;
    /// The states. What is more than a state's name can be in here, or in the data.
    type State: Clone + PartialEq + IntoTerm + Send + Sync + 'static;
    /// The questions: see [`Request`].
    type Call: Request;
    /// The messages of `gen_statem:cast/2`.
    type Cast: IntoTerm + FromTerm + Send + 'static;
    /// All other messages.
    type Info: FromTerm + Send + 'static;
    /// What time-outs carry, and what the machine says to itself with [`Step::next_event`].
    type Internal: Send + 'static;

    /// Whether [`GenStatem::enter`] is called at the start and whenever a state is entered: OTP's `state_enter`.
    const STATE_ENTER: bool = false;

    /// Makes the first state and the data. The starter waits until this is done.
    fn init(
        ctx: &mut Ctx,
        args: Self::Args,
    ) -> impl Future<Output = Result<(Self::State, Self), Exit>> + Send;

    /// What is left to do when the starter has been told, before the first event.
    fn started(&mut self, ctx: &mut Ctx, state: &Self::State) -> impl Future<Output = Step<Self>> + Send {
        let _ = (ctx, state);
        async { Step::keep() }
    }

    /// Handles an event in this state.
    fn handle_event(
        &mut self,
        ctx: &mut Ctx,
        state: &Self::State,
        event: Event<Self>,
    ) -> impl Future<Output = Step<Self>> + Send;

    /// A state is entered, `from` another one, or from itself at the start and after [`Step::repeat`]. Here one may keep the
    /// state or stop, reply and set time-outs; anything else ends the machine with `bad_state_enter_return`.
    fn enter(
        &mut self,
        ctx: &mut Ctx,
        from: &Self::State,
        state: &Self::State,
    ) -> impl Future<Output = Step<Self>> + Send {
        let _ = (ctx, from, state);
        async { Step::keep() }
    }

    /// Handles what does not read as a question, a cast or a message. Says so in the log.
    fn handle_unknown(&mut self, ctx: &mut Ctx, unknown: Unknown) -> impl Future<Output = ()> + Send {
        gen_server::log_unknown::<Engine<Self>>(ctx, unknown);
        async {}
    }

    /// The last words, as [`gen_server::GenServer::terminate`].
    fn terminate(
        &mut self,
        ctx: &mut Ctx,
        reason: &Exit,
        state: &Self::State,
    ) -> impl Future<Output = ()> + Send {
        let _ = (ctx, reason, state);
        async {}
    }

    /// The data as `sys` and reports show it, beside the state.
    fn data_term(&self) -> Term {
        opaque::<Self>()
    }
}

/// What happens to a machine.
pub enum Event<M: GenStatem> {
    /// It is asked.
    Call(M::Call),
    /// It is told.
    Cast(M::Cast),
    /// Another message.
    Info(M::Info),
    /// It said this to itself.
    Internal(M::Internal),
    /// It has been in this state for so long.
    StateTimeout(M::Internal),
    /// Nothing happened for so long.
    EventTimeout(M::Internal),
    /// The time of this name is over.
    Timeout(Atom, M::Internal),
}

/// The handle of a machine: near, far, or by name.
pub type Machine<M> = Server<Engine<M>>;

/// A machine to be started, with a name or a time limit.
pub type Start<M> = gen_server::Start<Engine<M>>;

/// Starts a machine, and waits until its `init` is done. (`gen_statem:start/3`.)
///
/// # Errors
/// What `init` failed with.
///
/// # Cancel-safety
/// The machine goes on when the future is dropped.
pub async fn start<M: GenStatem>(starter: impl Asker, args: M::Args) -> Result<Machine<M>, StartError> {
    gen_server::start(starter, args).await
}

/// Starts a machine that is linked to this process. (`gen_statem:start_link/3`.)
///
/// # Errors
/// As [`start`].
pub async fn start_link<M: GenStatem>(ctx: &mut Ctx, args: M::Args) -> Result<Machine<M>, StartError> {
    gen_server::start_link(ctx, args).await
}

/// Starts a machine that is watched by this process. (`gen_statem:start_monitor/3`.)
///
/// # Errors
/// As [`start`].
pub async fn start_monitor<M: GenStatem>(
    ctx: &mut Ctx,
    args: M::Args,
) -> Result<(Machine<M>, Ref), StartError> {
    gen_server::start_monitor(ctx, args).await
}
