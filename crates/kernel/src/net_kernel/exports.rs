//! `net_kernel`, `auth` and what `erlang` says of nodes and cookies, as functions that other nodes call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, Exit, ExportedFn, Node};
use term::{Atom, Map, Pid, Term, term};

use super::exports_start::{start_1, start_2};
use super::ticktime::{TickTime, TickTimeChange};
use super::watch::WatchOptions;
use super::{Kind, Kinds, NotStopped, cookie_book, info, nodes_info};
use crate::limits::TRANSITION_SECS_DEFAULT;

/// What a function gives, or the reason of its error.
pub(super) type Outcome = Result<Term, Term>;
pub(super) type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Near = fn(&mut Ctx, &[Term]) -> Outcome;
type Far = fn(Ctx, Vec<Term>) -> Running;

/// Exports them.
pub(crate) fn install(node: &Node) {
    for (module, function, arity, body) in NEAR {
        let body = *body;
        export(node, module, function, *arity, move |mut ctx, arguments| {
            Box::pin(async move { body(&mut ctx, &arguments) })
        });
    }
    for (module, function, arity, body) in FAR {
        export(node, module, function, *arity, *body);
    }
}

fn export(
    node: &Node,
    module: &'static str,
    function: &'static str,
    arity: u8,
    body: impl Fn(Ctx, Vec<Term>) -> Running + Send + Sync + 'static,
) {
    let exported: ExportedFn = Arc::new(move |ctx, arguments| {
        let running = body(ctx, arguments.clone());
        Box::pin(async move {
            running.await.map_err(|reason| {
                let call = term!({(Atom::new(module)), (Atom::new(function)), (Term::list(arguments)), []});
                Exit(Term::tuple([reason, Term::list([call])]))
            })
        })
    });
    node.export(module, function, Some(arity), exported);
}

