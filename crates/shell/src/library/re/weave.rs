//! `re:replace` and `re:split`: texts taken apart at matches, and put together.

use trunkline::List;
use trunkline::term::Term;

use super::options::Options;
use super::{Found, Regex, Search, bytes_of, regex, text};
use crate::library::args::{atom, items, size};
use crate::raise::{Raise, Result};

/// As what the result comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    Iodata,
    List,
    Binary,
}

/// Takes the options away that only these functions know; the others are for the search.
fn own(options: &Term, mut take: impl FnMut(&Term) -> Result<bool>) -> Result<(Term, Return)> {
    let (mut rest, mut back) = (Vec::new(), Return::Iodata);
    for option in items(options)? {
        match option.as_tuple() {
            Some([key, value]) if key.is_atom("return") => {
                back = match atom(value)?.as_str() {
                    "iodata" => Return::Iodata,
                    "list" => Return::List,
                    "binary" => Return::Binary,
                    _ => return Err(Raise::badarg()),
                };
            }
            Some(parts) if parts.first().is_some_and(|key| key.is_atom("capture")) => {
                return Err(Raise::badarg());
            }
            _ if option.is_atom("report_errors") => return Err(Raise::badarg()),
            _ if take(&option)? => {}
            _ => rest.push(option),
        }
    }
    Ok((Term::list(rest), back))
}

fn prepared(pattern: &Term, options: &Term) -> Result<(Regex, Options)> {
    regex(pattern, options)?.map_err(|_| Raise::badarg())
}

fn binary(bytes: &[u8]) -> Term {
    Term::Binary(bytes.into())
}

/// A piece of a replacement.
enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

/// `\1`, `\g{1}`, `&`; a backslash before anything else stands for that.
fn pieces(replacement: &[u8]) -> Result<Vec<Piece>> {
    let mut all: Vec<Piece> = Vec::new();
    let mut at = 0;
    let digits = |from: usize| replacement[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    while at < replacement.len() {
        let (piece, length) = match &replacement[at..] {
            [b'&', ..] => (Piece::Group(0), 1),
            [b'\\', b'g', b'{', _, ..] => {
                let count = digits(at + 3);
                if replacement.get(at + 3 + count) != Some(&b'}') {
                    return Err(Raise::badarg());
                }
                (group(&replacement[at + 3..at + 3 + count])?, 4 + count)
            }
            [b'\\', b'g', _, ..] => {
                let count = digits(at + 2);
                (group(&replacement[at + 2..at + 2 + count])?, 2 + count)
            }
            [b'\\', b'1'..=b'9', ..] => {
                let count = digits(at + 1);
                (group(&replacement[at + 1..at + 1 + count])?, 1 + count)
            }
            [b'\\', byte, ..] => (Piece::Text(vec![*byte]), 2),
            rest => (Piece::Text(vec![rest[0]]), 1),
        };
        at += length;
        match (all.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(more)) => before.extend(more),
            (_, piece) => all.push(piece),
        }
    }
    Ok(all)
}

fn group(digits: &[u8]) -> Result<Piece> {
    let digits = std::str::from_utf8(digits).map_err(|_| Raise::badarg())?;
    digits.parse().map(Piece::Group).map_err(|_| Raise::badarg())
}

