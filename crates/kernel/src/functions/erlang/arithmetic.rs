//! `erlang`: the operators of numbers, as functions. What is no number is `badarith`.

use std::ops::{Add, Mul, Sub};

use num_traits::{Signed, ToPrimitive, Zero};
use term::{BigInt, Term};

use super::super::{Answer, Fault, Module, args};
use crate::limits::FUNCTION_INTEGER_BITS_MAX;

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarith",
    near: &[
        ("+", 2, |_, a| calculate(a, i64::checked_add, BigInt::add, f64::add)),
        ("-", 2, |_, a| calculate(a, i64::checked_sub, BigInt::sub, f64::sub)),
        ("*", 2, |_, a| multiply(a)),
        ("+", 1, |_, a| number(&a[0]).map(Number::into_term)),
        ("-", 1, |_, a| calculate(&[Term::Int(0), a[0].clone()], i64::checked_sub, BigInt::sub, f64::sub)),
        ("/", 2, |_, a| {
            let (over, under) = (number(&a[0])?.float()?, number(&a[1])?.float()?);
            if under == 0.0 { Err(Fault::Unfit) } else { float(over / under) }
        }),
        ("div", 2, |_, a| divide(a, |over, under| over / under)),
        ("rem", 2, |_, a| divide(a, |over, under| over % under)),
        ("band", 2, |_, a| Ok(Term::from(args::big(&a[0])? & args::big(&a[1])?))),
        ("bor", 2, |_, a| Ok(Term::from(args::big(&a[0])? | args::big(&a[1])?))),
        ("bxor", 2, |_, a| Ok(Term::from(args::big(&a[0])? ^ args::big(&a[1])?))),
        ("bnot", 1, |_, a| Ok(Term::from(!args::big(&a[0])?))),
        ("bsl", 2, |_, a| shift(&a[0], &a[1], false)),
        ("bsr", 2, |_, a| shift(&a[0], &a[1], true)),
    ],
    far: &[],
};

/// An integer or a float.
pub(in super::super) enum Number {
    Int(BigInt),
    Float(f64),
}

impl Number {
    pub(in super::super) fn float(&self) -> Result<f64, Fault> {
        let float = match self {
            Number::Int(number) => number.to_f64().unwrap_or(f64::INFINITY),
            Number::Float(float) => *float,
        };
        if float.is_finite() { Ok(float) } else { Err(Fault::Unfit) }
    }

    fn into_term(self) -> Term {
        match self {
            Number::Int(number) => Term::from(number),
            Number::Float(float) => Term::Float(float),
        }
    }
}

pub(in super::super) fn number(term: &Term) -> Result<Number, Fault> {
    match term {
        Term::Float(float) => Ok(Number::Float(*float)),
        other => args::big(other).map(Number::Int),
    }
}

/// A float; one that is none, such as the infinite, is an error.
pub(in super::super) fn float(float: f64) -> Answer {
    if float.is_finite() { Ok(Term::Float(float)) } else { Err(Fault::Unfit) }
}

/// `a + b`, of whatever numbers.
pub(in super::super) fn sum(a: &Term, b: &Term) -> Answer {
    calculate(&[a.clone(), b.clone()], i64::checked_add, BigInt::add, f64::add)
}

fn calculate(
    a: &[Term],
    small: fn(i64, i64) -> Option<i64>,
    large: fn(BigInt, BigInt) -> BigInt,
    real: fn(f64, f64) -> f64,
) -> Answer {
    if let (Term::Int(left), Term::Int(right)) = (&a[0], &a[1])
        && let Some(result) = small(*left, *right)
    {
        return Ok(Term::Int(result));
    }
    match (number(&a[0])?, number(&a[1])?) {
        (Number::Int(left), Number::Int(right)) => Ok(Term::from(large(left, right))),
        (left, right) => float(real(left.float()?, right.float()?)),
    }
}

fn multiply(a: &[Term]) -> Answer {
    if let (Term::Big(_), _) | (_, Term::Big(_)) = (&a[0], &a[1])
        && let (Number::Int(left), Number::Int(right)) = (number(&a[0])?, number(&a[1])?)
        && left.bits() + right.bits() > FUNCTION_INTEGER_BITS_MAX
    {
        return Err(args::system_limit());
    }
    calculate(a, i64::checked_mul, BigInt::mul, f64::mul)
}

fn divide(a: &[Term], how: fn(BigInt, BigInt) -> BigInt) -> Answer {
    let (over, under) = (args::big(&a[0])?, args::big(&a[1])?);
    if under.is_zero() { Err(Fault::Unfit) } else { Ok(Term::from(how(over, under))) }
}

/// To the left, or by a negative number to the right; `mirrored` the other way round.
fn shift(value: &Term, by: &Term, mirrored: bool) -> Answer {
    let (value, by) = (args::big(value)?, args::big(by)?);
    let by = if mirrored { -by } else { by };
    let steps = by.abs().to_u64().unwrap_or(u64::MAX);
    if value.is_zero() {
        return Ok(Term::Int(0));
    }
    if by.is_negative() {
        // Nothing is left but the sign.
        let steps = steps.min(value.bits() + 1);
        return Ok(Term::from(value >> steps));
    }
    if value.bits().saturating_add(steps) > FUNCTION_INTEGER_BITS_MAX {
        return Err(args::system_limit());
    }
    Ok(Term::from(value << steps))
}
