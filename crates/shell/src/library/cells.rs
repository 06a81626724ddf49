//! `persistent_term`, `counters`, `atomics`, and the generator of `rand`: values that many processes share.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use trunkline::Ref;
use trunkline::term::{List, Term};

use super::Row;
use super::args::{atom, int, items, size};
use crate::limits::{CELLS_MAX, PERSISTENT_TERMS_MAX};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::{Pure, Step};
use crate::machine::numbers::big;
use crate::raise::{Raise, Result};
use crate::world::World;

/// What is shared.
#[derive(Default)]
pub(crate) struct Cells {
    persistent: BTreeMap<Term, Term>,
    /// Arrays by reference. Nobody knows when the last reference is gone: they stay.
    arrays: BTreeMap<Ref, Array>,
    count: usize,
}

struct Array {
    /// Bits of 64-bit integers.
    cells: Vec<u64>,
    signed: bool,
    /// `atomics`, not `counters`.
    atomic: bool,
}

fn cells(machine: &Machine) -> MutexGuard<'_, Cells> {
    machine.vm.cells.lock().unwrap_or_else(PoisonError::into_inner)
}

fn value(term: Term) -> Result<After> {
    Ok(After::Value(term))
}

fn fine() -> Result<After> {
    value(Term::atom("ok"))
}

pub(super) const PERSISTENT: &[Row] = &[
    (
        "put",
        2,
        Step(|m, _, mut a| {
            let mut cells = cells(m);
            if cells.persistent.len() >= PERSISTENT_TERMS_MAX {
                return Err(Raise::named("system_limit"));
            }
            let term = a.pop().unwrap_or(Term::NIL);
            cells.persistent.insert(a.remove(0), term);
            fine()
        }),
    ),
    (
        "get",
        1,
        Step(|m, _, a| cells(m).persistent.get(&a[0]).cloned().ok_or_else(Raise::badarg).map(After::Value)),
    ),
    (
        "get",
        2,
        Step(|m, _, mut a| {
            let found = cells(m).persistent.get(&a[0]).cloned();
            value(found.unwrap_or_else(|| a.swap_remove(1)))
        }),
    ),
    (
        "get",
        0,
        Step(|m, _, _| {
            let cells = cells(m);
            let pairs = cells.persistent.iter();
            value(Term::list(pairs.map(|(key, term)| Term::tuple([key.clone(), term.clone()]))))
        }),
    ),
    ("erase", 1, Step(|m, _, a| value(super::args::boolean(cells(m).persistent.remove(&a[0]).is_some())))),
    (
        "put_new",
        2,
        Step(|m, _, a| {
            let mut cells = cells(m);
            if *cells.persistent.entry(a[0].clone()).or_insert_with(|| a[1].clone()) != a[1] {
                return Err(Raise::badarg());
            }
            fine()
        }),
    ),
    (
        "info",
        0,
        Step(|m, _, _| {
            let cells = cells(m);
            let words =
                cells.persistent.iter().map(|(key, term)| super::ets::weigh(key) + super::ets::weigh(term));
            let bytes: usize = words.sum();
            let pair = [(Term::atom("count"), cells.persistent.len()), (Term::atom("memory"), bytes)];
            let map: Vec<_> = pair.into_iter().map(|(key, n)| (key, Term::Int(n as i64))).collect();
            value(trunkline::Map::try_from_pairs(map).map_or(Term::NIL, Term::Map))
        }),
    ),
];

pub(super) const COUNTERS: &[Row] = &[
    ("new", 2, Step(|m, w, a| new(m, w, &a, false))),
    ("get", 2, Step(|m, _, a| on(m, &a, false, |cell, signed| Ok(shown(*cell, signed))))),
    ("put", 3, Step(|m, _, a| on(m, &a, false, |cell, signed| put(cell, bits(&a[2], signed)?)))),
    ("add", 3, Step(|m, _, a| on(m, &a, false, |cell, _| put(cell, cell.wrapping_add(step(&a[2])?))))),
    ("sub", 3, Step(|m, _, a| on(m, &a, false, |cell, _| put(cell, cell.wrapping_sub(step(&a[2])?))))),
    ("info", 1, Step(|m, _, a| info(m, &a[0], false))),
];

