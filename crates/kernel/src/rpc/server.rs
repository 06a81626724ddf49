//! Calls from other nodes: what they run, and how the result travels.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use runtime::{Ctx, Exit, ExportedFn, Node, Panic};
use term::{Atom, Pid, Term};

use super::error::exit_tuple;
use super::export::failure;
use crate::limits::ARGUMENTS_MAX;

/// What came of running a function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ran {
    /// It returned.
    Return(Term),
    /// It threw.
    Throw(Term),
    /// It exited with a reason.
    Exit(Term),
    /// It met an error: the reason and the stack.
    Error(Term, Term),
    /// It was never called: nothing can be applied to so many arguments.
    Limit,
}

impl Ran {
    /// What `rex` answers, as `rpc:call` of old returned it.
    pub(crate) fn into_rpc(self) -> Term {
        let badrpc = |reason| Term::tuple([Term::atom("badrpc"), exit_tuple(reason)]);
        match self {
            Ran::Return(value) | Ran::Throw(value) => value,
            Ran::Exit(reason) => badrpc(reason),
            Ran::Error(reason, stack) => badrpc(Term::tuple([reason, stack])),
            Ran::Limit => badrpc(Term::atom("system_limit")),
        }
    }

    /// The reason with which a process of `erpc:execute_call/4` exits.
    fn into_exit(self, result: Term) -> Exit {
        let error = Term::atom("error");
        Exit(match self {
            Ran::Return(value) => Term::tuple([result, Term::atom("return"), value]),
            Ran::Throw(value) => Term::tuple([result, Term::atom("throw"), value]),
            Ran::Exit(reason) => Term::tuple([result, Term::atom("exit"), reason]),
            Ran::Error(reason, stack) => Term::tuple([result, error, reason, stack]),
            Ran::Limit => {
                Term::tuple([result, error, Term::tuple([Term::atom("erpc"), Term::atom("system_limit")])])
            }
        })
    }

    /// The reason with which a process of `erpc:execute_cast/3` exits; nothing when all is well.
    fn into_end(self) -> Option<Exit> {
        Some(Exit(match self {
            Ran::Return(_) => return None,
            Ran::Throw(value) => Term::tuple([Term::tuple([Term::atom("nocatch"), value]), Term::NIL]),
            Ran::Exit(reason) => reason,
            Ran::Error(reason, stack) => {
                let exception = Term::tuple([Term::atom("exception"), Term::tuple([reason, stack])]);
                Term::tuple([exception, Term::NIL])
            }
            Ran::Limit => {
                let limit = Term::tuple([Term::atom("erpc"), Term::atom("system_limit")]);
                Term::tuple([limit, Term::NIL])
            }
        }))
    }
}

/// As [`apply`], with what somebody sent in the places of module, function and arguments.
pub(crate) async fn apply_terms(ctx: Ctx, module: &Term, function: &Term, arguments: &Term) -> Ran {
    match (module, function, arguments) {
        (Term::Atom(module), Term::Atom(function), Term::List(list)) if list.improper_tail().is_none() => {
            apply(ctx, module.clone(), function.clone(), list.iter().collect()).await
        }
        _ => badarg(module, function, arguments),
    }
}

/// `apply(Module, Function, Arguments)` with one of them bad, as OTP's stack has it.
fn badarg(module: &Term, function: &Term, arguments: &Term) -> Ran {
    let given = [module.clone(), function.clone(), arguments.clone()];
    let apply = [Term::atom("erlang"), Term::atom("apply"), Term::list(given), Term::NIL];
    let mut stack = vec![Term::tuple(apply)];
    if let Some(list) = arguments.as_list().filter(|list| list.improper_tail().is_none()) {
        let arity = Term::Int(list.len() as i64);
        stack.push(Term::tuple([module.clone(), function.clone(), arity, Term::NIL]));
    }
    Ran::Error(Term::atom("badarg"), Term::list(stack))
}

