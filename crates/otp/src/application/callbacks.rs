//! Applications whose callback module (`mod`) is a module of exported functions, as one written in Erlang is.

use std::sync::{Arc, Mutex, PoisonError};

use runtime::{Ctx, Exit};
use term::{Atom, Pid, Term, term};

use super::boxed::{AnyApplication, Boxed, NotStarted};
use super::{Spec, StartType};

/// The callbacks of one application.
pub(super) struct Callbacks {
    spec: Spec,
    module: Atom,
    arguments: Term,
    /// What `start/2` gave besides the pid, and `prep_stop/1` after it.
    state: Arc<Mutex<Term>>,
}

impl Callbacks {
    /// Of the module that the specification names; nothing when it names none.
    pub(super) fn of(spec: &Spec) -> Option<Callbacks> {
        let (module, arguments) = spec.module.clone()?;
        Some(Callbacks { spec: spec.clone(), module, arguments, state: Arc::new(Mutex::new(Term::NIL)) })
    }

    fn exports(&self, ctx: &Ctx, function: &str, arity: u8) -> bool {
        ctx.node().exported(&self.module, &Atom::new(function), arity).is_some()
    }

    async fn call(&self, ctx: &mut Ctx, function: &str, arguments: Vec<Term>) -> Result<Term, Exit> {
        let function = Atom::new(function);
        let arity = u8::try_from(arguments.len()).unwrap_or(u8::MAX);
        match ctx.node().exported(&self.module, &function, arity) {
            Some(body) => ctx.lend(move |ctx| body(ctx, arguments)).await,
            None => {
                let call = term!({(self.module.clone()), (function), (Term::list(arguments)), []});
                Err(Exit(term!({undef, [(call)]})))
            }
        }
    }

    fn keep(&self, state: Term) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn kept(&self) -> Term {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AnyApplication for Callbacks {
    fn spec(&self) -> Spec {
        self.spec.clone()
    }

    fn callback(&self) -> (Atom, Term) {
        (self.module.clone(), self.arguments.clone())
    }

    fn start<'a>(&'a self, ctx: &'a mut Ctx, how: StartType) -> Boxed<'a, Result<Pid, NotStarted>> {
        Box::pin(async move {
            let arguments = vec![how.to_term(), self.arguments.clone()];
            let answer = match self.call(ctx, "start", arguments).await {
                Ok(answer) => answer,
                Err(exit) => return Err(NotStarted::Bad(term!({(Atom::new("EXIT")), (exit.0)}))),
            };
            match answer.as_tuple() {
                Some([ok, Term::Pid(pid)]) if ok.is_atom("ok") => {
                    self.keep(Term::NIL);
                    Ok(pid.clone())
                }
                Some([ok, Term::Pid(pid), state]) if ok.is_atom("ok") => {
                    self.keep(state.clone());
                    Ok(pid.clone())
                }
                Some([error, reason]) if error.is_atom("error") => Err(NotStarted::Refused(reason.clone())),
                _ => Err(NotStarted::Bad(answer)),
            }
        })
    }

    fn start_phase<'a>(
        &'a self,
        ctx: &'a mut Ctx,
        phase: &'a Atom,
        how: &'a StartType,
        arguments: &'a Term,
    ) -> Boxed<'a, Result<(), Exit>> {
        Box::pin(async move {
            let arguments = vec![Term::Atom(phase.clone()), how.to_term(), arguments.clone()];
            let answer = self.call(ctx, "start_phase", arguments).await?;
            match answer.as_tuple() {
                _ if answer.is_atom("ok") => Ok(()),
                Some([error, reason]) if error.is_atom("error") => Err(Exit(reason.clone())),
                _ => Err(Exit(term!({bad_return, (answer)}))),
            }
        })
    }

    fn prep_stop<'a>(&'a self, ctx: &'a mut Ctx) -> Boxed<'a, ()> {
        Box::pin(async move {
            if self.exports(ctx, "prep_stop", 1)
                && let Ok(state) = self.call(ctx, "prep_stop", vec![self.kept()]).await
            {
                self.keep(state);
            }
        })
    }

    fn stop<'a>(&'a self, ctx: &'a mut Ctx) -> Boxed<'a, ()> {
        Box::pin(async move {
            let _ = self.call(ctx, "stop", vec![self.kept()]).await;
        })
    }
}
