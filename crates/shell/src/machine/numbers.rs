//! Arithmetic: integers of any size, and floats.

use num_bigint::{BigInt, Sign};
use num_traits::{Float, FromPrimitive, Signed, ToPrimitive, Zero};
use trunkline::term::Term;

use crate::limits::INTEGER_BITS_MAX;
use crate::raise::{Raise, Result};

/// An integer of any size.
pub(crate) fn big(term: &Term) -> Option<BigInt> {
    match term {
        Term::Int(number) => Some(BigInt::from(*number)),
        Term::Big(number) => Some((**number).clone()),
        _ => None,
    }
}

/// A number as a float; `None` for others, and for integers that are too big.
pub(crate) fn float(term: &Term) -> Option<f64> {
    match term {
        Term::Int(number) => Some(*number as f64),
        Term::Big(number) => number.to_f64().filter(|f| f.is_finite()),
        Term::Float(number) => Some(*number),
        _ => None,
    }
}

pub(crate) fn finite(number: f64) -> Result<Term> {
    if number.is_finite() { Ok(Term::Float(number)) } else { Err(Raise::badarith()) }
}

fn limited(number: BigInt) -> Result<Term> {
    if number.bits() > INTEGER_BITS_MAX { Err(Raise::named("system_limit")) } else { Ok(Term::from(number)) }
}

/// `+`, `-`, `*`.
fn ring(
    left: &Term,
    right: &Term,
    small: fn(i64, i64) -> Option<i64>,
    wide: fn(BigInt, BigInt) -> BigInt,
    floats: fn(f64, f64) -> f64,
) -> Result<Term> {
    if let (Term::Int(a), Term::Int(b)) = (left, right)
        && let Some(result) = small(*a, *b)
    {
        return Ok(Term::Int(result));
    }
    if let (Some(a), Some(b)) = (big(left), big(right)) {
        if a.bits() + b.bits() > INTEGER_BITS_MAX {
            return Err(Raise::named("system_limit"));
        }
        return limited(wide(a, b));
    }
    match (float(left), float(right)) {
        (Some(a), Some(b)) => finite(floats(a, b)),
        _ => Err(Raise::badarith()),
    }
}

pub(crate) fn add(args: &[Term]) -> Result<Term> {
    ring(&args[0], &args[1], i64::checked_add, |a, b| a + b, |a, b| a + b)
}

pub(crate) fn subtract(args: &[Term]) -> Result<Term> {
    ring(&args[0], &args[1], i64::checked_sub, |a, b| a - b, |a, b| a - b)
}

pub(crate) fn multiply(args: &[Term]) -> Result<Term> {
    ring(&args[0], &args[1], i64::checked_mul, |a, b| a * b, |a, b| a * b)
}

pub(crate) fn divide(args: &[Term]) -> Result<Term> {
    match (float(&args[0]), float(&args[1])) {
        (Some(_), Some(0.0)) => Err(Raise::badarith()),
        (Some(a), Some(b)) => finite(a / b),
        _ => Err(Raise::badarith()),
    }
}

fn whole(
    args: &[Term],
    small: fn(i64, i64) -> Option<i64>,
    wide: fn(BigInt, BigInt) -> BigInt,
) -> Result<Term> {
    if let (Term::Int(a), Term::Int(b)) = (&args[0], &args[1]) {
        if *b == 0 {
            return Err(Raise::badarith());
        }
        if let Some(result) = small(*a, *b) {
            return Ok(Term::Int(result));
        }
    }
    match (big(&args[0]), big(&args[1])) {
        (Some(_), Some(b)) if b.is_zero() => Err(Raise::badarith()),
        (Some(a), Some(b)) => Ok(Term::from(wide(a, b))),
        _ => Err(Raise::badarith()),
    }
}

pub(crate) fn div(args: &[Term]) -> Result<Term> {
    whole(args, i64::checked_div, |a, b| a / b)
}

pub(crate) fn rem(args: &[Term]) -> Result<Term> {
    whole(args, i64::checked_rem, |a, b| a % b)
}

