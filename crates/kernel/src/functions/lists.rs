//! `lists`. Functions with funs take `fun M:F/A` of functions that are exported here.

use std::cmp::Ordering;

use runtime::Ctx;
use term::{List, Numbers, Term, compare};

use super::erlang::arithmetic;
use super::{Answer, Fault, Module, args, funs};
use args::{bounded, count, int, items, list, number, tuple};

pub(super) const MODULE: Module = Module {
    name: "lists",
    unfit: "function_clause",
    near: &[
        ("append", 1, |_, a| {
            let mut lists = items(&a[0])?;
            let last = lists.pop().unwrap_or(Term::NIL);
            lists
                .into_iter()
                .rev()
                .try_fold(last, |behind, before| Ok(List::with_tail(items(&before)?, behind)))
        }),
        ("append", 2, |_, a| Ok(List::with_tail(items(&a[0])?, a[1].clone()))),
        ("delete", 2, |_, a| subtract(&a[1], &Term::list([a[0].clone()]))),
        ("droplast", 1, |_, a| {
            let mut all = items(&a[0])?;
            all.pop().map(|_| Term::list(all)).ok_or(Fault::Unfit)
        }),
        ("duplicate", 2, |_, a| Ok(Term::list(std::iter::repeat_n(a[1].clone(), bounded(count(&a[0])?)?)))),
        ("enumerate", 1, |_, a| {
            let numbered = (1..).zip(items(&a[0])?);
            Ok(Term::list(numbered.map(|(place, item)| Term::tuple([Term::Int(place), item]))))
        }),
        ("flatlength", 1, |_, a| Ok(number(flatten(&a[0])?.len()))),
        ("flatten", 1, |_, a| Ok(Term::list(flatten(&a[0])?))),
        ("flatten", 2, |_, a| list(&a[1]).and_then(|_| Ok(List::with_tail(flatten(&a[0])?, a[1].clone())))),
        ("join", 2, |_, a| joined(&a[0], &a[1])),
        ("last", 1, |_, a| items(&a[0])?.pop().ok_or(Fault::Unfit)),
        ("max", 1, |_, a| best(&a[0], Ordering::Greater)),
        ("min", 1, |_, a| best(&a[0], Ordering::Less)),
        ("member", 2, |_, a| {
            // Of the runtime system in Erlang too: it says so by its error.
            let all = list(&a[1]).map_err(|_| Fault::Error(Term::atom("badarg")))?;
            Ok(args::boolean(all.iter().any(|item| item == a[0])))
        }),
        ("merge", 1, |_, a| {
            let lists = items(&a[0])?;
            let all = lists.iter().map(items).collect::<Result<Vec<_>, Fault>>()?;
            Ok(sorted(all.concat()))
        }),
        ("merge", 2, |_, a| Ok(sorted([items(&a[0])?, items(&a[1])?].concat()))),
        ("nth", 2, |_, a| {
            let place = count(&a[0])?.checked_sub(1);
            place.and_then(|place| a[1].as_list()?.iter().nth(place)).ok_or(Fault::Unfit)
        }),
        ("nthtail", 2, |_, a| {
            let all = items(&a[1])?;
            all.get(count(&a[0])?..).map(|rest| Term::list(rest.iter().cloned())).ok_or(Fault::Unfit)
        }),
        ("prefix", 2, |_, a| Ok(args::boolean(items(&a[1])?.starts_with(&items(&a[0])?)))),
        ("suffix", 2, |_, a| Ok(args::boolean(items(&a[1])?.ends_with(&items(&a[0])?)))),
        ("reverse", 1, |_, a| Ok(Term::list(items(&a[0])?.into_iter().rev()))),
        ("reverse", 2, |_, a| Ok(List::with_tail(items(&a[0])?.into_iter().rev().collect(), a[1].clone()))),
        ("seq", 2, |_, a| seq(int(&a[0])?, int(&a[1])?, 1)),
        ("seq", 3, |_, a| seq(int(&a[0])?, int(&a[1])?, int(&a[2])?)),
        ("sort", 1, |_, a| Ok(sorted(items(&a[0])?))),
        ("split", 2, |_, a| {
            let (at, all) = (count(&a[0])?, items(&a[1])?);
            let (left, right) = all.split_at_checked(at).ok_or(Fault::Error(Term::atom("badarg")))?;
            Ok(Term::tuple([left, right].map(|part| Term::list(part.iter().cloned()))))
        }),
        ("sublist", 2, |_, a| Ok(Term::list(list(&a[0])?.iter().take(count(&a[1])?)))),
        ("sublist", 3, |_, a| {
            let (from, length) = (count(&a[1])?.checked_sub(1).ok_or(Fault::Unfit)?, count(&a[2])?);
            Ok(Term::list(list(&a[0])?.iter().skip(from).take(length)))
        }),
        ("subtract", 2, |_, a| subtract(&a[0], &a[1])),
        ("sum", 1, |_, a| {
            items(&a[0])?.iter().try_fold(Term::Int(0), |sum, item| badarith(arithmetic::sum(&sum, item)))
        }),
        ("uniq", 1, |_, a| {
            let mut seen = std::collections::BTreeSet::new();
            Ok(Term::list(items(&a[0])?.into_iter().filter(|item| seen.insert(item.clone()))))
        }),
        ("unzip", 1, |_, a| unzip(&a[0], 2)),
        ("unzip3", 1, |_, a| unzip(&a[0], 3)),
        ("usort", 1, |_, a| {
            let mut all = items(&a[0])?;
            all.sort_by(by_value);
            all.dedup_by(|one, other| by_value(one, other) == Ordering::Equal);
            Ok(Term::list(all))
        }),
        ("zip", 2, |_, a| zip(a)),
        ("zip3", 3, |_, a| zip(a)),
    ],
    far: &[
        ("map", 2, |mut ctx, a| {
            Box::pin(async move {
                each(&mut ctx, &a).await.map(|values| Term::list(values.into_iter().map(|(_, value)| value)))
            })
        }),
        ("foreach", 2, |mut ctx, a| {
            Box::pin(async move { each(&mut ctx, &a).await.map(|_| Term::atom("ok")) })
        }),
        ("filter", 2, |mut ctx, a| {
            Box::pin(async move {
                let kept =
                    truths(&mut ctx, &a).await?.into_iter().filter(|(_, so)| *so).map(|(item, _)| item);
                Ok(Term::list(kept))
            })
        }),
        ("partition", 2, |mut ctx, a| {
            Box::pin(async move {
                let (left, right): (Vec<_>, Vec<_>) =
                    truths(&mut ctx, &a).await?.into_iter().partition(|(_, so)| *so);
                Ok(Term::tuple([left, right].map(|part| Term::list(part.into_iter().map(|(item, _)| item)))))
            })
        }),
        ("all", 2, |mut ctx, a| {
            Box::pin(async move { Ok(args::boolean(truths(&mut ctx, &a).await?.iter().all(|(_, so)| *so))) })
        }),
        ("any", 2, |mut ctx, a| {
            Box::pin(async move { Ok(args::boolean(truths(&mut ctx, &a).await?.iter().any(|(_, so)| *so))) })
        }),
        ("foldl", 3, |mut ctx, a| {
            Box::pin(async move { fold(&mut ctx, &a[0], a[1].clone(), items(&a[2])?).await })
        }),
        ("foldr", 3, |mut ctx, a| {
            Box::pin(async move {
                fold(&mut ctx, &a[0], a[1].clone(), items(&a[2])?.into_iter().rev().collect()).await
            })
        }),
    ],
};

