//! Looking into processes of all behaviours, and changing them, while they run: OTP's `sys`.
//!
//! These functions ask; any process of a behaviour answers, near or far, ours or OTP's. From an Erlang shell
//! `sys:get_state({counter, Node})` and its like do the same with ours.
//!
//! ```
//! # use trunkline_otp as otp;
//! # use runtime::{Ctx, Exit, Node};
//! # use otp::{Flow, GenServer, Nothing, Server, sys};
//! # use term::{IntoTerm, Term};
//! struct Counter(i64);
//!
//! impl GenServer for Counter {
//!     # type Args = i64;
//!     # type Call = Nothing;
//!     # type Cast = Nothing;
//!     # type Info = Nothing;
//!     # async fn init(_: &mut Ctx, start: i64) -> Result<Self, Exit> { Ok(Counter(start)) }
//!     // What `sys` shows:
//!     fn state_term(&self) -> Term {
//!         self.0.into_term()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::alone();
//! let counter = otp::gen_server::start::<Counter>(&node, 3).await?;
//! assert_eq!(sys::get_state(&node, &counter).await?, Term::Int(3));
//! sys::replace_state(&node, &counter, |state: &mut Counter| state.0 += 1).await?;
//! assert_eq!(sys::get_state(&node, &counter).await?, Term::Int(4));
//! # Ok(())
//! # }
//! ```

mod core;
mod debug;
mod service;

use term::{Term, term};

pub(crate) use self::core::{Core, Subject, apply};
pub use self::service::service_answer;
use crate::ask::Asker;
use crate::limits::CALL_TIME_DEFAULT;
use crate::place::ServerRef;
use crate::request::{CallError, Caller, SYSTEM};

/// The state.
///
/// # Errors
/// When there will be no answer.
pub async fn get_state(asker: impl Asker, server: impl Into<ServerRef>) -> Result<Term, CallError> {
    answered(system(asker, server.into(), Term::atom("get_state")).await?)
}

/// The status: `{status, Pid, {module, Behaviour}, [Dictionary, running | suspended, Parent, Debug, Misc]}`.
///
/// # Errors
/// When there will be no answer.
pub async fn get_status(asker: impl Asker, server: impl Into<ServerRef>) -> Result<Term, CallError> {
    system(asker, server.into(), Term::atom("get_status")).await
}

/// Changes the state of a server of this node, and gives back what it is then.
///
/// From other nodes the state cannot be replaced: a fun of theirs cannot run here. They get
/// `{error, {callback_failed, …}}`, and so does whoever calls this for a server that is not here, or of another type.
///
/// # Errors
/// When there will be no answer, or the change did not happen.
pub async fn replace_state<S: Send + 'static>(
    asker: impl Asker,
    server: impl Into<ServerRef>,
    change: impl FnOnce(&mut S) + Send + 'static,
) -> Result<Term, CallError> {
    let node = asker.its_node();
    let patch = core::leave_patch(&node, change);
    let answer = system(asker, server.into(), term!({replace_state, (patch.clone())})).await;
    core::drop_patch(&node, &patch);
    answered(answer?)
}

/// A state that came back, in the words of either kind of OTP: see [`state_for`].
fn answered(answer: Term) -> Result<Term, CallError> {
    told(answer).map_err(CallError::Exited)
}

/// The state, or why there is none.
///
/// # Errors
/// The reason of `{error, Reason}`.
#[doc(hidden)]
pub fn told(answer: Term) -> Result<Term, Term> {
    match answer.as_tuple() {
        Some([word, reason]) if word.is_atom("error") => Err(reason.clone()),
        Some([word, state]) if word.is_atom("ok") => Ok(state.clone()),
        _ => Ok(answer),
    }
}

