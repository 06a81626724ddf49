//! The Erlang value.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::BigInt;

use crate::atom::Atom;
use crate::binary::{Binary, BitString};
use crate::fun::{Export, Fun, Local};
use crate::ident::{Pid, Port, Ref};
use crate::list::List;
use crate::map::Map;
use crate::tuple::Tuple;

/// Any Erlang value. 24 bytes; containers are shared, so a clone never copies what they hold.
///
/// One value has one face: an integer that fits 64 bits is an [`Term::Int`], a list is a [`Term::List`]
/// whether it is `[]`, a string or improper. Build big integers with [`Term::from`].
#[derive(Clone)]
pub enum Term {
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer that does not fit 64 bits.
    Big(Arc<BigInt>),
    /// A finite floating-point number.
    Float(f64),
    /// An atom.
    Atom(Atom),
    /// A process.
    Pid(Pid),
    /// A port.
    Port(Port),
    /// A reference.
    Ref(Ref),
    /// A fun made by code.
    Fun(Arc<Fun>),
    /// `fun M:F/A`.
    Export(Arc<Export>),
    /// A tuple.
    Tuple(Tuple),
    /// A map.
    Map(Map),
    /// A list.
    List(List),
    /// Whole bytes.
    Binary(Binary),
    /// Bits that do not fill their last byte.
    Bits(Arc<BitString>),
    /// A term that only the node that made it can read (`LOCAL_EXT`).
    Local(Arc<Local>),
}

impl Term {
    /// `[]`.
    pub const NIL: Term = Term::List(List::NIL);

    /// The atom `text`. See [`Atom::new`] for when it panics.
    pub fn atom(text: &str) -> Term {
        Term::Atom(Atom::new(text))
    }

    /// The tuple of `items`.
    pub fn tuple<const N: usize>(items: [Term; N]) -> Term {
        Term::Tuple(Tuple::from(items))
    }

    /// The proper list of `items`.
    pub fn list(items: impl IntoIterator<Item = Term>) -> Term {
        Term::List(items.into_iter().collect())
    }

    /// The list of the characters of `text`, as a string literal in Erlang is.
    pub fn string(text: &str) -> Term {
        if text.bytes().all(|b| b < 128) {
            return Term::List(List::from_bytes(bytes::Bytes::copy_from_slice(text.as_bytes())));
        }
        Term::list(text.chars().map(|c| Term::Int(c as i64)))
    }

    /// The binary of the bytes of `text`.
    pub fn binary(text: &str) -> Term {
        Term::Binary(Binary::from(text))
    }

    /// The atom, if this is one.
    pub fn as_atom(&self) -> Option<&Atom> {
        if let Term::Atom(atom) = self { Some(atom) } else { None }
    }

    /// Whether this is the atom `text`.
    pub fn is_atom(&self, text: &str) -> bool {
        self.as_atom().is_some_and(|atom| *atom == *text)
    }

    /// The integer, if this is one of at most 64 bits.
    pub fn as_int(&self) -> Option<i64> {
        if let Term::Int(number) = self { Some(*number) } else { None }
    }

    /// The elements, if this is a tuple.
    pub fn as_tuple(&self) -> Option<&[Term]> {
        if let Term::Tuple(items) = self { Some(items) } else { None }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&List> {
        if let Term::List(list) = self { Some(list) } else { None }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Term::Map(map) = self { Some(map) } else { None }
    }

    /// The bytes, if this is a binary.
    pub fn as_binary(&self) -> Option<&[u8]> {
        if let Term::Binary(binary) = self { Some(binary.as_slice()) } else { None }
    }

    /// The pid, if this is one.
    pub fn as_pid(&self) -> Option<&Pid> {
        if let Term::Pid(pid) = self { Some(pid) } else { None }
    }

    /// The reference, if this is one.
    pub fn as_ref(&self) -> Option<&Ref> {
        if let Term::Ref(reference) = self { Some(reference) } else { None }
    }

    /// The order by which map keys are told apart: `=:=`, all integers before all floats.
    pub fn cmp_exact(&self, other: &Term) -> Ordering {
        crate::order::compare(self, other, crate::order::Numbers::Exact)
    }
}

impl From<i64> for Term {
    fn from(number: i64) -> Term {
        Term::Int(number)
    }
}

impl From<BigInt> for Term {
    fn from(number: BigInt) -> Term {
        match i64::try_from(&number) {
            Ok(small) => Term::Int(small),
            Err(_) => Term::Big(Arc::new(number)),
        }
    }
}

impl From<Atom> for Term {
    fn from(atom: Atom) -> Term {
        Term::Atom(atom)
    }
}

impl From<Pid> for Term {
    fn from(pid: Pid) -> Term {
        Term::Pid(pid)
    }
}

impl From<Ref> for Term {
    fn from(reference: Ref) -> Term {
        Term::Ref(reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_twenty_four_bytes() {
        assert_eq!(size_of::<Term>(), 24);
    }
}
