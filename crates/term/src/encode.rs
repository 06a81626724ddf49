//! Terms to bytes.

use crate::term::Term;
use crate::wire::Encoded;

/// The bytes of `term`, with the version byte 131 and all atoms written out.
pub fn encode(_term: &Term) -> Vec<u8> {
    unimplemented!()
}

/// `term` for a connection: see [`Encoded`].
pub fn encode_wire(_term: &Term) -> Encoded {
    unimplemented!()
}
