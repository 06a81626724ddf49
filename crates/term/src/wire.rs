//! Terms on their way: encoded for a connection, or just come off one and not yet decoded.

use std::sync::Arc;

use bytes::Bytes;

use crate::atom::Atom;
use crate::ident::NodeId;
use crate::term::Term;

/// A term encoded for a connection, without the version byte 131. Its atoms stand as `ATOM_CACHE_REF`
/// (82, K), K being their place in `atoms`; from the 256th on they are written out.
///
/// Large binaries are not copied: they are spliced in when the bytes are written.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    /// Everything but the spliced binaries.
    pub bytes: Vec<u8>,
    /// Binaries that belong before the given offsets of `bytes`, in rising order.
    pub splices: Vec<(usize, Bytes)>,
    /// The atoms the term refers to, at most 255.
    pub atoms: Vec<Atom>,
}

impl Encoded {
    /// How many bytes the term has on the wire, splices included.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.splices.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is needed to read a term off a connection: shared by the many messages that have the same header.
#[derive(Debug, Default)]
pub struct WireContext {
    /// What the atom references of the message mean.
    pub atoms: Vec<Atom>,
    /// Where its identifiers most likely belong: this node and its peer. Saves an allocation for each.
    pub nodes: Vec<NodeId>,
}

/// A term that came off a connection, decoded by whoever asks for it.
#[derive(Clone, Debug)]
pub struct WireTerm {
    /// The term's bytes, without the version byte 131.
    pub bytes: Bytes,
    /// What the bytes refer to.
    pub context: Arc<WireContext>,
}

impl WireTerm {
    /// The term.
    ///
    /// # Errors
    /// When the bytes are not exactly one term.
    pub fn decode(&self) -> Result<Term, crate::decode::DecodeError> {
        crate::decode::decode_wire(self)
    }
}
