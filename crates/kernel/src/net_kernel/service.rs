//! The process `net_kernel`: what other nodes ask of it.

use std::time::Duration;

use otp::request::{self, Request};
use proto::connection::TickChange;
use runtime::{Ctx, Exit, Node, SpawnOptions};
use term::{Atom, Term, term};
use tokio::task::AbortHandle;

use super::ticktime::TickTime;
use super::{connect, connect_hidden, disconnect, hang_up_any, info, passive};
use crate::functions::sys;

/// Starts and registers it.
pub(super) fn start(node: &Node) -> AbortHandle {
    crate::services::start_registered(node, "net_kernel", |mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match Request::read(message) {
                Request::Call(from, question) => answer(&mut ctx, from, &question),
                Request::Info(message) => on_info(&mut ctx, &message),
                Request::Cast(wish) => on_cast(&ctx, &wish),
                Request::System(from, question) => sys::serve(&mut ctx, "net_kernel", &from, &question),
            }
        }
    })
}

fn answer(ctx: &mut Ctx, from: request::Caller, question: &Term) {
    if let Some(reply) = at_once(ctx, &from, question) {
        return request::answer(ctx, &from, reply);
    }
    match question.as_tuple().unwrap_or_default() {
        [word, kind, Term::Atom(peer)] if word.is_atom("connect") => {
            let hidden = kind.is_atom("hidden");
            later(ctx, from, peer.clone(), move |node, peer| async move {
                let done =
                    if hidden { connect_hidden(&node, peer).await } else { connect(&node, peer).await };
                done.is_ok()
            });
        }
        [word, Term::Atom(peer)] if word.is_atom("passive_cnct") => {
            later(ctx, from, peer.clone(), |node, peer| async move { passive::connect(&node, &peer).await });
        }
        [word, Term::Atom(peer)] if word.is_atom("disconnect") => {
            later(ctx, from, peer.clone(), |node, peer| async move { disconnect(&node, peer).await });
        }
        [word, module, function, arguments, leader]
            if word.is_atom("spawn") || word.is_atom("spawn_link") =>
        {
            let link = word.is_atom("spawn_link");
            spawn(ctx, &from, link, [module, function, arguments, leader]);
        }
        [word, module, function, arguments, _options, link, leader] if word.is_atom("spawn_opt") => {
            spawn(ctx, &from, link.is_atom("link"), [module, function, arguments, leader]);
        }
        // No node is called that.
        [word, _, _] if word.is_atom("connect") => request::answer(ctx, &from, boolean(false)),
        [word, _] if word.is_atom("disconnect") => request::answer(ctx, &from, boolean(false)),
        // OTP's breaks down over most of these.
        [word, _, _] if word.is_atom("new_ticktime") => {
            request::refuse(ctx, &from, term!({badarg, [{net_kernel, handle_call, 3, []}]}));
        }
        _ => {}
    }
}

/// What can be answered at once. What OTP does not know it does not answer either.
fn at_once(ctx: &Ctx, from: &request::Caller, question: &Term) -> Option<Term> {
    let node = ctx.node();
    let near = from.pid.node == *node.id();
    if let Term::Atom(word) = question {
        return match word.as_str() {
            "nodename" => info::name(node),
            "longnames" => info::long_names(node),
            "allowed" => info::allowed(node),
            "ticktime" => Some(ticktime(super::net_ticktime(node)?)),
            "get_state" => Some(info::state(node)),
            _ => None,
        };
    }
    match question.as_tuple()? {
        [word, _] if word.is_atom("is_auth") => Some(Term::atom("yes")),
        [word, level] if word.is_atom("verbose") => info::verbose(node, level.as_int().unwrap_or(0)),
        [word, entries] if word.is_atom("allow") => info::allow(node, entries),
        [word, Term::Atom(peer), _] if word.is_atom("setopts") || word.is_atom("getopts") => {
            Some(info::socket_options(node, peer))
        }
        [word, _, _, _] if word.is_atom("apply") && near => Some(Term::atom("not_implemented")),
        [word, Term::Int(time @ 1..), Term::Int(transition @ 0..)] if word.is_atom("new_ticktime") => {
            let millis = |number: &i64| Duration::from_millis(number.unsigned_abs());
            Some(ticktime_change(super::set_net_ticktime(node, millis(time), millis(transition))))
        }
        _ => None,
    }
}