/// Runs `module:function(arguments...)` in this process. `erlang:apply/2,3` with exported funs lead on to what they name.
pub(crate) async fn apply(ctx: Ctx, module: Atom, function: Atom, arguments: Vec<Term>) -> Ran {
    if arguments.len() > ARGUMENTS_MAX {
        return Ran::Limit;
    }
    let (module, function, arguments) = match unwrap_apply(module, function, arguments) {
        Ok(named) => named,
        Err(exit) => return sort(exit),
    };
    // A fun with code of its own: whoever can run it on this node says so with this export.
    let (module, function) = if module == "erlang" && function == "apply" {
        let runner = (Atom::new("trunkline_shell"), function);
        if ctx.node().exported(&runner.0, &runner.1, 2).is_none() {
            let fun = arguments.first().cloned().unwrap_or(Term::NIL);
            return sort(bad_apply(Term::tuple([Term::atom("badfun"), fun]), arguments));
        }
        runner
    } else {
        (module, function)
    };
    let arity = u8::try_from(arguments.len()).ok();
    match arity.and_then(|arity| ctx.node().exported(&module, &function, arity)) {
        Some(body) => run(body, ctx, (module, function, arguments)).await,
        None => match super::info::module_info(ctx.node(), &module, &function, &arguments) {
            Some(Ok(info)) => Ran::Return(info),
            Some(Err(exit)) => sort(exit),
            None => sort(failure("undef", module, function, arguments)),
        },
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
            [Term::Export(export), Term::List(list)] if list.len() != usize::from(export.arity) => {
                let given = Term::tuple([arguments[0].clone(), arguments[1].clone()]);
                return Err(bad_apply(Term::tuple([Term::atom("badarity"), given]), arguments));
            }
            [Term::Export(export), Term::List(list)] => {
                (export.module.clone(), export.function.clone(), list)
            }
            [Term::Fun(_), Term::List(_)] => return Ok((module, function, arguments)),
            [_, _] | [_, _, _] => return Err(failure("badarg", module, function, arguments)),
            _ => return Err(failure("undef", module, function, arguments)),
        };
        let list = list.iter().collect();
        (module, function, arguments) = (inner_module, inner_function, list);
    }
    Ok((module, function, arguments))
}

fn bad_apply(reason: Term, arguments: Vec<Term>) -> Exit {
    let call = [Term::atom("erlang"), Term::atom("apply"), Term::list(arguments), Term::NIL];
    Exit(Term::tuple([reason, Term::list([Term::tuple(call)])]))
}

async fn run(body: ExportedFn, ctx: Ctx, (module, function, arguments): Named) -> Ran {
    let arity = Term::Int(arguments.len() as i64);
    let panicked = |panic: &(dyn std::any::Any + Send)| {
        let panic = Panic::caught(panic);
        let text = panic.reason.as_tuple().and_then(|pair| pair[1].as_binary()).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let at = panic.place.as_ref().map_or_else(String::new, |(file, line)| format!(", at {file}:{line}"));
        tracing::error!("the exported function {module}:{function}/{arity} panicked: {text}{at}");
        let (module, function) = (Term::Atom(module.clone()), Term::Atom(function.clone()));
        let frame = [module, function, arity.clone(), panic.location()];
        Ran::Error(panic.reason, Term::list([Term::tuple(frame)]))
    };
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

/// A reason with a stack behind it is an error, any other an exit: so says the shape, as in Erlang's own logs. A throw that
/// nobody catches is the error `{nocatch, Value}` there.
pub(super) fn sort(exit: Exit) -> Ran {
    let (Exit(reason), on_purpose) = exit.sorted();
    if on_purpose {
        return Ran::Exit(reason);
    }
    let Some([why, stack]) = reason.as_tuple() else { return Ran::Exit(reason) };
    if let Some([word, value]) = why.as_tuple()
        && word.is_atom("nocatch")
        && stack.as_list().is_some_and(|list| list.is_nil() || is_stack(list))
    {
        return Ran::Throw(value.clone());
    }
    if stack.as_list().is_some_and(is_stack) {
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
            Ran::Throw(value) => Exit(Term::tuple([Term::tuple([Term::atom("nocatch"), value]), Term::NIL])),
            Ran::Exit(reason) => Exit(reason),
            Ran::Error(reason, stack) => Exit(Term::tuple([reason, stack])),
            Ran::Limit => Exit::from("system_limit"),
        }
    })
}

/// `erpc:execute_call/4`: the result is the reason with which its process exits.
pub(super) fn execute_call() -> ExportedFn {
    Arc::new(|ctx, arguments| {
        Box::pin(async move {
            let [result, module, function, list] = &arguments[..] else {
                return Err(failure("undef", Atom::new("erpc"), Atom::new("execute_call"), arguments));
            };
            let ran = apply_terms(ctx, module, function, list).await;
            Err(ran.into_exit(result.clone()))
        })
    })
}

/// `erpc:execute_cast/3`: nobody waits for the result.
pub(super) fn execute_cast() -> ExportedFn {
    Arc::new(|ctx, arguments| {
        Box::pin(async move {
            let [module, function, list] = &arguments[..] else {
                return Err(failure("undef", Atom::new("erpc"), Atom::new("execute_cast"), arguments));
            };
            match apply_terms(ctx, module, function, list).await.into_end() {
                None => Ok(Term::atom("ok")),
                Some(exit) => {
                    tracing::warn!(%module, %function, reason = %exit.0, "a function that was cast failed");
                    Err(exit)
                }
            }
        })
    })
}
