//! Applications of any type, behind one.

use std::future::Future;
use std::pin::Pin;

use runtime::{Ctx, Exit};
use term::{Atom, Pid, Term};

use super::{Application, Spec, StartType};

pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a top process was not started.
pub(super) enum NotStarted {
    /// The application says why.
    Refused(Term),
    /// It says something else, or failed.
    Bad(Term),
}

/// [`Application`], for a `dyn`.
pub(super) trait AnyApplication: Send + Sync {
    fn spec(&self) -> Spec;
    /// The callback module and its arguments, as those who read errors know them.
    fn callback(&self) -> (Atom, Term);
    fn start<'a>(&'a self, ctx: &'a mut Ctx, how: StartType) -> Boxed<'a, Result<Pid, NotStarted>>;
    fn start_phase<'a>(
        &'a self,
        ctx: &'a mut Ctx,
        phase: &'a Atom,
        how: &'a StartType,
        arguments: &'a Term,
    ) -> Boxed<'a, Result<(), Exit>>;
    fn prep_stop<'a>(&'a self, ctx: &'a mut Ctx) -> Boxed<'a, ()>;
    fn stop<'a>(&'a self, ctx: &'a mut Ctx) -> Boxed<'a, ()>;
}

impl<A: Application> AnyApplication for A {
    fn spec(&self) -> Spec {
        Application::spec(self)
    }

    fn callback(&self) -> (Atom, Term) {
        (Application::spec(self).name, Term::NIL)
    }

    fn start<'a>(&'a self, ctx: &'a mut Ctx, how: StartType) -> Boxed<'a, Result<Pid, NotStarted>> {
        Box::pin(async move {
            Application::start(self, ctx, how).await.map_err(|exit| NotStarted::Refused(exit.0))
        })
    }

    fn start_phase<'a>(
        &'a self,
        ctx: &'a mut Ctx,
        phase: &'a Atom,
        how: &'a StartType,
        arguments: &'a Term,
    ) -> Boxed<'a, Result<(), Exit>> {
        Box::pin(Application::start_phase(self, ctx, phase, how, arguments))
    }

    fn prep_stop<'a>(&'a self, ctx: &'a mut Ctx) -> Boxed<'a, ()> {
        Box::pin(Application::prep_stop(self, ctx))
    }

    fn stop<'a>(&'a self, ctx: &'a mut Ctx) -> Boxed<'a, ()> {
        Box::pin(Application::stop(self, ctx))
    }
}