const NEAR: &[(&str, &str, u8, Near)] = &[
    ("net_kernel", "get_state", 0, |ctx, _| Ok(info::state(ctx.node()))),
    ("net_kernel", "nodename", 0, |ctx, _| Ok(asked(ctx, info::name))),
    ("net_kernel", "longnames", 0, |ctx, _| Ok(asked(ctx, info::long_names))),
    ("net_kernel", "setopts", 2, socket_options),
    ("net_kernel", "getopts", 2, socket_options),
    ("net_kernel", "epmd_module", 0, |_, _| Ok(Term::atom("erl_epmd"))),
    ("net_kernel", "connecttime", 0, |ctx, _| Ok(Term::Int(info::connect_millis(ctx.node())))),
    ("net_kernel", "allow", 1, |ctx, arguments| Ok(asked(ctx, |node| info::allow(node, &arguments[0])))),
    ("net_kernel", "allowed", 0, |ctx, _| Ok(asked(ctx, info::allowed))),
    ("net_kernel", "verbose", 1, |ctx, arguments| {
        let level = arguments[0].as_int().ok_or_else(clause)?;
        Ok(asked(ctx, |node| info::verbose(node, level)))
    }),
    ("net_kernel", "get_net_ticktime", 0, |ctx, _| Ok(seconds(super::net_ticktime(ctx.node())))),
    ("net_kernel", "set_net_ticktime", 1, |ctx, arguments| {
        set_ticktime(ctx, &arguments[0], &Term::Int(TRANSITION_SECS_DEFAULT))
    }),
    ("net_kernel", "set_net_ticktime", 2, |ctx, arguments| set_ticktime(ctx, &arguments[0], &arguments[1])),
    ("net_kernel", "monitor_nodes", 1, |ctx, arguments| Ok(monitor_nodes(ctx, &arguments[0], &Term::NIL))),
    ("net_kernel", "monitor_nodes", 2, |ctx, arguments| Ok(monitor_nodes(ctx, &arguments[0], &arguments[1]))),
    ("net_kernel", "node_info", 1, |ctx, arguments| Ok(info::of_node(ctx.node(), &arguments[0]))),
    ("net_kernel", "node_info", 2, |ctx, arguments| {
        Ok(info::item_of_node(ctx.node(), &arguments[0], &arguments[1]))
    }),
    ("net_kernel", "nodes_info", 0, |ctx, _| Ok(info::of_nodes(ctx.node()))),
    ("net_kernel", "i", 0, |ctx, _| Ok(print(ctx, None))),
    ("net_kernel", "i", 1, |ctx, arguments| Ok(print(ctx, Some(&arguments[0])))),
    ("net_kernel", "async_disconnect", 1, |ctx, arguments| {
        super::hang_up_any(ctx.node(), arguments[0].as_atom().ok_or_else(clause)?);
        Ok(Term::atom("ok"))
    }),
    ("auth", "get_cookie", 0, |ctx, _| Ok(own_cookie(ctx))),
    ("auth", "cookie", 0, |ctx, _| Ok(own_cookie(ctx))),
    ("auth", "get_cookie", 1, |ctx, arguments| cookie_of(ctx, &arguments[0])),
    ("auth", "set_cookie", 1, |ctx, arguments| set_own_cookie(ctx, &arguments[0])),
    ("auth", "cookie", 1, |ctx, arguments| {
        let first = arguments[0].as_list().and_then(term::List::uncons).map(|(first, _)| first);
        set_own_cookie(ctx, first.as_ref().unwrap_or(&arguments[0]))
    }),
    ("auth", "set_cookie", 2, |ctx, arguments| set_cookie(ctx, &arguments[0], &arguments[1])),
    ("auth", "sync_cookie", 0, |_, _| Ok(Term::atom("true"))),
    ("auth", "print", 3, |ctx, arguments| {
        let peer = arguments[0].as_atom().ok_or_else(clause)?;
        let what = term!({print, (arguments[1].clone()), (arguments[2].clone())});
        otp::request::cast(ctx, (Atom::inline("auth"), peer.clone()), what);
        Ok(Term::atom("ok"))
    }),
    ("erlang", "get_cookie", 0, |ctx, _| Ok(own_cookie(ctx))),
    ("erlang", "get_cookie", 1, |ctx, arguments| cookie_of(ctx, &arguments[0])),
    ("erlang", "set_cookie", 1, |ctx, arguments| set_own_cookie(ctx, &arguments[0])),
    ("erlang", "set_cookie", 2, |ctx, arguments| set_cookie(ctx, &arguments[0], &arguments[1])),
    ("erlang", "is_alive", 0, |ctx, _| Ok(boolean(info::is_alive(ctx.node())))),
    ("erlang", "nodes", 0, |ctx, _| {
        Ok(Term::list(super::nodes(ctx.node(), Kind::Visible).into_iter().map(Term::Atom)))
    }),
    ("erlang", "nodes", 1, |ctx, arguments| {
        let kinds = kinds(&arguments[0]).ok_or_else(badarg)?;
        Ok(Term::list(super::nodes(ctx.node(), kinds).into_iter().map(Term::Atom)))
    }),
    ("erlang", "nodes", 2, |ctx, arguments| nodes_2(ctx, &arguments[0], &arguments[1])),
    ("erlang", "monitor_node", 2, |ctx, arguments| {
        let (peer, on) = who_to_monitor(ctx, &arguments[0], &arguments[1])?;
        ctx.monitor_node(peer, on);
        Ok(Term::atom("true"))
    }),
];

const FAR: &[(&str, &str, u8, Far)] = &[
    ("net_kernel", "start", 1, start_1),
    ("net_kernel", "start", 2, start_2),
    ("net_kernel", "stop", 0, |ctx, _| {
        Box::pin(async move {
            Ok(match super::stop(ctx.node()).await {
                Ok(()) => Term::atom("ok"),
                Err(NotStopped::NotAllowed) => term!({error, not_allowed}),
                Err(NotStopped::NotFound) => term!({error, not_found}),
            })
        })
    }),
    ("net_kernel", "connect_node", 1, |ctx, arguments| connect(ctx, arguments, false)),
    ("net_kernel", "hidden_connect_node", 1, |ctx, arguments| connect(ctx, arguments, true)),
    ("net_kernel", "passive_cnct", 1, |ctx, arguments| {
        Box::pin(async move {
            let peer = arguments[0].as_atom().ok_or_else(clause)?;
            Ok(boolean(super::passive::connect(ctx.node(), peer).await))
        })
    }),
    ("net_kernel", "passive_connect_monitor", 2, |mut ctx, arguments| {
        Box::pin(async move {
            let ([Term::Pid(to), tag], Some(peer)) =
                (arguments[0].as_tuple().unwrap_or_default(), arguments[1].as_atom())
            else {
                return Err(clause());
            };
            let up = super::passive::wait(ctx.node(), peer).await;
            let answer = Term::tuple([tag.clone(), boolean(up)]);
            ctx.answer(to, answer.clone());
            Ok(answer)
        })
    }),
    ("net_kernel", "disconnect", 1, disconnect),
    ("erlang", "disconnect_node", 1, disconnect),
    ("erlang", "monitor_node", 3, |mut ctx, arguments| {
        Box::pin(async move {
            let (peer, on) = who_to_monitor(&ctx, &arguments[0], &arguments[1])?;
            let passive = passively(&arguments[2])?;
            if passive && on && !super::passive::connect(ctx.node(), &peer).await {
                let own = ctx.pid();
                ctx.send(own, term!({nodedown, (peer)}));
                return Ok(Term::atom("true"));
            }
            ctx.monitor_node(peer, on);
            Ok(Term::atom("true"))
        })
    }),
    ("auth", "is_auth", 1, |ctx, arguments| Box::pin(is_auth(ctx, arguments[0].clone()))),
    ("auth", "node_cookie", 1, |ctx, arguments| {
        Box::pin(async move {
            let items: Vec<Term> =
                arguments[0].as_list().map(|list| list.iter().collect()).unwrap_or_default();
            let [peer, cookie] = &items[..] else { return Err(clause()) };
            set_cookie(&ctx, peer, cookie)?;
            is_auth(ctx, peer.clone()).await
        })
    }),
    ("auth", "node_cookie", 2, |ctx, arguments| {
        Box::pin(async move {
            set_cookie(&ctx, &arguments[0], &arguments[1])?;
            is_auth(ctx, arguments[0].clone()).await
        })
    }),
];

