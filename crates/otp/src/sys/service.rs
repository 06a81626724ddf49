//! What a service answers to `{system, From, Question}` that is a process without a behaviour.

use runtime::Ctx;
use term::{Atom, Term, term};

use super::state_for;
use crate::request::Caller;

/// It shows its name, and is never suspended: other nodes need it.
#[doc(hidden)]
pub fn service_answer(ctx: &Ctx, behaviour: &str, name: &str, from: &Caller, question: &Term) -> Term {
    match (question.as_atom().map(Atom::as_str), question.as_tuple()) {
        (Some("get_state"), _) => state_for(from, Term::atom(name)),
        (Some("get_status"), _) => status(ctx, behaviour, name),
        (Some("suspend" | "resume"), _) => Term::atom("ok"),
        (_, Some([word, what])) if word.is_atom("debug") => debugged(what),
        (_, Some([word, _])) if word.is_atom("replace_state") => term!({error, {callback_failed, notsup}}),
        _ => term!({error, {unknown_system_msg, (question.clone())}}),
    }
}

fn debugged(what: &Term) -> Term {
    match what.as_tuple() {
        Some([word, get]) if word.is_atom("statistics") && get.is_atom("get") => term!({ok, no_statistics}),
        Some([word, get]) if word.is_atom("log") && get.is_atom("get") => term!({ok, (Term::NIL)}),
        _ => Term::atom("ok"),
    }
}

/// `{status, Pid, {module, Behaviour}, [Dictionary, running, Parent, [], Misc]}`.
fn status(ctx: &Ctx, behaviour: &str, name: &str) -> Term {
    let text = Term::string;
    let parent = ctx.whereis("kernel_sup").map_or(Term::atom("undefined"), Term::Pid);
    let misc = term!([
        {header, (text(&format!("Status for generic server {name}")))},
        {data, [{(text("Status")), running}]},
        {data, [{(text("State")), (Term::atom(name))}]}
    ]);
    let items = term!([(Term::NIL), running, (parent), (Term::NIL), (misc)]);
    term!({status, (ctx.pid()), {module, (Atom::new(behaviour))}, (items)})
}
