//! `ets`: everything that runs over a table with a match specification.

use trunkline::term::Term;

use super::spec::{Here, Spec};
use super::store::Table;
use super::{Access, COMPILED, fun2ms, here, pattern, specification, with};
use crate::library::Row;
use crate::library::args::{boolean, items, ok, size};
use crate::library::convert::string;
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::Step;
use crate::raise::{Raise, Result};
use crate::world::World;

pub(super) const TABLE: &[Row] = &[
    ("select", 2, Step(|m, w, a| every(m, w, &a[0], &specification(&a[1])?, false))),
    ("select_reverse", 2, Step(|m, w, a| every(m, w, &a[0], &specification(&a[1])?, true))),
    ("match", 2, Step(|m, w, a| every(m, w, &a[0], &pattern(&a[1], "$$")?, false))),
    ("match_object", 2, Step(|m, w, a| every(m, w, &a[0], &pattern(&a[1], "$_")?, false))),
    ("select", 3, Step(|m, w, a| begin(m, w, &a, a[1].clone(), false))),
    ("select_reverse", 3, Step(|m, w, a| begin(m, w, &a, a[1].clone(), true))),
    ("match", 3, Step(|m, w, a| begin(m, w, &a, simple(&a[1], "$$"), false))),
    ("match_object", 3, Step(|m, w, a| begin(m, w, &a, simple(&a[1], "$_"), false))),
    ("select", 1, Step(|m, w, a| go_on(m, w, &a[0]))),
    ("select_reverse", 1, Step(|m, w, a| go_on(m, w, &a[0]))),
    ("match", 1, Step(|m, w, a| go_on(m, w, &a[0]))),
    ("match_object", 1, Step(|m, w, a| go_on(m, w, &a[0]))),
    ("select_count", 2, Step(|m, w, a| counted(m, w, &a[0], &specification(&a[1])?))),
    ("select_delete", 2, Step(|m, w, a| deleted(m, w, &a[0], &specification(&a[1])?))),
    (
        "match_delete",
        2,
        Step(|m, w, a| {
            deleted(m, w, &a[0], &pattern(&a[1], "true")?)?;
            Ok(After::Value(boolean(true)))
        }),
    ),
    ("select_replace", 2, Step(|m, w, a| replaced(m, w, &a[0], &specification(&a[1])?))),
    (
        "match_spec_compile",
        1,
        Step(|_, _, a| {
            specification(&a[0])?;
            Ok(After::Value(Term::tuple([Term::atom(COMPILED), a[0].clone()])))
        }),
    ),
    (
        "is_compiled_ms",
        1,
        Step(|_, _, a| {
            let compiled = a[0].as_tuple().is_some_and(|pair| pair.len() == 2 && pair[0].is_atom(COMPILED));
            Ok(After::Value(boolean(compiled)))
        }),
    ),
    (
        "match_spec_run",
        2,
        Step(|_, w, a| {
            let (spec, here) = (specification(&a[1])?, here(w));
            let objects = items(&a[0])?;
            Ok(After::Value(Term::list(objects.iter().filter_map(|object| spec.run(object, &here)))))
        }),
    ),
    ("repair_continuation", 2, Step(|_, _, mut a| Ok(After::Value(a.swap_remove(0))))),
    ("test_ms", 2, Step(|_, w, a| tested(w, &a))),
    ("-fun2ms", 1, Step(|m, _, a| fun2ms::translated(m, &a[0]).map(After::Value))),
];

/// The objects a specification can fit: those of its key if it has one, else all.
fn candidates<'a>(table: &'a Table, spec: &Spec) -> Box<dyn DoubleEndedIterator<Item = &'a Term> + 'a> {
    match spec.key(table.keypos) {
        Some(key) => Box::new(table.get(key).iter()),
        None => Box::new(table.objects()),
    }
}

fn every(m: &Machine, w: &mut dyn World, table: &Term, spec: &Spec, reverse: bool) -> Result<After> {
    let here = here(w);
    with(m, w, table, Access::Read, |table, _| {
        let objects = candidates(table, spec);
        let run = |object: &Term| spec.run(object, &here);
        let found: Vec<Term> =
            if reverse { objects.rev().filter_map(run).collect() } else { objects.filter_map(run).collect() };
        Ok(After::Value(Term::list(found)))
    })
}

fn counted(m: &Machine, w: &mut dyn World, table: &Term, spec: &Spec) -> Result<After> {
    let here = here(w);
    with(m, w, table, Access::Read, |table, _| {
        let count = candidates(table, spec).filter(|object| says_true(spec, object, &here)).count();
        Ok(After::Value(Term::Int(count as i64)))
    })
}

fn says_true(spec: &Spec, object: &Term, here: &Here) -> bool {
    spec.run(object, here).is_some_and(|value| value.is_atom("true"))
}

