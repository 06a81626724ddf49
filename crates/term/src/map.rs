//! Maps: pairs in the order of their keys.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::term::Term;

/// A map. Cheap to clone. Keys are told apart by `=:=`: `1` and `1.0` are two keys.
#[derive(Clone, Default)]
pub struct Map(pub(crate) Arc<Vec<(Term, Term)>>);

impl Map {
    /// A map of these pairs, or `None` when a key stands twice.
    pub fn try_from_pairs(mut pairs: Vec<(Term, Term)>) -> Option<Map> {
        let rising =
            |pairs: &[(Term, Term)]| pairs.windows(2).all(|w| w[0].0.cmp_exact(&w[1].0) == Ordering::Less);
        if !rising(&pairs) {
            pairs.sort_by(|a, b| a.0.cmp_exact(&b.0));
            if !rising(&pairs) {
                return None;
            }
        }
        Some(Map(Arc::new(pairs)))
    }

    /// The value under `key`.
    pub fn get(&self, key: &Term) -> Option<&Term> {
        let at = self.0.binary_search_by(|(k, _)| k.cmp_exact(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// The pairs, in the order of their keys.
    pub fn pairs(&self) -> &[(Term, Term)] {
        &self.0
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a value under a key and gives back the one it displaced.
    pub fn insert(&mut self, key: Term, value: Term) -> Option<Term> {
        let pairs = Arc::make_mut(&mut self.0);
        match pairs.binary_search_by(|(k, _)| k.cmp_exact(&key)) {
            Ok(at) => Some(std::mem::replace(&mut pairs[at].1, value)),
            Err(at) => {
                pairs.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a key out and gives back its value.
    pub fn remove(&mut self, key: &Term) -> Option<Term> {
        let at = self.0.binary_search_by(|(k, _)| k.cmp_exact(key)).ok()?;
        Some(Arc::make_mut(&mut self.0).remove(at).1)
    }
}

/// The last of several values under one key stays.
impl FromIterator<(Term, Term)> for Map {
    fn from_iter<I: IntoIterator<Item = (Term, Term)>>(pairs: I) -> Map {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| a.0.cmp_exact(&b.0));
        pairs.reverse();
        pairs.dedup_by(|a, b| a.0.cmp_exact(&b.0) == Ordering::Equal);
        pairs.reverse();
        Map(Arc::new(pairs))
    }
}
