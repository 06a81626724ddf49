//! `sys`, `gen_server`, `gen_event`, `supervisor`: questions to processes, asked here in the name of their callers.

use otp::request::{self, Caller};
pub(crate) use otp::sys::service_answer;
use runtime::Ctx;
use term::Term;

use super::{Answer, Fault, Module, args, asking};
use args::{pair, timeout};

pub(super) const MODULE: Module = Module {
    name: "sys",
    unfit: "function_clause",
    near: &[],
    far: &[
        ("get_state", 1, |ctx, a| Box::pin(state(ctx, a, "get_state"))),
        ("get_state", 2, |ctx, a| Box::pin(state(ctx, a, "get_state"))),
        ("get_status", 1, |ctx, a| Box::pin(system(ctx, a, "get_status"))),
        ("get_status", 2, |ctx, a| Box::pin(system(ctx, a, "get_status"))),
        ("suspend", 1, |ctx, a| Box::pin(system(ctx, a, "suspend"))),
        ("suspend", 2, |ctx, a| Box::pin(system(ctx, a, "suspend"))),
        ("resume", 1, |ctx, a| Box::pin(system(ctx, a, "resume"))),
        ("resume", 2, |ctx, a| Box::pin(system(ctx, a, "resume"))),
        ("trace", 2, |ctx, a| Box::pin(debug(ctx, a, "trace"))),
        ("log", 2, |ctx, a| Box::pin(debug(ctx, a, "log"))),
        ("statistics", 2, |ctx, a| Box::pin(debug(ctx, a, "statistics"))),
        ("no_debug", 1, |mut ctx, a| {
            Box::pin(async move {
                let question = pair("debug", Term::atom("no_debug"));
                ask(&mut ctx, &a, Term::atom("system"), question, "no_debug").await
            })
        }),
        ("terminate", 2, |mut ctx, a| {
            Box::pin(async move {
                let question = pair("terminate", a[1].clone());
                ask(&mut ctx, &a, Term::atom("system"), question, "terminate").await
            })
        }),
    ],
};

pub(super) const GEN_SERVER: Module = Module {
    name: "gen_server",
    unfit: "function_clause",
    near: &[("cast", 2, |ctx, a| {
        let message = pair("$gen_cast", a[1].clone());
        if let Some(to) = asking::server(ctx, &a[0])? {
            ctx.send(to, message);
        }
        Ok(Term::atom("ok"))
    })],
    far: &[
        ("call", 2, |ctx, a| Box::pin(call(ctx, a, "gen_server"))),
        ("call", 3, |ctx, a| Box::pin(call(ctx, a, "gen_server"))),
    ],
};

pub(super) const SUPERVISOR: Module = Module {
    name: "supervisor",
    unfit: "function_clause",
    near: &[],
    far: &[
        ("which_children", 1, |ctx, a| Box::pin(supervisor(ctx, a, Term::atom("which_children")))),
        ("count_children", 1, |mut ctx, a| {
            Box::pin(async move { asked(&mut ctx, &a[0], Term::atom("count_children")).await })
        }),
        ("get_childspec", 2, |ctx, a| Box::pin(named(ctx, a, "get_childspec"))),
        ("terminate_child", 2, |ctx, a| Box::pin(named(ctx, a, "terminate_child"))),
        ("restart_child", 2, |ctx, a| Box::pin(named(ctx, a, "restart_child"))),
        ("delete_child", 2, |ctx, a| Box::pin(named(ctx, a, "delete_child"))),
        ("start_child", 2, |ctx, a| Box::pin(named(ctx, a, "start_child"))),
    ],
};

