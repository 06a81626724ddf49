//! `user`: the group leader of last resort. Output from afar appears on standard output; there is no input.

use std::io::Write;
use std::sync::{Arc, Mutex};

use runtime::{Ctx, Node};
use term::{Pid, Term};

use super::start_registered;
use crate::io::{format_on, text_of};
use crate::limits::IO_REQUESTS_MAX;

/// Where the output of a node goes: to standard output unless somebody says otherwise.
#[derive(Default)]
pub(crate) struct Output(Mutex<Option<Sink>>);

pub(crate) type Sink = Arc<dyn Fn(&str) + Send + Sync>;

impl Output {
    pub(crate) fn set(&self, sink: Sink) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(sink);
    }

    fn put(&self, text: &str) {
        let sink = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        match sink {
            Some(sink) => sink(text),
            None => {
                let mut out = std::io::stdout().lock();
                // Nobody reads it: nothing to be done.
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
        }
    }
}

pub(super) fn start(node: &Node) {
    let output = node.shelf::<Output>();
    start_registered(node, "user", move |ctx: Ctx| run(ctx, output.clone()));
}

async fn run(mut ctx: Ctx, output: Arc<Output>) {
    loop {
        // Whatever it is, it is taken: what nobody reads would pile up.
        let message: Term = ctx.receive().await;
        let Some((from, reply_as, request)) = io_request(&message) else { continue };
        let answer = serve(ctx.node(), &output, request);
        ctx.answer(&from, Term::tuple([Term::atom("io_reply"), reply_as, answer]));
    }
}

fn io_request(message: &Term) -> Option<(Pid, Term, Term)> {
    match message.as_tuple() {
        Some([word, Term::Pid(from), reply_as, request]) if word.is_atom("io_request") => {
            Some((from.clone(), reply_as.clone(), request.clone()))
        }
        _ => None,
    }
}

/// Runs a request, and those inside it in their order; stops at the first that fails.
fn serve(node: &Node, output: &Output, request: Term) -> Term {
    let mut waiting = vec![request];
    let mut answer = Term::atom("ok");
    let mut served = 0;
    while let Some(request) = waiting.pop() {
        served += 1;
        if served > IO_REQUESTS_MAX {
            return error("request");
        }
        match request.as_tuple() {
            Some([word, Term::List(more)]) if word.is_atom("requests") => {
                let mut more: Vec<Term> = more.iter().take(IO_REQUESTS_MAX).collect();
                more.reverse();
                waiting.extend(more);
                continue;
            }
            _ => answer = one(node, output, &request),
        }
        if answer.as_tuple().is_some_and(|parts| parts.first().is_some_and(|word| word.is_atom("error"))) {
            return answer;
        }
    }
    answer
}

fn one(node: &Node, output: &Output, request: &Term) -> Term {
    if request.is_atom("getopts") {
        let pair = |key: &str, value: &str| Term::tuple([Term::atom(key), Term::atom(value)]);
        return Term::list([
            pair("expand_fun", "false"),
            pair("echo", "false"),
            pair("binary", "false"),
            pair("encoding", "unicode"),
        ]);
    }
    let parts = request.as_tuple().unwrap_or_default();
    let Some((Term::Atom(word), rest)) = parts.split_first() else { return error("request") };
    match (word.as_str(), rest) {
        ("put_chars", [characters] | [Term::Atom(_), characters]) => put(output, text_of(characters)),
        ("put_chars", [module, function, arguments] | [Term::Atom(_), module, function, arguments]) => {
            let text = match arguments.as_list().map(|list| list.iter().collect::<Vec<_>>()) {
                Some(list) if module.is_atom("io_lib") && function.is_atom("format") && list.len() == 2 => {
                    format_on(node, &list[0], &list[1])
                }
                _ => None,
            };
            put(output, text)
        }
        ("get_line" | "get_chars" | "get_until" | "get_password", _) => Term::atom("eof"),
        ("get_geometry" | "setopts", _) => error("enotsup"),
        _ => error("request"),
    }
}

fn put(output: &Output, text: Option<String>) -> Term {
    match text {
        Some(text) => {
            output.put(&text);
            Term::atom("ok")
        }
        None => error("put_chars"),
    }
}

fn error(why: &str) -> Term {
    Term::tuple([Term::atom("error"), Term::atom(why)])
}