pub(super) const ATOMICS: &[Row] = &[
    ("new", 2, Step(|m, w, a| new(m, w, &a, true))),
    ("get", 2, Step(|m, _, a| on(m, &a, true, |cell, signed| Ok(shown(*cell, signed))))),
    ("put", 3, Step(|m, _, a| on(m, &a, true, |cell, signed| put(cell, bits(&a[2], signed)?)))),
    ("add", 3, Step(|m, _, a| on(m, &a, true, |cell, _| put(cell, cell.wrapping_add(step(&a[2])?))))),
    ("sub", 3, Step(|m, _, a| on(m, &a, true, |cell, _| put(cell, cell.wrapping_sub(step(&a[2])?))))),
    (
        "add_get",
        3,
        Step(|m, _, a| {
            on(m, &a, true, |cell, signed| {
                *cell = cell.wrapping_add(step(&a[2])?);
                Ok(shown(*cell, signed))
            })
        }),
    ),
    (
        "sub_get",
        3,
        Step(|m, _, a| {
            on(m, &a, true, |cell, signed| {
                *cell = cell.wrapping_sub(step(&a[2])?);
                Ok(shown(*cell, signed))
            })
        }),
    ),
    (
        "exchange",
        3,
        Step(|m, _, a| {
            on(m, &a, true, |cell, signed| {
                let before = std::mem::replace(cell, bits(&a[2], signed)?);
                Ok(shown(before, signed))
            })
        }),
    ),
    (
        "compare_exchange",
        4,
        Step(|m, _, a| {
            on(m, &a, true, |cell, signed| {
                let (expected, new) = (bits(&a[2], signed)?, bits(&a[3], signed)?);
                if *cell != expected {
                    return Ok(shown(*cell, signed));
                }
                put(cell, new)
            })
        }),
    ),
    ("info", 1, Step(|m, _, a| info(m, &a[0], true))),
];

fn new(machine: &Machine, world: &mut dyn World, a: &[Term], atomic: bool) -> Result<After> {
    let count = size(&a[0])?;
    let mut signed = true;
    for option in items(&a[1])? {
        match option.as_tuple() {
            Some([key, on]) if atomic && key.is_atom("signed") => signed = atom(on)?.as_str() == "true",
            None if !atomic && (option.is_atom("atomics") || option.is_atom("write_concurrency")) => {}
            _ => return Err(Raise::badarg()),
        }
    }
    if count == 0 {
        return Err(Raise::badarg());
    }
    let mut all = cells(machine);
    if count > CELLS_MAX.saturating_sub(all.count) {
        return Err(Raise::named("system_limit"));
    }
    all.count += count;
    let reference = world.make_ref();
    all.arrays.insert(reference.clone(), Array { cells: vec![0; count], signed, atomic });
    let reference = Term::Ref(reference);
    value(if atomic { reference } else { Term::tuple([Term::atom("atomics"), reference]) })
}

/// The reference of an array: counters have theirs in a pair.
fn array<'a>(all: &'a mut Cells, term: &Term, atomic: bool) -> Result<&'a mut Array> {
    let reference = match (term, term.as_tuple()) {
        (Term::Ref(reference), _) if atomic => reference,
        (_, Some([_, Term::Ref(reference)])) if !atomic => reference,
        _ => return Err(Raise::badarg()),
    };
    all.arrays.get_mut(reference).filter(|array| array.atomic == atomic).ok_or_else(Raise::badarg)
}

