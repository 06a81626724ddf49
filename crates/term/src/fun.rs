//! Funs: values we carry for others and give back byte for byte, and exported functions by name.

use bytes::Bytes;

use crate::atom::Atom;
use crate::ident::Pid;
use crate::term::Term;

/// A fun made by code (`NEW_FUN_EXT`). Opaque to us, but it survives a round trip.
#[derive(Clone, Debug)]
pub struct Fun {
    /// How many arguments it takes.
    pub arity: u8,
    /// MD5 of the module it was compiled in.
    pub uniq: [u8; 16],
    /// Which fun of its module it is.
    pub index: u32,
    /// The module.
    pub module: Atom,
    /// An older numbering of the funs of a module.
    pub old_index: i64,
    /// An older fingerprint of the module.
    pub old_uniq: i64,
    /// The process that made it.
    pub creator: Pid,
    /// The values it closes over.
    pub free: Vec<Term>,
}

/// `fun Module:Function/Arity`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Export {
    /// The module.
    pub module: Atom,
    /// The function.
    pub function: Atom,
    /// How many arguments it takes.
    pub arity: u8,
}

/// The bytes of a `LOCAL_EXT` term: meaningful only to the node that made them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Local(pub Bytes);
