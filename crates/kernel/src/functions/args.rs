//! Reading the arguments of functions, and making their answers.

use runtime::Ctx;
use term::{Atom, BigInt, List, Map, Pid, Term};

use super::{Answer, Fault};
use crate::limits::{FUNCTION_ITEMS_MAX, FUNCTION_TEXT_BYTES_MAX};

pub(super) fn atom(term: &Term) -> Result<&Atom, Fault> {
    term.as_atom().ok_or(Fault::Unfit)
}

pub(super) fn int(term: &Term) -> Result<i64, Fault> {
    term.as_int().ok_or(Fault::Unfit)
}

/// A number of things: not negative.
pub(super) fn count(term: &Term) -> Result<usize, Fault> {
    usize::try_from(int(term)?).map_err(|_| Fault::Unfit)
}

/// A number of things that we shall make.
pub(super) fn bounded(number: usize) -> Result<usize, Fault> {
    if number > FUNCTION_ITEMS_MAX { Err(system_limit()) } else { Ok(number) }
}

pub(super) fn tuple(term: &Term) -> Result<&[Term], Fault> {
    term.as_tuple().ok_or(Fault::Unfit)
}

pub(super) fn map(term: &Term) -> Result<&Map, Fault> {
    term.as_map().ok_or(Fault::Unfit)
}

pub(super) fn binary(term: &Term) -> Result<&[u8], Fault> {
    term.as_binary().ok_or(Fault::Unfit)
}

/// A proper list.
pub(super) fn list(term: &Term) -> Result<&List, Fault> {
    term.as_list().filter(|list| list.improper_tail().is_none()).ok_or(Fault::Unfit)
}

/// The elements of a proper list.
pub(super) fn items(term: &Term) -> Result<Vec<Term>, Fault> {
    list(term).map(|list| list.iter().collect())
}

pub(super) fn pid(term: &Term) -> Result<&Pid, Fault> {
    term.as_pid().ok_or(Fault::Unfit)
}

/// A pid of this node.
pub(super) fn own_pid<'a>(ctx: &Ctx, term: &'a Term) -> Result<&'a Pid, Fault> {
    pid(term).and_then(|pid| if pid.node.name() == ctx.node().name() { Ok(pid) } else { Err(Fault::Unfit) })
}

/// Any integer.
pub(super) fn big(term: &Term) -> Result<BigInt, Fault> {
    match term {
        Term::Int(number) => Ok(BigInt::from(*number)),
        Term::Big(number) => Ok(BigInt::clone(number)),
        _ => Err(Fault::Unfit),
    }
}

/// `true` or `false`.
pub(super) fn truth(term: &Term) -> Result<bool, Fault> {
    match atom(term)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Fault::Unfit),
    }
}

/// A time in milliseconds, or `infinity`.
pub(super) fn timeout(term: &Term) -> Result<Option<std::time::Duration>, Fault> {
    match term {
        Term::Atom(word) if *word == "infinity" => Ok(None),
        term => Ok(Some(millis(term)?)),
    }
}

/// Milliseconds, as far as the BEAM's timers reach.
pub(super) fn millis(term: &Term) -> Result<std::time::Duration, Fault> {
    let millis = u32::try_from(int(term)?).map_err(|_| Fault::Unfit)?;
    Ok(std::time::Duration::from_millis(millis.into()))
}

/// A list of characters.
pub(super) fn charlist(term: &Term) -> Result<String, Fault> {
    term::convert::text_of(list(term)?).ok_or(Fault::Unfit)
}

/// The text of characters, binaries of UTF-8 and lists of them, however deep. (`unicode:chardata()`.)
pub(super) fn chardata(term: &Term) -> Result<String, Fault> {
    if !matches!(term, Term::List(_) | Term::Binary(_)) {
        return Err(Fault::Unfit);
    }
    let text = crate::io::text_of(term).ok_or(Fault::Unfit)?;
    if text.len() > FUNCTION_TEXT_BYTES_MAX { Err(system_limit()) } else { Ok(text) }
}

/// The bytes of bytes, binaries and lists of them, however deep. (`iodata()`.)
pub(super) fn iodata(term: &Term) -> Result<Vec<u8>, Fault> {
    if !matches!(term, Term::List(_) | Term::Binary(_)) {
        return Err(Fault::Unfit);
    }
    let mut out = Vec::new();
    let mut waiting = vec![(term.clone(), false)];
    while let Some((term, element)) = waiting.pop() {
        match &term {
            Term::Int(byte) if element => out.push(u8::try_from(*byte).map_err(|_| Fault::Unfit)?),
            Term::Binary(binary) => out.extend_from_slice(binary.as_slice()),
            Term::List(list) => {
                if let Some((head, tail)) = list.uncons() {
                    waiting.push((tail, false));
                    waiting.push((head, true));
                }
            }
            _ => return Err(Fault::Unfit),
        }
        if out.len() > FUNCTION_TEXT_BYTES_MAX {
            return Err(system_limit());
        }
    }
    Ok(out)
}

/// As [`iodata`], where a binary alone is no list.
pub(super) fn list_of(term: &Term, read: fn(&Term) -> Result<Vec<u8>, Fault>) -> Answer {
    term.as_list().ok_or(Fault::Unfit)?;
    read(term).map(self::bytes)
}

pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Term {
    Term::Binary(term::Binary::from(bytes.into()))
}

pub(super) fn boolean(truth: bool) -> Term {
    Term::atom(if truth { "true" } else { "false" })
}

pub(super) fn ok(value: Term) -> Term {
    Term::tuple([Term::atom("ok"), value])
}

pub(super) fn error(reason: Term) -> Term {
    Term::tuple([Term::atom("error"), reason])
}

pub(super) fn pair(key: &str, value: Term) -> Term {
    Term::tuple([Term::atom(key), value])
}

pub(super) fn undefined() -> Term {
    Term::atom("undefined")
}

pub(super) fn number(number: impl TryInto<i64>) -> Term {
    Term::Int(number.try_into().unwrap_or(i64::MAX))
}

pub(super) fn mfa(module: &str, function: &str, arity: i64) -> Term {
    Term::tuple([Term::atom(module), Term::atom(function), Term::Int(arity)])
}

pub(super) fn system_limit() -> Fault {
    Fault::Error(Term::atom("system_limit"))
}

/// An error whose reason is an atom.
pub(super) fn fail(reason: &str) -> Answer {
    Err(Fault::Error(Term::atom(reason)))
}
