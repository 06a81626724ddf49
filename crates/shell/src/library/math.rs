//! `math`.

use trunkline::term::Term;

use super::Row;
use crate::machine::code::Native::Pure;
use crate::machine::numbers::float;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("pi", 0, Pure(|_| Ok(Term::Float(std::f64::consts::PI)))),
    ("sin", 1, Pure(|a| one(a, f64::sin))),
    ("cos", 1, Pure(|a| one(a, f64::cos))),
    ("tan", 1, Pure(|a| one(a, f64::tan))),
    ("asin", 1, Pure(|a| one(a, f64::asin))),
    ("acos", 1, Pure(|a| one(a, f64::acos))),
    ("atan", 1, Pure(|a| one(a, f64::atan))),
    ("sinh", 1, Pure(|a| one(a, f64::sinh))),
    ("cosh", 1, Pure(|a| one(a, f64::cosh))),
    ("tanh", 1, Pure(|a| one(a, f64::tanh))),
    ("exp", 1, Pure(|a| one(a, f64::exp))),
    ("log", 1, Pure(|a| one(a, f64::ln))),
    ("log2", 1, Pure(|a| one(a, f64::log2))),
    ("log10", 1, Pure(|a| one(a, f64::log10))),
    ("sqrt", 1, Pure(|a| one(a, f64::sqrt))),
    ("ceil", 1, Pure(|a| one(a, f64::ceil))),
    ("floor", 1, Pure(|a| one(a, f64::floor))),
    ("pow", 2, Pure(|a| two(a, f64::powf))),
    ("atan2", 2, Pure(|a| two(a, f64::atan2))),
    ("fmod", 2, Pure(|a| two(a, |x, y| x % y))),
];

fn one(a: &[Term], how: fn(f64) -> f64) -> Result<Term> {
    let number = float(&a[0]).ok_or_else(Raise::badarg)?;
    finite(how(number))
}

fn two(a: &[Term], how: fn(f64, f64) -> f64) -> Result<Term> {
    match (float(&a[0]), float(&a[1])) {
        (Some(x), Some(y)) => finite(how(x, y)),
        _ => Err(Raise::badarg()),
    }
}

fn finite(number: f64) -> Result<Term> {
    if number.is_finite() { Ok(Term::Float(number)) } else { Err(Raise::badarith()) }
}
