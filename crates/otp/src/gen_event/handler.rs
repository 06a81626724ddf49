//! Handlers of any type behind one face.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use runtime::{Ctx, Exit};
use term::{Atom, FromTerm, IntoTerm, Mismatch, Term};

use super::{GenEvent, Leave, Next};
use crate::ask::Request;
use crate::reply::ReplyTo;

/// What a handler is called: a module, or `{Module, Id}` where several of one kind live in one manager.
#[derive(Clone, Debug, PartialEq)]
pub struct HandlerId {
    pub(super) module: Atom,
    pub(super) id: Option<Term>,
}

impl From<&str> for HandlerId {
    fn from(module: &str) -> HandlerId {
        HandlerId { module: Atom::new(module), id: None }
    }
}

impl From<Atom> for HandlerId {
    fn from(module: Atom) -> HandlerId {
        HandlerId { module, id: None }
    }
}

impl<I: IntoTerm> From<(&str, I)> for HandlerId {
    fn from((module, id): (&str, I)) -> HandlerId {
        HandlerId { module: Atom::new(module), id: Some(id.into_term()) }
    }
}

impl IntoTerm for HandlerId {
    fn into_term(self) -> Term {
        match self.id {
            None => Term::Atom(self.module),
            Some(id) => Term::tuple([Term::Atom(self.module), id]),
        }
    }
}

impl FromTerm for HandlerId {
    fn from_term(term: &Term) -> Result<HandlerId, Mismatch> {
        match (term, term.as_tuple()) {
            (Term::Atom(module), _) => Ok(HandlerId { module: module.clone(), id: None }),
            (_, Some([Term::Atom(module), id])) => {
                Ok(HandlerId { module: module.clone(), id: Some(id.clone()) })
            }
            _ => Err(Mismatch { expected: "a module or {Module, Id}" }),
        }
    }
}

/// A handler to be added to a manager of this node.
pub struct Handler {
    pub(super) id: HandlerId,
    /// From what the handler before it left; `None` when there was none.
    pub(super) make: MakeHandler,
}

type MakeHandler = Box<dyn for<'c> FnOnce(&'c mut Ctx, Option<Term>) -> Making<'c> + Send>;

/// A handler that is being made.
pub(super) type Making<'c> = Pin<Box<dyn Future<Output = Result<Box<dyn Body>, Exit>> + Send + 'c>>;

impl Handler {
    /// A handler with these arguments.
    pub fn new<H: GenEvent>(id: impl Into<HandlerId>, args: H::Args) -> Handler {
        Handler::heir::<H>(id, |_| args)
    }

    /// A handler that takes another one's place: its arguments are made from what that one left.
    pub fn heir<H: GenEvent>(
        id: impl Into<HandlerId>,
        args: impl FnOnce(Option<Term>) -> H::Args + Send + 'static,
    ) -> Handler {
        fn made<H: GenEvent>(ctx: &mut Ctx, args: H::Args) -> Making<'_> {
            Box::pin(async {
                let body: Box<dyn Body> = Box::new(Typed(H::init(ctx, args).await?));
                Ok(body)
            })
        }
        Handler { id: id.into(), make: Box::new(move |ctx, left| made::<H>(ctx, args(left))) }
    }
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handler({:?})", self.id)
    }
}

/// What a handler returns while it works.
pub(super) type Work<'h, T> = Pin<Box<dyn Future<Output = T> + Send + 'h>>;

/// A handler of some type.
pub(super) trait Body: Send {
    fn event<'h>(&'h mut self, ctx: &'h mut Ctx, event: &Term) -> Work<'h, Next>;
    /// Gives the return address back when it is none of its questions.
    fn call<'h>(
        &'h mut self,
        ctx: &'h mut Ctx,
        question: &Term,
        reply: ReplyTo,
    ) -> Result<Work<'h, Next>, ReplyTo>;
    fn info<'h>(&'h mut self, ctx: &'h mut Ctx, info: Term) -> Work<'h, Next>;
    fn terminate<'h>(&'h mut self, ctx: &'h mut Ctx, why: Leave) -> Work<'h, Term>;
    fn state_term(&self) -> Term;
    /// Takes a change that is for its type; gives it back otherwise.
    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool;
}

struct Typed<H>(H);

impl<H: GenEvent> Body for Typed<H> {
    fn event<'h>(&'h mut self, ctx: &'h mut Ctx, event: &Term) -> Work<'h, Next> {
        match H::Event::from_term(event) {
            Ok(event) => Box::pin(self.0.handle_event(ctx, event)),
            Err(_) => Box::pin(async { Next::Continue }),
        }
    }

    fn call<'h>(
        &'h mut self,
        ctx: &'h mut Ctx,
        question: &Term,
        reply: ReplyTo,
    ) -> Result<Work<'h, Next>, ReplyTo> {
        let call = H::Call::from_question(question, reply)?;
        Ok(Box::pin(self.0.handle_call(ctx, call)))
    }

    fn info<'h>(&'h mut self, ctx: &'h mut Ctx, info: Term) -> Work<'h, Next> {
        Box::pin(self.0.handle_info(ctx, info))
    }

    fn terminate<'h>(&'h mut self, ctx: &'h mut Ctx, why: Leave) -> Work<'h, Term> {
        Box::pin(self.0.terminate(ctx, why))
    }

    fn state_term(&self) -> Term {
        self.0.state_term()
    }

    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool {
        crate::sys::apply(&mut self.0, change)
    }
}
