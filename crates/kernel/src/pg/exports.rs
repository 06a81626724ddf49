//! `pg`'s functions as other nodes call them by `rpc`.

use std::sync::Arc;

use runtime::{Ctx, Exit, ExportedFn, Node};
use term::{Atom, IntoTerm, Pid, Term};

use super::start::find;
use super::{DEFAULT_SCOPE, PgError, StartError, wire};

/// Exports them.
pub(crate) fn install(node: &Node) {
    for (function, arity, body) in TABLE {
        let (function, body) = (*function, *body);
        let exported: ExportedFn = Arc::new(move |ctx, arguments| {
            // The scope stands before the other arguments, where it is given.
            Box::pin(async move { body(&ctx, &arguments).map_err(|error| raise(error, function, arguments)) })
        });
        node.export("pg", function, Some(*arity), exported);
    }
}

type Body = fn(&Ctx, &[Term]) -> Result<Term, Error>;

const TABLE: &[(&str, u8, Body)] = &[
    ("get_members", 1, |ctx, args| Ok(super::members(ctx.node(), args[0].clone()).into_term())),
    ("get_members", 2, |ctx, args| {
        Ok(super::members_in(ctx.node(), atom(&args[0])?, args[1].clone()).into_term())
    }),
    ("get_local_members", 1, |ctx, args| Ok(super::local_members(ctx.node(), args[0].clone()).into_term())),
    ("get_local_members", 2, |ctx, args| {
        Ok(super::local_members_in(ctx.node(), atom(&args[0])?, args[1].clone()).into_term())
    }),
    ("which_groups", 0, |ctx, _| Ok(Term::list(super::which_groups(ctx.node())))),
    ("which_groups", 1, |ctx, args| {
        Ok(Term::list(super::which_groups_in(ctx.node(), started(ctx, &args[0])?)))
    }),
    ("which_local_groups", 0, |ctx, _| Ok(Term::list(super::which_local_groups(ctx.node())))),
    ("which_local_groups", 1, |ctx, args| {
        Ok(Term::list(super::which_local_groups_in(ctx.node(), started(ctx, &args[0])?)))
    }),
    ("join", 2, |ctx, args| {
        super::join(ctx.node(), args[0].clone(), local(ctx, &args[1])?)?;
        Ok(Term::atom("ok"))
    }),
    ("join", 3, |ctx, args| {
        super::join_in(ctx.node(), atom(&args[0])?, args[1].clone(), local(ctx, &args[2])?)?;
        Ok(Term::atom("ok"))
    }),
    ("leave", 2, |ctx, args| Ok(left(super::leave(ctx.node(), args[0].clone(), local(ctx, &args[1])?)?))),
    ("leave", 3, |ctx, args| {
        let left_any = super::leave_in(ctx.node(), atom(&args[0])?, args[1].clone(), local(ctx, &args[2])?)?;
        Ok(left(left_any))
    }),
    ("start", 1, |ctx, args| {
        Ok(match super::start(ctx.node(), atom(&args[0])?) {
            Ok(pid) => Term::tuple([Term::atom("ok"), Term::Pid(pid)]),
            Err(StartError::AlreadyStarted(pid)) => {
                let why = Term::tuple([Term::atom("already_started"), Term::Pid(pid)]);
                Term::tuple([Term::atom("error"), why])
            }
            Err(StartError::NameTaken(_)) => Term::tuple([Term::atom("error"), Term::atom("badarg")]),
        })
    }),
];

/// An error of Erlang, or an exit.
enum Error {
    Error(Term),
    Exit(Term),
}

impl From<PgError> for Error {
    fn from(error: PgError) -> Error {
        match error {
            PgError::NoScope(scope) => {
                let call = Term::list([Term::Atom(scope)]);
                let call = Term::tuple([Term::atom("gen_server"), Term::atom("call"), call]);
                Error::Exit(Term::tuple([Term::atom("noproc"), call]))
            }
            PgError::NotLocal(pid) => Error::nolocal(Term::Pid(pid)),
            PgError::TooManyMonitors => Error::Error(Term::atom("system_limit")),
        }
    }
}

impl Error {
    /// What OTP says of processes that live elsewhere, and of what is no process.
    fn nolocal(bad: Term) -> Error {
        Error::Error(Term::tuple([Term::atom("nolocal"), bad]))
    }
}

fn raise(error: Error, function: &str, arguments: Vec<Term>) -> Exit {
    Exit(match error {
        Error::Exit(reason) => reason,
        Error::Error(reason) => {
            let call = [Term::atom("pg"), Term::atom(function), Term::list(arguments), Term::NIL];
            Term::tuple([reason, Term::list([Term::tuple(call)])])
        }
    })
}

fn atom(term: &Term) -> Result<Atom, Error> {
    term.as_atom().cloned().ok_or(Error::Error(Term::atom("function_clause")))
}

/// A scope that is there; of another OTP finds no table.
fn started(ctx: &Ctx, term: &Term) -> Result<Atom, Error> {
    let scope = atom(term)?;
    let there = scope == DEFAULT_SCOPE || find(ctx.node(), &scope).is_some();
    there.then_some(scope).ok_or(Error::Error(Term::atom("badarg")))
}

fn local(ctx: &Ctx, term: &Term) -> Result<Vec<Pid>, Error> {
    let pids = wire::pids_of(term).ok_or_else(|| Error::nolocal(term.clone()))?;
    match pids.iter().find(|pid| pid.node != *ctx.node().id()) {
        Some(stranger) => Err(Error::nolocal(Term::Pid(stranger.clone()))),
        None => Ok(pids),
    }
}

fn left(any: bool) -> Term {
    Term::atom(if any { "ok" } else { "not_joined" })
}
