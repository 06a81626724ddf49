//! A table: objects by key.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

use trunkline::term::{Numbers, Term, compare};
use trunkline::{Atom, Pid, Ref};

/// How many objects a key may have, and how keys compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Set,
    OrderedSet,
    Bag,
    DuplicateBag,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Set => "set",
            Kind::OrderedSet => "ordered_set",
            Kind::Bag => "bag",
            Kind::DuplicateBag => "duplicate_bag",
        }
    }

    pub(super) fn is_bag(self) -> bool {
        matches!(self, Kind::Bag | Kind::DuplicateBag)
    }
}

/// Who may do what besides the owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protection {
    Public,
    Protected,
    Private,
}

impl Protection {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Protection::Public => "public",
            Protection::Protected => "protected",
            Protection::Private => "private",
        }
    }
}

/// A key: in an ordered set `1` and `1.0` are one.
#[derive(Clone, Debug)]
struct Key {
    term: Term,
    by_value: bool,
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        if self.by_value {
            compare(&self.term, &other.term, Numbers::ByValue)
        } else {
            self.term.cmp(&other.term)
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// A table.
pub(super) struct Table {
    pub(super) tid: Ref,
    pub(super) name: Atom,
    pub(super) named: bool,
    pub(super) kind: Kind,
    pub(super) keypos: usize,
    pub(super) protection: Protection,
    pub(super) owner: Pid,
    pub(super) heir: Option<(Pid, Term)>,
    /// Who has fixed it, and how often.
    pub(super) fixed: Vec<(Pid, usize)>,
    /// `read_concurrency` and its kin: kept to be told.
    pub(super) flags: Vec<(&'static str, Term)>,
    rows: BTreeMap<Key, Vec<Term>>,
    pub(super) size: usize,
    /// Bytes of its objects, estimated.
    pub(super) bytes: usize,
}

impl Table {
    pub(super) fn new(tid: Ref, name: Atom, owner: Pid) -> Table {
        Table {
            tid,
            name,
            named: false,
            kind: Kind::Set,
            keypos: 1,
            protection: Protection::Protected,
            owner,
            heir: None,
            fixed: Vec::new(),
            flags: Vec::new(),
            rows: BTreeMap::new(),
            size: 0,
            bytes: 0,
        }
    }

    /// How it is called in messages: by name if it has one.
    pub(super) fn handle(&self) -> Term {
        if self.named { Term::Atom(self.name.clone()) } else { Term::Ref(self.tid.clone()) }
    }

    fn key(&self, term: &Term) -> Key {
        Key { term: term.clone(), by_value: self.kind == Kind::OrderedSet }
    }

    /// The key of an object; none when it has none.
    pub(super) fn key_of<'a>(&self, object: &'a Term) -> Option<&'a Term> {
        object.as_tuple()?.get(self.keypos - 1)
    }

    /// The objects of a key, the oldest first.
    pub(super) fn get(&self, key: &Term) -> &[Term] {
        self.rows.get(&self.key(key)).map_or(&[], Vec::as_slice)
    }

    /// A key as it is kept, with its objects.
    pub(super) fn entry(&self, key: &Term) -> Option<(&Term, &[Term])> {
        self.rows.get_key_value(&self.key(key)).map(|(key, objects)| (&key.term, objects.as_slice()))
    }

    /// Puts an object in; it must have a key.
    pub(super) fn insert(&mut self, object: Term) {
        let Some(key) = self.key_of(&object).cloned() else { return };
        let key = self.key(&key);
        let weight = weigh(&object);
        if !self.kind.is_bag() {
            // The key goes too: in an ordered set it can be another that compares the same.
            if let Some(old) = self.rows.remove(&key) {
                self.forget(&old);
            }
            self.rows.insert(key, vec![object]);
        } else {
            let objects = self.rows.entry(key).or_default();
            if self.kind == Kind::Bag && objects.contains(&object) {
                return;
            }
            objects.push(object);
        }
        self.size += 1;
        self.bytes += weight;
    }

    fn forget(&mut self, objects: &[Term]) {
        self.size -= objects.len();
        let bytes: usize = objects.iter().map(weigh).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Takes all objects of a key out.
    pub(super) fn take(&mut self, key: &Term) -> Vec<Term> {
        let objects = self.rows.remove(&self.key(key)).unwrap_or_default();
        self.forget(&objects);
        objects
    }

    /// Takes objects that are the same as this one out.
    pub(super) fn remove(&mut self, object: &Term) {
        let Some(key) = self.key_of(object).cloned() else { return };
        let key = self.key(&key);
        let Some(objects) = self.rows.get_mut(&key) else { return };
        let before = objects.len();
        objects.retain(|this| this != object);
        let gone = before - objects.len();
        if objects.is_empty() {
            self.rows.remove(&key);
        }
        self.size -= gone;
        self.bytes = self.bytes.saturating_sub(gone * weigh(object));
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        (self.size, self.bytes) = (0, 0);
    }

    /// All objects, by key.
    pub(super) fn objects(&self) -> impl DoubleEndedIterator<Item = &Term> {
        self.rows.values().flatten()
    }

    /// The objects of the nth key.
    pub(super) fn nth(&self, at: usize) -> Option<&[Term]> {
        self.rows.values().nth(at).map(Vec::as_slice)
    }

    pub(super) fn keys(&self) -> usize {
        self.rows.len()
    }

    /// The first key, or the last.
    pub(super) fn end(&self, last: bool) -> Option<(&Term, &[Term])> {
        let found = if last { self.rows.last_key_value() } else { self.rows.first_key_value() };
        found.map(|(key, objects)| (&key.term, objects.as_slice()))
    }

    /// The key behind this one, or before it.
    pub(super) fn beside(&self, key: &Term, before: bool) -> Option<(&Term, &[Term])> {
        let key = self.key(key);
        let found = if before {
            self.rows.range((Bound::Unbounded, Bound::Excluded(&key))).next_back()
        } else {
            self.rows.range((Bound::Excluded(&key), Bound::Unbounded)).next()
        };
        found.map(|(key, objects)| (&key.term, objects.as_slice()))
    }
}

/// About how many bytes a term takes, however deep it is.
pub(in crate::library) fn weigh(term: &Term) -> usize {
    const WORD: usize = 8;
    let mut bytes = 0;
    let mut todo = vec![term.clone()];
    while let Some(term) = todo.pop() {
        bytes += WORD;
        match &term {
            Term::Tuple(items) => {
                bytes += WORD;
                todo.extend(items.iter().cloned());
            }
            Term::Map(map) => {
                bytes += 4 * WORD;
                todo.extend(map.pairs().iter().flat_map(|(key, value)| [key.clone(), value.clone()]));
            }
            Term::List(list) => {
                for item in list.iter() {
                    if let Term::Int(_) | Term::Atom(_) | Term::Float(_) = item {
                        bytes += 2 * WORD;
                    } else {
                        todo.push(item);
                    }
                }
                todo.extend(list.improper_tail().cloned());
            }
            Term::Binary(binary) => bytes += 6 * WORD + binary.len(),
            Term::Bits(bits) => bytes += 7 * WORD + bits.bytes.len(),
            Term::Big(number) => bytes += 3 * WORD + (number.bits() / 8) as usize,
            Term::Fun(fun) => {
                bytes += 8 * WORD;
                todo.extend(fun.free.iter().cloned());
            }
            Term::Local(local) => bytes += 3 * WORD + local.0.len(),
            Term::Pid(_) | Term::Ref(_) | Term::Port(_) | Term::Export(_) => bytes += 3 * WORD,
            Term::Int(_) | Term::Float(_) | Term::Atom(_) => bytes += WORD,
        }
    }
    bytes
}
