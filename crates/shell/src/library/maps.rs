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

/// An iterator: its pairs, with `none` in the place of the end.
fn iterator(map: &Map) -> Term {
    let pairs = map.pairs().iter().map(|(key, value)| Term::tuple([key.clone(), value.clone()]));
    trunkline::List::with_tail(pairs.collect(), Term::atom("none"))
}

/// The pairs of an iterator.
fn rest(term: &Term) -> Option<Option<&trunkline::List>> {
    match term {
        Term::List(list) if list.improper_tail().is_some_and(|tail| tail.is_atom("none")) => Some(Some(list)),
        _ if term.is_atom("none") => Some(None),
        _ => None,
    }
}

fn to_list(a: &[Term]) -> Result<Term> {
    if let Some(pairs) = rest(&a[0]) {
        return Ok(Term::list(pairs.map(|pairs| pairs.iter().collect()).unwrap_or_else(Vec::new)));
    }
    Ok(Term::list(map(&a[0])?.pairs().iter().map(|(key, value)| Term::tuple([key.clone(), value.clone()]))))
}

fn next(a: &[Term]) -> Result<Term> {
    let Some(pairs) = rest(&a[0]) else { return Err(Raise::badarg()) };
    match pairs.and_then(trunkline::List::uncons) {
        None => Ok(Term::atom("none")),
        Some((first, rest)) => match first.as_tuple() {
            Some([key, value]) => Ok(Term::tuple([key.clone(), value.clone(), rest])),
            _ => Err(Raise::badarg()),
        },
    }
}
