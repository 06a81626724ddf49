//! `lists`: what is called often or on long lists. The rest is `erl/lists.erl`.

use std::cmp::Ordering;

use trunkline::term::{List, Numbers, Term, compare, equal_by_value};

use super::Row;
use super::args::{boolean, int, items, size};
use super::process::count;
use crate::machine::code::Native::Pure;
use crate::machine::numbers;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    (
        "reverse",
        1,
        Pure(|a| {
            // OTP takes two elements off before it calls what is written in C.
            let short = a[0].as_list().is_none_or(|list| list.len() < 2);
            let reversed = reverse(&a[0], Term::NIL);
            if short { clause(reversed) } else { reversed }
        }),
    ),
    ("reverse", 2, Pure(|a| reverse(&a[0], a[1].clone()))),
    ("append", 2, Pure(super::erlang::append)),
    ("subtract", 2, Pure(super::erlang::subtract)),
    ("member", 2, Pure(|a| Ok(boolean(first(&a[1], |item| *item == a[0])?.is_some())))),
    ("keyfind", 3, Pure(|a| Ok(find(a)?.map_or_else(|| boolean(false), |(_, found)| found)))),
    ("keymember", 3, Pure(|a| Ok(boolean(find(a)?.is_some())))),
    (
        "keysearch",
        3,
        Pure(|a| {
            Ok(find(a)?
                .map_or_else(|| boolean(false), |(_, found)| Term::tuple([Term::atom("value"), found])))
        }),
    ),
    ("sort", 1, Pure(|a| sorted(a, false))),
    ("usort", 1, Pure(|a| sorted(a, true))),
    ("keysort", 2, Pure(|a| key_sorted(a, false))),
    ("ukeysort", 2, Pure(|a| key_sorted(a, true))),
    ("seq", 2, Pure(|a| seq(&a[0], &a[1], &Term::Int(1), "function_clause"))),
    ("seq", 3, Pure(|a| seq(&a[0], &a[1], &a[2], "badarg"))),
    (
        "sum",
        1,
        Pure(|a| {
            clause(items(&a[0]))?.iter().try_fold(Term::Int(0), |sum, item| {
                let both = [sum, item.clone()];
                numbers::add(&both).map_err(|raise| {
                    raise.from_call(&trunkline::Atom::new("erlang"), &trunkline::Atom::new("+"), &both)
                })
            })
        }),
    ),
    (
        "duplicate",
        2,
        Pure(|a| {
            let count = clause(count(&a[0]))?;
            Ok(Term::list(vec![a[1].clone(); count]))
        }),
    ),
    ("flatten", 1, Pure(|a| flatten(&a[0], Term::NIL))),
    ("flatten", 2, Pure(|a| flatten(&a[0], a[1].clone()))),
    (
        "nth",
        2,
        Pure(|a| {
            // What is no number is greater than 1, and cannot be counted down.
            if !matches!(a[0], Term::Int(_) | Term::Big(_) | Term::Float(_))
                && a[1].as_list().is_some_and(|l| !l.is_nil())
            {
                return Err(Raise::badarith());
            }
            let at = clause(size(&a[0]))?;
            let found = at.checked_sub(1).and_then(|at| a[1].as_list()?.iter().nth(at));
            found.ok_or_else(|| {
                let length = a[1].as_list().map_or(0, List::len);
                let left =
                    if at == 0 { a.to_vec() } else { vec![Term::Int((at - length) as i64), Term::NIL] };
                let (module, function) = (trunkline::Atom::new("lists"), trunkline::Atom::new("nth"));
                Raise::named("function_clause").from_call(&module, &function, &left)
            })
        }),
    ),
    ("max", 1, Pure(|a| extreme(a, Ordering::Greater))),
    ("min", 1, Pure(|a| extreme(a, Ordering::Less))),
    ("last", 1, Pure(|a| clause(items(&a[0]))?.pop().ok_or_else(|| Raise::named("function_clause")))),
];

/// Where functions written in Erlang have clauses, what fits none is `function_clause`.
pub(super) fn clause<T>(result: Result<T>) -> Result<T> {
    result
        .map_err(|raise| if raise.reason.is_atom("badarg") { Raise::named("function_clause") } else { raise })
}

fn reverse(list: &Term, tail: Term) -> Result<Term> {
    let mut all = items(list)?;
    all.reverse();
    Ok(List::with_tail(all, tail))
}

/// The first element that is so. What stands behind it is not looked at, even if it ends no list.
fn first(list: &Term, so: impl Fn(&Term) -> bool) -> Result<Option<Term>> {
    let list = list.as_list().ok_or_else(Raise::badarg)?;
    match list.iter().find(so) {
        None if list.improper_tail().is_some() => Err(Raise::badarg()),
        found => Ok(found),
    }
}

