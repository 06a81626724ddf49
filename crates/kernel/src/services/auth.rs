//! `auth`: the process that others ask for cookies, and that prints what they want printed.

use otp::request::{self, Request};
use runtime::{Ctx, Node};
use term::{Term, term};
use tokio::task::AbortHandle;

use super::start_registered;
use crate::functions::sys;
use crate::net_kernel::cookie_book;

/// Starts and registers it.
pub(crate) fn start(node: &Node) -> AbortHandle {
    start_registered(node, "auth", |mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match Request::read(message) {
                Request::Call(from, question) => {
                    // OTP's breaks down over what it does not know: here only who asked hears of that.
                    if let Some(answer) = answer(ctx.node(), &question) {
                        request::answer(&mut ctx, &from, answer);
                    } else {
                        request::refuse(&ctx, &from, term!({function_clause, [{auth, handle_call, 3, []}]}));
                    }
                }
                Request::Cast(what) => print(ctx.node(), &what),
                Request::Info(message) => on_info(&mut ctx, &message),
                Request::System(from, question) => sys::serve(&mut ctx, "auth", &from, &question),
            }
        }
    })
}

fn answer(node: &Node, question: &Term) -> Option<Term> {
    if let Term::Atom(word) = question {
        return match word.as_str() {
            "get_our_cookie" => cookie_book::own(node),
            "sync_cookie" => Some(Term::atom("true")),
            "echo" => Some(Term::atom("hello")),
            _ => None,
        };
    }
    match question.as_tuple()? {
        [word, Term::Atom(peer)] if word.is_atom("get_cookie") => cookie_book::of(node, peer),
        [word, cookie] if word.is_atom("set_our_cookie") => cookie_book::set_own(node, cookie),
        [word, Term::Atom(peer), cookie] if word.is_atom("set_cookie") => {
            cookie_book::set(node, peer, cookie)
        }
        _ => None,
    }
}

/// `{print, Format, Arguments}`: a line for the operator.
fn print(node: &Node, what: &Term) {
    if let Some([word, format, arguments]) = what.as_tuple()
        && word.is_atom("print")
    {
        tracing::error!("{}", crate::io::format_terms(node, format, arguments));
    }
}

/// `{From, badcookie, To, Message}`, from releases that sent cookies along with messages: whoever pings gets his no.
fn on_info(ctx: &mut Ctx, message: &Term) {
    let Some([Term::Pid(_), word, to, message]) = message.as_tuple() else { return };
    if !(word.is_atom("badcookie") && to.is_atom("net_kernel")) {
        return;
    }
    if let Request::Call(from, question) = Request::read(message.clone())
        && matches!(question.as_tuple(), Some([is_auth, _]) if is_auth.is_atom("is_auth"))
    {
        let pid = from.pid.clone();
        ctx.answer(&pid, term!({(from.tag.clone()), no}));
    }
}
