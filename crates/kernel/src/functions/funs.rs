//! Funs in arguments: `fun M:F/A` can be called here; what code of a BEAM made cannot.

use runtime::Ctx;
use term::Term;

use super::erlang::process::outcome;
use super::{Answer, Fault, args};
use crate::rpc::{self, Ran};

/// Whether this is a fun of so many arguments.
pub(super) fn check(fun: &Term, arity: u8) -> Result<(), Fault> {
    match fun {
        Term::Export(export) if export.arity == arity => Ok(()),
        Term::Fun(fun) if fun.arity == arity => Ok(()),
        _ => Err(Fault::Unfit),
    }
}

/// Calls it, in a process of its own, which has the same group leader.
pub(super) async fn call(ctx: &mut Ctx, fun: &Term, arguments: Vec<Term>) -> Answer {
    match fun {
        Term::Export(export) if usize::from(export.arity) == arguments.len() => {
            apply(ctx, export.module.clone(), export.function.clone(), arguments).await
        }
        Term::Export(_) => {
            let what = Term::tuple([fun.clone(), Term::list(arguments)]);
            Err(Fault::Error(args::pair("badarity", what)))
        }
        Term::Fun(_) => {
            let called = vec![fun.clone(), Term::list(arguments)];
            apply(ctx, term::Atom::inline("erlang"), term::Atom::inline("apply"), called).await
        }
        _ => Err(Fault::Error(args::pair("badfun", fun.clone()))),
    }
}

/// Calls a function by its name, in a process of its own, which has the same group leader.
pub(super) async fn apply(
    ctx: &mut Ctx,
    module: term::Atom,
    function: term::Atom,
    arguments: Vec<Term>,
) -> Answer {
    let (give, take) = tokio::sync::oneshot::channel();
    ctx.spawn_link(move |inner: Ctx| async move {
        let _ = give.send(rpc::apply(inner, module, function, arguments).await);
    });
    let ran = take.await.unwrap_or_else(|_| Ran::Exit(Term::atom("killed")));
    outcome(ran)
}
