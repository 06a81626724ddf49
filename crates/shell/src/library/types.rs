//! The functions that may stand in guards.

use trunkline::term::{BigInt, Term};

use super::Row;
use super::args::{boolean, int, list, map, tuple};
use crate::machine::bits::Bits;
use crate::machine::code::Native::Pure;
use crate::machine::numbers;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("is_atom", 1, Pure(|a| is(matches!(a[0], Term::Atom(_))))),
    ("is_binary", 1, Pure(|a| is(matches!(a[0], Term::Binary(_))))),
    ("is_bitstring", 1, Pure(|a| is(matches!(a[0], Term::Binary(_) | Term::Bits(_))))),
    ("is_boolean", 1, Pure(|a| is(a[0].is_atom("true") || a[0].is_atom("false")))),
    ("is_float", 1, Pure(|a| is(matches!(a[0], Term::Float(_))))),
    ("is_function", 1, Pure(|a| is(arity(&a[0]).is_some()))),
    ("is_function", 2, Pure(is_function)),
    ("is_integer", 1, Pure(|a| is(is_integer(&a[0])))),
    ("is_integer", 3, Pure(|a| is(is_integer(&a[0]) && a[0] >= a[1] && a[0] <= a[2]))),
    ("is_list", 1, Pure(|a| is(matches!(a[0], Term::List(_))))),
    ("is_map", 1, Pure(|a| is(matches!(a[0], Term::Map(_))))),
    ("is_map_key", 2, Pure(|a| map(&a[1]).map(|map| boolean(map.get(&a[0]).is_some())))),
    ("is_number", 1, Pure(|a| is(matches!(a[0], Term::Int(_) | Term::Big(_) | Term::Float(_))))),
    ("is_pid", 1, Pure(|a| is(matches!(a[0], Term::Pid(_))))),
    ("is_port", 1, Pure(|a| is(matches!(a[0], Term::Port(_))))),
    ("is_reference", 1, Pure(|a| is(matches!(a[0], Term::Ref(_))))),
    ("is_tuple", 1, Pure(|a| is(matches!(a[0], Term::Tuple(_))))),
    ("is_record", 2, Pure(is_record)),
    ("is_record", 3, Pure(is_record)),
    ("abs", 1, Pure(numbers::abs)),
    ("float", 1, Pure(numbers::to_float)),
    ("round", 1, Pure(|a| numbers::rounded(&a[0], f64::round))),
    ("trunc", 1, Pure(|a| numbers::rounded(&a[0], f64::trunc))),
    ("floor", 1, Pure(|a| numbers::rounded(&a[0], f64::floor))),
    ("ceil", 1, Pure(|a| numbers::rounded(&a[0], f64::ceil))),
    (
        "binary_part",
        2,
        Pure(|a| match tuple(&a[1])? {
            [start, length] => binary_part(&a[0], start, length),
            _ => Err(Raise::badarg()),
        }),
    ),
    ("binary_part", 3, Pure(|a| binary_part(&a[0], &a[1], &a[2]))),
    ("bit_size", 1, Pure(|a| bits(&a[0]).map(|bits| Term::Int(bits.length as i64)))),
    ("byte_size", 1, Pure(|a| bits(&a[0]).map(|bits| Term::Int(bits.length.div_ceil(8) as i64)))),
    ("element", 2, Pure(element)),
    ("hd", 1, Pure(|a| ends(&a[0]).map(|(first, _)| first))),
    ("tl", 1, Pure(|a| ends(&a[0]).map(|(_, rest)| rest))),
    ("length", 1, Pure(|a| list(&a[0]).map(|list| Term::Int(list.len() as i64)))),
    (
        "map_get",
        2,
        Pure(|a| map(&a[1])?.get(&a[0]).cloned().ok_or_else(|| Raise::with("badkey", a[0].clone()))),
    ),
    ("map_size", 1, Pure(|a| map(&a[0]).map(|map| Term::Int(map.len() as i64)))),
    ("tuple_size", 1, Pure(|a| tuple(&a[0]).map(|items| Term::Int(items.len() as i64)))),
    (
        "size",
        1,
        Pure(|a| match &a[0] {
            Term::Tuple(items) => Ok(Term::Int(items.len() as i64)),
            other => bits(other).map(|bits| Term::Int(bits.length as i64 / 8)),
        }),
    ),
    (
        "node",
        1,
        Pure(|a| match &a[0] {
            Term::Pid(pid) => Ok(Term::Atom(pid.node.name().clone())),
            Term::Port(port) => Ok(Term::Atom(port.node.name().clone())),
            Term::Ref(reference) => Ok(Term::Atom(reference.node().name().clone())),
            _ => Err(Raise::badarg()),
        }),
    ),
    ("max", 2, Pure(|a| Ok(a[usize::from(super::erlang::by_value(a).is_lt())].clone()))),
    ("min", 2, Pure(|a| Ok(a[usize::from(super::erlang::by_value(a).is_gt())].clone()))),
];

fn is(value: bool) -> Result<Term> {
    Ok(boolean(value))
}

fn is_integer(term: &Term) -> bool {
    matches!(term, Term::Int(_) | Term::Big(_))
}

pub(super) fn arity(term: &Term) -> Option<u8> {
    match term {
        Term::Fun(fun) => Some(fun.arity),
        Term::Export(export) => Some(export.arity),
        _ => None,
    }
}

fn is_function(a: &[Term]) -> Result<Term> {
    match &a[1] {
        Term::Int(count @ 0..) => is(arity(&a[0]).is_some_and(|arity| i64::from(arity) == *count)),
        Term::Big(count) if **count > BigInt::ZERO => is(false),
        _ => Err(Raise::badarg()),
    }
}

fn is_record(a: &[Term]) -> Result<Term> {
    if a[1].as_atom().is_none() {
        return Err(Raise::badarg());
    }
    let size = match a.get(2) {
        Some(size) => Some(int(size)?),
        None => None,
    };
    let tagged =
        |items: &[Term]| items.first() == Some(&a[1]) && size.is_none_or(|n| n == items.len() as i64);
    is(a[0].as_tuple().is_some_and(tagged))
}

fn bits(term: &Term) -> Result<Bits> {
    Bits::of(term).ok_or_else(Raise::badarg)
}

fn ends(term: &Term) -> Result<(Term, Term)> {
    term.as_list().and_then(|list| list.uncons()).ok_or_else(Raise::badarg)
}

fn element(a: &[Term]) -> Result<Term> {
    let at = super::args::size(&a[0])?;
    let items = tuple(&a[1])?;
    at.checked_sub(1).and_then(|at| items.get(at)).cloned().ok_or_else(Raise::badarg)
}

/// A part; with a negative length the part before.
pub(super) fn binary_part(binary: &Term, start: &Term, length: &Term) -> Result<Term> {
    let Term::Binary(binary) = binary else { return Err(Raise::badarg()) };
    let (start, length) = (int(start)?, int(length)?);
    let (from, to) = if length < 0 { (start.checked_add(length), start) } else { (Some(start), start) };
    let _ = to;
    let part = from
        .and_then(|from| usize::try_from(from).ok())
        .and_then(|from| binary.part(from, usize::try_from(length.unsigned_abs()).ok()?));
    match part {
        Some(part) if start >= 0 && start as usize <= binary.len() => Ok(Term::Binary(part)),
        _ => Err(Raise::badarg()),
    }
}
