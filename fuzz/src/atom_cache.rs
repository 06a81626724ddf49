//! Headers: any bytes, and two honest caches that must never disagree.

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use proto::connection::atom_cache::{Seen, Sent};
use term::Atom;

#[derive(Arbitrary, Debug)]
struct Story<'a> {
    strangers: Vec<&'a [u8]>,
    /// The atoms of each honest message, as numbers.
    lists: Vec<Vec<u16>>,
}

/// The promise: no panic, and what one side writes is what the other reads.
pub fn atom_cache(data: &[u8]) {
    let Ok(story) = Story::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let (us, them) = crate::connection::nodes();
    let mut seen = Seen::new(us.clone(), them.clone());
    for header in &story.strangers {
        if let Ok((context, end)) = seen.read_header(header) {
            assert!(end <= header.len() && context.atoms.len() == usize::from(header[0]));
        }
    }
    let (mut sent, mut seen) = (Sent::default(), Seen::new(us, them));
    for list in &story.lists {
        let atoms: Vec<Atom> = list.iter().take(255).map(|number| atom(*number)).collect();
        let (payload, control) = atoms.split_at(atoms.len() / 2);
        let mut out = BytesMut::new();
        sent.write_header(&mut out, payload, &control.iter().collect::<Vec<_>>());
        let (context, end) = seen.read_header(&out).expect("an honest header");
        assert_eq!((&context.atoms, end), (&atoms, out.len()), "the caches disagree");
    }
}

/// Some of them longer than one byte of length can say.
fn atom(number: u16) -> Atom {
    let text = format!("atom_{number}");
    if number.is_multiple_of(13) { Atom::new(&"é".repeat(200)) } else { Atom::new(&text) }
}