pub(super) fn clause() -> Term {
    Term::atom("function_clause")
}

fn badarg() -> Term {
    Term::atom("badarg")
}

fn boolean(truth: bool) -> Term {
    Term::atom(if truth { "true" } else { "false" })
}

/// What OTP's net_kernel answers to everybody when there is none.
fn asked(ctx: &Ctx, what: impl FnOnce(&Node) -> Option<Term>) -> Term {
    what(ctx.node()).unwrap_or_else(|| Term::atom("ignored"))
}

fn seconds(time: Option<TickTime>) -> Term {
    let whole = |time: Duration| Term::Int(time.as_secs() as i64);
    match time {
        Some(TickTime::Is(time)) => whole(time),
        Some(TickTime::OngoingChangeTo(time)) => Term::tuple([Term::atom("ongoing_change_to"), whole(time)]),
        None => Term::atom("ignored"),
    }
}

fn set_ticktime(ctx: &Ctx, time: &Term, transition: &Term) -> Outcome {
    let number = |term: &Term, min: i64| term.as_int().filter(|number| *number >= min).ok_or_else(clause);
    let (time, transition) = (number(time, 1)?, number(transition, 0)?);
    let whole = |number: i64| Duration::from_secs(number.unsigned_abs());
    Ok(match super::set_net_ticktime(ctx.node(), whole(time), whole(transition)) {
        Some(TickTimeChange::Unchanged) => Term::atom("unchanged"),
        Some(TickTimeChange::ChangeInitiated) => Term::atom("change_initiated"),
        Some(TickTimeChange::OngoingChangeTo(time)) => seconds(Some(TickTime::OngoingChangeTo(time))),
        None => Term::atom("ignored"),
    })
}

/// For the process that runs it, which has to live on to hear anything.
fn monitor_nodes(ctx: &Ctx, on: &Term, options: &Term) -> Term {
    let on = match on.as_atom().map(Atom::as_str) {
        Some("true") => true,
        Some("false") => false,
        _ => return Term::atom("error"),
    };
    let Some(options) = WatchOptions::from_term(options) else {
        return WatchOptions::refusal(options);
    };
    match on {
        true => super::monitor_nodes(ctx.node(), ctx.pid_ref(), options),
        false => super::unmonitor_nodes(ctx.node(), ctx.pid_ref(), options),
    }
    Term::atom("ok")
}

fn print(ctx: &mut Ctx, peer: Option<&Term>) -> Term {
    let text = info::printed(ctx.node(), peer);
    let request = term!({put_chars, unicode, (Term::binary(&text))});
    let message = term!({io_request, (ctx.pid()), (ctx.make_ref()), (request)});
    let leader: Pid = ctx.group_leader();
    ctx.answer(&leader, message);
    Term::atom("ok")
}

fn socket_options(ctx: &mut Ctx, arguments: &[Term]) -> Outcome {
    let [Term::Atom(peer), Term::List(_)] = arguments else { return Err(clause()) };
    Ok(asked(ctx, |node| super::started(node).then(|| info::socket_options(node, peer))))
}

fn own_cookie(ctx: &Ctx) -> Term {
    cookie_book::own(ctx.node()).unwrap_or_else(|| Term::atom("nocookie"))
}

