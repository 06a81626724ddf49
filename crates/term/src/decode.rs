//! Bytes to terms: never panics, never recurses, never allocates more than the bytes seen justify.

use bytes::Bytes;

use crate::term::Term;
use crate::wire::{WireContext, WireTerm};

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
/// # Errors
/// When they don't.
pub fn decode(_bytes: &Bytes) -> Result<Term, DecodeError> {
    unimplemented!()
}

/// The term that starts at `at` (no version byte), and where it ends. Binaries are slices of `bytes`.
///
/// # Errors
/// When there is no term.
pub fn decode_at(_bytes: &Bytes, _at: usize, _context: &WireContext) -> Result<(Term, usize), DecodeError> {
    unimplemented!()
}

/// The one term of a message.
///
/// # Errors
/// When the bytes are not exactly one term.
pub fn decode_wire(_term: &WireTerm) -> Result<Term, DecodeError> {
    unimplemented!()
}
