//! Applications of any type, behind one.

use std::future::Future;
use std::pin::Pin;

use runtime::{Ctx, Exit};
use term::{Atom, Pid, Term};

use super::{Application, Spec, StartType};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Application`], for a `dyn`.
pub(super) trait AnyApplication: Send + Sync {
    fn spec(&self) -> Spec;
    fn start<'a>(&'a self, ctx: &'a mut Ctx, how: StartType) -> Boxed<'a, Result<Pid, Exit>>;
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

    fn start<'a>(&'a self, ctx: &'a mut Ctx, how: StartType) -> Boxed<'a, Result<Pid, Exit>> {
        Box::pin(Application::start(self, ctx, how))
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
