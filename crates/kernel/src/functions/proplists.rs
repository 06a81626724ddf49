//! `proplists`.

use term::Term;

use super::{Answer, Fault, Module, args};
use args::{boolean, items, list};

pub(super) const MODULE: Module = Module {
    name: "proplists",
    unfit: "function_clause",
    near: &[
        ("get_value", 2, |_, a| value(a, args::undefined())),
        ("get_value", 3, |_, a| value(a, a[2].clone())),
        ("get_bool", 2, |_, a| Ok(boolean(value(a, boolean(false))?.is_atom("true")))),
        ("is_defined", 2, |_, a| Ok(boolean(list(&a[1])?.iter().any(|entry| is_of(&entry, &a[0]))))),
        ("lookup", 2, |_, a| {
            Ok(list(&a[1])?.iter().find(|entry| is_of(entry, &a[0])).map_or(Term::atom("none"), expanded))
        }),
        ("lookup_all", 2, |_, a| {
            Ok(Term::list(list(&a[1])?.iter().filter(|entry| is_of(entry, &a[0])).map(expanded)))
        }),
        ("get_all_values", 2, |_, a| {
            let values = list(&a[1])?.iter().filter(|entry| is_of(entry, &a[0])).map(expanded);
            Ok(Term::list(values.filter_map(|entry| entry.as_tuple()?.get(1).cloned())))
        }),
        ("get_keys", 1, |_, a| {
            let keys = list(&a[0])?.iter().filter_map(|entry| key_of(&entry).cloned());
            let keys: std::collections::BTreeSet<Term> = keys.collect();
            Ok(Term::list(keys))
        }),
        ("delete", 2, |_, a| Ok(Term::list(list(&a[1])?.iter().filter(|entry| !is_of(entry, &a[0]))))),
        ("unfold", 1, |_, a| Ok(Term::list(list(&a[0])?.iter().map(expanded)))),
        ("compact", 1, |_, a| {
            Ok(Term::list(items(&a[0])?.into_iter().map(|entry| match entry.as_tuple() {
                Some([key @ Term::Atom(_), yes]) if yes.is_atom("true") => key.clone(),
                _ => entry,
            })))
        }),
        ("to_map", 1, |_, a| {
            let pairs = list(&a[0])?.iter().map(expanded).filter_map(|entry| match entry.as_tuple() {
                Some([key, value]) => Some((key.clone(), value.clone())),
                _ => None,
            });
            // The first of several counts.
            let mut pairs: Vec<_> = pairs.collect();
            pairs.reverse();
            Ok(Term::Map(pairs.into_iter().collect()))
        }),
        ("from_map", 1, |_, a| {
            let map = a[0].as_map().ok_or(Fault::Unfit)?;
            Ok(Term::list(map.pairs().iter().map(|(key, value)| Term::tuple([key.clone(), value.clone()]))))
        }),
    ],
    far: &[],
};

/// What an entry is about: `Key`, `{Key, ...}`.
fn key_of(entry: &Term) -> Option<&Term> {
    match entry {
        Term::Atom(_) => Some(entry),
        Term::Tuple(fields) => fields.first(),
        _ => None,
    }
}

fn is_of(entry: &Term, key: &Term) -> bool {
    key_of(entry) == Some(key)
}

/// `Key` is short for `{Key, true}`.
fn expanded(entry: Term) -> Term {
    if let Term::Atom(_) = entry { Term::tuple([entry, boolean(true)]) } else { entry }
}

fn value(a: &[Term], default: Term) -> Answer {
    let entry = list(&a[1])?.iter().find(|entry| is_of(entry, &a[0])).map(expanded);
    Ok(match entry.as_ref().and_then(Term::as_tuple) {
        None => default,
        Some([_, value]) => value.clone(),
        // Such an entry has no value, as OTP has it.
        Some(_) => default,
    })
}
