//! `erlang`: from one type to another.

use trunkline::Atom;
use trunkline::term::{BigInt, Term, print};

use super::Row;
use super::args::{atom, bytes, int, iodata, items, size, text};
use crate::lexer::characters;
use crate::machine::code::Native::{Process, Pure};
use crate::machine::numbers::{self, big};
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("atom_to_list", 1, Pure(|a| Ok(string(atom(&a[0])?.as_str())))),
    ("atom_to_binary", 1, Pure(|a| Ok(Term::binary(atom(&a[0])?.as_str())))),
    (
        "atom_to_binary",
        2,
        Pure(|a| {
            let text = atom(&a[0])?.as_str();
            match atom(&a[1])?.as_str() {
                "utf8" | "unicode" => Ok(Term::binary(text)),
                "latin1" => latin1(text).map(|bytes| Term::Binary(bytes.into())).ok_or_else(Raise::badarg),
                _ => Err(Raise::badarg()),
            }
        }),
    ),
    ("list_to_atom", 1, Pure(|a| to_atom(&text(&a[0])?))),
    ("list_to_existing_atom", 1, Pure(|a| to_atom(&text(&a[0])?))),
    ("binary_to_atom", 1, Pure(binary_to_atom)),
    ("binary_to_atom", 2, Pure(binary_to_atom)),
    ("binary_to_existing_atom", 1, Pure(binary_to_atom)),
    ("binary_to_existing_atom", 2, Pure(binary_to_atom)),
    ("integer_to_list", 1, Pure(|a| Ok(string(&digits(&a[0], 10)?)))),
    ("integer_to_list", 2, Pure(|a| Ok(string(&digits(&a[0], base(&a[1])?)?)))),
    ("integer_to_binary", 1, Pure(|a| Ok(Term::binary(&digits(&a[0], 10)?)))),
    ("integer_to_binary", 2, Pure(|a| Ok(Term::binary(&digits(&a[0], base(&a[1])?)?)))),
    ("list_to_integer", 1, Pure(|a| integer(&text(&a[0])?, 10))),
    ("list_to_integer", 2, Pure(|a| integer(&text(&a[0])?, base(&a[1])?))),
    ("binary_to_integer", 1, Pure(|a| integer(&plain(&a[0])?, 10))),
    ("binary_to_integer", 2, Pure(|a| integer(&plain(&a[0])?, base(&a[1])?))),
    ("float_to_list", 1, Pure(|a| Ok(string(&scientific(float(&a[0])?, 20))))),
    ("float_to_list", 2, Pure(|a| Ok(string(&float_text(&a[0], &a[1])?)))),
    ("float_to_binary", 1, Pure(|a| Ok(Term::binary(&scientific(float(&a[0])?, 20))))),
    ("float_to_binary", 2, Pure(|a| Ok(Term::binary(&float_text(&a[0], &a[1])?)))),
    ("list_to_float", 1, Pure(|a| read_float(&text(&a[0])?))),
    ("binary_to_float", 1, Pure(|a| read_float(&plain(&a[0])?))),
    (
        "list_to_binary",
        1,
        Pure(|a| match &a[0] {
            Term::List(_) => Ok(Term::Binary(iodata(&a[0])?.into())),
            _ => Err(Raise::badarg()),
        }),
    ),
    (
        "binary_to_list",
        1,
        Pure(|a| Ok(Term::List(trunkline::List::from_bytes(bytes(&a[0])?.to_vec().into())))),
    ),
    (
        "binary_to_list",
        3,
        Pure(|a| {
            let (all, from, to) = (bytes(&a[0])?, size(&a[1])?, size(&a[2])?);
            if from < 1 || from > to || to > all.len() {
                return Err(Raise::badarg());
            }
            Ok(Term::List(trunkline::List::from_bytes(all[from - 1..to].to_vec().into())))
        }),
    ),
    (
        "pid_to_list",
        1,
        Process(|world, a| match &a[0] {
            Term::Pid(_) => Ok(string(&print::Printer::new(world.numbers()).write(&a[0]))),
            _ => Err(Raise::badarg()),
        }),
    ),
    (
        "ref_to_list",
        1,
        Process(|world, a| match &a[0] {
            Term::Ref(_) => Ok(string(&print::Printer::new(world.numbers()).write(&a[0]))),
            _ => Err(Raise::badarg()),
        }),
    ),
    (
        "port_to_list",
        1,
        Process(|world, a| match &a[0] {
            Term::Port(_) => Ok(string(&print::Printer::new(world.numbers()).write(&a[0]))),
            _ => Err(Raise::badarg()),
        }),
    ),
    (
        "fun_to_list",
        1,
        Process(|world, a| match &a[0] {
            Term::Fun(_) | Term::Export(_) => Ok(string(&print::Printer::new(world.numbers()).write(&a[0]))),
            _ => Err(Raise::badarg()),
        }),
    ),
];

