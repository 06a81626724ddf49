//! Derived conversions: what the terms look like, and that they come back.

#![cfg(feature = "derive")]

use std::fmt::Debug;

use trunkline_term::{FromTerm, IntoTerm, Term, term};

fn round<T: IntoTerm + FromTerm + Clone + PartialEq + Debug>(value: T, expected: Term) {
    assert_eq!(value.clone().into_term(), expected);
    assert_eq!(T::from_term(&expected), Ok(value));
}

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term")]
struct GetUser {
    name: String,
    age: Option<u8>,
}

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term")]
struct Stop;

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term", tag = "$pair")]
struct Pair<A, B>(A, B);

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term", untagged)]
struct Point {
    x: i64,
    y: f64,
}

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term", transparent)]
struct Id(u32);

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term", map)]
struct Options {
    #[term(nil)]
    name: Option<String>,
    #[term(default)]
    retries: u8,
    #[term(with_string, key = "hostName")]
    host: String,
    r#type: Id,
}

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term", elixir = "Elixir.My.Module")]
struct Elixir {
    #[term(nil)]
    n: Option<i64>,
}

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term")]
enum Request {
    Stop,
    Add(i64),
    MoveTo {
        x: i64,
        y: i64,
    },
    #[term(tag = "$gen_call")]
    Call(Box<Request>),
}

#[derive(IntoTerm, FromTerm, Clone, PartialEq, Debug)]
#[term(crate = "trunkline_term", untagged)]
enum Any {
    Number(i64),
    Text(String),
    Two(i64, i64),
    Nothing,
}

#[test]
fn structs_are_tagged_tuples_unless_told() {
    round(GetUser { name: "joe".into(), age: None }, term!({get_user, "joe", undefined}));
    round(Stop, term!(stop));
    let tag = trunkline_term::Atom::new("$pair");
    round(Pair(1_u8, true), term!({(tag), 1, true}));
    round(Point { x: 1, y: 2.0 }, term!({1, 2.0}));
    round(Id(7), term!(7));
    assert_eq!(GetUser::from_term(&term!({get_user, 1})).unwrap_err().expected, "{get_user, Name, Age}");
}

#[test]
fn structs_can_be_maps() {
    let options = Options { name: None, retries: 2, host: "h".into(), r#type: Id(1) };
    let host = Term::string("h");
    round(options.clone(), term!(#{name => nil, retries => 2, hostName => (host.clone()), type => 1}));
    let sparse = term!(#{hostName => (host), type => 1, more => 5});
    assert_eq!(Options::from_term(&sparse), Ok(Options { retries: 0, ..options }));
    let expected = Options::from_term(&term!(#{type => 1})).unwrap_err().expected;
    assert_eq!(expected, "a map with the key hostName");
    let module = trunkline_term::Atom::new("Elixir.My.Module");
    round(Elixir { n: Some(1) }, term!(#{__struct__ => (module), n => 1}));
    assert!(Elixir::from_term(&term!(#{n => 1})).is_err());
}

#[test]
fn enums_are_atoms_and_tagged_tuples() {
    round(Request::Stop, term!(stop));
    round(Request::Add(1), term!({add, 1}));
    round(Request::MoveTo { x: 1, y: -1 }, term!({move_to, 1, -1}));
    let tag = trunkline_term::Atom::new("$gen_call");
    round(Request::Call(Box::new(Request::Stop)), term!({(tag), stop}));
    assert!(Request::from_term(&term!({add, x})).is_err());
    round(Any::Number(1), term!(1));
    round(Any::Text("a".into()), term!("a"));
    round(Any::Two(1, 2), term!({1, 2}));
    round(Any::Nothing, term!(nothing));
}
