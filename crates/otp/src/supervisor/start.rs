//! Starting children that are not Rust values here: exported functions, and processes of other nodes.

use runtime::{Ctx, Down, SpawnAt};
use term::{Atom, FromTerm, Pid, Ref, Term, term};

use super::spec::Starting;
use crate::proc_lib::StartError;

/// A call by name: module, function, arguments.
pub(super) type Call = (Atom, Atom, Vec<Term>);

/// What a start gave, as a supervisor sees it.
pub(super) fn outcome(started: Result<Option<Pid>, StartError>) -> Result<Option<Pid>, Term> {
    match started {
        Ok(pid) => Ok(pid),
        Err(StartError::Ignored) => Ok(None),
        Err(error) => Err(error.reason()),
    }
}

/// What a start function of OTP's kind returned.
fn returned(value: &Term) -> Result<Option<Pid>, Term> {
    if value.is_atom("ignore") {
        return Ok(None);
    }
    match value.as_tuple() {
        Some([ok, Term::Pid(pid)] | [ok, Term::Pid(pid), _]) if ok.is_atom("ok") => Ok(Some(pid.clone())),
        Some([error, reason]) if error.is_atom("error") => Err(reason.clone()),
        _ => Err(value.clone()),
    }
}

/// Calls an exported function of this node, in a process of its own, and links to what it started.
pub(super) fn call_here(ctx: &mut Ctx, (module, function, args): Call) -> Starting<'_> {
    Box::pin(async move {
        let arity = u8::try_from(args.len()).unwrap_or(u8::MAX);
        let Some(body) = ctx.node().exported(&module, &function, arity) else {
            let call = term!({(module), (function), (args), []});
            return Err(term!({(Term::atom("EXIT")), {undef, [(call)]}}));
        };
        let answer = ctx.node().try_run(move |ctx| body(ctx, args)).await;
        let value = match answer {
            Some(Ok(value)) => value,
            Some(Err(exit)) => return Err(term!({(Term::atom("EXIT")), (exit.sorted().0.0)})),
            None => return Err(Term::atom("killed")),
        };
        linked(ctx, returned(&value))
    })
}

fn linked(ctx: &mut Ctx, started: Result<Option<Pid>, Term>) -> Result<Option<Pid>, Term> {
    if let Ok(Some(pid)) = &started {
        ctx.link(pid);
    }
    started
}

/// Calls a function on a node, as `erpc` does, and links to what it started.
pub(super) fn call_at(ctx: &mut Ctx, node: Atom, (module, function, args): Call) -> Starting<'_> {
    Box::pin(async move {
        let mark = ctx.mark();
        let tag = ctx.make_ref();
        let call = vec![Term::Ref(tag.clone()), Term::Atom(module), Term::Atom(function), Term::list(args)];
        let how = SpawnAt { link: false, monitor: true };
        let (_, watch) = match ctx.spawn_at(node, "erpc", "execute_call", call, how).await {
            Ok(spawned) => spawned,
            Err(error) => return Err(Term::atom(&error.to_string())),
        };
        let reason = ctx.select_from(mark, |message| end_of(message, &watch)).await;
        match reason.as_tuple() {
            Some([Term::Ref(back), word, value]) if *back == tag && word.is_atom("return") => {
                linked(ctx, returned(value))
            }
            _ => Err(term!({(Term::atom("EXIT")), (reason)})),
        }
    })
}

fn end_of(message: &Term, watch: &Ref) -> Option<Term> {
    Down::from_term(message).ok().filter(|down| down.reference == *watch).map(|down| down.reason)
}

/// Starts a behaviour of an OTP node as `proc_lib:start_link` does, with this process as its parent; what it says to its
/// parent (`proc_lib:init_ack/2`, `init_fail/3`) is `{ack | nack, Pid, Return}`.
pub(super) fn link_at(
    ctx: &mut Ctx,
    node: Atom,
    (behaviour, module, args): (Atom, Atom, Term),
    how: SpawnAt,
) -> Starting<'_> {
    Box::pin(async move {
        let mark = ctx.mark();
        let me = ctx.pid();
        let init = term!([(behaviour), (me.clone()), (me.clone()), (module), (args), []]);
        let arguments =
            vec![Term::Pid(me.clone()), term!([(me)]), Term::atom("gen"), Term::atom("init_it"), init];
        let (pid, watch) = match ctx.spawn_at(node, "proc_lib", "init_p", arguments, how).await {
            Ok(spawned) => spawned,
            Err(error) => return Err(Term::atom(&error.to_string())),
        };
        let told = ctx
            .select_from(mark, |message| match message.as_tuple() {
                Some([word, Term::Pid(from), told])
                    if *from == pid && (word.is_atom("ack") || word.is_atom("nack")) =>
                {
                    Some(returned(told))
                }
                _ => end_of(message, &watch).map(Err),
            })
            .await;
        ctx.demonitor(&watch, true);
        if !matches!(told, Ok(Some(_))) {
            // Its exit signal says the same again.
            super::children::unlink_flush(ctx, &pid);
        }
        told
    })
}
