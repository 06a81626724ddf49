//! The processes of OTP's kernel that others look for by name: each is there, and answers what it can.
//!
//! A question that OTP's would not understand either is answered with an error: nobody waits for nothing.

use otp::request::{self, Caller, Request};
use runtime::{Ctx, Node};
use term::Term;

use super::{kernel_sup, start_registered};
use crate::functions::{self, init, sys};
use crate::net_kernel::NetKernel;

/// What one of them does.
#[derive(Clone, Copy)]
struct Standing {
    name: &'static str,
    behaviour: &'static str,
    /// Answers a generic call; nothing when it does not understand.
    call: fn(&Ctx, &Term) -> Option<Term>,
    /// Takes any other message.
    info: fn(&mut Ctx, &Term),
}

const ALL: &[Standing] = &[
    Standing { name: "init", behaviour: "init", call: |_, _| None, info: to_init },
    Standing { name: "kernel_sup", behaviour: "supervisor", call: kernel_sup::call, info: |_, _| {} },
    Standing { name: "code_server", behaviour: "code_server", call: |_, _| None, info: to_code_server },
    Standing { name: "error_logger", behaviour: "gen_event", call: |_, _| None, info: to_error_logger },
    Standing { name: "erl_epmd", behaviour: "gen_server", call: |_, _| None, info: |_, _| {} },
    Standing { name: "global_group", behaviour: "gen_server", call: global_group, info: |_, _| {} },
];

/// Starts them.
pub(super) fn start(node: &Node) {
    for standing in ALL {
        start_registered(node, standing.name, move |ctx: Ctx| run(ctx, *standing));
    }
}

async fn run(mut ctx: Ctx, standing: Standing) {
    loop {
        let message: Term = ctx.receive().await;
        match Request::read(message) {
            Request::Call(from, question) if standing.name == "erl_epmd" => {
                let answer = erl_epmd(ctx.node().clone(), &question).await;
                request::answer(&mut ctx, &from, answer);
            }
            Request::Call(from, question) => {
                let answer = (standing.call)(&ctx, &question).unwrap_or_else(|| unknown_call(&question));
                request::answer(&mut ctx, &from, answer);
            }
            Request::System(from, question) => {
                let answer = sys::service_answer(&ctx, standing.behaviour, standing.name, &from, &question);
                request::answer(&mut ctx, &from, answer);
            }
            Request::Cast(_) => {}
            Request::Info(message) => (standing.info)(&mut ctx, &message),
        }
    }
}

/// `{error, {unknown_call, Question}}`.
pub(super) fn unknown_call(question: &Term) -> Term {
    error(Term::tuple([Term::atom("unknown_call"), question.clone()]))
}

fn error(reason: Term) -> Term {
    Term::tuple([Term::atom("error"), reason])
}

/// `{From, Question}` is answered with `{init, Answer}`; `{stop, _}` ends the node.
fn to_init(ctx: &mut Ctx, message: &Term) {
    let Some([first, second]) = message.as_tuple() else { return };
    if first.is_atom("stop") {
        return init::stop_by_message(ctx.node());
    }
    let Term::Pid(from) = first else { return };
    let answer = match second {
        Term::Atom(word) => match word.as_str() {
            "get_status" => init::status(),
            "get_arguments" => init::arguments(ctx.node()),
            "get_plain_arguments" => crate::config::PlainArguments::term(ctx.node()),
            "fetch_loaded" => Term::NIL,
            "script_id" => init::script_id(),
            _ => return,
        },
        Term::Tuple(pair) => match pair.as_slice() {
            [word, flag] if word.is_atom("get_argument") => init::argument(ctx.node(), flag),
            _ => return,
        },
        _ => return,
    };
    ctx.answer(from, Term::tuple([Term::atom("init"), answer]));
}

/// `{code_call, Pid, Question}` is answered with `{code_server, Answer}`.
fn to_code_server(ctx: &mut Ctx, message: &Term) {
    if let Some([word, Term::Pid(from), question]) = message.as_tuple()
        && word.is_atom("code_call")
        && let Some(answer) = functions::code::answer(ctx.node(), question)
    {
        ctx.answer(from, Term::tuple([Term::atom("code_server"), answer]));
    }
}

/// The event manager of old: `{Label, From, Question}` with a pid as its label, and `{notify, Event}`.
fn to_error_logger(ctx: &mut Ctx, message: &Term) {
    match message.as_tuple() {
        Some([Term::Pid(_), from, question]) => {
            let Ok(from) = <Caller as term::FromTerm>::from_term(from) else { return };
            let answer = manage(question);
            request::answer(ctx, &from, answer);
        }
        Some([word, event]) if word.is_atom("notify") => super::say_legacy(ctx.node(), event),
        _ => {}
    }
}

/// It has no handlers, and takes none.
fn manage(question: &Term) -> Term {
    if question.is_atom("which_handlers") {
        return Term::NIL;
    }
    match question.as_tuple().and_then(|parts| parts.first()?.as_atom()).map(|word| word.as_str()) {
        Some("sync_notify") => {
            tracing::info!("an event of error_logger: {question}");
            Term::atom("ok")
        }
        Some("call") => error(Term::atom("bad_module")),
        Some("delete_handler") => error(Term::atom("module_not_found")),
        Some("add_handler" | "add_sup_handler" | "swap_handler" | "swap_sup_handler") => {
            error(Term::atom("notsup"))
        }
        _ => unknown_call(question),
    }
}

async fn erl_epmd(node: Node, question: &Term) -> Term {
    let registered = || error(Term::atom("already_registered"));
    if question.is_atom("client_info_req") {
        let name = node.name().clone();
        let discovery = NetKernel::of(&node).map(|net| net.discovery());
        let address = match discovery {
            Some(discovery) => discovery.resolve(name.as_str()).await.ok(),
            None => None,
        };
        let local = name.as_str().split_once('@').map_or("", |(local, _)| local);
        let port = address.map_or(-1, |address| i64::from(address.port));
        let info = Term::tuple([Term::atom("r4"), Term::string(local), Term::Int(port)]);
        return Term::tuple([Term::atom("ok"), info]);
    }
    match question.as_tuple().and_then(<[Term]>::first) {
        Some(word) if word.is_atom("register") => registered(),
        _ => unknown_call(question),
    }
}

/// There are no groups of nodes here.
fn global_group(ctx: &Ctx, question: &Term) -> Option<Term> {
    let node = ctx.node();
    let visible = || crate::net_kernel::nodes(node, crate::net_kernel::Kind::Visible);
    Some(match question {
        Term::Atom(word) => match word.as_str() {
            "global_groups" => Term::atom("undefined"),
            "own_nodes" => Term::list([node.name().clone()].into_iter().chain(visible()).map(Term::Atom)),
            "info" => {
                let lists = [
                    "own_group_name",
                    "own_group_nodes",
                    "synced_nodes",
                    "sync_error",
                    "no_contact",
                    "other_groups",
                    "monitoring",
                ];
                let state = Term::tuple([Term::atom("state"), Term::atom("no_conf")]);
                let lists = lists.into_iter().map(|what| Term::tuple([Term::atom(what), Term::NIL]));
                Term::list([state].into_iter().chain(lists))
            }
            "sync" => Term::tuple([Term::atom("error"), Term::atom("no_conf")]),
            _ => illegal(question),
        },
        _ => illegal(question),
    })
}

/// What OTP's says to what it does not understand.
fn illegal(question: &Term) -> Term {
    Term::tuple([Term::atom("illegal_message"), question.clone()])
}