pub(super) fn by_value(one: &Term, other: &Term) -> Ordering {
    compare(one, other, Numbers::ByValue)
}

/// The elements with something between them.
pub(super) fn joined(between: &Term, all: &Term) -> Answer {
    let items = items(all)?.into_iter().flat_map(|item| [between.clone(), item]);
    Ok(Term::list(items.skip(1)))
}

fn sorted(mut all: Vec<Term>) -> Term {
    all.sort_by(by_value);
    Term::list(all)
}

fn badarith(answer: Answer) -> Answer {
    answer.map_err(|fault| match fault {
        Fault::Unfit => Fault::Error(Term::atom("badarith")),
        fault => fault,
    })
}

/// `A -- B`: for each of B the first of A that is the same goes.
pub(super) fn subtract(from: &Term, what: &Term) -> Answer {
    let mut gone = std::collections::BTreeMap::<Term, usize>::new();
    for item in items(what)? {
        *gone.entry(item).or_default() += 1;
    }
    Ok(Term::list(items(from)?.into_iter().filter(|item| match gone.get_mut(item) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    })))
}

fn flatten(deep: &Term) -> Result<Vec<Term>, Fault> {
    let mut flat = Vec::new();
    let mut waiting = vec![deep.clone()];
    let mut top = true;
    while let Some(term) = waiting.pop() {
        match &term {
            Term::List(list) if list.improper_tail().is_some() => return Err(Fault::Unfit),
            Term::List(list) => waiting.extend(list.iter().collect::<Vec<_>>().into_iter().rev()),
            _ if top => return Err(Fault::Unfit),
            _ => flat.push(term),
        }
        top = false;
    }
    Ok(flat)
}

