//! What Rust values become, and which terms they are read from.

use super::*;
use crate::term;

#[test]
fn rust_values_come_back_from_their_terms() {
    fn round<T: IntoTerm + FromTerm + Clone + PartialEq + std::fmt::Debug>(value: T, term: &Term) {
        assert_eq!(&value.clone().into_term(), term);
        assert_eq!(T::from_term(term), Ok(value));
    }
    round(true, &term!(true));
    round(7_u8, &term!(7));
    round(u64::MAX, &Term::from(BigInt::from(u64::MAX)));
    round(i128::MIN, &Term::from(BigInt::from(i128::MIN)));
    round(1.5_f64, &term!(1.5));
    round(String::from("é"), &term!("é"));
    round(vec![1_i32, 2], &term!([1, 2]));
    round((1_u8, String::from("a"), Atom::new("b")), &term!({1, "a", b}));
    round(Some(1_u8), &term!(1));
    round(None::<u8>, &term!(undefined));
    round(Ok::<(), String>(()), &term!(ok));
    round(Ok::<u8, String>(1), &term!({ok, 1}));
    round(Err::<u8, Atom>(Atom::new("enoent")), &term!({error, enoent}));
    round(BTreeMap::from([(Atom::new("a"), 1_u8)]), &term!(#{a => 1}));
    round(HashMap::<u8, u8>::from([(1, 2)]), &term!(#{1 => 2}));
    round(Bytes::from_static(b"xyz"), &term!("xyz"));
    round((), &term!(ok));
}

#[test]
fn terms_of_another_shape_are_refused() {
    assert!(u8::from_term(&term!(256)).is_err());
    assert!(u8::from_term(&term!(1.0)).is_err());
    assert!(f64::from_term(&term!(1)).is_err());
    assert!(Vec::<u8>::from_term(&term!([1 | 2])).is_err());
    assert!(<(u8, u8)>::from_term(&term!({1, 2, 3})).is_err());
    assert!(Result::<u8, u8>::from_term(&term!(ok)).is_err());
    assert_eq!(String::from_term(&Term::string("wörld€")), Ok(String::from("wörld€")));
    assert_eq!(Vec::<u8>::from_term(&Term::string("abc")), Ok(b"abc".to_vec()));
}

#[test]
fn term_writes_what_it_looks_like() {
    let n = 5;
    assert_eq!(term!({}), Term::tuple([]));
    assert_eq!(term!([]), Term::NIL);
    assert_eq!(term!(#{}), Term::Map(Map::default()));
    assert_eq!(term!({a, (n), -1}), Term::tuple([Term::atom("a"), Term::Int(5), Term::Int(-1)]));
    assert_eq!(term!([1, #{} | x]), List::with_tail(vec![Term::Int(1), term!(#{})], Term::atom("x")));
    assert_eq!(term!([a | [b]]), term!([a, b]));
    assert_eq!(term!(#{{1} => #{a => -1,}, 2 => [],}).as_map().map(Map::len), Some(2));
    assert_eq!(term!(5_000_000_000), Term::Int(5_000_000_000));
}
