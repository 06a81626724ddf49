//! `erlang`: processes, their names, messages and ends.

use runtime::{Ctx, SendOptions, Sent, To};
use term::{Atom, Term};

use super::super::{Answer, Fault, Module, args};
use super::info;
use crate::rpc::{self, Ran};
use args::{atom, boolean, own_pid, pid, undefined};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("node", 0, |ctx, _| Ok(Term::Atom(ctx.node().name().clone()))),
        ("node", 1, |_, a| node_of(&a[0])),
        ("self", 0, |ctx, _| Ok(Term::Pid(ctx.pid()))),
        ("make_ref", 0, |ctx, _| Ok(Term::Ref(ctx.make_ref()))),
        ("group_leader", 0, |ctx, _| Ok(Term::Pid(ctx.group_leader()))),
        ("whereis", 1, |ctx, a| Ok(ctx.whereis(atom(&a[0])?.clone()).map_or(undefined(), Term::Pid))),
        ("registered", 0, |ctx, _| Ok(Term::list(ctx.registered().into_iter().map(Term::Atom)))),
        ("register", 2, |ctx, a| {
            let (name, owner) = (atom(&a[0])?, own_pid(ctx, &a[1])?);
            ctx.node().register(name.clone(), owner).map(|()| boolean(true)).map_err(|_| Fault::Unfit)
        }),
        ("unregister", 1, |ctx, a| {
            if ctx.unregister(atom(&a[0])?.clone()) { Ok(boolean(true)) } else { Err(Fault::Unfit) }
        }),
        ("processes", 0, |ctx, _| Ok(Term::list(ctx.node().processes().into_iter().map(Term::Pid)))),
        // There are no ports on this node.
        ("ports", 0, |_, _| Ok(Term::NIL)),
        ("port_info", 1, |_, a| port(&a[0])),
        ("port_info", 2, |_, a| port(&a[0])),
        ("is_process_alive", 1, |ctx, a| {
            let who = own_pid(ctx, &a[0])?;
            Ok(boolean(ctx.node().is_process_alive(who)))
        }),
        ("process_info", 1, |ctx, a| info::process_info(ctx, own_pid(ctx, &a[0])?)),
        ("process_info", 2, |ctx, a| info::process_info_of(ctx, own_pid(ctx, &a[0])?, &a[1])),
        ("process_display", 2, |_, _| Ok(boolean(true))),
        ("send", 2, |ctx, a| send(ctx, &a[0], &a[1], SendOptions::default()).map(|_| a[1].clone())),
        ("!", 2, |ctx, a| send(ctx, &a[0], &a[1], SendOptions::default()).map(|_| a[1].clone())),
        ("send", 3, send_with),
        ("send_nosuspend", 2, |ctx, a| {
            let options = SendOptions { nosuspend: true, ..SendOptions::default() };
            Ok(boolean(send(ctx, &a[0], &a[1], options)? == Sent::Ok))
        }),
        ("exit", 1, |_, a| Err(Fault::Exit(a[0].clone()))),
        ("exit", 2, |ctx, a| {
            ctx.exit(pid(&a[0])?, a[1].clone());
            Ok(boolean(true))
        }),
        ("error", 1, |_, a| Err(Fault::Error(a[0].clone()))),
        ("error", 2, |_, a| Err(Fault::Error(a[0].clone()))),
        ("throw", 1, |_, a| Err(Fault::Throw(a[0].clone()))),
        ("link", 1, |ctx, a| {
            ctx.link(pid(&a[0])?);
            Ok(boolean(true))
        }),
        ("unlink", 1, |ctx, a| {
            ctx.unlink(pid(&a[0])?);
            Ok(boolean(true))
        }),
        ("monitor", 2, monitor),
        ("process_flag", 2, process_flag),
        ("spawn", 3, |ctx, a| spawn(ctx, a, false)),
        ("spawn_link", 3, |ctx, a| spawn(ctx, a, true)),
        ("function_exported", 3, |ctx, a| {
            let (module, function, arity) = (atom(&a[0])?, atom(&a[1])?, args::count(&a[2])?);
            let found =
                u8::try_from(arity).ok().and_then(|arity| ctx.node().exported(module, function, arity));
            Ok(boolean(found.is_some()))
        }),
        // Memory is given back when it is not used any more: there is nothing to collect.
        ("garbage_collect", 0, |_, _| Ok(boolean(true))),
        ("garbage_collect", 1, |ctx, a| Ok(boolean(ctx.node().is_process_alive(own_pid(ctx, &a[0])?)))),
        ("yield", 0, |_, _| Ok(boolean(true))),
    ],
    far: &[
        ("apply", 2, |ctx, a| Box::pin(apply(ctx, "apply", a))),
        ("apply", 3, |ctx, a| Box::pin(apply(ctx, "apply", a))),
    ],
};

