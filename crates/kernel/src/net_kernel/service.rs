//! The process `net_kernel`: what other nodes ask of it.

use std::time::Duration;

use otp::request::{self, Request};
use proto::connection::TickChange;
use runtime::{Ctx, Node};
use term::{Atom, Map, Term};

use super::core::NetKernel;
use super::ticktime::TickTime;
use super::{connect, disconnect};
use crate::names::Form;

/// Starts and registers it.
pub(crate) fn start(node: &Node) {
    crate::services::start_registered(node, "net_kernel", |mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match Request::read(message) {
                Request::Call(from, question) => answer(&mut ctx, from, &question),
                Request::Info(message) => on_info(&mut ctx, &message),
                // What OTP does not know it does not answer either.
                Request::Cast(_) | Request::System(..) => {}
            }
        }
    });
}

fn answer(ctx: &mut Ctx, from: request::Caller, question: &Term) {
    if let Term::Atom(word) = question {
        if let Some(reply) = answer_word(ctx, word.as_str()) {
            request::answer(ctx, &from, reply);
        }
        return;
    }
    match question.as_tuple().unwrap_or_default() {
        [word, _] if word.is_atom("is_auth") => request::answer(ctx, &from, Term::atom("yes")),
        [word, _] if word.is_atom("verbose") => request::answer(ctx, &from, Term::Int(0)),
        [word, Term::Int(seconds @ 1..), Term::Int(transition)] if word.is_atom("new_ticktime") => {
            let millis = |number: &i64| Duration::from_millis(u64::try_from(*number).unwrap_or(0));
            let change = super::set_net_ticktime(ctx.node(), millis(seconds), millis(transition));
            request::answer(ctx, &from, ticktime_change(change));
        }
        [word, kind, Term::Atom(peer)] if word.is_atom("connect") && kind.as_atom().is_some() => {
            later(ctx, from, peer.clone(), |node, peer| async move { connect(&node, peer).await.is_ok() });
        }
        [word, Term::Atom(peer)] if word.is_atom("disconnect") => {
            later(ctx, from, peer.clone(), |node, peer| async move { disconnect(&node, peer).await });
        }
        [word, module, function, arguments, _leader] if word.is_atom("spawn") => {
            // Very old nodes spawn like this.
            if let (Some(module), Some(function), Some(list)) =
                (module.as_atom(), function.as_atom(), arguments.as_list())
                && list.improper_tail().is_none()
            {
                let pid = crate::rpc::spawn_local(
                    ctx.node(),
                    module.clone(),
                    function.clone(),
                    list.iter().collect(),
                );
                request::answer(ctx, &from, Term::Pid(pid));
            }
        }
        _ => {}
    }
}

fn answer_word(ctx: &Ctx, word: &str) -> Option<Term> {
    let node = ctx.node();
    let net = NetKernel::of(node)?;
    let long = net.setup.form == Form::Long;
    Some(match word {
        "nodename" => Term::Atom(node.name().clone()),
        "longnames" => boolean(long),
        "allowed" => Term::list(net.state().table.allowed().iter().cloned().map(Term::Atom)),
        "ticktime" => ticktime(super::net_ticktime(node)?),
        "get_state" => {
            let domain = Term::atom(if long { "longnames" } else { "shortnames" });
            let facts = [
                ("started", Term::atom("static")),
                ("name_type", Term::atom("static")),
                ("name", Term::Atom(node.name().clone())),
                ("name_domain", domain),
            ];
            Term::Map(facts.into_iter().map(|(key, value)| (Term::atom(key), value)).collect::<Map>())
        }
        _ => return None,
    })
}

/// OTP answers in milliseconds here; `net_kernel:get_net_ticktime/0` divides.
pub(crate) fn ticktime(time: TickTime) -> Term {
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
