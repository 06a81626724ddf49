//! `timer`. What shall happen later is done by a task of the node: it goes on when who asked has ended.

use std::time::Duration;

use runtime::{Ctx, Node, To};
use term::{Atom, Term};
use tokio::time::sleep;

use super::{Answer, Fault, Module, args, funs};
use args::{int, items, millis, number, ok};

pub(super) const MODULE: Module = Module {
    name: "timer",
    unfit: "function_clause",
    near: &[
        ("seconds", 1, |_, a| times(&a[0], 1_000)),
        ("minutes", 1, |_, a| times(&a[0], 60_000)),
        ("hours", 1, |_, a| times(&a[0], 3_600_000)),
        ("hms", 3, |_, a| {
            let parts = [int(&a[0])?, int(&a[1])?, int(&a[2])?];
            let [hours, minutes, seconds] = parts.map(i128::from);
            let millis = (hours * 3_600 + minutes * 60 + seconds) * 1_000;
            i64::try_from(millis).map(Term::Int).map_err(|_| Fault::Unfit)
        }),
        ("now_diff", 2, |_, a| Ok(number(micros(&a[0])? - micros(&a[1])?))),
        ("send_after", 2, |ctx, a| {
            let me = Term::Pid(ctx.pid());
            send_after(ctx, &a[0], &me, &a[1])
        }),
        ("send_after", 3, |ctx, a| send_after(ctx, &a[0], &a[1], &a[2])),
        ("exit_after", 3, |ctx, a| {
            let call = [a[1].clone(), a[2].clone()];
            apply_after(ctx, &a[0], Atom::inline("erlang"), Atom::inline("exit"), call.to_vec())
        }),
        ("kill_after", 2, |ctx, a| {
            let call = [a[1].clone(), Term::atom("kill")];
            apply_after(ctx, &a[0], Atom::inline("erlang"), Atom::inline("exit"), call.to_vec())
        }),
        ("apply_after", 4, |ctx, a| {
            let (module, function) = (args::atom(&a[1])?.clone(), args::atom(&a[2])?.clone());
            apply_after(ctx, &a[0], module, function, items(&a[3])?)
        }),
        ("cancel", 1, |ctx, a| {
            let badarg = || args::error(Term::atom("badarg"));
            let Some([tag, Term::Ref(timer)]) = a[0].as_tuple() else { return Ok(badarg()) };
            if tag.as_atom().is_none() {
                return Ok(badarg());
            }
            ctx.cancel_timer(timer);
            Ok(ok(Term::atom("cancel")))
        }),
        ("start", 0, |_, _| Ok(Term::atom("ok"))),
    ],
    far: &[
        ("sleep", 1, |ctx, a| {
            Box::pin(async move {
                let wait = args::timeout(&a[0]);
                let wait = wait.map_err(|_| Fault::Error(Term::atom("timeout_value")))?;
                // The process must live as long as it sleeps, or nobody could end it.
                let _ctx = ctx;
                match wait {
                    Some(wait) => sleep(wait).await,
                    None => std::future::pending().await,
                }
                Ok(Term::atom("ok"))
            })
        }),
        ("tc", 1, |mut ctx, a| {
            Box::pin(async move {
                funs::check(&a[0], 0)?;
                let begin = ctx.node().now();
                let value = funs::call(&mut ctx, &a[0], Vec::new()).await?;
                Ok(took(&ctx, begin, value))
            })
        }),
        ("tc", 2, |mut ctx, a| {
            Box::pin(async move {
                let begin = ctx.node().now();
                let value = funs::call(&mut ctx, &a[0], items(&a[1])?).await?;
                Ok(took(&ctx, begin, value))
            })
        }),
        ("tc", 3, |mut ctx, a| {
            Box::pin(async move {
                let (module, function) = (args::atom(&a[0])?.clone(), args::atom(&a[1])?.clone());
                let begin = ctx.node().now();
                let value = funs::apply(&mut ctx, module, function, items(&a[2])?).await?;
                Ok(took(&ctx, begin, value))
            })
        }),
    ],
};

fn times(term: &Term, factor: i64) -> Answer {
    int(term)?.checked_mul(factor).map(Term::Int).ok_or(Fault::Unfit)
}

fn micros(now: &Term) -> Result<i128, Fault> {
    let [mega, seconds, micros] = args::tuple(now)? else { return Err(Fault::Unfit) };
    let [mega, seconds, micros] = [int(mega)?, int(seconds)?, int(micros)?].map(i128::from);
    Ok((mega * 1_000_000 + seconds) * 1_000_000 + micros)
}

/// `{Microseconds, Value}`.
fn took(ctx: &Ctx, begin: proto::Now, value: Term) -> Term {
    Term::tuple([number(ctx.node().now().since(begin).as_micros()), value])
}

/// `{ok, {send_local, Ref}}`: OTP's handle is opaque too.
fn handle(timer: term::Ref) -> Term {
    ok(Term::tuple([Term::atom("send_local"), Term::Ref(timer)]))
}

fn send_after(ctx: &mut Ctx, wait: &Term, to: &Term, message: &Term) -> Answer {
    let badarg = || Ok(args::error(Term::atom("badarg")));
    let Ok(wait) = millis(wait) else { return badarg() };
    let to = match to {
        Term::Pid(pid) => To::Pid(pid.clone()),
        Term::Atom(name) => To::Name(name.clone()),
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(name), Term::Atom(node)] => To::NameAt(name.clone(), node.clone()),
            _ => return badarg(),
        },
        _ => return badarg(),
    };
    Ok(handle(ctx.node().send_after(wait, to, message.clone())))
}

fn apply_after(ctx: &mut Ctx, wait: &Term, module: Atom, function: Atom, arguments: Vec<Term>) -> Answer {
    let Ok(wait) = millis(wait) else { return Ok(args::error(Term::atom("badarg"))) };
    let node = ctx.node().clone();
    later(&node, wait, move |node| {
        crate::rpc::spawn_local(node, module, function, arguments);
    });
    Ok(handle(ctx.node().make_ref()))
}

/// Does something later, as a part of the node.
pub(super) fn later(node: &Node, wait: Duration, what: impl FnOnce(&Node) + Send + 'static) {
    let here = node.clone();
    node.spawn_task(async move {
        sleep(wait).await;
        what(&here);
    });
}
