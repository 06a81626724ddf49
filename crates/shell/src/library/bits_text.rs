//! `unicode`: characters from whatever holds them.

use trunkline::term::Term;

use super::Row;
use super::convert::{latin1, string};
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const UNICODE: &[Row] = &[
    ("characters_to_list", 1, Pure(|a| chars(&a[0]).map(|text| string(&text)).ok_or_else(Raise::badarg))),
    ("characters_to_list", 2, Pure(|a| from(a).map(|text| string(&text)))),
    (
        "characters_to_binary",
        1,
        Pure(|a| chars(&a[0]).map(|text| Term::binary(&text)).ok_or_else(Raise::badarg)),
    ),
    ("characters_to_binary", 2, Pure(|a| from(a).map(|text| Term::binary(&text)))),
    (
        "characters_to_binary",
        3,
        Pure(|a| {
            let text = from(a)?;
            match a[2].as_atom().map(|atom| atom.as_str().to_owned()).as_deref() {
                Some("latin1") => {
                    latin1(&text).map(|bytes| Term::Binary(bytes.into())).ok_or_else(Raise::badarg)
                }
                _ => Ok(Term::binary(&text)),
            }
        }),
    ),
];

/// The characters of chardata: deep lists of characters and of binaries in UTF-8.
pub(super) fn chars(term: &Term) -> Option<String> {
    let mut text = String::new();
    let mut todo = vec![term.clone()];
    while let Some(next) = todo.pop() {
        match next {
            Term::Int(c) => text.push(char::from_u32(u32::try_from(c).ok()?)?),
            Term::Binary(bytes) => text.push_str(std::str::from_utf8(bytes.as_slice()).ok()?),
            Term::List(list) => {
                if let Some((first, rest)) = list.uncons() {
                    if !matches!(rest, Term::List(_) | Term::Binary(_)) {
                        return None;
                    }
                    todo.push(rest);
                    todo.push(first);
                }
            }
            _ => return None,
        }
    }
    matches!(term, Term::List(_) | Term::Binary(_)).then_some(text)
}

fn from(a: &[Term]) -> Result<String> {
    if a[1].is_atom("latin1") {
        let bytes = super::args::iodata(&a[0])?;
        return Ok(bytes.into_iter().map(char::from).collect());
    }
    chars(&a[0]).ok_or_else(Raise::badarg)
}
