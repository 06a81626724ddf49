//! Starting managers, and their handle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, Exit};
use term::{Atom, FromTerm, IntoTerm, Pid, Term, term};

use super::GenEvent;
use super::handler::{Handler, HandlerId};
use super::serve::{self, Letter};
use crate::ask::{Asker, Request};
use crate::limits::CALL_TIME_DEFAULT;
use crate::place::{Name, ServerRef};
use crate::proc_lib::{self, Birth, StartError};
use crate::reply::{Reply, read};
use crate::request::{CallError, Caller};

/// A manager to be started.
#[derive(Default)]
pub struct Start {
    birth: Birth,
    offers: Offers,
}

/// Handlers that can be added by name: from their arguments, or from arguments and what another one left.
pub(super) type Offers = BTreeMap<Atom, Arc<dyn Fn(HandlerId, Term) -> Result<Handler, Term> + Send + Sync>>;

impl Start {
    /// A manager without handlers.
    pub fn new() -> Start {
        let mut start = Start::default();
        start.birth.module = Some(Atom::inline("gen_event"));
        start.birth.options.label = Some("gen_event");
        start
    }

    /// Registers this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Name>) -> Start {
        self.birth.name = Some(name.into());
        self
    }

    /// Lets everybody, Erlang programs too, add handlers of this kind by the name of a module:
    /// `gen_event:add_handler(Manager, Module, Args)`. As an heir (`swap_handler`) it gets `{Args, Left}` in their place.
    #[must_use]
    pub fn offer<H>(mut self, module: impl Into<Atom>) -> Start
    where
        H: GenEvent,
        H::Args: FromTerm,
    {
        let make = |id, args: Term| match H::Args::from_term(&args) {
            Ok(args) => Ok(Handler::new::<H>(id, args)),
            Err(_) => Err(args),
        };
        self.offers.insert(module.into(), Arc::new(make));
        self
    }

    /// Starts it, linked to this process.
    ///
    /// # Errors
    /// [`StartError::AlreadyStarted`].
    pub async fn start_link(self, ctx: &mut Ctx) -> Result<Manager, StartError> {
        let Start { birth, offers } = self;
        proc_lib::start_link(ctx, birth, |ctx, cradle| serve::run(ctx, cradle, offers)).await.map(Manager::at)
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError::AlreadyStarted`].
    pub async fn start(self, starter: impl Asker) -> Result<Manager, StartError> {
        let Start { birth, offers } = self;
        proc_lib::start(starter, birth, |ctx, cradle| serve::run(ctx, cradle, offers)).await.map(Manager::at)
    }
}

/// A handle of an event manager: near, far or by name; ours or OTP's.
#[derive(Clone, Debug, PartialEq)]
pub struct Manager {
    place: ServerRef,
}

/// Why a manager or one of its handlers did not do what was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EventError {
    /// There is no such handler.
    #[error("there is no such handler")]
    NoHandler,
    /// The handler said so, or crashed.
    #[error("{0:?}")]
    Failed(Term),
    /// The manager did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// `?` in a process.
impl From<EventError> for Exit {
    fn from(error: EventError) -> Exit {
        match error {
            EventError::NoHandler => Exit::from("bad_module"),
            EventError::Failed(reason) => Exit(reason),
            EventError::Call(error) => error.into(),
        }
    }
}

impl Manager {
    /// The manager that is there.
    pub fn at(place: impl Into<ServerRef>) -> Manager {
        Manager { place: place.into() }
    }

    /// Where it is.
    pub fn place(&self) -> &ServerRef {
        &self.place
    }

    /// Its pid, if the handle was made from one.
    pub fn pid(&self) -> Option<&Pid> {
        if let ServerRef::Pid(pid) = &self.place { Some(pid) } else { None }
    }

    /// Tells all handlers, without waiting. (`gen_event:notify/2`.)
    pub fn notify(&self, asker: impl Asker, event: impl IntoTerm) {
        asker.tell(&self.place, term!({notify, (event.into_term())}));
    }

    /// Tells all handlers, and waits until they have heard it. (`gen_event:sync_notify/2`.)
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn sync_notify(&self, asker: impl Asker, event: impl IntoTerm) -> Result<(), CallError> {
        self.ask(asker, term!({sync_notify, (event.into_term())}), None).await.map(drop)
    }

    /// Asks a handler, for at most five seconds. (`gen_event:call/3`.)
    ///
    /// # Errors
    /// When there is no such handler, it crashed, or there is no answer.
    pub async fn call<H: GenEvent, T: FromTerm>(
        &self,
        asker: impl Asker,
        handler: impl Into<HandlerId>,
        question: impl FnOnce(Reply<T>) -> H::Call,
    ) -> Result<T, EventError> {
        let (question, _) = question(Reply::blank()).into_question();
        let question = term!({call, (handler.into()), (question)});
        let answer = checked(self.ask(asker, question, Some(CALL_TIME_DEFAULT)).await?)?;
        Ok(read(answer)?)
    }

    /// Adds a handler to a manager of this node. (`gen_event:add_handler/3`.)
    ///
    /// # Errors
    /// What its `init` failed with.
    pub async fn add_handler(&self, asker: impl Asker, handler: Handler) -> Result<(), EventError> {
        self.order(asker, |from| Letter::Add { from, handler, supervisor: None }).await
    }

    /// Adds a handler that is supervised by this process: linked to it, the handler goes when the process ends, and when
    /// the handler goes, the process gets `{gen_event_EXIT, Handler, Reason}`. (`gen_event:add_sup_handler/3`.)
    ///
    /// # Errors
    /// As [`Manager::add_handler`].
    pub async fn add_sup_handler(&self, ctx: &mut Ctx, handler: Handler) -> Result<(), EventError> {
        let me = Some(ctx.pid());
        self.order(ctx, |from| Letter::Add { from, handler, supervisor: me }).await
    }

    /// Adds a handler that the manager offers, or knows as a module. (`gen_event:add_handler/3`.)
    ///
    /// # Errors
    /// As [`Manager::add_handler`].
    pub async fn add_handler_by_name(
        &self,
        asker: impl Asker,
        handler: impl Into<HandlerId>,
        args: impl IntoTerm,
    ) -> Result<(), EventError> {
        let question = term!({add_handler, (handler.into()), (args.into_term())});
        done(self.ask(asker, question, None).await?)
    }

    /// Deletes a handler; what its [`GenEvent::terminate`] returned. (`gen_event:delete_handler/3`.)
    ///
    /// # Errors
    /// When there is no such handler.
    pub async fn delete_handler(
        &self,
        asker: impl Asker,
        handler: impl Into<HandlerId>,
        args: impl IntoTerm,
    ) -> Result<Term, EventError> {
        let question = term!({delete_handler, (handler.into()), (args.into_term())});
        checked(self.ask(asker, question, None).await?)
    }

    /// Puts a handler in the place of another one, which leaves it something: see [`Handler::heir`]. When that one is not there,
    /// the heir is told `error`. (`gen_event:swap_handler/3`.)
    ///
    /// # Errors
    /// What its `init` failed with.
    pub async fn swap_handler(
        &self,
        asker: impl Asker,
        old: impl Into<HandlerId>,
        args: impl IntoTerm,
        new: Handler,
    ) -> Result<(), EventError> {
        let (old, args) = (old.into(), args.into_term());
        self.order(asker, |from| Letter::Swap { from, old, args, new, supervisor: None }).await
    }

    /// As [`Manager::swap_handler`], and the new one is supervised by this process. (`gen_event:swap_sup_handler/3`.)
    ///
    /// # Errors
    /// As [`Manager::swap_handler`].
    pub async fn swap_sup_handler(
        &self,
        ctx: &mut Ctx,
        old: impl Into<HandlerId>,
        args: impl IntoTerm,
        new: Handler,
    ) -> Result<(), EventError> {
        let (old, args, me) = (old.into(), args.into_term(), Some(ctx.pid()));
        self.order(ctx, |from| Letter::Swap { from, old, args, new, supervisor: me }).await
    }

    /// All handlers, the youngest first. (`gen_event:which_handlers/1`.)
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn which_handlers(&self, asker: impl Asker) -> Result<Vec<HandlerId>, CallError> {
        read(self.ask(asker, Term::atom("which_handlers"), None).await?)
    }

    /// Lets it end in order. (`gen_event:stop/3`.)
    ///
    /// # Errors
    /// As [`proc_lib::stop`].
    pub async fn stop(
        &self,
        ctx: &mut Ctx,
        reason: impl Into<Exit>,
        within: Option<Duration>,
    ) -> Result<(), CallError> {
        proc_lib::stop(ctx, &self.place, reason.into(), within).await
    }

    async fn ask(
        &self,
        asker: impl Asker,
        question: Term,
        within: Option<Duration>,
    ) -> Result<Term, CallError> {
        let message = |from: Caller| term!({(from.pid.clone()), (from), (question)});
        asker.ask(self.place.clone(), message, within).await
    }

    async fn order(
        &self,
        asker: impl Asker,
        letter: impl FnOnce(Caller) -> Letter + Send + 'static,
    ) -> Result<(), EventError> {
        done(asker.ask(self.place.clone(), letter, None).await?)
    }
}

fn checked(answer: Term) -> Result<Term, EventError> {
    match answer.as_tuple() {
        Some([error, reason]) if error.is_atom("error") => match reason.as_atom().map(Atom::as_str) {
            Some("bad_module" | "module_not_found") => Err(EventError::NoHandler),
            _ => Err(EventError::Failed(reason.clone())),
        },
        Some([exit, reason]) if exit.is_atom("EXIT") => Err(EventError::Failed(reason.clone())),
        _ => Ok(answer),
    }
}

fn done(answer: Term) -> Result<(), EventError> {
    match checked(answer)? {
        ok if ok.is_atom("ok") => Ok(()),
        other => Err(EventError::Failed(other)),
    }
}

impl From<&Manager> for ServerRef {
    fn from(manager: &Manager) -> ServerRef {
        manager.place.clone()
    }
}
