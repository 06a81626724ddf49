//! `erlang`: references and ports from their text, and which modules there are.

use trunkline::term::{Port, Ref, Term};

use super::Row;
use super::args::text;
use crate::machine::code::After;
use crate::machine::code::Native::{Process, Step};
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    (
        "list_to_ref",
        1,
        Process(|world, a| {
            let mut words = numbers(&text(&a[0])?, "#Ref<")?;
            words.reverse();
            let reference = Ref::new(world.pid().node, &words).ok_or_else(Raise::badarg)?;
            Ok(Term::Ref(reference))
        }),
    ),
    (
        "list_to_port",
        1,
        Process(|world, a| match numbers(&text(&a[0])?, "#Port<")?.as_slice() {
            [id] => Ok(Term::Port(Port { node: world.pid().node, id: (*id).into() })),
            _ => Err(Raise::badarg()),
        }),
    ),
    (
        "loaded",
        0,
        Step(|machine, _, _| {
            let mut names = machine.vm.library.modules();
            names.extend(machine.vm.loaded().iter().map(|module| module.name.clone()));
            names.sort();
            names.dedup();
            Ok(After::Value(Term::list(names.into_iter().map(Term::Atom))))
        }),
    ),
];

/// The numbers behind the node's, which must be 0: that of our own.
fn numbers(text: &str, begin: &str) -> Result<Vec<u32>> {
    let inner = text.strip_prefix(begin).and_then(|text| text.strip_suffix('>'));
    let all: Option<Vec<u32>> =
        inner.and_then(|inner| inner.split('.').map(|part| part.parse().ok()).collect());
    match all.as_deref() {
        Some([0, words @ ..]) if !words.is_empty() => Ok(words.to_vec()),
        _ => Err(Raise::badarg()),
    }
}
