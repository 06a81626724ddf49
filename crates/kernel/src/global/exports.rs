//! `global`'s functions as other nodes call them by `rpc`.

use std::pin::Pin;
use std::sync::Arc;

use runtime::{Ctx, Exit, ExportedFn, Node};
use term::{Atom, FromTerm, Pid, Term, term};

use super::api;
use super::resolver::{Resolver, resolve_it};
use super::shell::NAME;
use crate::rpc::failure;

/// Exports them.
pub(crate) fn install(node: &Node) {
    crate::via::install(node);
    for (function, arity, body) in TABLE {
        let (function, body) = (*function, *body);
        let exported: ExportedFn = Arc::new(move |ctx, arguments| {
            Box::pin(async move {
                let answer = body(ctx, arguments.clone()).await;
                answer.ok_or_else(|| {
                    failure("function_clause", Atom::new("global"), Atom::new(function), arguments)
                })
            })
        });
        node.export("global", function, Some(*arity), exported);
    }
    node.export("global", "send", Some(2), Arc::new(|ctx, args| Box::pin(send(ctx, args))));
}

type Answer = Pin<Box<dyn Future<Output = Option<Term>> + Send>>;
/// Nothing: the arguments do not fit.
type Body = fn(Ctx, Vec<Term>) -> Answer;

const TABLE: &[(&str, u8, Body)] = &[
    ("register_name", 2, |ctx, args| Box::pin(register(ctx, args))),
    ("register_name", 3, |ctx, args| Box::pin(register(ctx, args))),
    ("re_register_name", 2, |ctx, args| Box::pin(re_register(ctx, args))),
    ("re_register_name", 3, |ctx, args| Box::pin(re_register(ctx, args))),
    ("unregister_name", 1, |ctx, mut args| {
        Box::pin(async move {
            api::unregister(ctx.node(), args.remove(0)).await;
            Some(Term::atom("ok"))
        })
    }),
    ("whereis_name", 1, |ctx, mut args| {
        Box::pin(async move {
            Some(api::whereis(ctx.node(), args.remove(0)).map_or(Term::atom("undefined"), Term::Pid))
        })
    }),
    ("registered_names", 0, |ctx, _| {
        Box::pin(async move { Some(Term::list(api::registered_names(ctx.node()))) })
    }),
    ("resolve_it", 4, |ctx, args| {
        Box::pin(async move { Some(resolve_it(ctx, <[Term; 4]>::try_from(args).ok()?).await) })
    }),
    ("set_lock", 1, |ctx, args| Box::pin(set_lock(ctx, args))),
    ("set_lock", 2, |ctx, args| Box::pin(set_lock(ctx, args))),
    ("set_lock", 3, |ctx, args| Box::pin(set_lock(ctx, args))),
    ("del_lock", 1, |ctx, args| Box::pin(del_lock(ctx, args))),
    ("del_lock", 2, |ctx, args| Box::pin(del_lock(ctx, args))),
    ("sync", 0, |ctx, _| {
        Box::pin(async move {
            api::sync(ctx.node()).await;
            Some(Term::atom("ok"))
        })
    }),
    ("info", 0, |mut ctx, _| {
        Box::pin(async move { otp::request::call(&mut ctx, NAME, Term::atom("info"), None).await.ok() })
    }),
    ("disconnect", 0, |ctx, _| {
        Box::pin(async move {
            let nodes = api::disconnect(ctx.node()).await;
            Some(Term::list(nodes.into_iter().map(Term::Atom)))
        })
    }),
];

async fn register(ctx: Ctx, args: Vec<Term>) -> Option<Term> {
    let (pid, resolver) = (Pid::from_term(&args[1]).ok()?, resolver(args.get(2))?);
    let had = api::register_with(ctx.node(), args[0].clone(), &pid, &resolver).await;
    Some(Term::atom(if had { "yes" } else { "no" }))
}

async fn re_register(ctx: Ctx, args: Vec<Term>) -> Option<Term> {
    let (pid, resolver) = (Pid::from_term(&args[1]).ok()?, resolver(args.get(2))?);
    api::re_register_with(ctx.node(), args[0].clone(), &pid, &resolver).await;
    Some(Term::atom("yes"))
}

/// A fun of three arguments, or `{Module, Function}`, as it was before funs.
fn resolver(method: Option<&Term>) -> Option<Resolver> {
    match method {
        None => Some(Resolver::default()),
        Some(fun @ (Term::Fun(_) | Term::Export(_))) => Some(Resolver(fun.clone())),
        Some(pair) => match pair.as_tuple()? {
            [Term::Atom(module), Term::Atom(function)] => {
                Some(Resolver::exported(module.clone(), function.clone()))
            }
            _ => None,
        },
    }
}

/// Gives back the pid; exits with `{badarg, {Name, Message}}` when nobody has the name.
async fn send(mut ctx: Ctx, args: Vec<Term>) -> Result<Term, Exit> {
    let (name, message) = (args[0].clone(), args[1].clone());
    let sent = api::send(&mut ctx, name.clone(), message.clone());
    sent.map(Term::Pid).ok_or_else(|| Exit(term!({badarg, {(name), (message)}})))
}

/// The lock belongs to the process that runs this, and ends with it: so it is for OTP's own callers too.
async fn set_lock(mut ctx: Ctx, args: Vec<Term>) -> Option<Term> {
    let (resource, requester) = lock(&args[0])?;
    let nodes = nodes(args.get(1))?;
    let retries = match args.get(2) {
        None => None,
        Some(Term::Atom(word)) if *word == "infinity" => None,
        Some(retries) => Some(u32::try_from(retries.as_int()?).ok()?),
    };
    let had = api::set_lock(&mut ctx, resource, requester, nodes.as_deref(), retries).await;
    Some(Term::atom(if had { "true" } else { "false" }))
}

async fn del_lock(mut ctx: Ctx, args: Vec<Term>) -> Option<Term> {
    let (resource, requester) = lock(&args[0])?;
    api::del_lock(&mut ctx, resource, requester, nodes(args.get(1))?.as_deref()).await;
    Some(Term::atom("true"))
}

fn lock(id: &Term) -> Option<(Term, Term)> {
    match id.as_tuple()? {
        [resource, requester] => Some((resource.clone(), requester.clone())),
        _ => None,
    }
}

fn nodes(list: Option<&Term>) -> Option<Option<Vec<Atom>>> {
    list.map(|list| Vec::from_term(list).ok()).map_or(Some(None), |nodes| nodes.map(Some))
}