fn on(
    machine: &Machine,
    a: &[Term],
    atomic: bool,
    f: impl FnOnce(&mut u64, bool) -> Result<Term>,
) -> Result<After> {
    let mut all = cells(machine);
    let array = array(&mut all, &a[0], atomic)?;
    let at = size(&a[1])?.checked_sub(1).ok_or_else(Raise::badarg)?;
    let signed = array.signed;
    f(array.cells.get_mut(at).ok_or_else(Raise::badarg)?, signed).and_then(value)
}

fn put(cell: &mut u64, bits: u64) -> Result<Term> {
    *cell = bits;
    Ok(Term::atom("ok"))
}

fn shown(bits: u64, signed: bool) -> Term {
    if signed { Term::Int(bits as i64) } else { Term::from(trunkline::term::BigInt::from(bits)) }
}

/// A value that fits.
fn bits(term: &Term, signed: bool) -> Result<u64> {
    if signed {
        return Ok(int(term)? as u64);
    }
    big(term).and_then(|number| u64::try_from(number).ok()).ok_or_else(Raise::badarg)
}

/// What is added may be of either sign.
fn step(term: &Term) -> Result<u64> {
    let number = big(term).ok_or_else(Raise::badarg)?;
    let signed = i64::try_from(number.clone()).map(|number| number as u64);
    signed.or_else(|_| u64::try_from(number)).map_err(|_| Raise::badarg())
}

fn info(machine: &Machine, term: &Term, atomic: bool) -> Result<After> {
    let mut all = cells(machine);
    let array = array(&mut all, term, atomic)?;
    let number = |n: i128| Term::from(trunkline::term::BigInt::from(n));
    let (min, max) = match array.signed {
        true => (i128::from(i64::MIN), i128::from(i64::MAX)),
        false => (0, i128::from(u64::MAX)),
    };
    let count = array.cells.len() as i128;
    let memory = Term::Int(array.cells.len() as i64 * 8 + 40);
    let mut pairs = vec![(Term::atom("size"), number(count)), (Term::atom("memory"), memory)];
    if atomic {
        pairs.extend([(Term::atom("min"), number(min)), (Term::atom("max"), number(max))]);
    }
    value(trunkline::Map::try_from_pairs(pairs).map_or(Term::NIL, Term::Map))
}

/// The generators of `rand`: the state before, the number and the state behind.
pub(super) const RAND: &[Row] = &[
    ("-exsss", 1, Pure(|a| shifted(&a[0], true))),
    ("-exsp", 1, Pure(|a| shifted(&a[0], false))),
    (
        "-splitmix64",
        1,
        Pure(|a| {
            let seed = big(&a[0]).ok_or_else(Raise::badarg)?;
            let low = seed & trunkline::term::BigInt::from(u64::MAX);
            let seed = u64::try_from(low).map_err(|_| Raise::badarg())?;
            let state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            let wide = |n: u64| Term::from(trunkline::term::BigInt::from(n));
            Ok(Term::tuple([wide(z ^ z >> 31), wide(state)]))
        }),
    ),
];

/// Xorshift116, as Vigna has it, scrambled by `**` or by `+`.
fn shifted(state: &Term, stars: bool) -> Result<Term> {
    const MASK: u64 = (1 << 58) - 1;
    let Term::List(list) = state else { return Err(Raise::badarg()) };
    let (Some((Term::Int(s1), Term::Int(s0))), mask) = (list.uncons(), MASK) else {
        return Err(Raise::badarg());
    };
    let (s1, s0) = (s1 as u64 & mask, s0 as u64 & mask);
    let mixed = s1 ^ (s1 << 24 & mask);
    let new = mixed ^ s0 ^ mixed >> 11 ^ s0 >> 41;
    let number = if stars {
        let five = s0.wrapping_mul(5) & mask;
        let turned = (five << 7 & mask) | five >> 51;
        turned.wrapping_mul(9) & mask
    } else {
        (s0 + new) & mask
    };
    let next = Term::List(List::cons(Term::Int(s0 as i64), Term::Int(new as i64)));
    Ok(Term::tuple([Term::Int(number as i64), next]))
}