fn best(all: &Term, wanted: Ordering) -> Answer {
    let better = |best: Term, next: Term| if by_value(&next, &best) == wanted { next } else { best };
    items(all)?.into_iter().reduce(better).ok_or(Fault::Unfit)
}

fn seq(from: i64, to: i64, step: i64) -> Answer {
    let span = i128::from(to) - i128::from(from);
    // As in Erlang the end may lie one step before the beginning.
    let steps = match i128::from(step) {
        0 if span == 0 => return Ok(Term::list([Term::Int(from)])),
        0 => return Err(Fault::Unfit),
        step => (span + step).div_euclid(step),
    };
    let before = span != 0 && (span > 0) != (step > 0) && span != -i128::from(step);
    if before {
        return Err(Fault::Unfit);
    }
    let length = bounded(usize::try_from(steps.max(0)).unwrap_or(usize::MAX))?;
    Ok(Term::list((0..length as i64).map(|n| Term::Int(from + n * step))))
}

fn zip(lists: &[Term]) -> Answer {
    let mut columns = lists.iter().map(items).collect::<Result<Vec<_>, Fault>>()?;
    let length = columns[0].len();
    if columns.iter().any(|column| column.len() != length) {
        return Err(Fault::Unfit);
    }
    let mut columns: Vec<_> = columns.iter_mut().map(|column| column.drain(..)).collect();
    let row = |_| Term::Tuple(columns.iter_mut().filter_map(Iterator::next).collect());
    Ok(Term::list((0..length).map(row).collect::<Vec<_>>()))
}

fn unzip(rows: &Term, width: usize) -> Answer {
    let mut columns = vec![Vec::new(); width];
    for row in items(rows)? {
        let row = tuple(&row)?;
        if row.len() != width {
            return Err(Fault::Unfit);
        }
        columns.iter_mut().zip(row).for_each(|(column, item)| column.push(item.clone()));
    }
    Ok(Term::Tuple(columns.into_iter().map(Term::list).collect()))
}

/// Each element, and what the fun makes of it.
async fn each(ctx: &mut Ctx, a: &[Term]) -> Result<Vec<(Term, Term)>, Fault> {
    funs::check(&a[0], 1)?;
    let mut values = Vec::new();
    for item in items(&a[1])? {
        let value = funs::call(ctx, &a[0], vec![item.clone()]).await?;
        values.push((item, value));
    }
    Ok(values)
}

async fn truths(ctx: &mut Ctx, a: &[Term]) -> Result<Vec<(Term, bool)>, Fault> {
    let values = each(ctx, a).await?;
    let truth = |(item, value): (Term, Term)| match args::truth(&value) {
        Ok(so) => Ok((item, so)),
        Err(_) => Err(Fault::Error(args::pair("case_clause", value))),
    };
    values.into_iter().map(truth).collect()
}

async fn fold(ctx: &mut Ctx, fun: &Term, start: Term, all: Vec<Term>) -> Answer {
    funs::check(fun, 2)?;
    let mut value = start;
    for item in all {
        value = funs::call(ctx, fun, vec![item, value]).await?;
    }
    Ok(value)
}
