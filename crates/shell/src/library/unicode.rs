//! `unicode`: characters from whatever holds them, in any encoding, with what is wrong and where; normal forms.

use std::collections::VecDeque;

use trunkline::term::Term;
use unicode_normalization::UnicodeNormalization;

use super::Row;
use super::args::{boolean, bytes, tuple};
use super::convert::string;
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const UNICODE: &[Row] = &[
    ("characters_to_list", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|text| Ok(string(text))))),
    ("characters_to_list", 2, Pure(|a| convert(&a[0], encoding(&a[1])?, &|text| Ok(string(text))))),
    ("characters_to_binary", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|text| Ok(Term::binary(text))))),
    ("characters_to_binary", 2, Pure(|a| convert(&a[0], encoding(&a[1])?, &|text| Ok(Term::binary(text))))),
    ("characters_to_binary", 3, Pure(to_binary)),
    ("characters_to_nfc_list", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(string(&nfc(t)))))),
    ("characters_to_nfd_list", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(string(&nfd(t)))))),
    ("characters_to_nfkc_list", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(string(&nfkc(t)))))),
    ("characters_to_nfkd_list", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(string(&nfkd(t)))))),
    ("characters_to_nfc_binary", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(Term::binary(&nfc(t)))))),
    ("characters_to_nfd_binary", 1, Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(Term::binary(&nfd(t)))))),
    (
        "characters_to_nfkc_binary",
        1,
        Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(Term::binary(&nfkc(t))))),
    ),
    (
        "characters_to_nfkd_binary",
        1,
        Pure(|a| convert(&a[0], Encoding::Utf8, &|t| Ok(Term::binary(&nfkd(t))))),
    ),
    ("bin_is_7bit", 1, Pure(|a| bytes(&a[0]).map(|bytes| boolean(bytes.is_ascii())))),
    ("bom_to_encoding", 1, Pure(|a| bytes(&a[0]).map(bom))),
    ("encoding_to_bom", 1, Pure(encoding_to_bom)),
];

pub(super) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

pub(super) fn nfd(text: &str) -> String {
    text.nfd().collect()
}

pub(super) fn nfkc(text: &str) -> String {
    text.nfkc().collect()
}

pub(super) fn nfkd(text: &str) -> String {
    text.nfkd().collect()
}

/// How characters lie in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Latin1,
    Utf8,
    Utf16 { little: bool },
    Utf32 { little: bool },
}

fn encoding(term: &Term) -> Result<Encoding> {
    let (name, little) = match term {
        Term::Tuple(_) => match tuple(term)? {
            [name, order] if order.is_atom("little") => (name, true),
            [name, order] if order.is_atom("big") => (name, false),
            _ => return Err(Raise::badarg()),
        },
        name => (name, false),
    };
    let plain = matches!(term, Term::Atom(_));
    match super::args::atom(name)?.as_str() {
        "latin1" if plain => Ok(Encoding::Latin1),
        "unicode" | "utf8" if plain => Ok(Encoding::Utf8),
        "utf16" => Ok(Encoding::Utf16 { little }),
        "utf32" => Ok(Encoding::Utf32 { little }),
        _ => Err(Raise::badarg()),
    }
}

/// What reading came to.
enum Fault {
    /// These bytes, or this and what stands behind it, are no characters.
    Wrong(Term),
    /// The bytes end within a character.
    Incomplete(Vec<u8>),
}

/// Reads characters: all of them, or those before what is wrong.
fn read(data: &Term, how: Encoding) -> Result<(String, Option<Fault>)> {
    let mut text = String::new();
    // What stands behind what is read, the innermost first.
    let mut behind: VecDeque<Term> = VecDeque::new();
    let mut now = data.clone();
    let mut left: Vec<u8> = Vec::new();
    loop {
        let mut next = None;
        match &now {
            Term::Binary(binary) => {
                let mut all = std::mem::take(&mut left);
                all.extend_from_slice(binary.as_slice());
                let (taken, wrong) = decode(&all, how, &mut text);
                if wrong {
                    let rest = Term::Binary(all[taken..].into());
                    return Ok((text, Some(Fault::Wrong(outward(rest, behind)))));
                }
                left = all[taken..].to_vec();
            }
            Term::List(list) => {
                if let Some((first, rest)) = list.uncons() {
                    match first {
                        Term::Int(code) => {
                            let top = if how == Encoding::Latin1 { 255 } else { 0x10_ffff };
                            let c = u32::try_from(code).ok().filter(|c| *c <= top).and_then(char::from_u32);
                            match c {
                                _ if !left.is_empty() => {
                                    let half = Term::Binary(left.into());
                                    let rest = Term::list([half, now.clone()]);
                                    return Ok((text, Some(Fault::Wrong(outward(rest, behind)))));
                                }
                                Some(c) => text.push(c),
                                _ => {
                                    return Ok((text, Some(Fault::Wrong(outward(now.clone(), behind)))));
                                }
                            }
                            next = Some(rest);
                        }
                        Term::Binary(_) | Term::List(_) => {
                            behind.push_front(rest);
                            next = Some(first);
                        }
                        _ => return Err(Raise::badarg()),
                    }
                }
            }
            _ => return Err(Raise::badarg()),
        }
        match next.or_else(|| behind.pop_front()) {
            Some(term) => now = term,
            None if left.is_empty() => return Ok((text, None)),
            None => return Ok((text, Some(Fault::Incomplete(left)))),
        }
    }
}

