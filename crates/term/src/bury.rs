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
use crate::map::Map;
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
        if Arc::strong_count(&self.0) == 1
            && self.0.iter().any(|(key, value)| is_deep(key) || is_deep(value))
            && let Some(pairs) = Arc::get_mut(&mut self.0)
        {
            bury(|row| lay_out_pairs(pairs, row));
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let Some(run) = &mut self.run else { return };
        if Arc::strong_count(run) == 1
            && let Run::Terms { items, tail } = &**run
            && (is_deep(tail) || items.iter().any(is_deep))
            && let Some(Run::Terms { items, tail }) = Arc::get_mut(run)
        {
            bury(|row| {
                lay_out(items, row);
                lay_out(std::slice::from_mut(tail), row);
            });
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
        Term::List(list) => match list.run.as_deref() {
            Some(Run::Terms { items, tail }) => is_container(tail) || items.iter().any(is_container),
            _ => false,
        },
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
                if let Some(pairs) = Arc::get_mut(&mut map.0) {
                    lay_out_pairs(pairs, &mut row);
                }
            }
            Term::List(list) => {
                if let Some(Run::Terms { items, tail }) = list.run.as_mut().and_then(Arc::get_mut) {
                    lay_out(items, &mut row);
                    lay_out(std::slice::from_mut(tail), &mut row);
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

fn lay_out(terms: &mut [Term], row: &mut Vec<Term>) {
    row.extend(terms.iter_mut().filter(|term| is_deep(term)).map(|term| std::mem::replace(term, EMPTY)));
}

fn lay_out_pairs(pairs: &mut [(Term, Term)], row: &mut Vec<Term>) {
    for (key, value) in pairs {
        lay_out(std::slice::from_mut(key), row);
        lay_out(std::slice::from_mut(value), row);
    }
}
