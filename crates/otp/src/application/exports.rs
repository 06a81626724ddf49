//! `application`'s functions, as other nodes call them.

use std::pin::Pin;
use std::sync::Arc;

use runtime::{Ctx, Exit, ExportedFn, Node};
use term::{Atom, Term, term};

use super::spec::{KEYS, atoms};
use super::{ApplicationError, api};

/// Lets others call them.
pub fn export(node: &Node) {
    for (function, arity, body) in TABLE {
        let (function, body) = (*function, *body);
        let exported: ExportedFn = Arc::new(move |ctx, arguments| {
            Box::pin(async move {
                let answer = body(ctx, arguments.clone()).await;
                let failed = || {
                    let call = term!({application, (Atom::new(function)), (Term::list(arguments)), []});
                    Exit(term!({function_clause, [(call)]}))
                };
                answer.ok_or_else(failed)
            })
        });
        node.export("application", function, Some(*arity), exported);
    }
}

type Answer = Pin<Box<dyn Future<Output = Option<Term>> + Send>>;
/// Nothing: the arguments do not fit.
type Body = fn(Ctx, Vec<Term>) -> Answer;

/// A function that answers at once.
macro_rules! near {
    (|$node:ident, $a:ident| $body:expr) => {
        |ctx, $a| {
            Box::pin(async move {
                let $node = ctx.node();
                $body
            })
        }
    };
}

const TABLE: &[(&str, u8, Body)] = &[
    ("which_applications", 0, near!(|node, _a| Some(api::shown_term(api::which_applications(node))))),
    ("which_applications", 1, near!(|node, _a| Some(api::shown_term(api::which_applications(node))))),
    ("loaded_applications", 0, near!(|node, _a| Some(api::shown_term(api::loaded_applications(node))))),
    ("get_env", 2, near!(|node, a| Some(found(api::get_env(node, name(&a[0])?, name(&a[1])?))))),
    (
        "get_env",
        3,
        near!(|node, a| Some(api::get_env(node, name(&a[0])?, name(&a[1])?).unwrap_or_else(|| a[2].clone()))),
    ),
    ("get_all_env", 1, near!(|node, a| Some(all_env(node, &name(&a[0])?)))),
    ("get_key", 2, near!(|node, a| Some(found(api::get_key(node, name(&a[0])?, name(&a[1])?.as_str()))))),
    ("get_all_key", 1, near!(|node, a| Some(all_keys(node, &name(&a[0])?)))),
    ("get_application", 1, near!(|node, a| Some(application_of(node, &a[0])))),
    ("set_env", 3, near!(|node, a| set_env(node, &a))),
    ("set_env", 4, near!(|node, a| set_env(node, &a))),
    ("unset_env", 2, near!(|node, a| unset_env(node, &a))),
    ("unset_env", 3, near!(|node, a| unset_env(node, &a))),
    ("info", 0, |mut ctx, _| {
        Box::pin(async move { told(api::ask_from(&mut ctx, Term::atom("info")).await) })
    }),
    ("load", 1, |ctx, a| Box::pin(ask(ctx, "load_application", a))),
    ("unload", 1, |ctx, a| Box::pin(ask(ctx, "unload_application", a))),
    ("stop", 1, |ctx, a| Box::pin(ask(ctx, "stop_application", a))),
    ("start", 1, |ctx, a| Box::pin(start(ctx, a))),
    ("start", 2, |ctx, a| Box::pin(start(ctx, a))),
    ("ensure_started", 1, |ctx, a| Box::pin(ensure_started(ctx, a))),
    ("ensure_started", 2, |ctx, a| Box::pin(ensure_started(ctx, a))),
    ("ensure_all_started", 1, |ctx, a| Box::pin(ensure_all_started(ctx, a))),
    ("ensure_all_started", 2, |ctx, a| Box::pin(ensure_all_started(ctx, a))),
    ("ensure_loaded", 1, |ctx, a| Box::pin(ensure_loaded(ctx, a))),
];

fn name(term: &Term) -> Option<Atom> {
    term.as_atom().cloned()
}

/// `{ok, Value}` or `undefined`.
fn found(value: Option<Term>) -> Term {
    value.map_or(Term::atom("undefined"), |value| term!({ok, (value)}))
}

fn told(answer: Result<Term, ApplicationError>) -> Option<Term> {
    Some(answer.unwrap_or_else(|_| term!({error, noproc})))
}

fn all_env(node: &Node, name: &Atom) -> Term {
    Term::list(api::get_all_env(node, name.clone()).into_iter().map(|(key, value)| term!({(key), (value)})))
}

fn all_keys(node: &Node, name: &Atom) -> Term {
    found(api::spec_of(node, name).map(|spec| {
        Term::list(KEYS.iter().filter_map(|key| Some(term!({(Atom::new(key)), (spec.key(key)?)}))))
    }))
}

fn application_of(node: &Node, what: &Term) -> Term {
    found(what.as_pid().and_then(|pid| api::get_application(node, pid)).map(Term::Atom))
}

fn set_env(node: &Node, a: &[Term]) -> Option<Term> {
    api::set_env(node, name(&a[0])?, name(&a[1])?, a[2].clone());
    Some(Term::atom("ok"))
}

fn unset_env(node: &Node, a: &[Term]) -> Option<Term> {
    api::unset_env(node, name(&a[0])?, name(&a[1])?);
    Some(Term::atom("ok"))
}

async fn ask(mut ctx: Ctx, word: &'static str, mut a: Vec<Term>) -> Option<Term> {
    told(api::ask_from(&mut ctx, term!({(Atom::new(word)), (a.remove(0))})).await)
}

fn kind(a: &[Term]) -> Term {
    a.get(1).cloned().unwrap_or(Term::atom("temporary"))
}

async fn start(mut ctx: Ctx, a: Vec<Term>) -> Option<Term> {
    let name = match a[0].as_tuple() {
        Some([tag, Term::Atom(name), _]) if tag.is_atom("application") => name.clone(),
        _ => name(&a[0])?,
    };
    told(api::start_what(&mut ctx, &a[0], &name, &kind(&a)).await)
}

async fn ensure_started(mut ctx: Ctx, a: Vec<Term>) -> Option<Term> {
    let name = name(&a[0])?;
    let answer = told(api::start_from(&mut ctx, &name, &kind(&a)).await)?;
    let already = term!({error, {already_started, (name)}});
    Some(if answer == already { Term::atom("ok") } else { answer })
}

async fn ensure_all_started(mut ctx: Ctx, a: Vec<Term>) -> Option<Term> {
    let names = match &a[0] {
        Term::Atom(name) => vec![name.clone()],
        list => atoms(list)?,
    };
    told(api::ensure_all_from(&mut ctx, names, &kind(&a)).await)
}

async fn ensure_loaded(ctx: Ctx, a: Vec<Term>) -> Option<Term> {
    let loaded = api::loaded(ctx.node(), name(&a[0])?);
    if loaded { Some(Term::atom("ok")) } else { ask(ctx, "load_application", a).await }
}