fn cookie_of(ctx: &Ctx, peer: &Term) -> Outcome {
    let peer = peer.as_atom().ok_or_else(badarg)?;
    Ok(cookie_book::of(ctx.node(), peer).unwrap_or_else(|| Term::atom("nocookie")))
}

fn set_own_cookie(ctx: &Ctx, cookie: &Term) -> Outcome {
    cookie_book::set_own(ctx.node(), cookie).ok_or_else(|| no_cookie(ctx))
}

fn set_cookie(ctx: &Ctx, peer: &Term, cookie: &Term) -> Outcome {
    let peer = peer.as_atom().ok_or_else(badarg)?;
    cookie_book::set(ctx.node(), peer, cookie).ok_or_else(|| no_cookie(ctx))
}

fn no_cookie(ctx: &Ctx) -> Term {
    if super::started(ctx.node()) { badarg() } else { Term::atom("distribution_not_started") }
}

async fn is_auth(ctx: Ctx, peer: Term) -> Outcome {
    let peer = peer.as_atom().ok_or_else(clause)?.clone();
    let yes = crate::ping(ctx.node(), peer).await.is_ok();
    Ok(Term::atom(if yes { "yes" } else { "no" }))
}

fn connect(ctx: Ctx, arguments: Vec<Term>, hidden: bool) -> Running {
    Box::pin(async move {
        let peer = arguments[0].as_atom().ok_or_else(clause)?.clone();
        let node = ctx.node();
        if !super::started(node) {
            return Ok(Term::atom("ignored"));
        }
        let done =
            if hidden { super::connect_hidden(node, peer).await } else { super::connect(node, peer).await };
        Ok(boolean(done.is_ok()))
    })
}

fn disconnect(ctx: Ctx, arguments: Vec<Term>) -> Running {
    Box::pin(async move {
        let peer = arguments[0].as_atom().ok_or_else(badarg)?.clone();
        if !super::started(ctx.node()) {
            return Ok(Term::atom("ignored"));
        }
        Ok(boolean(super::disconnect(ctx.node(), peer).await))
    })
}

fn who_to_monitor(ctx: &Ctx, peer: &Term, on: &Term) -> Result<(Atom, bool), Term> {
    let peer = peer.as_atom().ok_or_else(badarg)?.clone();
    let on = match on.as_atom().map(Atom::as_str) {
        Some("true") => true,
        Some("false") => false,
        _ => return Err(badarg()),
    };
    match super::started(ctx.node()) || peer == *ctx.node().name() {
        true => Ok((peer, on)),
        false => Err(Term::atom("notalive")),
    }
}

fn passively(options: &Term) -> Result<bool, Term> {
    let list = options.as_list().filter(|list| list.improper_tail().is_none()).ok_or_else(badarg)?;
    let known = |option: &Term| option.is_atom("allow_passive_connect");
    let options: Vec<Term> = list.iter().collect();
    if options.iter().all(known) { Ok(!options.is_empty()) } else { Err(badarg()) }
}

/// A kind of nodes, or a list of them.
fn kinds(term: &Term) -> Option<Kinds> {
    let kind = |term: &Term| Kind::from_name(term.as_atom()?.as_str());
    match term {
        Term::List(list) if list.improper_tail().is_none() => list.iter().map(|item| kind(&item)).collect(),
        term => kind(term).map(Kinds::from),
    }
}

fn nodes_2(ctx: &Ctx, wanted: &Term, options: &Term) -> Outcome {
    let kinds = kinds(wanted).ok_or_else(badarg)?;
    let Term::Map(options) = options else { return Err(badarg()) };
    let (mut number, mut kind) = (false, false);
    for (key, value) in options.pairs() {
        let on = match value.as_atom().map(Atom::as_str) {
            Some("true") => true,
            Some("false") => false,
            _ => return Err(badarg()),
        };
        match key.as_atom().map(Atom::as_str) {
            Some("connection_id") => number = on,
            Some("node_type") => kind = on,
            _ => return Err(badarg()),
        }
    }
    let shown = nodes_info(ctx.node(), kinds).into_iter().map(|node| {
        let id = node.connection_id.map_or(Term::atom("undefined"), |id| Term::Int(id as i64));
        let facts = [(number, "connection_id", id), (kind, "node_type", Term::atom(node.kind.name()))];
        let facts = facts.into_iter().filter(|(wanted, ..)| *wanted);
        let facts: Map = facts.map(|(_, key, value)| (Term::atom(key), value)).collect();
        Term::tuple([Term::Atom(node.name), Term::Map(facts)])
    });
    Ok(Term::list(shown))
}