fn node_of(term: &Term) -> Answer {
    let node = match term {
        Term::Pid(pid) => &pid.node,
        Term::Port(port) => &port.node,
        Term::Ref(reference) => reference.node(),
        _ => return Err(Fault::Unfit),
    };
    Ok(Term::Atom(node.name().clone()))
}

fn port(term: &Term) -> Answer {
    if let Term::Port(_) | Term::Atom(_) = term { Ok(undefined()) } else { Err(Fault::Unfit) }
}

/// Somebody messages are sent to; a name must be somebody's, as in Erlang.
fn receiver(ctx: &Ctx, to: &Term) -> Result<To<'static>, Fault> {
    Ok(match to {
        Term::Pid(pid) => To::Pid(pid.clone()),
        Term::Ref(alias) => To::Alias(alias.clone()),
        Term::Atom(name) => To::Pid(ctx.whereis(name.clone()).ok_or(Fault::Unfit)?),
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(name), Term::Atom(node)] => To::NameAt(name.clone(), node.clone()),
            _ => return Err(Fault::Unfit),
        },
        _ => return Err(Fault::Unfit),
    })
}

fn send(ctx: &mut Ctx, to: &Term, message: &Term, options: SendOptions) -> Result<Sent, Fault> {
    let to = receiver(ctx, to)?;
    Ok(ctx.send_with(to, message.clone(), options))
}

fn send_with(ctx: &mut Ctx, a: &[Term]) -> Answer {
    let mut options = SendOptions::default();
    for option in args::items(&a[2])? {
        match atom(&option)?.as_str() {
            "noconnect" => options.noconnect = true,
            "nosuspend" => options.nosuspend = true,
            _ => return Err(Fault::Unfit),
        }
    }
    Ok(Term::atom(match send(ctx, &a[0], &a[1], options)? {
        Sent::Ok => "ok",
        Sent::NoConnect => "noconnect",
        Sent::NoSuspend => "nosuspend",
    }))
}

fn monitor(ctx: &mut Ctx, a: &[Term]) -> Answer {
    if !a[0].is_atom("process") {
        return Err(Fault::Unfit);
    }
    let to = match &a[1] {
        Term::Atom(name) => To::Name(name.clone()),
        Term::Ref(_) => return Err(Fault::Unfit),
        other => receiver(ctx, other)?,
    };
    Ok(Term::Ref(ctx.monitor(to)))
}

fn process_flag(ctx: &mut Ctx, a: &[Term]) -> Answer {
    match (atom(&a[0])?.as_str(), &a[1]) {
        ("trap_exit", flag) => Ok(boolean(ctx.set_trap_exit(args::truth(flag)?))),
        ("priority", Term::Atom(level)) if matches!(level.as_str(), "low" | "normal" | "high" | "max") => {
            Ok(Term::atom("normal"))
        }
        _ => Err(Fault::Unfit),
    }
}

fn spawn(ctx: &mut Ctx, a: &[Term], linked: bool) -> Answer {
    let (module, function) = (atom(&a[0])?.clone(), atom(&a[1])?.clone());
    let arguments = args::items(&a[2])?;
    let body = move |inner: Ctx| async move {
        let stack = Term::list([Term::tuple([
            Term::Atom(module.clone()),
            Term::Atom(function.clone()),
            Term::Int(arguments.len() as i64),
            Term::NIL,
        ])]);
        match rpc::apply(inner, module, function, arguments).await {
            Ran::Return(_) => runtime::Exit::normal(),
            Ran::Throw(value) => runtime::Exit(Term::tuple([args::pair("nocatch", value), stack])),
            Ran::Exit(reason) => runtime::Exit(reason),
            Ran::Error(reason, stack) => runtime::Exit(Term::tuple([reason, stack])),
            Ran::Limit => runtime::Exit(Term::tuple([Term::atom("system_limit"), stack])),
        }
    };
    Ok(Term::Pid(if linked { ctx.spawn_link(body) } else { ctx.spawn(body) }))
}

async fn apply(ctx: Ctx, function: &str, arguments: Vec<Term>) -> Answer {
    outcome(rpc::apply(ctx, Atom::inline("erlang"), Atom::new(function), arguments).await)
}

/// What running another function came to, as the answer of the one that ran it.
pub(in super::super) fn outcome(ran: Ran) -> Answer {
    match ran {
        Ran::Return(value) => Ok(value),
        Ran::Throw(value) => Err(Fault::Throw(value)),
        Ran::Limit => Err(args::system_limit()),
        Ran::Exit(reason) => Err(Fault::Exit(reason)),
        Ran::Error(reason, stack) => Err(Fault::Exit(Term::tuple([reason, stack]))),
    }
}
