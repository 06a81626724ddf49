//! `binary`. What is made of these is `erl/binary.erl`.

use num_bigint::BigUint;
use trunkline::term::Term;

use super::Row;
use super::args::{atom, bytes, int, items, size, tuple};
use crate::limits::BITS_MAX;
use crate::machine::code::Native::Pure;
use crate::machine::numbers::big;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    (
        "at",
        2,
        Pure(|a| {
            let byte = bytes(&a[0])?.get(size(&a[1])?).copied();
            byte.map(|byte| Term::Int(byte.into())).ok_or_else(Raise::badarg)
        }),
    ),
    (
        "first",
        1,
        Pure(|a| bytes(&a[0])?.first().map(|byte| Term::Int((*byte).into())).ok_or_else(Raise::badarg)),
    ),
    (
        "last",
        1,
        Pure(|a| bytes(&a[0])?.last().map(|byte| Term::Int((*byte).into())).ok_or_else(Raise::badarg)),
    ),
    ("copy", 1, Pure(|a| Ok(Term::Binary(bytes(&a[0])?.into())))),
    (
        "copy",
        2,
        Pure(|a| {
            let (part, count) = (bytes(&a[0])?, size(&a[1])?);
            if part.len().saturating_mul(count) > BITS_MAX / 8 {
                return Err(Raise::named("system_limit"));
            }
            Ok(Term::Binary(part.repeat(count).into()))
        }),
    ),
    (
        "part",
        2,
        Pure(|a| match tuple(&a[1])? {
            [start, length] => super::types::binary_part(&a[0], start, length),
            _ => Err(Raise::badarg()),
        }),
    ),
    ("part", 3, Pure(|a| super::types::binary_part(&a[0], &a[1], &a[2]))),
    ("matches", 2, Pure(|a| found(a, false))),
    ("matches", 3, Pure(|a| found(a, false))),
    ("match", 2, Pure(|a| found(a, true))),
    ("match", 3, Pure(|a| found(a, true))),
    ("encode_unsigned", 1, Pure(|a| encode_unsigned(&a[0], false))),
    ("encode_unsigned", 2, Pure(|a| encode_unsigned(&a[0], little(&a[1])?))),
    ("decode_unsigned", 1, Pure(|a| decode_unsigned(&a[0], false))),
    ("decode_unsigned", 2, Pure(|a| decode_unsigned(&a[0], little(&a[1])?))),
    (
        "encode_hex",
        1,
        Pure(|a| {
            let text: String = bytes(&a[0])?.iter().map(|byte| format!("{byte:02X}")).collect();
            Ok(Term::binary(&text))
        }),
    ),
    (
        "decode_hex",
        1,
        Pure(|a| {
            let text = bytes(&a[0])?;
            let digit = |c: u8| char::from(c).to_digit(16);
            let pairs = text.chunks(2).map(|pair| match pair {
                [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
                _ => None,
            });
            let bytes: Option<Vec<u8>> = pairs.collect();
            bytes.map(|bytes| Term::Binary(bytes.into())).ok_or_else(Raise::badarg)
        }),
    ),
    (
        "list_to_bin",
        1,
        Pure(|a| super::args::list(&a[0]).and_then(|_| Ok(Term::Binary(super::args::iodata(&a[0])?.into())))),
    ),
    ("compile_pattern", 1, Pure(|a| patterns(&a[0]).map(|_| a[0].clone()))),
    ("referenced_byte_size", 1, Pure(|a| Ok(Term::Int(bytes(&a[0])?.len() as i64)))),
    ("longest_common_prefix", 1, Pure(|a| common(&a[0], false))),
    ("longest_common_suffix", 1, Pure(|a| common(&a[0], true))),
];

fn patterns(term: &Term) -> Result<Vec<Vec<u8>>> {
    let all = match term {
        Term::Binary(one) => vec![one.as_slice().to_vec()],
        _ => items(term)?.iter().map(|one| bytes(one).map(<[u8]>::to_vec)).collect::<Result<_>>()?,
    };
    if all.is_empty() || all.iter().any(Vec::is_empty) { Err(Raise::badarg()) } else { Ok(all) }
}

/// Where the patterns are found, the longest one at each place; within the scope if one is given.
fn found(a: &[Term], once: bool) -> Result<Term> {
    let text = bytes(&a[0])?;
    if text.is_empty() && a.get(2).is_none_or(|options| *options == Term::NIL) {
        return Ok(if once { Term::atom("nomatch") } else { Term::NIL });
    }
    let patterns = patterns(&a[1])?;
    let (mut from, mut to) = (0, text.len());
    for option in a.get(2).map(items).transpose()?.unwrap_or_default() {
        if let Some([key, scope]) = option.as_tuple()
            && key.is_atom("scope")
        {
            (from, to) = scoped(scope, text.len())?;
        }
    }
    let mut all = Vec::new();
    while from < to {
        let here = patterns.iter().filter(|p| text[from..to].starts_with(p)).map(Vec::len).max();
        match here {
            Some(length) => {
                all.push(Term::tuple([Term::Int(from as i64), Term::Int(length as i64)]));
                if once {
                    return Ok(all.remove(0));
                }
                from += length;
            }
            None => from += 1,
        }
    }
    Ok(if once { Term::atom("nomatch") } else { Term::list(all) })
}

fn scoped(scope: &Term, length: usize) -> Result<(usize, usize)> {
    let [start, count] = tuple(scope)? else { return Err(Raise::badarg()) };
    let (start, count) = (int(start)?, int(count)?);
    let (from, to) = if count < 0 { (start + count, start) } else { (start, start + count) };
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) if to <= length => Ok((from, to)),
        _ => Err(Raise::badarg()),
    }
}

fn little(term: &Term) -> Result<bool> {
    match atom(term)?.as_str() {
        "big" => Ok(false),
        "little" => Ok(true),
        _ => Err(Raise::badarg()),
    }
}

fn encode_unsigned(term: &Term, little: bool) -> Result<Term> {
    let number = big(term).and_then(|number| number.to_biguint()).ok_or_else(Raise::badarg)?;
    let bytes = if little { number.to_bytes_le() } else { number.to_bytes_be() };
    Ok(Term::Binary(bytes.into()))
}

fn decode_unsigned(term: &Term, little: bool) -> Result<Term> {
    let bytes = bytes(term)?;
    let number = if little { BigUint::from_bytes_le(bytes) } else { BigUint::from_bytes_be(bytes) };
    Ok(Term::from(num_bigint::BigInt::from(number)))
}

fn common(term: &Term, from_end: bool) -> Result<Term> {
    let all = items(term)?;
    let first = bytes(all.first().ok_or_else(Raise::badarg)?)?;
    let mut length = first.len();
    for other in &all {
        let other = bytes(other)?;
        let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
        let count = if from_end {
            first.iter().rev().zip(other.iter().rev()).take_while(same).count()
        } else {
            first.iter().zip(other).take_while(same).count()
        };
        length = length.min(count);
    }
    Ok(Term::Int(length as i64))
}
