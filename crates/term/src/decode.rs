//! Bytes to terms: never panics, never recurses, never allocates more than the bytes seen justify.

mod compressed;
mod reader;

use std::sync::Arc;

use bytes::Bytes;

use crate::fun::{Fun, Local};
use crate::list::List;
use crate::map::Map;
use crate::tags;
use crate::term::Term;
use crate::tuple::Tuple;
use crate::wire::{WireContext, WireTerm};
pub(crate) use reader::{Piece, Reader};

/// Why bytes are no term.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct DecodeError {
    /// What is wrong.
    pub what: &'static str,
    /// Where.
    pub at: usize,
}

/// The term in `bytes`, which start with the version byte 131 and hold nothing else.
///
/// Understands compressed terms. A `LOCAL_EXT` term becomes a [`Term::Local`]: it has no end of its own, so
/// it can only be told apart when it is all there is.
///
/// # Errors
/// When they don't.
pub fn decode(bytes: &Bytes) -> Result<Term, DecodeError> {
    if bytes.first() != Some(&tags::VERSION) {
        return Err(DecodeError { what: "a term starts with the version byte 131, which is missing", at: 0 });
    }
    match bytes.get(1) {
        Some(&tags::COMPRESSED) => decode_whole(&compressed::inflate(bytes)?, 0, &WireContext::default()),
        Some(&tags::LOCAL) => Ok(Term::Local(Arc::new(Local(bytes.slice(2..))))),
        _ => decode_whole(bytes, 1, &WireContext::default()),
    }
}

/// The term that starts at `at` (no version byte), and where it ends. Binaries are slices of `bytes`.
///
/// # Errors
/// When there is no term.
pub fn decode_at(bytes: &Bytes, at: usize, context: &WireContext) -> Result<(Term, usize), DecodeError> {
    if at > bytes.len() {
        return Err(DecodeError { what: "there are no bytes left", at });
    }
    let mut reader = Reader::new(bytes, at, context);
    let term = read_term(&mut reader)?;
    Ok((term, reader.at()))
}

/// The one term of a message.
///
/// # Errors
/// When the bytes are not exactly one term.
pub fn decode_wire(term: &WireTerm) -> Result<Term, DecodeError> {
    decode_whole(&term.bytes, 0, &term.context)
}

fn decode_whole(bytes: &Bytes, at: usize, context: &WireContext) -> Result<Term, DecodeError> {
    let (term, end) = decode_at(bytes, at, context)?;
    if end < bytes.len() {
        return Err(DecodeError { what: "the term ends before its bytes do", at: end });
    }
    Ok(term)
}

/// What stands in a tuple where nothing has been read yet.
const PLACEHOLDER: Term = Term::Int(0);

/// A container some of whose elements have not been read yet.
enum Open {
    /// From `next` on, the items are placeholders.
    Tuple {
        items: Arc<[Term]>,
        next: usize,
    },
    /// `left` counts the tail too.
    List {
        items: Vec<Term>,
        left: usize,
    },
    Map {
        pairs: Vec<(Term, Term)>,
        key: Option<Term>,
        left: usize,
    },
    Fun {
        fun: Option<Box<Fun>>,
        left: usize,
    },
}

/// A value, or a container with elements to come, the first of which may have been begun.
enum Begun {
    Whole(Term),
    Open(Open, Option<Piece>),
}

/// Every element takes at least a byte, so all open containers together may not lack more elements than
/// there are bytes. This makes it safe to reserve room for all of a container when it is opened.
pub(crate) fn read_term(reader: &mut Reader<'_>) -> Result<Term, DecodeError> {
    let piece = reader.piece()?;
    let mut begun = begin(reader, piece, 0)?;
    let mut outer: Vec<Open> = Vec::new();
    let mut lacking = 0;
    'begin: loop {
        let mut value = match begun {
            Begun::Whole(value) => value,
            Begun::Open(open, Some(piece)) => {
                lacking += open.left() - 1;
                outer.push(open);
                begun = begin(reader, piece, lacking)?;
                continue 'begin;
            }
            Begun::Open(mut open, None) => match open.read_on(reader, lacking)? {
                Begun::Whole(value) => value,
                inner => {
                    lacking += open.left() - 1;
                    outer.push(open);
                    begun = inner;
                    continue 'begin;
                }
            },
        };
        while let Some(open) = outer.last_mut() {
            lacking -= open.left() - 1;
            if let Some(whole) = open.put(value, reader)? {
                value = whole;
                outer.pop();
                continue;
            }
            match open.read_on(reader, lacking)? {
                Begun::Whole(whole) => value = whole,
                inner => {
                    lacking += open.left() - 1;
                    begun = inner;
                    continue 'begin;
                }
            }
            outer.pop();
        }
        return Ok(value);
    }
}

