//! Bytes to terms: never panics, never recurses, never allocates more than the bytes seen justify.

mod compressed;
mod reader;

use std::sync::Arc;

use bytes::Bytes;

use crate::fun::{Fun, Local};
use crate::list::List;
use crate::map::{Map, sorted_pairs};
use crate::tags;
use crate::term::Term;
use crate::tuple::Tuple;
use crate::wire::{WireContext, WireTerm};
pub(crate) use reader::{PLACEHOLDER, Piece, Reader, set, take};

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

/// A container some of whose elements have not been read yet. Those that have been lie on the stack of values, from `start` on;
/// below them is the place of the container itself.
struct Open {
    kind: Kind,
    /// How many elements are to come; a list's tail is one of them.
    left: usize,
    start: usize,
}

enum Kind {
    Tuple,
    List,
    Map,
    Fun(Box<Fun>),
}

/// Every element takes at least a byte, so all open containers together may not lack more elements than
/// there are bytes. This makes it safe to reserve room for all of a container when it is opened.
pub(crate) fn read_term(reader: &mut Reader<'_>) -> Result<Term, DecodeError> {
    let mut value = PLACEHOLDER;
    match reader.piece(&mut value)? {
        Piece::Whole => Ok(value),
        Piece::Tuple(arity) if arity <= ROW_ITEMS => read_row(reader, arity),
        piece => read_on(reader, piece, vec![PLACEHOLDER], Vec::new()),
    }
}

/// A small tuple, as most messages are. Needs no stack as long as it holds no containers.
fn read_row(reader: &mut Reader<'_>, arity: usize) -> Result<Term, DecodeError> {
    reader.expect(arity, 0)?;
    let mut row = [PLACEHOLDER; ROW_ITEMS];
    for at in 0..arity {
        match reader.piece(&mut row[at])? {
            Piece::Whole => {}
            piece => {
                let mut values = Vec::with_capacity(arity + ROW_ITEMS);
                values.push(PLACEHOLDER);
                values.extend(row.into_iter().take(at + 1));
                let outer = Open { kind: Kind::Tuple, left: arity - at, start: 1 };
                return read_on(reader, piece, values, vec![outer]);
            }
        }
    }
    Ok(Term::Tuple(Tuple::from_iter(row.into_iter().take(arity))))
}

/// Reads a container that has begun and whose place is the last of the values, and then those around it.
fn read_on(
    reader: &mut Reader<'_>,
    piece: Piece,
    mut values: Vec<Term>,
    mut outer: Vec<Open>,
) -> Result<Term, DecodeError> {
    let mut lacking = outer.iter().map(|open| open.left - 1).sum();
    let mut open = Open::new(reader, piece, lacking, &mut values)?;
    loop {
        while open.left > 0 {
            values.push(PLACEHOLDER);
            match reader.piece(last(&mut values))? {
                Piece::Whole => open.left -= 1,
                piece => {
                    lacking += open.left - 1;
                    let inner = Open::new(reader, piece, lacking, &mut values)?;
                    outer.push(std::mem::replace(&mut open, inner));
                }
            }
        }
        let Some(around) = outer.pop() else {
            open.close(reader, &mut values)?;
            return Ok(values.pop().unwrap_or(PLACEHOLDER));
        };
        std::mem::replace(&mut open, around).close(reader, &mut values)?;
        lacking -= open.left - 1;
        open.left -= 1;
    }
}

impl Open {
    #[inline]
    fn new(
        reader: &Reader<'_>,
        piece: Piece,
        lacking: usize,
        values: &mut Vec<Term>,
    ) -> Result<Open, DecodeError> {
        let (kind, left) = match piece {
            Piece::Tuple(arity) => (Kind::Tuple, arity),
            Piece::List(length) => (Kind::List, length.saturating_add(1)),
            Piece::Map(pairs) => (Kind::Map, pairs.saturating_mul(2)),
            Piece::Fun(fun, free) => (Kind::Fun(fun), free),
            Piece::Whole => (Kind::Tuple, 0),
        };
        reader.expect(left, lacking)?;
        values.reserve(left);
        Ok(Open { kind, left, start: values.len() })
    }

    /// Makes the container of its elements, which are all there, and puts it in its place.
    #[inline]
    fn close(self, reader: &Reader<'_>, values: &mut Vec<Term>) -> Result<(), DecodeError> {
        let (around, items) = values.split_at_mut(self.start);
        let place = last(around);
        match self.kind {
            Kind::Tuple => {
                let tuple = Tuple::from_iter(items.iter_mut().map(take));
                set(place, Term::Tuple(tuple));
            }
            Kind::List if items.len() == 1 => set(place, take(&mut items[0])),
            Kind::List => {
                let items = items.iter_mut().map(take).collect();
                set(place, Term::List(List::of_items_and_tail(items)));
            }
            Kind::Map => {
                let Some(pairs) = sorted_pairs(items) else {
                    return Err(reader.error("a map has a key twice, ending"));
                };
                set(place, Term::Map(Map::of_sorted(pairs)));
            }
            Kind::Fun(mut fun) => {
                fun.free = items.iter_mut().map(take).collect();
                set(place, Term::Fun(Arc::new(*fun)));
            }
        }
        values.truncate(self.start);
        Ok(())
    }
}

#[inline(always)]
fn last<T>(items: &mut [T]) -> &mut T {
    items.last_mut().expect("a container has a place")
}

/// Elements of a tuple that are read without a stack.
const ROW_ITEMS: usize = 8;

#[cfg(test)]
mod tests;
