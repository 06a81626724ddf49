//! What the decoder takes and refuses, and that it gives back what the encoder wrote.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::*;
use crate::encode::{encode, encode_wire};
use crate::{Atom, NodeId};

fn plain(bytes: &[u8]) -> Result<Term, DecodeError> {
    decode(&Bytes::from([&[131], bytes].concat()))
}

fn round(term: &Term) {
    let bytes = Bytes::from(encode(term));
    assert_eq!(&decode(&bytes).unwrap(), term, "{bytes:?}");
    let encoded = encode_wire(term);
    let mut flat = Vec::new();
    let mut from = 0;
    for (at, splice) in &encoded.splices {
        flat.extend_from_slice(&encoded.bytes[from..*at]);
        flat.extend_from_slice(splice);
        from = *at;
    }
    flat.extend_from_slice(&encoded.bytes[from..]);
    assert_eq!(flat.len(), encoded.len());
    let context = WireContext { atoms: encoded.atoms, nodes: vec![] };
    let wire = WireTerm { bytes: flat.into(), context: Arc::new(context) };
    assert_eq!(&wire.decode().unwrap(), term);
}

#[test]
fn terms_come_back_as_they_went() {
    let node = NodeId::new(Atom::new("ketchup@localhost"), 7);
    let pid = crate::Pid { node: node.clone(), id: 84, serial: 1 };
    let fun = Fun {
        arity: 2,
        uniq: [9; 16],
        index: 3,
        module: Atom::new("m"),
        old_index: 1,
        old_uniq: 1 << 40,
        creator: pid.clone(),
        free: vec![Term::tuple([Term::atom("a")]), Term::Int(1), Term::Binary(vec![7; 9000].into())],
    };
    let parts = [
        Term::Int(0),
        Term::Int(255),
        Term::Int(256),
        Term::Int(-1),
        Term::Int(i64::MIN),
        Term::Int(i64::MAX),
        Term::from(num_bigint::BigInt::from(i64::MAX) * 1000),
        Term::Float(1.5),
        Term::atom(""),
        Term::atom("é"),
        Term::NIL,
        Term::string("hello"),
        Term::string("wörld€"),
        Term::binary("bin"),
        Term::Pid(pid),
        Term::Ref(crate::Ref::new(node.clone(), &[1, 2, 3]).unwrap()),
        Term::Port(crate::Port { node: node.clone(), id: 5 }),
        Term::Port(crate::Port { node, id: 1 << 40 }),
        Term::Fun(Arc::new(fun)),
        Term::Export(Arc::new(crate::Export { module: Atom::new("m"), function: Atom::new("f"), arity: 3 })),
        Term::Bits(Arc::new(crate::BitString { bytes: vec![1, 128].into(), last_bits: 1 })),
        List::with_tail(vec![Term::Int(1)], Term::Int(2)),
        Term::tuple([]),
        Term::Map(Map::from_iter([(Term::Int(1), Term::atom("a")), (Term::Float(1.0), Term::NIL)])),
        List::with_tail(vec![Term::Int(1)], List::with_tail(vec![Term::Int(2)], Term::string("abc"))),
        Term::list(vec![Term::Int(300); 3]),
    ];
    parts.iter().for_each(round);
    round(&Term::list(parts.iter().cloned()));
    round(&Term::tuple(parts.clone()));
    round(&Term::Map(
        parts.iter().cloned().map(|term| (Term::tuple([term.clone(), Term::NIL]), term)).collect(),
    ));
    round(&Term::tuple([Term::tuple(parts.clone()), Term::tuple(parts.clone()), Term::atom("end")]));
    round(&Term::list((0..300).map(|n| Term::atom(&format!("atom{n}")))));
}

#[test]
fn a_container_may_stand_at_any_place_of_a_small_tuple() {
    let inner = Term::list([Term::tuple([Term::atom("x")]), Term::tuple([]), Term::NIL]);
    for arity in 1..11 {
        for at in 0..arity {
            let items = (0..arity).map(|n| if n == at { inner.clone() } else { Term::Int(n * 1000) });
            round(&Term::Tuple(items.collect()));
        }
    }
}

#[test]
fn atoms_of_every_tag_and_length_are_read_alike() {
    for length in [0, 1, 13, 14, 15, 16, 17, 255] {
        let text = "a".repeat(length as usize);
        let (short, long) = ([length as u8], (length as u16).to_be_bytes());
        for (tag, head) in [(100, &long[..]), (115, &short[..]), (118, &long[..]), (119, &short[..])] {
            let atom = [&[tag], head, text.as_bytes()].concat();
            assert_eq!(plain(&atom), Ok(Term::atom(&text)), "tag {tag}, length {length}");
            let pair = [&[104, 2], &atom[..], &[109, 0, 0, 0, 20], &[7; 20]].concat();
            let bytes = Term::Binary(vec![7; 20].into());
            assert_eq!(
                plain(&pair),
                Ok(Term::tuple([Term::atom(&text), bytes])),
                "tag {tag}, length {length}"
            );
            assert!(plain(&atom[..atom.len() - 1]).is_err());
        }
    }
    let latin1 = [&[104, 2, 100, 0, 2, 233, b'x'][..], &[109, 0, 0, 0, 20], &[7; 20]].concat();
    assert_eq!(plain(&latin1).unwrap().as_tuple().map(|items| items[0].clone()), Some(Term::atom("éx")));
}

