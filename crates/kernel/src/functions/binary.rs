//! `binary`.

use term::Term;

use super::{Answer, Fault, Module, args};
use args::{binary, bytes, count, int, items, number};

pub(super) const MODULE: Module = Module {
    name: "binary",
    unfit: "badarg",
    near: &[
        ("at", 2, |_, a| {
            binary(&a[0])?.get(count(&a[1])?).map(|byte| Term::Int((*byte).into())).ok_or(Fault::Unfit)
        }),
        ("first", 1, |_, a| binary(&a[0])?.first().map(|byte| Term::Int((*byte).into())).ok_or(Fault::Unfit)),
        ("last", 1, |_, a| binary(&a[0])?.last().map(|byte| Term::Int((*byte).into())).ok_or(Fault::Unfit)),
        ("bin_to_list", 1, |_, a| {
            Ok(Term::list(binary(&a[0])?.iter().map(|byte| Term::Int((*byte).into()))))
        }),
        ("list_to_bin", 1, |_, a| args::list_of(&a[0], args::iodata)),
        ("copy", 1, |_, a| Ok(bytes(binary(&a[0])?))),
        ("copy", 2, |_, a| {
            let (part, times) = (binary(&a[0])?, count(&a[1])?);
            if part.len().saturating_mul(times) > crate::limits::FUNCTION_TEXT_BYTES_MAX {
                return Err(args::system_limit());
            }
            Ok(bytes(part.repeat(times)))
        }),
        ("part", 2, |_, a| match args::tuple(&a[1])? {
            [start, length] => part(&a[0], start, length),
            _ => Err(Fault::Unfit),
        }),
        ("part", 3, |_, a| part(&a[0], &a[1], &a[2])),
        ("referenced_byte_size", 1, |_, a| Ok(number(binary(&a[0])?.len()))),
        ("match", 2, |_, a| {
            let (whole, patterns) = (binary(&a[0])?, patterns(&a[1])?);
            Ok(next(whole, 0, &patterns).map_or(Term::atom("nomatch"), range))
        }),
        ("matches", 2, |_, a| Ok(Term::list(all(binary(&a[0])?, &patterns(&a[1])?).into_iter().map(range)))),
        ("split", 2, |_, a| split(a, false)),
        ("split", 3, |_, a| split(a, items(&a[2])?.iter().any(|option| option.is_atom("global")))),
        ("replace", 3, |_, a| replace(a, false)),
        ("replace", 4, |_, a| replace(a, items(&a[3])?.iter().any(|option| option.is_atom("global")))),
        ("longest_common_prefix", 1, |_, a| {
            let all = items(&a[0])?;
            let all = all.iter().map(binary).collect::<Result<Vec<_>, Fault>>()?;
            let (first, rest) = all.split_first().ok_or(Fault::Unfit)?;
            let common =
                |other: &&[u8]| first.iter().zip(*other).take_while(|(one, other)| one == other).count();
            Ok(number(rest.iter().map(common).min().unwrap_or(first.len())))
        }),
        ("encode_hex", 1, |_, a| {
            Ok(Term::binary(&binary(&a[0])?.iter().map(|byte| format!("{byte:02X}")).collect::<String>()))
        }),
        ("decode_hex", 1, |_, a| {
            let digits = binary(&a[0])?;
            let digit =
                |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8).ok_or(Fault::Unfit);
            if !digits.len().is_multiple_of(2) {
                return Err(Fault::Unfit);
            }
            let pairs = digits.chunks_exact(2).map(|pair| Ok(digit(&pair[0])? << 4 | digit(&pair[1])?));
            Ok(bytes(pairs.collect::<Result<Vec<u8>, Fault>>()?))
        }),
        ("encode_unsigned", 1, |_, a| {
            let number = args::big(&a[0])?;
            let number = number.to_biguint().ok_or(Fault::Unfit)?;
            Ok(bytes(number.to_bytes_be()))
        }),
        ("decode_unsigned", 1, |_, a| {
            let bytes = binary(&a[0])?;
            if bytes.len() > UNSIGNED_BYTES_MAX {
                return Err(args::system_limit());
            }
            Ok(Term::from(bytes.iter().fold(term::BigInt::default(), |number, byte| (number << 8) + *byte)))
        }),
    ],
    far: &[],
};

/// Longest number that is read from its bytes.
const UNSIGNED_BYTES_MAX: usize = 4 * 1024;

/// A part by its start and length; a negative length counts backwards.
pub(super) fn part(whole: &Term, start: &Term, length: &Term) -> Answer {
    let Term::Binary(whole) = whole else { return Err(Fault::Unfit) };
    let (start, length) = (int(start)?, int(length)?);
    let end = start.checked_add(length).ok_or(Fault::Unfit)?;
    let (from, to) = (start.min(end), start.max(end));
    let from = usize::try_from(from).map_err(|_| Fault::Unfit)?;
    let length = usize::try_from(to).map_err(|_| Fault::Unfit)? - from;
    whole.part(from, length).map(Term::Binary).ok_or(Fault::Unfit)
}

/// One pattern, which is not empty. (OTP also takes several at once.)
fn patterns(term: &Term) -> Result<Vec<&[u8]>, Fault> {
    let one = binary(term)?;
    if one.is_empty() { Err(Fault::Unfit) } else { Ok(vec![one]) }
}

fn next(whole: &[u8], from: usize, patterns: &[&[u8]]) -> Option<(usize, usize)> {
    let at = |pattern: &&[u8]| {
        let found = whole.get(from..)?.windows(pattern.len()).position(|window| window == *pattern);
        found.map(|at| (from + at, pattern.len()))
    };
    patterns.iter().filter_map(at).min()
}

fn all(whole: &[u8], patterns: &[&[u8]]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((at, length)) = next(whole, from, patterns) {
        found.push((at, length));
        from = at + length;
    }
    found
}

fn range((at, length): (usize, usize)) -> Term {
    Term::tuple([number(at), number(length)])
}

fn cut<'a>(whole: &'a [u8], a: &[Term], global: bool) -> Result<Vec<&'a [u8]>, Fault> {
    let mut found = all(whole, &patterns(&a[1])?);
    if !global {
        found.truncate(1);
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, length) in found {
        parts.push(&whole[from..at]);
        from = at + length;
    }
    parts.push(&whole[from..]);
    Ok(parts)
}

fn split(a: &[Term], global: bool) -> Answer {
    Ok(Term::list(cut(binary(&a[0])?, a, global)?.into_iter().map(bytes)))
}

fn replace(a: &[Term], global: bool) -> Answer {
    let (parts, with) = (cut(binary(&a[0])?, a, global)?, binary(&a[2])?);
    if parts.len().saturating_mul(with.len()) > crate::limits::FUNCTION_TEXT_BYTES_MAX {
        return Err(args::system_limit());
    }
    Ok(bytes(parts.join(with)))
}
