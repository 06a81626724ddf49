//! Lists: proper, improper, and runs of bytes, behind one face.

use std::sync::Arc;

use bytes::Bytes;

use crate::term::Term;

/// A list. Cheap to clone; its tail and a longer list sharing it are cheap to make.
///
/// Elements lie in runs; a run ends with `[]`, another list, or (improper) any other term.
/// How a list is cut into runs can't be seen from outside.
#[derive(Clone, Default)]
pub struct List(pub(crate) Run);

/// Some elements (never none) and what follows them. The first `skip` are not part of this list: they were taken off its front.
#[derive(Clone, Default)]
pub(crate) enum Run {
    #[default]
    Nil,
    /// Terms; the last of them is the tail.
    Terms { skip: u32, items: Arc<[Term]> },
    /// Small integers, one byte each: `STRING_EXT` kept as it came.
    Bytes { skip: u32, bytes: Arc<Bytes> },
}

impl List {
    /// `[]`.
    pub const NIL: List = List(Run::Nil);

    /// A list of these items, ended by `tail` (use [`List::from`] for a proper list).
    pub fn with_tail(mut items: Vec<Term>, tail: Term) -> Term {
        if items.is_empty() {
            return tail;
        }
        items.push(tail);
        Term::List(List::of_items_and_tail(items.into()))
    }

    /// A list of at least one item, and its tail behind it.
    #[inline]
    pub(crate) fn of_items_and_tail(items: Arc<[Term]>) -> List {
        List(Run::Terms { skip: 0, items })
    }

    /// The list of the bytes' values, kept as bytes.
    pub fn from_bytes(bytes: Bytes) -> List {
        if bytes.is_empty() { List::NIL } else { List(Run::Bytes { skip: 0, bytes: Arc::new(bytes) }) }
    }

    /// Whether this is `[]`.
    #[inline]
    pub fn is_nil(&self) -> bool {
        matches!(self.0, Run::Nil)
    }

    /// The head, and what follows it; `None` for `[]`.
    pub fn uncons(&self) -> Option<(Term, Term)> {
        Some(match &self.0 {
            Run::Nil => return None,
            Run::Terms { skip, items } => {
                let [head, tail, more @ ..] = &items[*skip as usize..] else { return None };
                match more {
                    [] => (head.clone(), tail.clone()),
                    _ => {
                        (head.clone(), Term::List(List(Run::Terms { skip: skip + 1, items: items.clone() })))
                    }
                }
            }
            Run::Bytes { skip, bytes } => {
                let (head, more) = bytes[*skip as usize..].split_first()?;
                let rest = match more {
                    [] => Run::Nil,
                    _ => Run::Bytes { skip: skip + 1, bytes: bytes.clone() },
                };
                (Term::Int((*head).into()), Term::List(List(rest)))
            }
        })
    }

    /// `[Head | Tail]`.
    pub fn cons(head: Term, tail: Term) -> List {
        List::of_items_and_tail(Arc::new([head, tail]))
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
        match (&self.0, &other.0) {
            (Run::Nil, Run::Nil) => true,
            (Run::Terms { skip: a, items: left }, Run::Terms { skip: b, items: right }) => {
                a == b && Arc::ptr_eq(left, right)
            }
            (Run::Bytes { skip: a, bytes: left }, Run::Bytes { skip: b, bytes: right }) => {
                a == b && Arc::ptr_eq(left, right)
            }
            _ => false,
        }
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
        match &self.rest.take()?.0 {
            Run::Nil => None,
            Run::Bytes { skip, bytes } => Some(Slice::Bytes(&bytes[*skip as usize..])),
            Run::Terms { skip, items } => {
                let (tail, items) = items[*skip as usize..].split_last()?;
                match tail {
                    Term::List(more) => self.rest = Some(more),
                    other => self.end = Some(other),
                }
                Some(Slice::Terms(items))
            }
        }
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
    fn from(mut items: Vec<Term>) -> List {
        if items.is_empty() {
            return List::NIL;
        }
        items.push(Term::NIL);
        List::of_items_and_tail(items.into())
    }
}

impl FromIterator<Term> for List {
    fn from_iter<I: IntoIterator<Item = Term>>(items: I) -> List {
        List::from(items.into_iter().collect::<Vec<_>>())
    }
}
