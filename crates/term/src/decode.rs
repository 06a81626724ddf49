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
pub(crate) use reader::{PLACEHOLDER, Piece, Reader, set};

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
    /// Where `left` is odd, the last pair has its key but not yet its value.
    Map {
        pairs: Vec<(Term, Term)>,
        left: usize,
    },
    Fun {
        fun: Option<Box<Fun>>,
        left: usize,
    },
}

/// A value, in the slot now, or a container with elements to come, the first of which may have been begun.
enum Begun {
    Whole,
    Open(Open, Option<Piece>),
}

/// Every element takes at least a byte, so all open containers together may not lack more elements than
/// there are bytes. This makes it safe to reserve room for all of a container when it is opened.
pub(crate) fn read_term(reader: &mut Reader<'_>) -> Result<Term, DecodeError> {
    let mut value = PLACEHOLDER;
    let piece = reader.piece(&mut value)?;
    let mut begun = begin(reader, piece, 0, &mut value)?;
    let mut outer: Vec<Open> = Vec::new();
    let mut lacking = 0;
    'begin: loop {
        match begun {
            Begun::Whole => {}
            Begun::Open(open, Some(piece)) => {
                lacking += open.left() - 1;
                outer.push(open);
                begun = begin(reader, piece, lacking, &mut value)?;
                continue 'begin;
            }
            Begun::Open(mut open, None) => match open.read_on(reader, lacking, &mut value)? {
                Begun::Whole => {}
                inner => {
                    lacking += open.left() - 1;
                    outer.push(open);
                    begun = inner;
                    continue 'begin;
                }
            },
        }
        while let Some(open) = outer.last_mut() {
            lacking -= open.left() - 1;
            open.put(&mut value);
            match open.read_on(reader, lacking, &mut value)? {
                Begun::Whole => {}
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

/// Turns a piece into a value in its slot or an open container. Tuples of plain values are read to their end.
fn begin(
    reader: &mut Reader<'_>,
    piece: Piece,
    lacking: usize,
    slot: &mut Term,
) -> Result<Begun, DecodeError> {
    let open = match piece {
        Piece::Whole => return Ok(Begun::Whole),
        Piece::Tuple(arity) => return begin_tuple(reader, arity, lacking, slot),
        Piece::List(length) => {
            reader.expect(length.saturating_add(1), lacking)?;
            Open::List { items: Vec::with_capacity(length), left: length + 1 }
        }
        Piece::Map(0) => {
            set(slot, Term::Map(Map::default()));
            return Ok(Begun::Whole);
        }
        Piece::Map(pairs) => {
            reader.expect(pairs.saturating_mul(2), lacking)?;
            Open::Map { pairs: Vec::with_capacity(pairs), left: 2 * pairs }
        }
        Piece::Fun(fun, 0) => {
            set(slot, Term::Fun(Arc::new(*fun)));
            return Ok(Begun::Whole);
        }
        Piece::Fun(mut fun, left) => {
            reader.expect(left, lacking)?;
            fun.free.reserve_exact(left);
            Open::Fun { fun: Some(fun), left }
        }
    };
    Ok(Begun::Open(open, None))
}

/// An element that is a container itself ends this; placeholders follow.
fn begin_tuple(
    reader: &mut Reader<'_>,
    arity: usize,
    lacking: usize,
    slot: &mut Term,
) -> Result<Begun, DecodeError> {
    reader.expect(arity, lacking)?;
    let mut items: Arc<[Term]> = (0..arity).map(|_| PLACEHOLDER).collect();
    for (next, item) in Arc::get_mut(&mut items).unwrap_or_default().iter_mut().enumerate() {
        match reader.piece(item)? {
            Piece::Whole => {}
            piece => return Ok(Begun::Open(Open::Tuple { items, next }, Some(piece))),
        }
    }
    set(slot, Term::Tuple(Tuple::from(items)));
    Ok(Begun::Whole)
}

/// Reads an element into its place; one that is an open container is what the function comes to.
macro_rules! read {
    ($reader:ident, $lacking:ident, $place:expr, $left:expr, $unput:block) => {{
        let place = $place;
        let begun = match $reader.piece(place)? {
            Piece::Whole => Begun::Whole,
            piece => begin($reader, piece, $lacking + $left - 1, place)?,
        };
        if let Begun::Open(..) = begun {
            $unput
            return Ok(begun);
        }
    }};
}

impl Open {
    /// Elements that are still to come.
    fn left(&self) -> usize {
        match self {
            Open::Tuple { items, next } => items.len() - next,
            Open::List { left, .. } | Open::Map { left, .. } | Open::Fun { left, .. } => *left,
        }
    }

    /// Takes the next element, a container that is whole now, out of the slot. The tail of a list stays there.
    fn put(&mut self, slot: &mut Term) {
        let value = match self {
            Open::List { left: left @ 1, .. } => {
                *left = 0;
                return;
            }
            _ => std::mem::replace(slot, PLACEHOLDER),
        };
        match self {
            Open::Tuple { items, next } => {
                if let Some(items) = Arc::get_mut(items) {
                    set(&mut items[*next], value);
                }
                *next += 1;
            }
            Open::List { items, left } => {
                items.push(value);
                *left -= 1;
            }
            Open::Map { pairs, left } => {
                match *left % 2 {
                    0 => pairs.push((value, PLACEHOLDER)),
                    _ => set(&mut last(pairs).1, value),
                }
                *left -= 1;
            }
            Open::Fun { fun, left } => {
                if let Some(fun) = fun {
                    fun.free.push(value);
                }
                *left -= 1;
            }
        }
    }

    /// Reads on to the end, which puts the whole container into the slot, or to an element that is an open
    /// container.
    fn read_on(
        &mut self,
        reader: &mut Reader<'_>,
        lacking: usize,
        slot: &mut Term,
    ) -> Result<Begun, DecodeError> {
        match self {
            Open::Tuple { items, next } => {
                let arity = items.len();
                for item in &mut Arc::get_mut(items).unwrap_or_default()[*next..] {
                    read!(reader, lacking, item, arity - *next, {});
                    *next += 1;
                }
                set(slot, Term::Tuple(Tuple::from(Arc::clone(items))));
            }
            Open::List { items, left } => {
                while *left > 1 {
                    items.push(PLACEHOLDER);
                    read!(reader, lacking, last(items), *left, {
                        items.pop();
                    });
                    *left -= 1;
                }
                if *left == 1 {
                    read!(reader, lacking, &mut *slot, 1, {});
                    *left = 0;
                }
                let tail = std::mem::replace(slot, PLACEHOLDER);
                set(slot, List::with_tail(std::mem::take(items), tail));
            }
            Open::Map { pairs, left } => {
                while *left > 0 {
                    if *left % 2 == 0 {
                        pairs.push((PLACEHOLDER, PLACEHOLDER));
                        read!(reader, lacking, &mut last(pairs).0, *left, {
                            pairs.pop();
                        });
                        *left -= 1;
                    }
                    read!(reader, lacking, &mut last(pairs).1, *left, {});
                    *left -= 1;
                }
                let Some(map) = Map::try_from_pairs(std::mem::take(pairs)) else {
                    return Err(reader.error("a map has a key twice, ending"));
                };
                set(slot, Term::Map(map));
            }
            Open::Fun { fun, left } => {
                while *left > 0
                    && let Some(fun) = fun
                {
                    fun.free.push(PLACEHOLDER);
                    read!(reader, lacking, last(&mut fun.free), *left, {
                        fun.free.pop();
                    });
                    *left -= 1;
                }
                if let Some(fun) = fun.take() {
                    set(slot, Term::Fun(Arc::new(*fun)));
                }
            }
        }
        Ok(Begun::Whole)
    }
}

#[inline(always)]
fn last<T>(items: &mut [T]) -> &mut T {
    items.last_mut().expect("just pushed")
}

#[cfg(test)]
mod tests;