pub(super) fn replace(subject: &Term, pattern: &Term, replacement: &Term, options: &Term) -> Result<Term> {
    let (options, back) = own(options, |_| Ok(false))?;
    let (regex, options) = prepared(pattern, &options)?;
    let unicode = regex.options.whole.unicode;
    let bytes = bytes_of(subject, unicode)?;
    let replacement = bytes_of(replacement, unicode)?;
    let search = Search::new(&regex, &options, &bytes)?;
    let from = search.at(options.offset)?;
    let most = if options.global { usize::MAX } else { 1 };
    let all = search.all(from, most).unwrap_or_default();
    if all.is_empty() {
        return Ok(match back {
            Return::Iodata => subject.clone(),
            Return::Binary => binary(&bytes),
            Return::List => text(&bytes, unicode),
        });
    }
    let pieces = pieces(&replacement)?;
    let (mut parts, mut at) = (Vec::new(), 0);
    for found in &all {
        let (begin, end) = found[0].unwrap_or_default();
        if begin > at {
            parts.push(binary(&bytes[at..begin]));
        }
        parts.push(filled(&pieces, &bytes, found));
        at = end.max(at);
    }
    let rest = if at < bytes.len() { binary(&bytes[at..]) } else { Term::NIL };
    let whole = List::with_tail(parts, rest);
    Ok(match back {
        Return::Iodata => whole,
        Return::Binary => binary(&crate::library::args::iodata(&whole)?),
        Return::List => text(&crate::library::args::iodata(&whole)?, unicode),
    })
}

/// A replacement, with what the match has caught.
fn filled(pieces: &[Piece], bytes: &[u8], found: &Found) -> Term {
    let part = |piece: &Piece| match piece {
        Piece::Text(text) => binary(text),
        Piece::Group(group) => {
            binary(found.get(*group).copied().flatten().map_or(&[][..], |(from, to)| &bytes[from..to]))
        }
    };
    match pieces {
        [one @ Piece::Text(_)] => part(one),
        all => Term::list(all.iter().map(part)),
    }
}

pub(super) fn split(subject: &Term, pattern: &Term, options: &Term) -> Result<Term> {
    let (mut most, mut trim, mut grouped) = (usize::MAX, false, false);
    let (options, back) = own(options, |option| {
        match option.as_tuple() {
            Some([key, count]) if key.is_atom("parts") => match count {
                Term::Int(0) => (most, trim) = (usize::MAX, true),
                infinity if infinity.is_atom("infinity") => (most, trim) = (usize::MAX, false),
                count => (most, trim) = (size(count)?, false),
            },
            _ if option.is_atom("trim") => (most, trim) = (usize::MAX, true),
            _ if option.is_atom("group") => grouped = true,
            _ if option.is_atom("global") => return Err(Raise::badarg()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let (regex, options) = prepared(pattern, &options)?;
    let unicode = regex.options.whole.unicode;
    let bytes = bytes_of(subject, unicode)?;
    let search = Search::new(&regex, &options, &bytes)?;
    let from = search.at(options.offset)?;
    let mut parts: Vec<Vec<&[u8]>> = Vec::new();
    let mut at = 0;
    let all = search.all(from, usize::MAX).unwrap_or_default();
    // Where nothing matches nothing is trimmed.
    trim &= !all.is_empty();
    for found in all {
        if parts.len() + 1 >= most {
            break;
        }
        let (begin, end) = found[0].unwrap_or_default();
        // An empty match where a part begins divides nothing.
        if begin == end && begin == at {
            continue;
        }
        let caught = found[1..].iter().map(|range| range.map_or(&[][..], |(from, to)| &bytes[from..to]));
        parts.push(std::iter::once(&bytes[at..begin]).chain(caught).collect());
        at = end;
    }
    parts.push(vec![&bytes[at..]]);
    if bytes.is_empty() {
        parts = vec![vec![&[]]];
    }
    let shown = |part: &&[u8]| if back == Return::List { text(part, unicode) } else { binary(part) };
    if grouped {
        while trim && parts.last().is_some_and(|part| part.iter().all(|part| part.is_empty())) {
            parts.pop();
        }
        return Ok(Term::list(parts.iter().map(|part| Term::list(part.iter().map(shown)))));
    }
    let mut flat: Vec<&[u8]> = parts.into_iter().flatten().collect();
    while trim && flat.last().is_some_and(|part| part.is_empty()) {
        flat.pop();
    }
    Ok(Term::list(flat.iter().map(shown)))
}
