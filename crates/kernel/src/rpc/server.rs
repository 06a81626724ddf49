//! Calls from other nodes: what they run, and how the result travels.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use runtime::{Ctx, Exit, ExportedFn, Node};
use term::{Atom, Pid, Term};

use super::export::failure;

/// What came of running a function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ran {
    /// It returned.
    Return(Term),
    /// It exited with a reason.
    Exit(Term),
    /// It met an error: the reason and the stack.
    Error(Term, Term),
}

impl Ran {
    /// What `rpc:call` returns for it.
    pub(crate) fn into_rpc(self) -> Term {
        let badrpc = |reason| Term::tuple([Term::atom("badrpc"), exit_tuple(reason)]);
        match self {
            Ran::Return(value) => match value.as_tuple() {
                Some([tag, _]) if tag.is_atom("EXIT") => Term::tuple([Term::atom("badrpc"), value.clone()]),
                _ => value,
            },
            Ran::Exit(reason) => badrpc(reason),
            Ran::Error(reason, stack) => badrpc(Term::tuple([reason, stack])),
        }
    }

    /// The reason with which a process of `erpc:execute_call/4` exits.
    fn into_exit(self, result: Term) -> Exit {
        Exit(match self {
            Ran::Return(value) => Term::tuple([result, Term::atom("return"), value]),
            Ran::Exit(reason) => Term::tuple([result, Term::atom("exit"), reason]),
            Ran::Error(reason, stack) => Term::tuple([result, Term::atom("error"), reason, stack]),
        })
    }
}

fn exit_tuple(reason: Term) -> Term {
    Term::tuple([Term::atom("EXIT"), reason])
}

/// Runs `module:function(arguments...)` in this process. `erlang:apply/2,3` with exported funs lead on to what they name.
pub(crate) async fn apply(ctx: Ctx, module: Atom, function: Atom, arguments: Vec<Term>) -> Ran {
    let (module, function, arguments) = match unwrap_apply(module, function, arguments) {
        Ok(named) => named,
        Err(exit) => return sort(exit),
    };
    let body =
        u8::try_from(arguments.len()).ok().and_then(|arity| ctx.node().exported(&module, &function, arity));
    match body {
        Some(body) => run(body, ctx, arguments).await,
        None => sort(failure("undef", module, function, arguments)),
    }
}

type Named = (Atom, Atom, Vec<Term>);

/// `erlang:apply` may stand around what is really wanted, more than once.
fn unwrap_apply(mut module: Atom, mut function: Atom, mut arguments: Vec<Term>) -> Result<Named, Exit> {
    while module == "erlang" && function == "apply" {
        let (inner_module, inner_function, list) = match &arguments[..] {
            [.., Term::List(list)] if list.improper_tail().is_some() => {
                return Err(failure("badarg", module, function, arguments));
            }
            [Term::Atom(module), Term::Atom(function), Term::List(list)] => {
                (module.clone(), function.clone(), list)
            }
            [Term::Export(export), Term::List(list)] => {
                (export.module.clone(), export.function.clone(), list)
            }
            [fun @ Term::Fun(_), Term::List(_)] => {
                let reason = Term::tuple([Term::atom("badfun"), fun.clone()]);
                let call = Term::tuple([
                    Term::Atom(module),
                    Term::Atom(function),
                    Term::list(arguments.iter().cloned()),
                    Term::NIL,
                ]);
                return Err(Exit(Term::tuple([reason, Term::list([call])])));
            }
            _ => return Err(failure("badarg", module, function, arguments)),
        };
        let list = list.iter().collect();
        (module, function, arguments) = (inner_module, inner_function, list);
    }
    Ok((module, function, arguments))
}

async fn run(body: ExportedFn, ctx: Ctx, arguments: Vec<Term>) -> Ran {
    let started = catch_unwind(AssertUnwindSafe(|| body(ctx, arguments)));
    let mut running = match started {
        Ok(running) => running,
        Err(panic) => return panicked(&*panic),
    };
    // A panic is an error of the call, not of the process that carries the answer.
    let outcome = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await;
    match outcome {
        Ok(Ok(value)) => Ran::Return(value),
        Ok(Err(exit)) => sort(exit),
        Err(panic) => panicked(&*panic),
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Ran {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text");
    tracing::error!("an exported function panicked: {text}");
    Ran::Error(Term::tuple([Term::atom("panic"), Term::binary(text)]), Term::NIL)
}

/// A reason with a stack behind it is an error, any other an exit: so says the shape, as in Erlang's own logs.
fn sort(Exit(reason): Exit) -> Ran {
    if let Some([why, stack]) = reason.as_tuple()
        && stack.as_list().is_some_and(is_stack)
    {
        return Ran::Error(why.clone(), stack.clone());
    }
    Ran::Exit(reason)
}

fn is_stack(list: &term::List) -> bool {
    !list.is_nil()
        && list.iter().all(|frame| {
            matches!(
                frame.as_tuple(),
                Some([Term::Atom(_), Term::Atom(_), Term::Int(_) | Term::List(_), Term::List(_)])
            )
        })
}

/// Starts a function of this node in a process of its own.
pub(crate) fn spawn_local(node: &Node, module: Atom, function: Atom, arguments: Vec<Term>) -> Pid {
    node.spawn(|ctx: Ctx| async move {
        match apply(ctx, module, function, arguments).await {
            Ran::Return(_) => Exit::normal(),
            Ran::Exit(reason) => Exit(reason),
            Ran::Error(reason, stack) => Exit(Term::tuple([reason, stack])),
        }
    })
}

/// `erpc:execute_call/4`: the result is the reason with which its process exits.
pub(super) fn execute_call() -> ExportedFn {
    Arc::new(|ctx, arguments| {
        Box::pin(async move {
            match &arguments[..] {
                [result, Term::Atom(module), Term::Atom(function), Term::List(list)]
                    if list.improper_tail().is_none() =>
                {
                    let ran = apply(ctx, module.clone(), function.clone(), list.iter().collect()).await;
                    Err(ran.into_exit(result.clone()))
                }
                [result, ..] => Err(Ran::Error(Term::atom("badarg"), Term::NIL).into_exit(result.clone())),
                [] => Err(failure("badarg", Atom::new("erpc"), Atom::new("execute_call"), arguments)),
            }
        })
    })
}

/// `erpc:execute_cast/3`: nobody waits for the result.
pub(super) fn execute_cast() -> ExportedFn {
    Arc::new(|ctx, arguments| {
        Box::pin(async move {
            if let [Term::Atom(module), Term::Atom(function), Term::List(list)] = &arguments[..]
                && list.improper_tail().is_none()
            {
                let ran = apply(ctx, module.clone(), function.clone(), list.iter().collect()).await;
                if !matches!(ran, Ran::Return(_)) {
                    tracing::warn!(%module, %function, ?ran, "a function that was cast failed");
                }
            }
            Ok(Term::atom("ok"))
        })
    })
}