fn deleted(m: &Machine, w: &mut dyn World, table: &Term, spec: &Spec) -> Result<After> {
    let here = here(w);
    with(m, w, table, Access::Write, |table, _| {
        let before = table.size;
        let gone: Vec<Term> =
            candidates(table, spec).filter(|object| says_true(spec, object, &here)).cloned().collect();
        if gone.len() == before {
            table.clear();
        } else {
            gone.iter().for_each(|object| table.remove(object));
        }
        Ok(After::Value(Term::Int((before - table.size) as i64)))
    })
}

fn replaced(m: &Machine, w: &mut dyn World, table: &Term, spec: &Spec) -> Result<After> {
    let here = here(w);
    with(m, w, table, Access::Write, |table, _| {
        if table.kind == super::store::Kind::Bag {
            return Err(Raise::badarg());
        }
        let mut changes = Vec::new();
        for object in candidates(table, spec) {
            if let Some(new) = spec.run(object, &here) {
                if table.key_of(&new).is_none() || table.key_of(&new) != table.key_of(object) {
                    return Err(Raise::badarg());
                }
                changes.push((object.clone(), new));
            }
        }
        let count = changes.len();
        for (old, new) in changes {
            if table.kind.is_bag() {
                table.remove(&old);
            }
            table.insert(new);
        }
        Ok(After::Value(Term::Int(count as i64)))
    })
}

/// The specification of a pattern, as a term.
fn simple(pattern: &Term, result: &str) -> Term {
    Term::list([Term::tuple([pattern.clone(), Term::NIL, Term::list([Term::atom(result)])])])
}

fn end_of_table() -> Term {
    Term::atom("$end_of_table")
}

/// The first part of a walk in parts.
fn begin(m: &Machine, w: &mut dyn World, a: &[Term], spec: Term, reverse: bool) -> Result<After> {
    specification(&spec)?;
    if size(&a[2])? == 0 {
        return Err(Raise::badarg());
    }
    let tid = with(m, w, &a[0], Access::Read, |table, _| Ok(Term::Ref(table.tid.clone())))?;
    let start = Term::tuple([tid, Term::NIL, spec, a[2].clone(), boolean(reverse)]);
    go_on(m, w, &start)
}

/// Goes on with a walk: `{Table, [] | {Key, Skip}, Spec, Limit, Reverse}`.
fn go_on(m: &Machine, w: &mut dyn World, continuation: &Term) -> Result<After> {
    if continuation.is_atom("$end_of_table") {
        return Ok(After::Value(end_of_table()));
    }
    let Some([table, from, spec, limit, reverse]) = continuation.as_tuple() else {
        return Err(Raise::badarg());
    };
    let (read, most, back) = (specification(spec)?, size(limit)?, reverse.is_atom("true"));
    let from = match from.as_tuple() {
        Some([key, skip]) => Some((key.clone(), size(skip)?)),
        _ => None,
    };
    let here = here(w);
    let (found, at) =
        with(m, w, table, Access::Read, |table, _| Ok(part(table, &read, from, most, back, &here)))?;
    Ok(After::Value(match at {
        Some(at) => {
            let parts = [table.clone(), at, spec.clone(), limit.clone(), reverse.clone()];
            Term::tuple([Term::list(found), Term::tuple(parts)])
        }
        None if found.is_empty() => end_of_table(),
        None => Term::tuple([Term::list(found), end_of_table()]),
    }))
}

/// So many results from a place on, and the place behind them unless the table ended first.
fn part(
    table: &Table,
    spec: &Spec,
    from: Option<(Term, usize)>,
    most: usize,
    back: bool,
    here: &Here,
) -> (Vec<Term>, Option<Term>) {
    let mut found = Vec::new();
    let (mut place, mut skip) = match from {
        None => (table.end(back), 0),
        // Its objects may be gone by now.
        Some((key, skip)) => match table.get(&key) {
            [] => (table.beside(&key, back), 0),
            _ => (table.entry(&key), skip),
        },
    };
    while let Some((key, objects)) = place {
        for (at, object) in objects.iter().enumerate().skip(skip) {
            found.extend(spec.run(object, here));
            if found.len() == most {
                return (found, Some(Term::tuple([key.clone(), Term::Int(at as i64 + 1)])));
            }
        }
        (place, skip) = (table.beside(key, back), 0);
    }
    (found, None)
}

/// `test_ms/2`: what would become of a tuple.
fn tested(w: &mut dyn World, a: &[Term]) -> Result<After> {
    let spec = match Spec::read(&a[1]) {
        Ok(spec) => spec,
        Err(why) => {
            let why = Term::tuple([Term::atom("error"), string(&why)]);
            return Ok(After::Value(Term::tuple([Term::atom("error"), Term::list([why])])));
        }
    };
    if !matches!(a[0], Term::Tuple(_)) {
        return Err(Raise::badarg());
    }
    Ok(After::Value(ok(spec.run(&a[0], &here(w)).unwrap_or_else(|| boolean(false)))))
}