pub(super) const GEN_EVENT: Module = Module {
    name: "gen_event",
    unfit: "function_clause",
    near: &[("notify", 2, |ctx, a| {
        if let Some(to) = asking::server(ctx, &a[0])? {
            ctx.send(to, pair("notify", a[1].clone()));
        }
        Ok(Term::atom("ok"))
    })],
    far: &[
        ("which_handlers", 1, |ctx, a| Box::pin(event(ctx, a, Term::atom("which_handlers")))),
        ("sync_notify", 2, |ctx, a| {
            let question = pair("sync_notify", a[1].clone());
            Box::pin(event(ctx, a, question))
        }),
        ("call", 3, |ctx, a| {
            let question = Term::tuple([Term::atom("call"), a[1].clone(), a[2].clone()]);
            Box::pin(event(ctx, a, question))
        }),
    ],
};

/// OTP's patience where nobody says another.
const PATIENCE_MILLIS: i64 = 5_000;

/// Asks the first argument; the last, where it is one more than the question needs, says how long to wait.
async fn ask(ctx: &mut Ctx, a: &[Term], label: Term, question: Term, function: &str) -> Answer {
    let within = match (function, a.len()) {
        ("get_state" | "get_status" | "suspend" | "resume", 2) => timeout(&a[1])?,
        _ => timeout(&Term::Int(PATIENCE_MILLIS))?,
    };
    let answer = asking::ask(ctx, &a[0], label, question, within).await?;
    answer.map_err(|reason| {
        let call = [Term::atom("sys"), Term::atom(function), Term::list(a.iter().cloned())];
        Fault::Exit(Term::tuple([reason, Term::tuple(call)]))
    })
}

async fn system(mut ctx: Ctx, a: Vec<Term>, function: &'static str) -> Answer {
    ask(&mut ctx, &a, Term::atom("system"), Term::atom(function), function).await
}

async fn state(ctx: Ctx, a: Vec<Term>, function: &'static str) -> Answer {
    let answer = system(ctx, a, function).await?;
    otp::sys::told(answer).map_err(Fault::Error)
}

async fn debug(mut ctx: Ctx, a: Vec<Term>, what: &'static str) -> Answer {
    let question = pair("debug", Term::tuple([Term::atom(what), a[1].clone()]));
    ask(&mut ctx, &a, Term::atom("system"), question, what).await
}

async fn call(mut ctx: Ctx, a: Vec<Term>, module: &'static str) -> Answer {
    let within = a.get(2).map_or_else(|| timeout(&Term::Int(PATIENCE_MILLIS)), timeout)?;
    let answer = asking::ask(&mut ctx, &a[0], asking::gen_call(), a[1].clone(), within).await?;
    answer.map_err(|reason| {
        let call = [Term::atom(module), Term::atom("call"), Term::list(a)];
        Fault::Exit(Term::tuple([reason, Term::tuple(call)]))
    })
}

async fn asked(ctx: &mut Ctx, supervisor: &Term, question: Term) -> Answer {
    let answer = asking::ask(ctx, supervisor, asking::gen_call(), question.clone(), None).await?;
    answer.map_err(|reason| {
        let arguments = Term::list([supervisor.clone(), question, Term::atom("infinity")]);
        let call = [Term::atom("gen_server"), Term::atom("call"), arguments];
        Fault::Exit(Term::tuple([reason, Term::tuple(call)]))
    })
}

async fn supervisor(mut ctx: Ctx, a: Vec<Term>, question: Term) -> Answer {
    asked(&mut ctx, &a[0], question).await
}

async fn named(mut ctx: Ctx, a: Vec<Term>, what: &'static str) -> Answer {
    asked(&mut ctx, &a[0], pair(what, a[1].clone())).await
}

/// An event manager's questions have the caller's pid in front.
async fn event(mut ctx: Ctx, a: Vec<Term>, question: Term) -> Answer {
    let label = Term::Pid(ctx.pid());
    let answer = asking::ask(&mut ctx, &a[0], label, question, None).await?;
    answer.map_err(Fault::Exit)
}

/// Answers `{system, From, Question}` for a service of ours.
pub(crate) fn serve(ctx: &mut Ctx, name: &str, from: &Caller, question: &Term) {
    let answer = service_answer(ctx, "gen_server", name, from, question);
    request::answer(ctx, from, answer);
}
