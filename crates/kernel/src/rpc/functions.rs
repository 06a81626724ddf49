//! `rpc` and `erpc` as other nodes call them here: from this node to others.

use std::pin::Pin;
use std::time::Duration;

use runtime::{Ctx, Node};
use term::{Atom, Pid, Term};

use super::error::{RpcError, listed, rpcify};
use super::export::export_running;
use super::raise::Raise;
use super::server::{execute_call, execute_cast};
use super::{RequestId, everywhere, glue::Running};

/// Exports them.
pub(crate) fn install(node: &Node) {
    node.export("erpc", "execute_call", Some(4), execute_call());
    node.export("erpc", "execute_cast", Some(3), execute_cast());
    for (module, function, arity, body) in TABLE {
        let body = *body;
        export_running(node, module, function, *arity, move |ctx, arguments| -> Running {
            body(ctx, arguments)
        });
    }
}

type Body = fn(Ctx, Vec<Term>) -> Running;

const TABLE: &[(&str, &str, u8, Body)] = &[
    ("rpc", "call", 4, |ctx, args| rpc_call(ctx, args, None)),
    ("rpc", "call", 5, |ctx, args| with_time(ctx, args, rpc_call)),
    ("rpc", "block_call", 4, |ctx, args| block_call(ctx, args, None)),
    ("rpc", "block_call", 5, |ctx, args| with_time(ctx, args, block_call)),
    ("rpc", "cast", 4, |ctx, args| cast(ctx, args, "true", "badarg")),
    ("rpc", "multicall", 3, |ctx, args| multicall(with_nodes(&ctx, args), ctx, None)),
    ("rpc", "multicall", 4, |ctx, args| match args.first() {
        Some(Term::List(_)) => multicall(args, ctx, None),
        _ => with_time(ctx, args, |ctx, args, time| multicall(with_nodes(&ctx, args), ctx, time)),
    }),
    ("rpc", "multicall", 5, |ctx, args| with_time(ctx, args, |ctx, args, time| multicall(args, ctx, time))),
    ("rpc", "eval_everywhere", 3, |ctx, args| eval_everywhere(with_nodes(&ctx, args), ctx)),
    ("rpc", "eval_everywhere", 4, |ctx, args| eval_everywhere(args, ctx)),
    ("rpc", "abcast", 2, |ctx, args| abcast(with_nodes(&ctx, args), ctx)),
    ("rpc", "abcast", 3, |ctx, args| abcast(args, ctx)),
    ("rpc", "sbcast", 2, |ctx, args| sbcast(with_nodes(&ctx, args), ctx)),
    ("rpc", "sbcast", 3, |ctx, args| sbcast(args, ctx)),
    ("rpc", "server_call", 4, |ctx, args| server_call(args, ctx)),
    ("rpc", "multi_server_call", 2, |ctx, args| multi_server_call(with_nodes(&ctx, args), ctx)),
    ("rpc", "multi_server_call", 3, |ctx, args| multi_server_call(args, ctx)),
    ("rpc", "parallel_eval", 1, |ctx, args| parallel_eval(args, ctx)),
    ("rpc", "pmap", 3, |ctx, args| pmap(args, ctx)),
    ("rpc", "pinfo", 1, pinfo),
    ("rpc", "pinfo", 2, pinfo),
    ("erpc", "call", 2, |ctx, args| erpc_call(ctx, of_fun(args, 1), None)),
    ("erpc", "call", 3, |ctx, args| {
        with_time(ctx, args, |ctx, args, time| erpc_call(ctx, of_fun(args, 1), time))
    }),
    ("erpc", "call", 4, |ctx, args| erpc_call(ctx, args, None)),
    ("erpc", "call", 5, |ctx, args| with_time(ctx, args, erpc_call)),
    ("erpc", "cast", 2, |ctx, args| erpc_cast(ctx, of_fun(args, 1))),
    ("erpc", "cast", 4, erpc_cast),
    ("erpc", "multicall", 2, |ctx, args| erpc_multicall(ctx, of_fun(args, 1), None)),
    ("erpc", "multicall", 3, |ctx, args| {
        with_time(ctx, args, |ctx, args, time| erpc_multicall(ctx, of_fun(args, 1), time))
    }),
    ("erpc", "multicall", 4, |ctx, args| erpc_multicall(ctx, args, None)),
    ("erpc", "multicall", 5, |ctx, args| with_time(ctx, args, erpc_multicall)),
    ("erpc", "multicast", 2, |ctx, args| erpc_multicast(ctx, of_fun(args, 1))),
    ("erpc", "multicast", 4, erpc_multicast),
];

