//! Bytes that may be a term, and text that may be one.

use std::sync::Arc;

use bytes::Bytes;
use term::print::{Names, Printer};
use term::{Atom, NodeId, Term, WireContext, WireTerm, decode, encode, encode_wire, read};

/// Whatever is decoded can be compared, printed, encoded, and decoded again to the same value.
pub fn term(data: &[u8]) {
    let context = WireContext {
        atoms: ["ok", "error", "a_longer_atom_than_others", "a@b"].map(Atom::new).to_vec(),
        nodes: vec![NodeId::new(Atom::new("a@b"), 1)],
    };
    let wire = WireTerm { bytes: Bytes::copy_from_slice(data), context: Arc::new(context) };
    if let Ok(term) = wire.decode() {
        check(&term);
    }
    let standalone = [&[131], data].concat();
    if let Ok(term) = decode(&Bytes::from(standalone)) {
        check(&term);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(term) = read::read_term(text)
    {
        check(&term);
        let printed = Printer::new(&Names).unicode().write(&term);
        assert_eq!(read::read_term(&printed).as_ref(), Ok(&term), "{printed}");
    }
}

fn check(term: &Term) {
    let bytes = Bytes::from(encode(term));
    assert_eq!(decode(&bytes).as_ref(), Ok(term));
    let encoded = encode_wire(term);
    assert!(encoded.atoms.len() <= 255);
    if encoded.splices.is_empty() {
        let context = Arc::new(WireContext { atoms: encoded.atoms, nodes: vec![] });
        let wire = WireTerm { bytes: encoded.bytes.into(), context };
        // A LOCAL_EXT term, which stands alone, travels as the binary that holds it.
        if !matches!(term, Term::Local(_)) {
            assert_eq!(wire.decode().as_ref(), Ok(term));
        }
    }
    let _ = Printer::new(&Names).pretty(term);
    assert_eq!(term.cmp(&term.clone()), std::cmp::Ordering::Equal);
}