/// Releases before OTP 23 spawn like this: the answer is the pid.
fn spawn(ctx: &mut Ctx, from: &request::Caller, link: bool, job: [&Term; 4]) {
    let [Term::Atom(module), Term::Atom(function), Term::List(list), leader] = job else {
        return request::answer(ctx, from, broken_spawn());
    };
    if list.improper_tail().is_some() {
        return request::answer(ctx, from, broken_spawn());
    }
    let (module, function, arguments) =
        (module.clone(), function.clone(), list.iter().collect::<Vec<Term>>());
    if !link && leader.as_pid().is_none() {
        let pid = crate::rpc::spawn_local(ctx.node(), module, function, arguments);
        return request::answer(ctx, from, Term::Pid(pid));
    }
    let caller = from.pid.clone();
    let options = SpawnOptions { leader: leader.as_pid().cloned(), ..SpawnOptions::default() };
    let pid = ctx.node().spawn_with(options, move |child: Ctx| async move {
        if link {
            child.link(&caller);
        }
        let arity = u8::try_from(arguments.len()).unwrap_or(u8::MAX);
        match child.node().exported(&module, &function, arity) {
            Some(body) => body(child, arguments).await.map(drop).map_err(|exit| exit.sorted().0),
            None => {
                let call =
                    Term::tuple([Term::Atom(module), Term::Atom(function), Term::list(arguments), Term::NIL]);
                Err(Exit(Term::tuple([Term::atom("undef"), Term::list([call])])))
            }
        }
    });
    request::answer(ctx, from, Term::Pid(pid));
}

/// What OTP's answers where there is nothing that could be started.
fn broken_spawn() -> Term {
    term!({(Term::atom("EXIT")), {badarg, []}})
}

/// OTP answers in milliseconds here; `net_kernel:get_net_ticktime/0` divides.
fn ticktime(time: TickTime) -> Term {
    match time {
        TickTime::Is(time) => Term::Int(time.as_millis() as i64),
        TickTime::OngoingChangeTo(time) => {
            Term::tuple([Term::atom("ongoing_change_to"), Term::Int(time.as_millis() as i64)])
        }
    }
}

fn ticktime_change(change: Option<TickChange>) -> Term {
    match change {
        Some(TickChange::ChangeInitiated) => Term::atom("change_initiated"),
        Some(TickChange::OngoingChangeTo(time)) => ticktime(TickTime::OngoingChangeTo(time)),
        Some(TickChange::Unchanged) | None => Term::atom("unchanged"),
    }
}

/// Answers when something that takes time is done, in a process of its own.
fn later<Fut>(
    ctx: &Ctx,
    from: request::Caller,
    peer: Atom,
    what: impl FnOnce(Node, Atom) -> Fut + Send + 'static,
) where
    Fut: Future<Output = bool> + Send + 'static,
{
    ctx.node().spawn(move |mut ctx: Ctx| async move {
        let done = what(ctx.node().clone(), peer).await;
        request::answer(&mut ctx, &from, boolean(done));
    });
}

/// `{async_disconnect, Node}`.
fn on_cast(ctx: &Ctx, wish: &Term) {
    if let Some([word, Term::Atom(peer)]) = wish.as_tuple()
        && word.is_atom("async_disconnect")
    {
        hang_up_any(ctx.node(), peer);
    }
}

/// `{From, registered_send, To, Message}`: delivered. `{From, badcookie, To, Message}`: from other times.
fn on_info(ctx: &mut Ctx, message: &Term) {
    if let Some([Term::Pid(_), word, Term::Atom(to), message]) = message.as_tuple()
        && word.is_atom("registered_send")
    {
        ctx.send(to.clone(), message.clone());
    }
}

fn boolean(truth: bool) -> Term {
    Term::atom(if truth { "true" } else { "false" })
}