fn ready(answer: Result<Term, Raise>) -> Running {
    Box::pin(std::future::ready(answer))
}

fn badarg() -> Raise {
    Raise::badarg()
}

/// `error({erpc, badarg})`.
fn erpc_badarg() -> Raise {
    RpcError::BadArg.into_raise()
}

/// `[node() | nodes()]` before the arguments.
fn with_nodes(ctx: &Ctx, mut arguments: Vec<Term>) -> Vec<Term> {
    arguments.insert(0, Term::list(everywhere(ctx).into_iter().map(Term::Atom)));
    arguments
}

/// `erlang:apply(Fun, [])` in the place of a fun without arguments.
fn of_fun(mut arguments: Vec<Term>, at: usize) -> Vec<Term> {
    if at >= arguments.len() {
        // They were refused before.
        return arguments;
    }
    let fun = arguments.remove(at);
    let applied = match &fun {
        Term::Fun(_) => Term::list([fun, Term::NIL]),
        Term::Export(export) if export.arity == 0 => Term::list([fun, Term::NIL]),
        // No list of arguments, and refused as such.
        _ => Term::atom("badarg"),
    };
    arguments.extend([Term::atom("erlang"), Term::atom("apply"), applied]);
    arguments
}

type Time = Option<Duration>;

/// Takes the time off the end of the arguments.
fn with_time(ctx: Ctx, mut arguments: Vec<Term>, body: fn(Ctx, Vec<Term>, Time) -> Running) -> Running {
    let time = arguments.pop().and_then(|time| match time {
        Term::Atom(word) if word == "infinity" => Some(None),
        Term::Int(millis) => {
            u32::try_from(millis).ok().map(|millis| Some(Duration::from_millis(millis.into())))
        }
        _ => None,
    });
    match time {
        Some(time) => body(ctx, arguments, time),
        None => {
            // Refused by the body, in its own way.
            arguments.clear();
            body(ctx, arguments, None)
        }
    }
}

fn items(term: &Term) -> Option<Vec<Term>> {
    let list = term.as_list().filter(|list| list.improper_tail().is_none())?;
    Some(list.iter().collect())
}

fn atoms(term: &Term) -> Option<Vec<Atom>> {
    items(term)?.iter().map(|item| item.as_atom().cloned()).collect()
}

/// Module, function, arguments.
fn mfa(arguments: &[Term]) -> Option<(Atom, Atom, Vec<Term>)> {
    match arguments {
        [Term::Atom(module), Term::Atom(function), list] => {
            Some((module.clone(), function.clone(), items(list)?))
        }
        _ => None,
    }
}

type Called = (Atom, (Atom, Atom, Vec<Term>));

fn called(arguments: &[Term]) -> Option<Called> {
    let (node, mfa_terms) = arguments.split_first()?;
    Some((node.as_atom()?.clone(), mfa(mfa_terms)?))
}

fn start(ctx: &Ctx, (node, (module, function, list)): Called, time: Time) -> RequestId<Term> {
    match time {
        Some(time) => super::call_within(ctx, node, module, function, list, time),
        None => super::call(ctx, node, module, function, list),
    }
}

fn rpc_call(ctx: Ctx, arguments: Vec<Term>, time: Time) -> Running {
    let Some(called) = called(&arguments) else { return ready(Err(badarg())) };
    let request = start(&ctx, called, time);
    hold(ctx, async move { rpcify(request.await).ok_or_else(badarg) })
}

