//! `ets`: putting objects in, changing them, taking them out.

use trunkline::term::Term;

use super::store::{Table, weigh};
use super::{Access, with, yes};
use crate::library::Row;
use crate::library::args::{boolean, items, size};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::Step;
use crate::machine::numbers;
use crate::raise::{Raise, Result};
use crate::world::World;

pub(super) const TABLE: &[Row] = &[
    ("insert", 2, Step(|m, w, a| insert(m, w, &a, false))),
    ("insert_new", 2, Step(|m, w, a| insert(m, w, &a, true))),
    (
        "delete",
        2,
        Step(|m, w, a| {
            with(m, w, &a[0], Access::Write, |table, _| Ok(table.take(&a[1])))?;
            yes()
        }),
    ),
    (
        "take",
        2,
        Step(|m, w, a| {
            with(m, w, &a[0], Access::Write, |table, _| Ok(After::Value(Term::list(table.take(&a[1])))))
        }),
    ),
    (
        "delete_object",
        2,
        Step(|m, w, a| {
            with(m, w, &a[0], Access::Write, |table, _| {
                table.key_of(&a[1]).ok_or_else(Raise::badarg)?;
                table.remove(&a[1]);
                Ok(())
            })?;
            yes()
        }),
    ),
    (
        "delete_all_objects",
        1,
        Step(|m, w, a| {
            with(m, w, &a[0], Access::Write, |table, _| {
                table.clear();
                Ok(())
            })?;
            yes()
        }),
    ),
    ("update_counter", 3, Step(|m, w, a| counter(m, w, &a))),
    ("update_counter", 4, Step(|m, w, a| counter(m, w, &a))),
    ("update_element", 3, Step(|m, w, a| element(m, w, &a))),
    ("update_element", 4, Step(|m, w, a| element(m, w, &a))),
];

fn insert(machine: &Machine, world: &mut dyn World, a: &[Term], new: bool) -> Result<After> {
    let objects = match &a[1] {
        Term::List(_) => items(&a[1])?,
        one => vec![one.clone()],
    };
    let done = with(machine, world, &a[0], Access::Write, |table, room| {
        // All or none.
        if !objects.iter().all(|object| table.key_of(object).is_some()) {
            return Err(Raise::badarg());
        }
        let there = |object: &Term| table.key_of(object).is_some_and(|key| !table.get(key).is_empty());
        if new && objects.iter().any(there) {
            return Ok(false);
        }
        if objects.iter().map(weigh).sum::<usize>() > room {
            return Err(Raise::named("system_limit"));
        }
        objects.into_iter().for_each(|object| table.insert(object));
        Ok(true)
    })?;
    Ok(After::Value(boolean(done)))
}

/// The object of a key in a table where a key has but one.
fn single(table: &Table, key: &Term) -> Result<Option<Vec<Term>>> {
    if table.kind.is_bag() {
        return Err(Raise::badarg());
    }
    Ok(table.get(key).first().and_then(Term::as_tuple).map(<[Term]>::to_vec))
}

fn counter(machine: &Machine, world: &mut dyn World, a: &[Term]) -> Result<After> {
    let (single_op, ops) = match &a[2] {
        Term::List(_) => (false, items(&a[2])?),
        one => (true, vec![one.clone()]),
    };
    with(machine, world, &a[0], Access::Write, |table, room| {
        let mut object = match (single(table, &a[1])?, a.get(3)) {
            (Some(object), _) => object,
            (None, Some(default)) => {
                let mut object = default.as_tuple().ok_or_else(Raise::badarg)?.to_vec();
                *object.get_mut(table.keypos - 1).ok_or_else(Raise::badarg)? = a[1].clone();
                object
            }
            (None, None) => return Err(Raise::badarg()),
        };
        let mut results = Vec::new();
        for op in &ops {
            results.push(count(table.keypos, &mut object, op)?);
        }
        let object = Term::Tuple(object.into());
        if weigh(&object) > room {
            return Err(Raise::named("system_limit"));
        }
        table.insert(object);
        let first = results.first().cloned().filter(|_| single_op);
        Ok(After::Value(first.unwrap_or_else(|| Term::list(results))))
    })
}

/// Counts in an object; its new value.
fn count(keypos: usize, object: &mut [Term], op: &Term) -> Result<Term> {
    let integer = |term: &Term| matches!(term, Term::Int(_) | Term::Big(_));
    let (at, step, limit) = match (op, op.as_tuple()) {
        (Term::Int(_) | Term::Big(_), _) => (keypos + 1, op, None),
        (_, Some([at, step])) => (size(at)?, step, None),
        (_, Some([at, step, limit, reset])) => (size(at)?, step, Some((limit, reset))),
        _ => return Err(Raise::badarg()),
    };
    if at == keypos || !integer(step) {
        return Err(Raise::badarg());
    }
    let place = at.checked_sub(1).and_then(|at| object.get_mut(at)).ok_or_else(Raise::badarg)?;
    if !integer(place) {
        return Err(Raise::badarg());
    }
    let mut value = numbers::add(&[place.clone(), step.clone()])?;
    if let Some((limit, reset)) = limit {
        if !integer(limit) || !integer(reset) {
            return Err(Raise::badarg());
        }
        let over = if *step < Term::Int(0) { value < *limit } else { value > *limit };
        if over {
            value = reset.clone();
        }
    }
    *place = value.clone();
    Ok(value)
}

fn element(machine: &Machine, world: &mut dyn World, a: &[Term]) -> Result<After> {
    let changes = match &a[2] {
        Term::List(_) => items(&a[2])?,
        one => vec![one.clone()],
    };
    let done = with(machine, world, &a[0], Access::Write, |table, room| {
        let mut object = match (single(table, &a[1])?, a.get(3)) {
            (Some(object), _) => object,
            (None, Some(default)) => {
                let mut object = default.as_tuple().ok_or_else(Raise::badarg)?.to_vec();
                *object.get_mut(table.keypos - 1).ok_or_else(Raise::badarg)? = a[1].clone();
                object
            }
            (None, None) => return Ok(false),
        };
        for change in &changes {
            let Some([at, value]) = change.as_tuple() else { return Err(Raise::badarg()) };
            let at = size(at)?;
            if at == 0 || at == table.keypos {
                return Err(Raise::badarg());
            }
            *object.get_mut(at - 1).ok_or_else(Raise::badarg)? = value.clone();
        }
        let object = Term::Tuple(object.into());
        if weigh(&object) > room {
            return Err(Raise::named("system_limit"));
        }
        table.insert(object);
        Ok(true)
    })?;
    Ok(After::Value(boolean(done)))
}