/// Turns a piece into a value or an open container. Tuples of plain values are read to their end at once.
fn begin(reader: &mut Reader<'_>, piece: Piece, lacking: usize) -> Result<Begun, DecodeError> {
    let open = match piece {
        Piece::Whole(term) => return Ok(Begun::Whole(term)),
        Piece::Tuple(arity) => return begin_tuple(reader, arity, lacking),
        Piece::List(length) => {
            reader.expect(length.saturating_add(1), lacking)?;
            Open::List { items: Vec::with_capacity(length), left: length + 1 }
        }
        Piece::Map(0) => return Ok(Begun::Whole(Term::Map(Map::default()))),
        Piece::Map(pairs) => {
            reader.expect(pairs.saturating_mul(2), lacking)?;
            Open::Map { pairs: Vec::with_capacity(pairs), key: None, left: 2 * pairs }
        }
        Piece::Fun(fun, 0) => return Ok(Begun::Whole(Term::Fun(Arc::new(*fun)))),
        Piece::Fun(mut fun, left) => {
            reader.expect(left, lacking)?;
            fun.free.reserve_exact(left);
            Open::Fun { fun: Some(fun), left }
        }
    };
    Ok(Begun::Open(open, None))
}

/// Fills the tuple as it is allocated. An element that is a container itself ends this; placeholders follow.
fn begin_tuple(reader: &mut Reader<'_>, arity: usize, lacking: usize) -> Result<Begun, DecodeError> {
    reader.expect(arity, lacking)?;
    let mut stop = None;
    let fill = |at| {
        if stop.is_some() {
            return PLACEHOLDER;
        }
        match reader.piece() {
            Ok(Piece::Whole(term)) => term,
            other => {
                stop = Some((at, other));
                PLACEHOLDER
            }
        }
    };
    let items: Arc<[Term]> = (0..arity).map(fill).collect();
    Ok(match stop {
        None => Begun::Whole(Term::Tuple(Tuple::from(items))),
        Some((next, piece)) => Begun::Open(Open::Tuple { items, next }, Some(piece?)),
    })
}

impl Open {
    /// Elements that are still to come. At least 1 in an open container.
    fn left(&self) -> usize {
        match self {
            Open::Tuple { items, next } => items.len() - next,
            Open::List { left, .. } | Open::Map { left, .. } | Open::Fun { left, .. } => *left,
        }
    }

    /// Reads on to the end, which gives the whole container, or to an element that is an open container.
    fn read_on(&mut self, reader: &mut Reader<'_>, lacking: usize) -> Result<Begun, DecodeError> {
        if let Open::List { items, left } = self {
            while *left > 1 {
                let value = match reader.piece()? {
                    Piece::Whole(value) => value,
                    Piece::Tuple(arity) => match begin_tuple(reader, arity, lacking + *left - 1)? {
                        Begun::Whole(value) => value,
                        inner => return Ok(inner),
                    },
                    piece => match begin(reader, piece, lacking + *left - 1)? {
                        Begun::Whole(value) => value,
                        inner => return Ok(inner),
                    },
                };
                items.push(value);
                *left -= 1;
            }
        }
        loop {
            let piece = reader.piece()?;
            let value = match begin(reader, piece, lacking + self.left() - 1)? {
                Begun::Whole(value) => value,
                inner => return Ok(inner),
            };
            if let Some(whole) = self.put(value, reader)? {
                return Ok(Begun::Whole(whole));
            }
        }
    }

    /// Puts the next element in, and gives back the container when it was the last.
    #[inline]
    fn put(&mut self, value: Term, reader: &Reader<'_>) -> Result<Option<Term>, DecodeError> {
        match self {
            Open::Tuple { items, next } => {
                if let Some(slots) = Arc::get_mut(items) {
                    slots[*next] = value;
                }
                *next += 1;
                if *next < items.len() {
                    return Ok(None);
                }
                Ok(Some(Term::Tuple(Tuple::from(Arc::clone(items)))))
            }
            Open::List { items, left } => {
                *left -= 1;
                if *left > 0 {
                    items.push(value);
                    return Ok(None);
                }
                Ok(Some(List::with_tail(std::mem::take(items), value)))
            }
            Open::Map { pairs, key, left } => {
                *left -= 1;
                match key.take() {
                    None => *key = Some(value),
                    Some(key) => pairs.push((key, value)),
                }
                if *left > 0 {
                    return Ok(None);
                }
                match Map::try_from_pairs(std::mem::take(pairs)) {
                    Some(map) => Ok(Some(Term::Map(map))),
                    None => Err(reader.error("a map has a key twice, ending")),
                }
            }
            Open::Fun { fun, left } => {
                *left -= 1;
                if let Some(fun) = fun {
                    fun.free.push(value);
                }
                if *left > 0 {
                    return Ok(None);
                }
                Ok(fun.take().map(|fun| Term::Fun(Arc::new(*fun))))
            }
        }
    }
}

#[cfg(test)]
mod tests;
