//! Hashes that agree with `=:=`, of terms however deep.

use std::hash::{Hash, Hasher};
use std::slice::Iter;

use crate::fun::Fun;
use crate::list::{List, Runs, Slice};
use crate::map::Map;
use crate::term::Term;
use crate::tuple::Tuple;

impl Hash for Term {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Some(mut part) = begin(self, state) else { return };
        let mut outer = Vec::new();
        loop {
            match part.hash_on(state) {
                Some(inner) => outer.push(std::mem::replace(&mut part, inner)),
                None => match outer.pop() {
                    Some(next) => part = next,
                    None => return,
                },
            }
        }
    }
}

impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Term::Tuple(self.clone()).hash(state);
    }
}

impl Hash for Map {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Term::Map(self.clone()).hash(state);
    }
}

impl Hash for List {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Term::List(self.clone()).hash(state);
    }
}

impl Hash for Fun {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_head_of_fun(self, state);
        self.free.hash(state);
    }
}

/// What of a container is still to be hashed.
enum Part<'a> {
    Terms(Iter<'a, Term>),
    Pairs(Iter<'a, (Term, Term)>, Option<&'a Term>),
    List(Iter<'a, Term>, Option<Runs<'a>>),
}

impl<'a> Part<'a> {
    /// Hashes on to the end, or to a container inside.
    fn hash_on<H: Hasher>(&mut self, state: &mut H) -> Option<Part<'a>> {
        match self {
            Part::Terms(terms) => terms.find_map(|term| begin(term, state)),
            Part::Pairs(pairs, value) => loop {
                let term = match value.take() {
                    Some(value) => value,
                    None => {
                        let (key, next) = pairs.next()?;
                        *value = Some(next);
                        key
                    }
                };
                if let Some(inner) = begin(term, state) {
                    return Some(inner);
                }
            },
            Part::List(terms, runs) => loop {
                if let Some(inner) = terms.find_map(|term| begin(term, state)) {
                    return Some(inner);
                }
                match runs.as_mut()?.next() {
                    Some(Slice::Terms(items)) => *terms = items.iter(),
                    Some(Slice::Bytes(bytes)) => bytes.iter().for_each(|&byte| hash_int(byte.into(), state)),
                    None => match runs.take()?.improper_tail() {
                        Some(tail) => return begin(tail, state),
                        None => state.write_u8(NIL),
                    },
                }
            },
        }
    }
}

const INT: u8 = 1;
const NIL: u8 = 2;

/// How a list is cut into runs must not be heard, so a byte is hashed as the integer it is.
fn hash_int<H: Hasher>(number: i64, state: &mut H) {
    state.write_u8(INT);
    state.write_i64(number);
}

/// Hashes a plain value, or the head of a container and gives back what it contains.
fn begin<'a, H: Hasher>(term: &'a Term, state: &mut H) -> Option<Part<'a>> {
    match term {
        Term::Int(number) => hash_int(*number, state),
        Term::List(list) if list.is_nil() => state.write_u8(NIL),
        Term::List(list) => {
            state.write_u8(3);
            return Some(Part::List([].iter(), Some(list.runs())));
        }
        Term::Tuple(items) => {
            state.write_u8(4);
            state.write_usize(items.len());
            return Some(Part::Terms(items.iter()));
        }
        Term::Map(map) => {
            state.write_u8(5);
            state.write_usize(map.len());
            return Some(Part::Pairs(map.pairs().iter(), None));
        }
        Term::Fun(fun) => {
            state.write_u8(6);
            hash_head_of_fun(fun, state);
            return Some(Part::Terms(fun.free.iter()));
        }
        Term::Float(number) => (7_u8, number.to_bits()).hash(state),
        Term::Big(number) => (8_u8, number).hash(state),
        Term::Atom(atom) => (9_u8, atom).hash(state),
        Term::Pid(pid) => (10_u8, pid).hash(state),
        Term::Port(port) => (11_u8, port).hash(state),
        Term::Ref(reference) => (12_u8, reference).hash(state),
        Term::Export(export) => (13_u8, export).hash(state),
        Term::Binary(binary) => (14_u8, binary).hash(state),
        Term::Bits(bits) => (15_u8, bits).hash(state),
        Term::Local(local) => (16_u8, local).hash(state),
    }
    None
}

fn hash_head_of_fun<H: Hasher>(fun: &Fun, state: &mut H) {
    (&fun.module, fun.index, fun.old_index, fun.old_uniq, fun.uniq, fun.arity, fun.free.len()).hash(state);
}