/// The greatest integer that OTP keeps in one word.
const SMALL_MAX: usize = (1 << 59) - 1;

fn find(a: &[Term]) -> Result<Option<(usize, Term)>> {
    let at = size(&a[1])?;
    if at == 0 || at > SMALL_MAX {
        return Err(Raise::badarg());
    }
    let has = |item: &Term| {
        item.as_tuple().and_then(|t| t.get(at - 1)).is_some_and(|key| equal_by_value(key, &a[0]))
    };
    Ok(first(&a[2], has)?.map(|found| (at, found)))
}

fn by_value(a: &Term, b: &Term) -> Ordering {
    compare(a, b, Numbers::ByValue)
}

fn sorted(a: &[Term], unique: bool) -> Result<Term> {
    let mut all = clause(items(&a[0]))?;
    all.sort_by(by_value);
    if unique {
        all.dedup_by(|a, b| by_value(a, b) == Ordering::Equal);
    }
    Ok(Term::list(all))
}

fn key_sorted(a: &[Term], unique: bool) -> Result<Term> {
    let at = match &a[0] {
        Term::Int(at @ 1..) => *at as usize,
        Term::Big(_) => usize::MAX,
        _ => return Err(Raise::named("function_clause")),
    };
    if a[1].as_list().is_none() {
        return Err(Raise::with("case_clause", a[1].clone()));
    }
    let all = clause(items(&a[1]))?;
    if all.len() < 2 {
        // OTP does not look into what needs no sorting.
        return Ok(Term::list(all));
    }
    let mut keyed = Vec::new();
    for item in all {
        match item.as_tuple().and_then(|items| items.get(at - 1)).cloned() {
            Some(key) => keyed.push((key, item)),
            None => return Err(Raise::badarg()),
        }
    }
    keyed.sort_by(|a, b| by_value(&a.0, &b.0));
    if unique {
        keyed.dedup_by(|a, b| by_value(&a.0, &b.0) == Ordering::Equal);
    }
    Ok(Term::list(keyed.into_iter().map(|(_, item)| item).collect::<Vec<_>>()))
}

fn seq(from: &Term, to: &Term, step: &Term, reason: &str) -> Result<Term> {
    let wrong = || Raise::named(reason);
    let (from, to, step) = match (int(from), int(to), int(step)) {
        (Ok(from), Ok(to), Ok(step)) => (from, to, step),
        _ => return Err(Raise::named("function_clause")),
    };
    if step == 0 {
        return if from == to { Ok(Term::list([Term::Int(from)])) } else { Err(wrong()) };
    }
    let span = i128::from(to) - i128::from(from);
    let steps = span / i128::from(step);
    // An empty list only where it is one step to it, as in `seq(5, 4)`.
    let missing = (step > 0 && span < 0) || (step < 0 && span > 0);
    if missing {
        return if (i128::from(from) - i128::from(step)).abs_diff(i128::from(to))
            < u128::from(step.unsigned_abs())
            && reaches(from, to, step)
        {
            Ok(Term::NIL)
        } else {
            Err(wrong())
        };
    }
    let count = count(&Term::Int(i64::try_from(steps).map_err(|_| Raise::named("system_limit"))?))? as i64;
    Ok(Term::list((0..=count).map(|at| Term::Int(from + at * step))))
}

/// `First - Step =< Last`, or the other way round when it goes down.
fn reaches(from: i64, to: i64, step: i64) -> bool {
    let before = i128::from(from) - i128::from(step);
    if step > 0 { before <= i128::from(to) } else { before >= i128::from(to) }
}

fn flatten(deep: &Term, tail: Term) -> Result<Term> {
    let mut flat = Vec::new();
    let mut todo = vec![deep.clone()];
    if deep.as_list().is_none() {
        return Err(Raise::named("function_clause"));
    }
    while let Some(next) = todo.pop() {
        let Term::List(list) = next else {
            flat.push(next);
            continue;
        };
        match list.uncons() {
            None => {}
            Some((first, rest)) => {
                if rest.as_list().is_none() {
                    return Err(Raise::named("function_clause"));
                }
                todo.push(rest);
                todo.push(first);
            }
        }
    }
    Ok(List::with_tail(flat, tail))
}

fn extreme(a: &[Term], wanted: Ordering) -> Result<Term> {
    let all = clause(items(&a[0]))?;
    let best =
        all.into_iter().reduce(|best, item| if by_value(&item, &best) == wanted { item } else { best });
    best.ok_or_else(|| Raise::named("function_clause"))
}
