//! Where an answer goes: the return address that travels inside a question.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

use runtime::Node;
use term::{FromTerm, IntoTerm, Term};

use crate::request::{Caller, answer_from};

/// The answer to a question, not yet given. Send it, or keep it and send it later, from wherever it is by then.
///
/// One that is dropped unanswered says so in the log, with the caller's pid: otherwise there would be nothing to see but
/// the caller's timeout.
#[must_use = "somebody waits for this answer: send it, or keep it and send it later"]
pub struct Reply<T> {
    to: ReplyTo,
    answer: PhantomData<fn(T)>,
}

impl<T: IntoTerm> Reply<T> {
    /// Answers. Never waits; a caller that gave up does not get it.
    pub fn send(mut self, answer: T) {
        self.to.give(answer.into_term());
    }
}

impl<T> Reply<T> {
    /// Who asks.
    ///
    /// # Panics
    /// In a question that was made and not yet asked.
    pub fn caller(&self) -> &Caller {
        self.to.caller.as_ref().expect("the question has been asked")
    }

    /// Not answered on purpose: the caller waits until its time is over, and nothing is logged.
    pub fn forget(mut self) {
        self.to.armed = None;
    }

    /// A return address that is filled in when the question is asked.
    pub(crate) fn blank() -> Reply<T> {
        Reply::from(ReplyTo::default())
    }

    /// The same answer, for whoever has it as another type.
    pub fn retype<U>(self) -> Reply<U> {
        Reply::from(self.to)
    }
}

impl<T> From<ReplyTo> for Reply<T> {
    fn from(to: ReplyTo) -> Reply<T> {
        Reply { to, answer: PhantomData }
    }
}

impl<T> From<Reply<T>> for ReplyTo {
    fn from(reply: Reply<T>) -> ReplyTo {
        reply.to
    }
}

impl<T> AsMut<ReplyTo> for Reply<T> {
    fn as_mut(&mut self) -> &mut ReplyTo {
        &mut self.to
    }
}

impl<T> Reply<T> {
    /// For the code that `derive(Request)` writes.
    #[doc(hidden)]
    #[allow(clippy::should_implement_trait)]
    pub fn as_mut(&mut self) -> &mut ReplyTo {
        &mut self.to
    }
}

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply(to {:?})", self.to.caller)
    }
}

/// The return address of a question, whatever type its answer has. What is inside of every [`Reply`].
#[derive(Default)]
pub struct ReplyTo {
    caller: Option<Caller>,
    /// Set where the question arrived: from there it can be answered.
    armed: Option<Armed>,
}

struct Armed {
    node: Node,
    outbox: Option<Outbox>,
}

/// Answers that were given while somebody traces the server: see [`crate::sys`].
pub(crate) type Outbox = Arc<Mutex<VecDeque<(Term, Caller)>>>;

impl ReplyTo {
    /// Where the question arrived.
    pub(crate) fn armed(node: &Node, caller: Caller, outbox: Option<Outbox>) -> ReplyTo {
        ReplyTo { caller: Some(caller), armed: Some(Armed { node: node.clone(), outbox }) }
    }

    /// From here on the question can be answered.
    pub(crate) fn arm(&mut self, node: &Node, outbox: Option<Outbox>) {
        if self.caller.is_some() {
            self.armed = Some(Armed { node: node.clone(), outbox });
        }
    }

    pub(crate) fn address(&mut self, caller: Caller) {
        self.caller = Some(caller);
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    fn give(&mut self, answer: Term) {
        let (Some(armed), Some(caller)) = (self.armed.take(), &self.caller) else { return };
        if let Some(outbox) = &armed.outbox {
            let mut outbox = outbox.lock().unwrap_or_else(|e| e.into_inner());
            outbox.push_back((answer.clone(), caller.clone()));
        }
        answer_from(&armed.node, caller, answer);
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if self.armed.is_some()
            && let Some(caller) = &self.caller
        {
            tracing::warn!(caller = %caller.pid, "a call will not be answered: its Reply was dropped");
        }
    }
}

impl std::fmt::Debug for ReplyTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReplyTo({:?})", self.caller)
    }
}

/// Reads an answer as the type that was asked for.
pub(crate) fn read<T: FromTerm>(answer: Term) -> Result<T, crate::CallError> {
    T::from_term(&answer).map_err(|_| crate::CallError::Unreadable(answer))
}
