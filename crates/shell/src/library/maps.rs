//! `maps`: what needs no fun. The rest is `erl/maps.erl`.

use trunkline::term::{Map, Term};

use super::Row;
use super::args::{boolean, items, map, ok};
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("new", 0, Pure(|_| Ok(Term::Map(Map::default())))),
    ("get", 2, Pure(|a| map(&a[1])?.get(&a[0]).cloned().ok_or_else(|| Raise::with("badkey", a[0].clone())))),
    ("get", 3, Pure(|a| Ok(map(&a[1])?.get(&a[0]).cloned().unwrap_or_else(|| a[2].clone())))),
    ("find", 2, Pure(|a| Ok(map(&a[1])?.get(&a[0]).cloned().map_or_else(|| Term::atom("error"), ok)))),
    ("is_key", 2, Pure(|a| Ok(boolean(map(&a[1])?.get(&a[0]).is_some())))),
    (
        "put",
        3,
        Pure(|a| {
            let mut map = map(&a[2])?.clone();
            map.insert(a[0].clone(), a[1].clone());
            Ok(Term::Map(map))
        }),
    ),
    (
        "update",
        3,
        Pure(|a| {
            let mut map = map(&a[2])?.clone();
            if map.get(&a[0]).is_none() {
                return Err(Raise::with("badkey", a[0].clone()));
            }
            map.insert(a[0].clone(), a[1].clone());
            Ok(Term::Map(map))
        }),
    ),
    (
        "remove",
        2,
        Pure(|a| {
            let mut map = map(&a[1])?.clone();
            map.remove(&a[0]);
            Ok(Term::Map(map))
        }),
    ),
    (
        "take",
        2,
        Pure(|a| {
            let mut map = map(&a[1])?.clone();
            Ok(match map.remove(&a[0]) {
                Some(value) => Term::tuple([value, Term::Map(map)]),
                None => Term::atom("error"),
            })
        }),
    ),
    ("keys", 1, Pure(|a| Ok(Term::list(map(&a[0])?.pairs().iter().map(|pair| pair.0.clone()))))),
    ("values", 1, Pure(|a| Ok(Term::list(map(&a[0])?.pairs().iter().map(|pair| pair.1.clone()))))),
    ("to_list", 1, Pure(to_list)),
    ("from_list", 1, Pure(|a| Ok(Term::Map(super::erlang::map_of(&a[0])?)))),
    (
        "from_keys",
        2,
        Pure(|a| Ok(Term::Map(items(&a[0])?.into_iter().map(|key| (key, a[1].clone())).collect()))),
    ),
    (
        "merge",
        2,
        Pure(|a| {
            let (left, right) = (map(&a[0])?, map(&a[1])?);
            Ok(Term::Map(left.pairs().iter().chain(right.pairs()).cloned().collect()))
        }),
    ),
    ("size", 1, Pure(|a| Ok(Term::Int(map(&a[0])?.len() as i64)))),
    ("iterator", 1, Pure(|a| Ok(iterator(map(&a[0])?)))),
    ("next", 1, Pure(next)),
    (
        "with",
        2,
        Pure(|a| {
            let map = map(&a[1])?;
            let keys = keys(&a[0])?;
            let kept = keys.into_iter().filter_map(|key| map.get(&key).cloned().map(|value| (key, value)));
            Ok(Term::Map(kept.collect()))
        }),
    ),
    (
        "without",
        2,
        Pure(|a| {
            let mut map = map(&a[1])?.clone();
            let keys = keys(&a[0])?;
            for key in keys {
                map.remove(&key);
            }
            Ok(Term::Map(map))
        }),
    ),
];

/// The keys of a list; OTP finds out late when it does not end as lists do.
fn keys(term: &Term) -> Result<Vec<Term>> {
    match term {
        Term::List(_) => super::lists::clause(items(term)),
        _ => Err(Raise::badarg()),
    }
}

/// An iterator that is at the beginning: `[0 | Map]`, as OTP has it.
fn iterator(map: &Map) -> Term {
    trunkline::List::with_tail(vec![Term::Int(0)], Term::Map(map.clone()))
}

/// The map of an iterator that is at the beginning.
fn begun(term: &Term) -> Option<&Map> {
    let list = term.as_list()?;
    match (list.len(), list.iter().next(), list.improper_tail()) {
        (1, Some(Term::Int(0)), Some(Term::Map(map))) => Some(map),
        _ => None,
    }
}

fn to_list(a: &[Term]) -> Result<Term> {
    let pair = |(key, value): &(Term, Term)| Term::tuple([key.clone(), value.clone()]);
    let mut all: Vec<Term> = Vec::new();
    match begun(&a[0]).map_or_else(|| map(&a[0]), Ok) {
        Ok(map) => all.extend(map.pairs().iter().map(pair)),
        Err(raise) => {
            let mut rest = a[0].clone();
            while let Some([key, value, next]) = rest.as_tuple() {
                all.push(Term::tuple([key.clone(), value.clone()]));
                rest = next.clone();
            }
            if !rest.is_atom("none") {
                return Err(raise);
            }
        }
    }
    Ok(Term::list(all))
}

fn next(a: &[Term]) -> Result<Term> {
    if let Some(map) = begun(&a[0]) {
        let chained =
            map.pairs().iter().rev().fold(Term::atom("none"), |rest, (key, value)| {
                Term::tuple([key.clone(), value.clone(), rest])
            });
        return Ok(chained);
    }
    match &a[0] {
        Term::Tuple(three) if three.len() == 3 => Ok(a[0].clone()),
        none if none.is_atom("none") => Ok(none.clone()),
        _ => Err(Raise::badarg()),
    }
}