fn erpc_call(ctx: Ctx, arguments: Vec<Term>, time: Time) -> Running {
    let Some(called) = called(&arguments) else { return ready(Err(erpc_badarg())) };
    let request = start(&ctx, called, time);
    hold(ctx, async move { request.await.map_err(RpcError::into_raise) })
}

/// The process must be there as long as its function runs.
fn hold(ctx: Ctx, running: impl Future<Output = Result<Term, Raise>> + Send + 'static) -> Running {
    let running: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(running);
    Box::pin(async move {
        let _ctx = ctx;
        running.await
    })
}

fn block_call(ctx: Ctx, arguments: Vec<Term>, time: Time) -> Running {
    let Some((node, (module, function, list))) = called(&arguments) else {
        return ready(Err(Raise::Refuse(Term::atom("function_clause"))));
    };
    let request: RequestId<Term> = super::block_call(&ctx, node, module, function, list, time);
    hold(ctx, async move { rpcify(request.await).ok_or_else(badarg) })
}

fn cast(ctx: Ctx, arguments: Vec<Term>, done: &str, refused: &str) -> Running {
    ready(match called(&arguments) {
        Some((node, (module, function, list))) => {
            super::cast(&ctx, node, module, function, list);
            Ok(Term::atom(done))
        }
        None if refused == "erpc" => Err(erpc_badarg()),
        None => Err(badarg()),
    })
}

fn erpc_cast(ctx: Ctx, arguments: Vec<Term>) -> Running {
    cast(ctx, arguments, "ok", "erpc")
}

type CalledMany = (Vec<Atom>, (Atom, Atom, Vec<Term>));

fn called_many(arguments: &[Term]) -> Option<CalledMany> {
    let (nodes, mfa_terms) = arguments.split_first()?;
    Some((atoms(nodes)?, mfa(mfa_terms)?))
}

fn multicall(arguments: Vec<Term>, ctx: Ctx, time: Time) -> Running {
    let Some((nodes, (module, function, list))) = called_many(&arguments) else {
        return ready(Err(badarg()));
    };
    let answers = super::multicall::<Term>(&ctx, nodes, module, function, list, time);
    hold(ctx, async move {
        let answers = answers.await;
        let results: Option<Vec<Term>> = answers.results.into_iter().map(rpcify).collect();
        let bad = Term::list(answers.bad_nodes.into_iter().map(Term::Atom));
        Ok(Term::tuple([Term::list(results.ok_or_else(badarg)?), bad]))
    })
}

fn erpc_multicall(ctx: Ctx, arguments: Vec<Term>, time: Time) -> Running {
    let Some((nodes, (module, function, list))) = called_many(&arguments) else {
        return ready(Err(erpc_badarg()));
    };
    let outcomes = crate::erpc::multicall::<Term>(&ctx, nodes, module, function, list, time);
    hold(ctx, async move { Ok(Term::list(outcomes.await.into_iter().map(listed))) })
}

fn eval_everywhere(arguments: Vec<Term>, ctx: Ctx) -> Running {
    ready(match called_many(&arguments) {
        Some((nodes, (module, function, list))) => {
            super::eval_everywhere(&ctx, nodes, module, function, list);
            Ok(Term::atom("abcast"))
        }
        None => Err(badarg()),
    })
}

fn erpc_multicast(ctx: Ctx, arguments: Vec<Term>) -> Running {
    ready(match called_many(&arguments) {
        Some((nodes, (module, function, list))) => {
            super::eval_everywhere(&ctx, nodes, module, function, list);
            Ok(Term::atom("ok"))
        }
        None => Err(erpc_badarg()),
    })
}

/// Nodes, a name, and a message.
fn addressed(arguments: &[Term]) -> Result<(Vec<Atom>, Atom, Term), Raise> {
    match arguments {
        [nodes, Term::Atom(name), message] => {
            let nodes = atoms(nodes).ok_or(Raise::Unfit)?;
            Ok((nodes, name.clone(), message.clone()))
        }
        _ => Err(Raise::Unfit),
    }
}

