//! Arguments, read.

use trunkline::Atom;
use trunkline::term::{List, Map, Term};

use crate::raise::{Raise, Result};

/// The elements of a proper list; `badarg` for anything else.
pub(crate) fn items(term: &Term) -> Result<Vec<Term>> {
    match term {
        Term::List(list) if list.improper_tail().is_none() => Ok(list.iter().collect()),
        _ => Err(Raise::badarg()),
    }
}

pub(crate) fn list(term: &Term) -> Result<&List> {
    match term {
        Term::List(list) if list.improper_tail().is_none() => Ok(list),
        _ => Err(Raise::badarg()),
    }
}

pub(crate) fn atom(term: &Term) -> Result<&Atom> {
    term.as_atom().ok_or_else(Raise::badarg)
}

pub(crate) fn tuple(term: &Term) -> Result<&[Term]> {
    term.as_tuple().ok_or_else(Raise::badarg)
}

/// `{badmap, Term}` for what is none.
pub(crate) fn map(term: &Term) -> Result<&Map> {
    term.as_map().ok_or_else(|| Raise::with("badmap", term.clone()))
}

pub(crate) fn bytes(term: &Term) -> Result<&[u8]> {
    term.as_binary().ok_or_else(Raise::badarg)
}

pub(crate) fn size(term: &Term) -> Result<usize> {
    crate::machine::numbers::size(term).ok_or_else(Raise::badarg)
}

pub(crate) fn int(term: &Term) -> Result<i64> {
    term.as_int().ok_or_else(Raise::badarg)
}

pub(crate) fn boolean(value: bool) -> Term {
    Term::atom(if value { "true" } else { "false" })
}

pub(crate) fn ok(value: Term) -> Term {
    Term::tuple([Term::atom("ok"), value])
}

/// The characters of a proper list of characters.
pub(crate) fn text(term: &Term) -> Result<String> {
    let list = list(term)?;
    list.iter()
        .map(|c| c.as_int().and_then(|c| u32::try_from(c).ok()).and_then(char::from_u32))
        .collect::<Option<String>>()
        .ok_or_else(Raise::badarg)
}

/// The value of a pair in a list of pairs.
pub(crate) fn keyfind(key: &Term, list: &Term) -> Option<Term> {
    list.as_list()?.iter().find_map(|pair| match pair.as_tuple() {
        Some([this, value]) if this == key => Some(value.clone()),
        _ => None,
    })
}

/// The bytes of iodata.
pub(crate) fn iodata(term: &Term) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut todo = vec![term.clone()];
    // A list may stand where bytes do, but a number only within a list.
    if !matches!(term, Term::List(_) | Term::Binary(_)) {
        return Err(Raise::badarg());
    }
    while let Some(next) = todo.pop() {
        match next {
            Term::Binary(binary) => bytes.extend_from_slice(binary.as_slice()),
            Term::List(list) => match list.uncons() {
                None => {}
                Some((Term::Int(byte @ 0..=255), rest))
                    if matches!(rest, Term::List(_) | Term::Binary(_)) =>
                {
                    bytes.push(byte as u8);
                    todo.push(rest);
                }
                Some((first @ (Term::List(_) | Term::Binary(_)), rest))
                    if matches!(rest, Term::List(_) | Term::Binary(_)) =>
                {
                    todo.push(rest);
                    todo.push(first);
                }
                Some(_) => return Err(Raise::badarg()),
            },
            _ => return Err(Raise::badarg()),
        }
    }
    Ok(bytes)
}