#[test]
fn claims_beyond_the_bytes_are_refused_before_anything_is_reserved() {
    for bytes in [
        &[105, 255, 255, 255, 255, 97, 1][..],
        &[108, 255, 255, 255, 255, 97, 1],
        &[116, 255, 255, 255, 255, 97, 1],
        &[109, 255, 255, 255, 255, 97],
        &[104, 3, 104, 3, 104, 1],
        &[80, 255, 255, 255, 255, 1, 2],
    ] {
        assert!(plain(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn what_is_no_term_is_refused() {
    for bytes in [
        &[][..],
        &[97],
        &[97, 1, 1],
        &[117, 0],
        &[67, 0],
        &[104, 1, 121, 1],
        &[82, 0],
        &[200],
        &[70, 127, 240, 0, 0, 0, 0, 0, 0],
        &[116, 0, 0, 0, 2, 97, 1, 106, 97, 1, 106],
        &[119, 1, 255],
        &[77, 0, 0, 0, 1, 9, 255],
        &[77, 0, 0, 0, 1, 0, 255],
        &[77, 0, 0, 0, 0, 3],
        &[90, 0, 6, 119, 0, 0],
    ] {
        assert!(plain(bytes).is_err(), "{bytes:?}");
    }
    assert!(plain(&[&[118, 2, 0][..], "é".repeat(256).as_bytes()].concat()).is_err());
    assert!(decode(&Bytes::new()).is_err());
}

#[test]
fn one_value_has_one_face() {
    assert_eq!(plain(&[110, 1, 0, 5]), Ok(Term::Int(5)));
    assert_eq!(plain(&[110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 128]), Ok(Term::Int(i64::MIN)));
    assert_eq!(plain(&[77, 0, 0, 0, 1, 8, 7]), Ok(Term::binary("\u{7}")));
    assert_eq!(plain(&[77, 0, 0, 0, 1, 3, 255]), plain(&[77, 0, 0, 0, 1, 3, 224]));
    assert_eq!(plain(&[108, 0, 0, 0, 0, 97, 3]), Ok(Term::Int(3)));
    assert_eq!(plain(&[100, 0, 1, 233]), Ok(Term::atom("é")));
    assert_eq!(plain(&[107, 0, 2, 1, 2]), plain(&[108, 0, 0, 0, 2, 97, 1, 97, 2, 106]));
}

#[test]
fn deep_terms_of_every_kind_live_and_die_without_recursion() {
    // A stack of 2 MiB has 10 bytes for each level.
    const DEEP: usize = 200_000;
    type Wrap = fn(Term, &Term) -> Term;
    let wraps: [Wrap; 6] = [
        |inner, _| Term::tuple([Term::Int(1), inner]),
        |inner, _| Term::list([inner]),
        |inner, _| Term::List(List::cons(Term::atom("x"), inner)),
        |inner, _| Term::Map(Map::from_iter([(Term::Int(1), inner)])),
        |inner, _| Term::Map(Map::from_iter([(inner, Term::Int(1))])),
        |inner, fun| {
            let Term::Fun(fun) = fun else { return inner };
            let mut fun = Fun::clone(fun);
            fun.free = vec![inner];
            Term::Fun(Arc::new(fun))
        },
    ];
    let node = NodeId::new(Atom::new("a@b"), 1);
    let fun = Term::Fun(Arc::new(Fun {
        arity: 0,
        uniq: [0; 16],
        index: 0,
        module: Atom::new("m"),
        old_index: 0,
        old_uniq: 0,
        creator: crate::Pid { node, id: 1, serial: 0 },
        free: vec![],
    }));
    for (kind, wrap) in wraps.iter().enumerate() {
        let build = || (0..DEEP).fold(Term::NIL, |inner, _| wrap(inner, &fun));
        let (one, two) = (build(), build());
        assert!(one == two, "kind {kind}");
        let hash = |term: &Term| {
            let mut hasher = DefaultHasher::new();
            term.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&one), hash(&two));
        let bytes = Bytes::from(encode(&one));
        let back = decode(&bytes).unwrap();
        drop(one);
        assert!(back == two, "kind {kind}");
        let cut = bytes.slice(..bytes.len() - 1);
        assert!(decode(&cut).is_err());
    }
}
