//! From Rust types to terms and back.

use crate::atom::Atom;
use crate::ident::{Pid, Ref};
use crate::term::Term;

/// A Rust value that is an Erlang term.
pub trait IntoTerm {
    /// The term.
    fn into_term(self) -> Term;
}

/// A Rust type whose values some Erlang terms are. The type is the pattern.
pub trait FromTerm: Sized {
    /// The value, or what was expected in the place of the term.
    ///
    /// # Errors
    /// When the term does not have the shape of this type.
    fn from_term(term: &Term) -> Result<Self, Mismatch>;
}

/// A term did not have the shape it was read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected {expected}")]
pub struct Mismatch {
    /// What the term was read as.
    pub expected: &'static str,
}

impl IntoTerm for Term {
    fn into_term(self) -> Term {
        self
    }
}

impl FromTerm for Term {
    fn from_term(term: &Term) -> Result<Term, Mismatch> {
        Ok(term.clone())
    }
}

macro_rules! plain {
    ($($type:ty, $variant:ident, $name:literal;)*) => {$(
        impl IntoTerm for $type {
            fn into_term(self) -> Term {
                Term::$variant(self)
            }
        }

        impl FromTerm for $type {
            fn from_term(term: &Term) -> Result<$type, Mismatch> {
                match term {
                    Term::$variant(value) => Ok(value.clone()),
                    _ => Err(Mismatch { expected: $name }),
                }
            }
        }
    )*};
}

plain! {
    Pid, Pid, "a pid";
    Ref, Ref, "a reference";
    Atom, Atom, "an atom";
    i64, Int, "an integer of 64 bits";
}
