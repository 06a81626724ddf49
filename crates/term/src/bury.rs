//! Dropping terms without recursion, however deep they are.
//!
//! Every handle to a container, when it is the last one, looks two levels down. Where containers hold
//! containers that hold containers, it takes them out and lays them in a row, and goes on along the row.
//!
//! Two threads may drop the last two handles of a container at once, and neither see itself as the last.
//! The container is then taken apart one level deeper, by the handles inside it, which do the same again.

use std::sync::Arc;

use crate::fun::Fun;
use crate::list::{List, Run};
use crate::map::{Map, Pairs};
use crate::term::Term;
use crate::tuple::Tuple;

const EMPTY: Term = Term::Int(0);

impl Drop for Tuple {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1
            && self.0.iter().any(is_deep)
            && let Some(items) = Arc::get_mut(&mut self.0)
        {
            bury(|row| lay_out(items, row));
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let alone = match &self.0 {
            Pairs::Row(pairs) => Arc::strong_count(pairs) == 1,
            Pairs::Room(pairs) => Arc::strong_count(pairs) == 1,
        };
        if alone
            && self.pairs().iter().any(|(key, value)| is_deep(key) || is_deep(value))
            && let Some(pairs) = alone_in(self)
        {
            bury(|row| lay_out_pairs(pairs, row));
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Run::Terms { items, .. } = &mut self.0
            && Arc::strong_count(items) == 1
            && items.iter().any(is_deep)
            && let Some(items) = Arc::get_mut(items)
        {
            bury(|row| lay_out(items, row));
        }
    }
}

impl Drop for Fun {
    fn drop(&mut self) {
        if self.free.iter().any(is_deep) {
            bury(|row| lay_out(&mut self.free, row));
        }
    }
}

/// Whether a term is a container that holds a container.
#[inline]
fn is_deep(term: &Term) -> bool {
    match term {
        Term::Tuple(items) => items.iter().any(is_container),
        Term::List(List(Run::Terms { items, .. })) => items.iter().any(is_container),
        Term::Map(map) => map.pairs().iter().any(|(key, value)| is_container(key) || is_container(value)),
        Term::Fun(fun) => fun.free.iter().any(is_container),
        _ => false,
    }
}

#[inline]
fn is_container(term: &Term) -> bool {
    match term {
        Term::Tuple(_) | Term::Map(_) | Term::Fun(_) => true,
        Term::List(list) => !list.is_nil(),
        _ => false,
    }
}

fn bury(first: impl FnOnce(&mut Vec<Term>)) {
    let mut row = Vec::new();
    first(&mut row);
    while let Some(mut term) = row.pop() {
        match &mut term {
            Term::Tuple(tuple) => {
                if let Some(items) = Arc::get_mut(&mut tuple.0) {
                    lay_out(items, &mut row);
                }
            }
            Term::Map(map) => {
                if let Some(pairs) = alone_in(map) {
                    lay_out_pairs(pairs, &mut row);
                }
            }
            Term::List(list) => {
                if let Run::Terms { items, .. } = &mut list.0
                    && let Some(items) = Arc::get_mut(items)
                {
                    lay_out(items, &mut row);
                }
            }
            Term::Fun(fun) => {
                if let Some(fun) = Arc::get_mut(fun) {
                    lay_out(&mut fun.free, &mut row);
                }
            }
            _ => {}
        }
    }
}

/// The pairs of a map that nobody else has.
fn alone_in(map: &mut Map) -> Option<&mut [(Term, Term)]> {
    match &mut map.0 {
        Pairs::Row(pairs) => Arc::get_mut(pairs),
        Pairs::Room(pairs) => Arc::get_mut(pairs).map(Vec::as_mut_slice),
    }
}

fn lay_out(terms: &mut [Term], row: &mut Vec<Term>) {
    row.extend(terms.iter_mut().filter(|term| is_deep(term)).map(|term| std::mem::replace(term, EMPTY)));
}

fn lay_out_pairs(pairs: &mut [(Term, Term)], row: &mut Vec<Term>) {
    for (key, value) in pairs {
        lay_out(std::slice::from_mut(key), row);
        lay_out(std::slice::from_mut(value), row);
    }
}