/// What was not read, in the lists that it lay in.
fn outward(rest: Term, behind: VecDeque<Term>) -> Term {
    behind.into_iter().fold(rest, |rest, tail| match (&rest, &tail) {
        (Term::Binary(_), Term::List(list)) if list.is_nil() => rest,
        _ => Term::List(trunkline::List::cons(rest, tail)),
    })
}

/// Takes characters; how many bytes they were, and whether what follows is wrong (or only too short).
fn decode(bytes: &[u8], how: Encoding, text: &mut String) -> (usize, bool) {
    match how {
        Encoding::Latin1 => {
            text.extend(bytes.iter().map(|byte| char::from(*byte)));
            (bytes.len(), false)
        }
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(all) => {
                text.push_str(all);
                (bytes.len(), false)
            }
            Err(error) => {
                let good = error.valid_up_to();
                text.push_str(std::str::from_utf8(&bytes[..good]).unwrap_or_default());
                (good, error.error_len().is_some())
            }
        },
        Encoding::Utf16 { little } => {
            let unit = |at: usize| {
                let two = [*bytes.get(at)?, *bytes.get(at + 1)?];
                Some(u32::from(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) }))
            };
            let mut at = 0;
            while let Some(first) = unit(at) {
                let (code, length) = match first {
                    0xd800..0xdc00 => match unit(at + 2) {
                        Some(second @ 0xdc00..0xe000) => {
                            (0x1_0000 + ((first - 0xd800) << 10 | (second - 0xdc00)), 4)
                        }
                        Some(_) => return (at, true),
                        None => return (at, false),
                    },
                    code => (code, 2),
                };
                match char::from_u32(code) {
                    Some(c) => text.push(c),
                    None => return (at, true),
                }
                at += length;
            }
            (at, false)
        }
        Encoding::Utf32 { little } => {
            let mut at = 0;
            for four in bytes.as_chunks::<4>().0 {
                let code = if little { u32::from_le_bytes(*four) } else { u32::from_be_bytes(*four) };
                match char::from_u32(code) {
                    Some(c) => text.push(c),
                    None => return (at, true),
                }
                at += 4;
            }
            (at, false)
        }
    }
}

/// Reads, and shows what was read; with `error` or `incomplete` and the rest where there is one.
fn convert(data: &Term, how: Encoding, show: &dyn Fn(&str) -> Result<Term>) -> Result<Term> {
    if !matches!(data, Term::List(_) | Term::Binary(_)) {
        return Err(Raise::badarg());
    }
    let (text, fault) = read(data, how)?;
    let shown = show(&text)?;
    Ok(match fault {
        None => shown,
        Some(Fault::Wrong(rest)) => Term::tuple([Term::atom("error"), shown, rest]),
        Some(Fault::Incomplete(rest)) => {
            Term::tuple([Term::atom("incomplete"), shown, Term::Binary(rest.into())])
        }
    })
}

fn to_binary(a: &[Term]) -> Result<Term> {
    let (from, to) = (encoding(&a[1])?, encoding(&a[2])?);
    if to == Encoding::Latin1 {
        let (text, fault) = match &a[0] {
            Term::List(_) | Term::Binary(_) => read(&a[0], from)?,
            _ => return Err(Raise::badarg()),
        };
        let good: Vec<u8> = text.chars().map_while(|c| u8::try_from(c as u32).ok()).collect();
        if good.len() < text.chars().count() {
            let rest: String = text.chars().skip(good.len()).collect();
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let rest = match &a[0] {
                Term::Binary(_) => Term::binary(&rest),
                _ => Term::List(trunkline::List::cons(string(&rest[..first]), string(&rest[first..]))),
            };
            return Ok(Term::tuple([Term::atom("error"), Term::Binary(good.into()), rest]));
        }
        if fault.is_none() {
            return Ok(Term::Binary(good.into()));
        }
    }
    convert(&a[0], from, &|text| Ok(Term::Binary(encoded(text, to).into())))
}

fn encoded(text: &str, to: Encoding) -> Vec<u8> {
    match to {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Latin1 => text.chars().map(|c| c as u32 as u8).collect(),
        Encoding::Utf16 { little } => {
            let both = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
            text.encode_utf16().flat_map(both).collect()
        }
        Encoding::Utf32 { little } => {
            let four = |c: char| {
                let code = c as u32;
                if little { code.to_le_bytes() } else { code.to_be_bytes() }
            };
            text.chars().flat_map(four).collect()
        }
    }
}

const MARKS: [(&[u8], &str, Option<&str>); 5] = [
    (&[0xef, 0xbb, 0xbf], "utf8", None),
    (&[0, 0, 0xfe, 0xff], "utf32", Some("big")),
    (&[0xff, 0xfe, 0, 0], "utf32", Some("little")),
    (&[0xfe, 0xff], "utf16", Some("big")),
    (&[0xff, 0xfe], "utf16", Some("little")),
];

fn bom(bytes: &[u8]) -> Term {
    match MARKS.iter().find(|(mark, ..)| bytes.starts_with(mark)) {
        Some((mark, name, order)) => {
            let name = match order {
                Some(order) => Term::tuple([Term::atom(name), Term::atom(order)]),
                None => Term::atom(name),
            };
            Term::tuple([name, Term::Int(mark.len() as i64)])
        }
        None => Term::tuple([Term::atom("latin1"), Term::Int(0)]),
    }
}

fn encoding_to_bom(a: &[Term]) -> Result<Term> {
    let clause = super::lists::clause(encoding(&a[0]))?;
    Ok(Term::Binary(if clause == Encoding::Latin1 { Vec::new() } else { encoded("\u{feff}", clause) }.into()))
}
