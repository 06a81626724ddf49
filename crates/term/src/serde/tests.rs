//! serde types as terms, by way of bytes and by way of terms.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::*;
use crate::{NodeId, term};

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct User {
    name: String,
    age: Option<u8>,
    scores: Vec<f64>,
    pid: Pid,
    extra: Term,
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
enum Request {
    Stop,
    Add(i64),
    Move(i64, u64),
    Rename { from: String, to: Atom },
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
enum Tree {
    Leaf,
    Node(Box<Tree>),
}

fn round<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, expected: Term) {
    assert_eq!(to_term(&value).unwrap(), expected);
    assert_eq!(from_term::<T>(&expected).unwrap(), value);
    assert_eq!(from_bytes::<T>(&to_bytes(&value).unwrap().into()).unwrap(), value);
}

#[test]
fn values_come_back_from_their_terms() {
    let pid = Pid { node: NodeId::new(Atom::new("a@b"), 3), id: 1, serial: 2 };
    let user =
        User { name: "joe".into(), age: None, scores: vec![1.5], pid: pid.clone(), extra: term!({x, []}) };
    round(user, term!(#{name => "joe", age => undefined, scores => [1.5], pid => (pid), extra => {x, []}}));
    round(Request::Stop, term!(stop));
    round(Request::Add(-5), term!({add, -5}));
    round(Request::Move(1, u64::MAX), term!({move, 1, (u64::MAX)}));
    round(Request::Rename { from: "a".into(), to: Atom::new("b") }, term!({rename, #{from => "a", to => b}}));
    round((1_u8, 'x', true, ()), term!({1, 120, true, ok}));
    round(BTreeMap::from([("k".to_owned(), vec![1_u8, 2])]), term!(#{"k" => [1, 2]}));
    round(Vec::<u8>::new(), term!([]));
    round(i128::MIN, i128::MIN.into_term());
    assert_eq!(from_term::<String>(&Term::string("Ωx")).unwrap(), "Ωx");
}

#[test]
fn other_terms_are_refused_and_none_is_too_deep() {
    assert!(from_term::<Request>(&term!({add, 1, 2})).is_err());
    assert!(from_term::<Vec<u8>>(&term!([1 | 2])).is_err());
    assert!(from_term::<(u8, u8)>(&term!({1, 2, 3})).is_err());
    let deep = (0..100_000).fold(term!("Leaf"), |inner, _| Term::tuple([Term::atom("Node"), inner]));
    assert!(from_term::<Tree>(&deep).is_err());
    assert!(from_term::<serde::de::IgnoredAny>(&deep).is_ok());
    assert!(from_bytes::<Vec<u8>>(&Bytes::from_static(&[131, 108, 255, 255, 255, 255, 97])).is_err());
}
