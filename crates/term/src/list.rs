//! Lists: proper, improper, and runs of bytes, behind one face.

use std::sync::Arc;

use bytes::Bytes;

use crate::term::Term;

/// A list. Cheap to clone; its tail and a longer list sharing it are cheap to make.
///
/// Elements lie in runs; a run ends with `[]`, another list, or (improper) any other term.
/// How a list is cut into runs can't be seen from outside.
#[derive(Clone, Default)]
pub struct List {
    pub(crate) run: Option<Arc<Run>>,
    /// Elements of the run that are not part of this list (they were taken off its front).
    skip: u32,
}

pub(crate) enum Run {
    /// Some terms (never none) and what follows them.
    Terms { items: Vec<Term>, tail: Term },
    /// Small integers, one byte each: `STRING_EXT` kept as it came.
    Bytes(Bytes),
}

impl List {
    /// `[]`.
    pub const NIL: List = List { run: None, skip: 0 };

    /// A list of these items, ended by `tail` (use [`List::from`] for a proper list).
    pub fn with_tail(items: Vec<Term>, tail: Term) -> Term {
        if items.is_empty() {
            return tail;
        }
        Term::List(List { run: Some(Arc::new(Run::Terms { items, tail })), skip: 0 })
    }

    /// The list of the bytes' values, kept as bytes.
    pub fn from_bytes(bytes: Bytes) -> List {
        if bytes.is_empty() { List::NIL } else { List { run: Some(Arc::new(Run::Bytes(bytes))), skip: 0 } }
    }

    /// Whether this is `[]`.
    pub fn is_nil(&self) -> bool {
        self.run.is_none()
    }

    /// The head, and what follows it; `None` for `[]`.
    pub fn uncons(&self) -> Option<(Term, Term)> {
        let run = self.run.as_ref()?;
        let at = self.skip as usize;
        let rest = || List { run: Some(Arc::clone(run)), skip: self.skip + 1 };
        Some(match &**run {
            Run::Terms { items, tail } if at + 1 == items.len() => (items[at].clone(), tail.clone()),
            Run::Terms { items, .. } => (items[at].clone(), Term::List(rest())),
            Run::Bytes(bytes) if at + 1 == bytes.len() => (Term::Int(bytes[at].into()), Term::NIL),
            Run::Bytes(bytes) => (Term::Int(bytes[at].into()), Term::List(rest())),
        })
    }

    /// `[Head | Tail]`.
    pub fn cons(head: Term, tail: Term) -> List {
        List { run: Some(Arc::new(Run::Terms { items: vec![head], tail })), skip: 0 }
    }

    /// The runs the list is made of, then its tail: `None` for a proper list.
    pub fn runs(&self) -> Runs<'_> {
        Runs { rest: Some(self), end: None }
    }

    /// The elements; for an improper list the tail is left out (see [`List::improper_tail`]).
    pub fn iter(&self) -> Items<'_> {
        Items { runs: self.runs(), run: Slice::Terms(&[]) }
    }

    /// What stands in the place of `[]` at the end of an improper list.
    pub fn improper_tail(&self) -> Option<&Term> {
        let mut runs = self.runs();
        while runs.next().is_some() {}
        runs.end
    }

    /// How many elements there are, an improper tail not counted. Costs a walk over the runs.
    pub fn len(&self) -> usize {
        self.runs().map(|run| run.len()).sum()
    }

    /// Whether the two share all they have in memory. When they don't, they can still be equal.
    pub(crate) fn is_same_as(&self, other: &List) -> bool {
        let here = |list: &List| list.run.as_ref().map(Arc::as_ptr);
        here(self) == here(other) && self.skip == other.skip
    }

    /// Whether this is `[]`.
    pub fn is_empty(&self) -> bool {
        self.is_nil()
    }
}

/// Neighbouring elements of a list.
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a> {
    /// Any terms.
    Terms(&'a [Term]),
    /// Small integers, one byte each.
    Bytes(&'a [u8]),
}

impl Slice<'_> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Slice::Terms(items) => items.len(),
            Slice::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// See [`List::runs`].
#[derive(Clone)]
pub struct Runs<'a> {
    rest: Option<&'a List>,
    end: Option<&'a Term>,
}

impl<'a> Runs<'a> {
    /// After the last run: the improper tail, if there is one.
    pub fn improper_tail(&self) -> Option<&'a Term> {
        self.end
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Slice<'a>;

    fn next(&mut self) -> Option<Slice<'a>> {
        let list = self.rest.take()?;
        let at = list.skip as usize;
        Some(match &**list.run.as_ref()? {
            Run::Bytes(bytes) => Slice::Bytes(&bytes[at..]),
            Run::Terms { items, tail } => {
                match tail {
                    Term::List(more) => self.rest = Some(more),
                    other => self.end = Some(other),
                }
                Slice::Terms(&items[at..])
            }
        })
    }
}

/// See [`List::iter`].
pub struct Items<'a> {
    runs: Runs<'a>,
    run: Slice<'a>,
}

impl Iterator for Items<'_> {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        loop {
            match &mut self.run {
                Slice::Terms([first, rest @ ..]) => {
                    self.run = Slice::Terms(rest);
                    return Some(first.clone());
                }
                Slice::Bytes([first, rest @ ..]) => {
                    let first = Term::Int((*first).into());
                    self.run = Slice::Bytes(rest);
                    return Some(first);
                }
                _ => self.run = self.runs.next()?,
            }
        }
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = Term;
    type IntoIter = Items<'a>;

    fn into_iter(self) -> Items<'a> {
        self.iter()
    }
}

impl From<Vec<Term>> for List {
    fn from(items: Vec<Term>) -> List {
        if items.is_empty() {
            return List::NIL;
        }
        List { run: Some(Arc::new(Run::Terms { items, tail: Term::NIL })), skip: 0 }
    }
}

impl FromIterator<Term> for List {
    fn from_iter<I: IntoIterator<Item = Term>>(items: I) -> List {
        List::from(items.into_iter().collect::<Vec<_>>())
    }
}
