//! `lists`: the functions that look at one element of tuples. Keys are compared by `==`.

use std::cmp::Ordering;

use term::Term;

use super::lists::by_value;
use super::{Answer, Fault, Module, args};
use args::{boolean, items};

pub(super) const MODULE: Module = Module {
    name: "lists",
    unfit: "function_clause",
    near: &[
        ("keyfind", 3, |_, a| Ok(found(a)?.unwrap_or(boolean(false)))),
        ("keymember", 3, |_, a| Ok(boolean(found(a)?.is_some()))),
        ("keysearch", 3, |_, a| Ok(found(a)?.map_or(boolean(false), |row| args::pair("value", row)))),
        ("keydelete", 3, |_, a| {
            let (mut rows, at) = (items(&a[2])?, position(a)?);
            at.map(|at| rows.remove(at));
            Ok(Term::list(rows))
        }),
        ("keytake", 3, |_, a| {
            let (mut rows, at) = (items(&a[2])?, position(a)?);
            Ok(match at {
                Some(at) => {
                    let row = rows.remove(at);
                    Term::tuple([Term::atom("value"), row, Term::list(rows)])
                }
                None => boolean(false),
            })
        }),
        ("keyreplace", 4, |_, a| replace(a, false)),
        ("keystore", 4, |_, a| replace(a, true)),
        ("keysort", 2, |_, a| sorted(a).map(Term::list)),
        ("ukeysort", 2, |_, a| {
            let place = place(&a[0])?;
            let mut rows = sorted(a)?;
            rows.dedup_by(|next, kept| same(next.as_tuple(), kept.as_tuple(), place));
            Ok(Term::list(rows))
        }),
        ("keymerge", 3, |_, a| {
            let rows = [items(&a[1])?, items(&a[2])?].concat();
            sorted(&[a[0].clone(), Term::list(rows)]).map(Term::list)
        }),
    ],
    far: &[],
};

fn place(term: &Term) -> Result<usize, Fault> {
    args::count(term)?.checked_sub(1).ok_or(Fault::Unfit)
}

fn same(one: Option<&[Term]>, other: Option<&[Term]>, place: usize) -> bool {
    let key = |row: Option<&[Term]>| row.and_then(|row| row.get(place).cloned());
    matches!((key(one), key(other)), (Some(one), Some(other)) if by_value(&one, &other) == Ordering::Equal)
}

/// Where the first row with this key is.
fn position(a: &[Term]) -> Result<Option<usize>, Fault> {
    let place = place(&a[1])?;
    let has_key = |row: Term| {
        let key = row.as_tuple().and_then(|row| row.get(place));
        key.is_some_and(|key| by_value(key, &a[0]) == Ordering::Equal)
    };
    Ok(args::list(&a[2])?.iter().position(has_key))
}

fn found(a: &[Term]) -> Result<Option<Term>, Fault> {
    // Erlang's own are of the runtime system: `badarg`.
    let unfit = |_| Fault::Error(Term::atom("badarg"));
    let at = position(a).map_err(unfit)?;
    Ok(at.and_then(|at| a[2].as_list()?.iter().nth(at)))
}

fn replace(a: &[Term], store: bool) -> Answer {
    args::tuple(&a[3])?;
    let mut rows = items(&a[2])?;
    match position(a)? {
        Some(at) => rows[at] = a[3].clone(),
        None if store => rows.push(a[3].clone()),
        None => {}
    }
    Ok(Term::list(rows))
}

fn sorted(a: &[Term]) -> Result<Vec<Term>, Fault> {
    let (place, mut rows) = (place(&a[0])?, items(&a[1])?);
    if rows.iter().any(|row| row.as_tuple().is_none_or(|row| row.len() <= place)) {
        return Err(Fault::Unfit);
    }
    let key = |row: &Term| row.as_tuple().and_then(|row| row.get(place).cloned());
    rows.sort_by(|one, other| match (key(one), key(other)) {
        (Some(one), Some(other)) => by_value(&one, &other),
        _ => Ordering::Equal,
    });
    Ok(rows)
}