fn bits(args: &[Term], small: fn(i64, i64) -> i64, wide: fn(BigInt, BigInt) -> BigInt) -> Result<Term> {
    if let (Term::Int(a), Term::Int(b)) = (&args[0], &args[1]) {
        return Ok(Term::Int(small(*a, *b)));
    }
    match (big(&args[0]), big(&args[1])) {
        (Some(a), Some(b)) => Ok(Term::from(wide(a, b))),
        _ => Err(Raise::badarith()),
    }
}

pub(crate) fn band(args: &[Term]) -> Result<Term> {
    bits(args, |a, b| a & b, |a, b| a & b)
}

pub(crate) fn bor(args: &[Term]) -> Result<Term> {
    bits(args, |a, b| a | b, |a, b| a | b)
}

pub(crate) fn bxor(args: &[Term]) -> Result<Term> {
    bits(args, |a, b| a ^ b, |a, b| a ^ b)
}

pub(crate) fn bnot(args: &[Term]) -> Result<Term> {
    match &args[0] {
        Term::Int(number) => Ok(Term::Int(!number)),
        Term::Big(number) => Ok(Term::from(-((**number).clone()) - 1)),
        _ => Err(Raise::badarith()),
    }
}

pub(crate) fn bsl(args: &[Term]) -> Result<Term> {
    shift(&args[0], &args[1], 1)
}

pub(crate) fn bsr(args: &[Term]) -> Result<Term> {
    shift(&args[0], &args[1], -1)
}

fn shift(number: &Term, by: &Term, direction: i64) -> Result<Term> {
    let number = big(number).ok_or_else(Raise::badarith)?;
    let by = big(by).ok_or_else(Raise::badarith)? * direction;
    if number.is_zero() {
        return Ok(Term::Int(0));
    }
    if by.is_negative() {
        let down = (-by).to_u64().unwrap_or(u64::MAX);
        if down > number.bits() {
            return Ok(Term::Int(if number.sign() == Sign::Minus { -1 } else { 0 }));
        }
        return Ok(Term::from(number >> down));
    }
    let up = by.to_u64().filter(|up| up + number.bits() <= INTEGER_BITS_MAX);
    match up {
        Some(up) => Ok(Term::from(number << up)),
        None => Err(Raise::named("system_limit")),
    }
}

pub(crate) fn negate(args: &[Term]) -> Result<Term> {
    match &args[0] {
        Term::Float(number) => Ok(Term::Float(-number)),
        other => subtract(&[Term::Int(0), other.clone()]),
    }
}

pub(crate) fn plus(args: &[Term]) -> Result<Term> {
    match &args[0] {
        number @ (Term::Int(_) | Term::Big(_) | Term::Float(_)) => Ok(number.clone()),
        _ => Err(Raise::badarith()),
    }
}

pub(crate) fn abs(args: &[Term]) -> Result<Term> {
    match &args[0] {
        Term::Float(number) => Ok(Term::Float(number.abs())),
        other => big(other).map(|number| Term::from(number.abs())).ok_or_else(Raise::badarg),
    }
}

/// `round`, `trunc`, `floor`, `ceil`.
pub(crate) fn rounded(term: &Term, how: fn(f64) -> f64) -> Result<Term> {
    match term {
        Term::Int(_) | Term::Big(_) => Ok(term.clone()),
        Term::Float(number) => {
            let number = how(*number);
            match number.to_i64() {
                Some(small) => Ok(Term::Int(small)),
                None => BigInt::from_f64(Float::trunc(number)).map(Term::from).ok_or_else(Raise::badarg),
            }
        }
        _ => Err(Raise::badarg()),
    }
}

pub(crate) fn to_float(args: &[Term]) -> Result<Term> {
    float(&args[0]).map(Term::Float).ok_or_else(Raise::badarg)
}

/// An index or a length: not negative, and of this machine's size.
pub(crate) fn size(term: &Term) -> Option<usize> {
    term.as_int().and_then(|n| usize::try_from(n).ok())
}