/// A list of the characters of a text.
pub(crate) fn string(text: &str) -> Term {
    characters(&text.chars().map(|c| c as u32).collect::<Vec<_>>())
}

pub(super) fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c as u32).ok()).collect()
}

fn to_atom(text: &str) -> Result<Term> {
    Atom::try_new(text).map(Term::Atom).ok_or_else(|| Raise::named("system_limit"))
}

fn binary_to_atom(a: &[Term]) -> Result<Term> {
    let bytes = bytes(&a[0])?;
    let latin1 = a.get(1).is_some_and(|encoding| encoding.is_atom("latin1"));
    if latin1 {
        return to_atom(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
    }
    to_atom(std::str::from_utf8(bytes).map_err(|_| Raise::badarg())?)
}

fn plain(term: &Term) -> Result<String> {
    String::from_utf8(bytes(term)?.to_vec()).map_err(|_| Raise::badarg())
}

fn base(term: &Term) -> Result<u32> {
    u32::try_from(int(term)?).ok().filter(|base| (2..=36).contains(base)).ok_or_else(Raise::badarg)
}

fn digits(term: &Term, base: u32) -> Result<String> {
    let number: BigInt = big(term).ok_or_else(Raise::badarg)?;
    Ok(number.to_str_radix(base).to_uppercase())
}

fn integer(text: &str, base: u32) -> Result<Term> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    if bare.is_empty() || !bare.chars().all(|c| c.is_digit(base)) {
        return Err(Raise::badarg());
    }
    let number = crate::lexer::integer(bare, base).ok_or_else(|| Raise::named("system_limit"))?;
    if text.starts_with('-') { numbers::negate(&[number]) } else { Ok(number) }
}

fn float(term: &Term) -> Result<f64> {
    match term {
        Term::Float(number) => Ok(*number),
        _ => Err(Raise::badarg()),
    }
}

/// `1.5e+00`, with so many digits behind the point.
fn scientific(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// So many digits behind the point. Where it can, OTP rounds by adding a half, so that 2.5 becomes 3.
fn fixed(number: f64, decimals: usize) -> Result<String> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let size = number.abs();
    let text = if decimals <= 17 && size < EXACT_MAX {
        let scale = 10f64.powi(decimals as i32);
        let (mut whole, mut part) = (size.trunc(), ((size - size.trunc()) * scale + 0.5).trunc());
        if decimals == 0 {
            (whole, part) = ((size + 0.5).trunc(), 0.0);
        } else if part >= scale {
            (whole, part) = (whole + 1.0, part - scale);
        }
        let sign = if number.is_sign_negative() { "-" } else { "" };
        match decimals {
            0 => format!("{sign}{whole:.0}"),
            _ => format!("{sign}{whole:.0}.{part:0decimals$.0}"),
        }
    } else {
        format!("{number:.decimals$}")
    };
    // What OTP writes into has so many bytes.
    if text.len() > 255 { Err(Raise::badarg()) } else { Ok(text) }
}

fn float_text(number: &Term, options: &Term) -> Result<String> {
    let number = float(number)?;
    let (mut text, mut compact) = (scientific(number, 20), false);
    let mut decimals = false;
    for option in items(options)? {
        match option.as_tuple() {
            Some([key, count]) => {
                let count = size(count)?;
                match atom(key)?.as_str() {
                    "decimals" if count <= 253 => (text, decimals) = (fixed(number, count)?, true),
                    "scientific" if count <= 249 => (text, decimals) = (scientific(number, count), false),
                    _ => return Err(Raise::badarg()),
                }
            }
            _ if option.is_atom("compact") => compact = true,
            _ if option.is_atom("short") => {
                text = Term::Float(number).to_string();
                decimals = false;
            }
            _ => return Err(Raise::badarg()),
        }
    }
    if compact && decimals && text.contains('.') {
        let bare = text.trim_end_matches('0');
        text = if bare.ends_with('.') { format!("{bare}0") } else { bare.to_owned() };
    }
    Ok(text)
}

pub(super) fn read_float(text: &str) -> Result<Term> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let numeric = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let point = mantissa.split_once('.').is_some_and(|(whole, part)| numeric(whole) && numeric(part));
    let power = exponent.is_none_or(|e| numeric(e.strip_prefix(['+', '-']).unwrap_or(e)));
    match text.parse::<f64>() {
        Ok(number) if point && power && number.is_finite() => Ok(Term::Float(number)),
        _ => Err(Raise::badarg()),
    }
}