fn abcast(arguments: Vec<Term>, ctx: Ctx) -> Running {
    ready(addressed(&arguments).map(|(nodes, name, message)| {
        super::abcast(&ctx, nodes, name, message);
        Term::atom("abcast")
    }))
}

fn sbcast(arguments: Vec<Term>, ctx: Ctx) -> Running {
    let (nodes, name, message) = match addressed(&arguments) {
        Ok(addressed) => addressed,
        Err(raise) => return ready(Err(raise)),
    };
    let reached = super::sbcast(&ctx, nodes, name, message);
    hold(ctx, async move {
        let reached = reached.await;
        let list = |nodes: Vec<Atom>| Term::list(nodes.into_iter().map(Term::Atom));
        Ok(Term::tuple([list(reached.good), list(reached.bad)]))
    })
}

fn multi_server_call(arguments: Vec<Term>, ctx: Ctx) -> Running {
    let (nodes, name, message) = match addressed(&arguments) {
        Ok(addressed) => addressed,
        Err(raise) => return ready(Err(raise)),
    };
    let replies = super::multi_server_call(&ctx, nodes, name, message);
    hold(ctx, async move {
        let replies = replies.await;
        let bad = Term::list(replies.bad_nodes.into_iter().map(Term::Atom));
        Ok(Term::tuple([Term::list(replies.replies), bad]))
    })
}

fn server_call(arguments: Vec<Term>, ctx: Ctx) -> Running {
    let [Term::Atom(node), Term::Atom(name), wrapper, message] = &arguments[..] else {
        return ready(Err(Raise::Unfit));
    };
    let (node, name) = (node.clone(), name.clone());
    let request: RequestId<Term> = super::server_call(&ctx, node, name, wrapper.clone(), message.clone());
    hold(ctx, async move {
        let nodedown = || Term::tuple([Term::atom("error"), Term::atom("nodedown")]);
        Ok(request.await.unwrap_or_else(|_| nodedown()))
    })
}

fn parallel_eval(arguments: Vec<Term>, ctx: Ctx) -> Running {
    let calls: Option<Vec<_>> =
        items(&arguments[0]).and_then(|calls| calls.iter().map(|call| mfa(call.as_tuple()?)).collect());
    let Some(calls) = calls else { return ready(Err(Raise::Unfit)) };
    let results = super::parallel_eval::<Term>(&ctx, calls);
    hold(ctx, async move {
        let results: Option<Vec<Term>> = results.await.into_iter().map(rpcify).collect();
        results.map(Term::list).ok_or_else(badarg)
    })
}

fn pmap(arguments: Vec<Term>, ctx: Ctx) -> Running {
    let fits = match (arguments[0].as_tuple(), items(&arguments[1]), items(&arguments[2])) {
        (Some([Term::Atom(module), Term::Atom(function)]), Some(extra), Some(list)) => {
            Some((module.clone(), function.clone(), extra, list))
        }
        _ => None,
    };
    let Some((module, function, extra, list)) = fits else { return ready(Err(Raise::Unfit)) };
    let calls = list.into_iter().map(|item| {
        let arguments = std::iter::once(item).chain(extra.iter().cloned()).collect();
        (module.clone(), function.clone(), arguments)
    });
    let results = super::parallel_eval::<Term>(&ctx, calls.collect());
    hold(ctx, async move {
        let mut values = Vec::new();
        for result in results.await {
            let value = rpcify(result).ok_or_else(badarg)?;
            if matches!(value.as_tuple(), Some([tag, _]) if tag.is_atom("badrpc")) {
                return Err(Raise::exit(Atom::new("badrpc")));
            }
            values.push(value);
        }
        Ok(Term::list(values))
    })
}

fn pinfo(ctx: Ctx, arguments: Vec<Term>) -> Running {
    let node = arguments[0].as_pid().map(|pid: &Pid| pid.node.name().clone());
    let Some(node) = node else { return ready(Err(badarg())) };
    let called = (node, (Atom::new("erlang"), Atom::new("process_info"), arguments));
    let request = start(&ctx, called, None);
    hold(ctx, async move { rpcify(request.await).ok_or_else(badarg) })
}
