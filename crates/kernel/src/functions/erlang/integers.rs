//! `erlang`: comparisons, truth, and what makes one number of another.

use std::cmp::Ordering;

use num_traits::{FromPrimitive, Signed};
use term::{BigInt, Numbers, Term, compare};

use super::super::{Answer, Fault, Module, args};
use super::arithmetic::{Number, float, number};
use args::{boolean, truth};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("==", 2, |_, a| Ok(boolean(by_value(a) == Ordering::Equal))),
        ("/=", 2, |_, a| Ok(boolean(by_value(a) != Ordering::Equal))),
        ("=:=", 2, |_, a| Ok(boolean(a[0] == a[1]))),
        ("=/=", 2, |_, a| Ok(boolean(a[0] != a[1]))),
        ("<", 2, |_, a| Ok(boolean(by_value(a) == Ordering::Less))),
        ("=<", 2, |_, a| Ok(boolean(by_value(a) != Ordering::Greater))),
        (">", 2, |_, a| Ok(boolean(by_value(a) == Ordering::Greater))),
        (">=", 2, |_, a| Ok(boolean(by_value(a) != Ordering::Less))),
        ("min", 2, |_, a| Ok(a[usize::from(by_value(a) == Ordering::Greater)].clone())),
        ("max", 2, |_, a| Ok(a[usize::from(by_value(a) == Ordering::Less)].clone())),
        ("not", 1, |_, a| Ok(boolean(!truth(&a[0])?))),
        ("and", 2, |_, a| Ok(boolean(truth(&a[0])? & truth(&a[1])?))),
        ("or", 2, |_, a| Ok(boolean(truth(&a[0])? | truth(&a[1])?))),
        ("xor", 2, |_, a| Ok(boolean(truth(&a[0])? ^ truth(&a[1])?))),
        ("abs", 1, |_, a| {
            Ok(match number(&a[0])? {
                Number::Int(number) => Term::from(number.abs()),
                Number::Float(float) => Term::Float(float.abs()),
            })
        }),
        ("float", 1, |_, a| float(number(&a[0])?.float()?)),
        ("round", 1, |_, a| rounded(&a[0], f64::round)),
        ("trunc", 1, |_, a| rounded(&a[0], f64::trunc)),
        ("floor", 1, |_, a| rounded(&a[0], f64::floor)),
        ("ceil", 1, |_, a| rounded(&a[0], f64::ceil)),
    ],
    far: &[],
};

fn by_value(a: &[Term]) -> Ordering {
    compare(&a[0], &a[1], Numbers::ByValue)
}

fn rounded(term: &Term, how: fn(f64) -> f64) -> Answer {
    match number(term)? {
        Number::Int(number) => Ok(Term::from(number)),
        Number::Float(float) => BigInt::from_f64(how(float)).map(Term::from).ok_or(Fault::Unfit),
    }
}
