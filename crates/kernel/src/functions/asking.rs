//! Asking processes in the words of OTP's behaviours, for functions that do so in the name of their callers.

use std::time::Duration;

use runtime::{AliasMode, Ctx, Down, To};
use term::{Atom, FromTerm, List, Term};

use super::Fault;

/// Somebody who can be asked: a pid, a name, `{Name, Node}`, `{global, Name}`.
pub(super) fn server(ctx: &Ctx, term: &Term) -> Result<Option<To<'static>>, Fault> {
    Ok(Some(match term {
        Term::Pid(pid) => To::Pid(pid.clone()),
        Term::Atom(name) => To::Name(name.clone()),
        Term::Tuple(parts) => match parts.as_slice() {
            [Term::Atom(word), name] if *word == "global" => {
                return Ok(crate::global::whereis(ctx.node(), name.clone()).map(To::Pid));
            }
            [Term::Atom(name), Term::Atom(node)] => To::NameAt(name.clone(), node.clone()),
            [word, _, _] if word.is_atom("via") => return Ok(None),
            _ => return Err(Fault::Unfit),
        },
        _ => return Err(Fault::Unfit),
    }))
}

/// Sends `{Label, {Self, Tag}, Question}` and waits for `{Tag, Answer}`; why there is none.
pub(super) async fn ask(
    ctx: &mut Ctx,
    to: &Term,
    label: Term,
    question: Term,
    within: Option<Duration>,
) -> Result<Result<Term, Term>, Fault> {
    let Some(to) = server(ctx, to)? else { return Ok(Err(Term::atom("noproc"))) };
    let mark = ctx.mark();
    let alias = ctx.monitor_with_alias(to.clone(), AliasMode::ReplyDemonitor);
    let tag = Term::List(List::cons(Term::atom("alias"), Term::Ref(alias.clone())));
    let from = Term::tuple([Term::Pid(ctx.pid()), tag.clone()]);
    ctx.send(to, Term::tuple([label, from, question]));
    let pick = |message: &Term| match message.as_tuple() {
        Some([first, answer]) if *first == tag => Some(Ok(answer.clone())),
        _ => {
            let down = Down::from_term(message).ok().filter(|down| down.reference == alias)?;
            Some(Err(reason(down)))
        }
    };
    let answer = match within {
        Some(wait) => ctx.select_from_within(mark, wait, pick).await,
        None => Some(ctx.select_from(mark, pick).await),
    };
    ctx.demonitor(&alias, true);
    Ok(answer.unwrap_or(Err(Term::atom("timeout"))))
}

/// As `gen:call` names it.
fn reason(down: Down) -> Term {
    match (&down.reason, &down.target) {
        (Term::Atom(word), Term::Tuple(place)) if *word == "noconnection" => {
            let node = place.get(1).cloned().unwrap_or(Term::NIL);
            Term::tuple([Term::atom("nodedown"), node])
        }
        _ => down.reason,
    }
}

/// The word in front of a generic server's questions.
pub(super) fn gen_call() -> Term {
    Term::Atom(Atom::inline("$gen_call"))
}