/// The answer that shows this caller a state: since OTP 26.1 (stdlib 5.1) `sys` waits for `{ok, State}` and crashes on anything
/// else, before it took whatever came for the state.
///
/// The return address tells the two apart: aliases have five words since OTP 26, and three before, as ours do. A state
/// that looks like an answer is never sent bare, so that our own `sys` reads every state as what it is.
pub(crate) fn state_for(caller: &Caller, state: Term) -> Term {
    let looks_like_an_answer = matches!(
        state.as_tuple(), Some([word, _]) if word.is_atom("ok") || word.is_atom("error")
    );
    let wants_it_bare = caller.alias().is_some_and(|alias| alias.words().len() <= OLD_ALIAS_WORDS);
    if wants_it_bare && !looks_like_an_answer { state } else { term!({ok, (state)}) }
}

const OLD_ALIAS_WORDS: usize = 3;

/// Lets the process handle nothing but system messages until [`resume`].
///
/// # Errors
/// When there will be no answer.
pub async fn suspend(asker: impl Asker, server: impl Into<ServerRef>) -> Result<(), CallError> {
    system(asker, server.into(), Term::atom("suspend")).await.map(drop)
}

/// Lets a suspended process go on.
///
/// # Errors
/// When there will be no answer.
pub async fn resume(asker: impl Asker, server: impl Into<ServerRef>) -> Result<(), CallError> {
    system(asker, server.into(), Term::atom("resume")).await.map(drop)
}

/// Lets the process end with this reason, in order.
///
/// # Errors
/// When there will be no answer.
pub async fn terminate(
    asker: impl Asker,
    server: impl Into<ServerRef>,
    reason: impl term::IntoTerm,
) -> Result<(), CallError> {
    system(asker, server.into(), term!({terminate, (reason.into_term())})).await.map(drop)
}

/// Every event goes to the log of the process's node, or not any more.
///
/// # Errors
/// When there will be no answer.
pub async fn trace(asker: impl Asker, server: impl Into<ServerRef>, on: bool) -> Result<(), CallError> {
    system(asker, server.into(), term!({debug, {trace, (on)}})).await.map(drop)
}

/// The last so many events are kept; with 0, none.
///
/// # Errors
/// When there will be no answer.
pub async fn log(
    asker: impl Asker,
    server: impl Into<ServerRef>,
    events_max: usize,
) -> Result<(), CallError> {
    let what = if events_max == 0 { Term::atom("false") } else { term!({true, (events_max)}) };
    system(asker, server.into(), term!({debug, {log, (what)}})).await.map(drop)
}

/// The events that were kept: see [`log`].
///
/// # Errors
/// When there will be no answer.
pub async fn get_log(asker: impl Asker, server: impl Into<ServerRef>) -> Result<Vec<Term>, CallError> {
    let answer = system(asker, server.into(), term!({debug, {log, get}})).await?;
    let events = answer.as_tuple().filter(|pair| pair.len() == 2).and_then(|pair| pair[1].as_list());
    Ok(events.map(|events| events.iter().collect()).unwrap_or_default())
}

/// Messages are counted, or not any more.
///
/// # Errors
/// When there will be no answer.
pub async fn statistics(asker: impl Asker, server: impl Into<ServerRef>, on: bool) -> Result<(), CallError> {
    system(asker, server.into(), term!({debug, {statistics, (on)}})).await.map(drop)
}

/// The counts, as a property list; `no_statistics` when there are none: see [`statistics`].
///
/// # Errors
/// When there will be no answer.
pub async fn get_statistics(asker: impl Asker, server: impl Into<ServerRef>) -> Result<Term, CallError> {
    let answer = system(asker, server.into(), term!({debug, {statistics, get}})).await?;
    Ok(match answer.as_tuple() {
        Some([_, counts]) => counts.clone(),
        _ => answer,
    })
}

/// Any system request.
///
/// # Errors
/// When there will be no answer.
pub async fn system(asker: impl Asker, server: ServerRef, request: Term) -> Result<Term, CallError> {
    let message = |from: Caller| Term::tuple([Term::Atom(SYSTEM), term::IntoTerm::into_term(from), request]);
    asker.ask(server, message, Some(CALL_TIME_DEFAULT)).await
}
