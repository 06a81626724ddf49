//! What can be asked, and who can ask.

use std::future::Future;
use std::time::Duration;

use runtime::{Ctx, Node};
use term::{FromTerm, IntoTerm, Mismatch, Pid, Term};

use crate::place::ServerRef;
use crate::reply::{Reply, ReplyTo};
use crate::request::{self, CallError, Caller};

/// The questions of a generic server. Derive it for an enum in which every variant has one field `Reply<T>`:
///
/// ```
/// # use trunkline_otp as otp;
/// use otp::{Reply, Request};
///
/// #[derive(Request)]
/// # #[request(crate = "otp")]
/// enum Ask {
///     Get(Reply<i64>),      // get
///     Add(i64, Reply<i64>), // {add, N}
/// }
/// ```
///
/// A question without a return address cannot be written:
///
/// ```compile_fail
/// # use trunkline_otp as otp;
/// #[derive(otp::Request)]
/// # #[request(crate = "otp")]
/// enum Ask {
///     Add(i64),
/// }
/// ```
///
/// `(Term, Reply<Term>)` is any question at all; [`Nothing`] is for servers that are never asked.
pub trait Request: Sized + Send + 'static {
    /// Reads a question that arrived.
    ///
    /// # Errors
    /// Gives the return address back when the term is none of these questions.
    fn from_question(question: &Term, reply: ReplyTo) -> Result<Self, ReplyTo>;

    /// The question as a term, and its return address.
    fn into_question(self) -> (Term, ReplyTo);

    /// The return address.
    fn reply_to(&mut self) -> &mut ReplyTo;
}

/// Any question, answered with any term.
impl Request for (Term, Reply<Term>) {
    fn from_question(question: &Term, reply: ReplyTo) -> Result<Self, ReplyTo> {
        Ok((question.clone(), Reply::from(reply)))
    }

    fn into_question(self) -> (Term, ReplyTo) {
        (self.0, self.1.into())
    }

    fn reply_to(&mut self) -> &mut ReplyTo {
        self.1.as_mut()
    }
}

/// What a server that takes no calls, no casts, or no other messages has in their place: there is no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {}

impl Request for Nothing {
    fn from_question(_: &Term, reply: ReplyTo) -> Result<Nothing, ReplyTo> {
        Err(reply)
    }

    fn into_question(self) -> (Term, ReplyTo) {
        match self {}
    }

    fn reply_to(&mut self) -> &mut ReplyTo {
        match *self {}
    }
}

impl IntoTerm for Nothing {
    fn into_term(self) -> Term {
        match self {}
    }
}

impl FromTerm for Nothing {
    fn from_term(_: &Term) -> Result<Nothing, Mismatch> {
        Err(Mismatch { expected: "nothing" })
    }
}

/// Whoever can ask: a process (`&mut Ctx`), or a program that is no process (`&Node`).
///
/// In a handler `ctx` is a `&mut Ctx` already, and would be given away: lend it instead, `server.call(&mut *ctx, …)`.
pub trait Asker: Sized + Send {
    /// The node from which it asks.
    fn its_node(&self) -> Node;

    /// The process that asks, if it is one.
    fn its_pid(&self) -> Option<Pid>;

    /// Sends a message made for this very caller, and waits for its answer.
    ///
    /// # Errors
    /// When there will be no answer.
    fn ask<M>(
        self,
        to: ServerRef,
        question: impl FnOnce(Caller) -> M + Send + 'static,
        within: Option<Duration>,
    ) -> impl Future<Output = Result<Term, CallError>> + Send
    where
        M: IntoTerm + Send + 'static;

    /// Sends a message.
    fn tell(self, to: &ServerRef, message: impl IntoTerm + Send + 'static);
}

impl Asker for &mut Ctx {
    fn its_node(&self) -> Node {
        self.node().clone()
    }

    fn its_pid(&self) -> Option<Pid> {
        Some(self.pid())
    }

    async fn ask<M>(
        self,
        to: ServerRef,
        question: impl FnOnce(Caller) -> M + Send + 'static,
        within: Option<Duration>,
    ) -> Result<Term, CallError>
    where
        M: IntoTerm + Send + 'static,
    {
        let place = to.find(self.node()).ok_or(CallError::NoProc)?;
        request::ask(self, place, question, within).await
    }

    fn tell(self, to: &ServerRef, message: impl IntoTerm + Send + 'static) {
        if let Some(to) = to.find(self.node()) {
            self.send(to, message);
        }
    }
}

/// Asks from a process made for the purpose.
impl Asker for &Node {
    fn its_node(&self) -> Node {
        Node::clone(self)
    }

    fn its_pid(&self) -> Option<Pid> {
        None
    }

    async fn ask<M>(
        self,
        to: ServerRef,
        question: impl FnOnce(Caller) -> M + Send + 'static,
        within: Option<Duration>,
    ) -> Result<Term, CallError>
    where
        M: IntoTerm + Send + 'static,
    {
        let asking = self.try_run(move |mut ctx| async move { (&mut ctx).ask(to, question, within).await });
        // The node shuts down.
        asking.await.unwrap_or(Err(CallError::NoProc))
    }

    fn tell(self, to: &ServerRef, message: impl IntoTerm + Send + 'static) {
        if let Some(to) = to.find(self) {
            self.send(to, message);
        }
    }
}
