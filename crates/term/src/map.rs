//! Maps: pairs in the order of their keys.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::decode::take;
use crate::term::Term;

/// A map. Cheap to clone. Keys are told apart by `=:=`: `1` and `1.0` are two keys.
#[derive(Clone, Default)]
pub struct Map(pub(crate) Pairs);

/// Pairs in the order of their keys.
#[derive(Clone)]
pub(crate) enum Pairs {
    /// As they came, in one piece of memory.
    Row(Arc<[(Term, Term)]>),
    /// With room for more: something was put in or taken out.
    Room(Arc<Vec<(Term, Term)>>),
}

impl Default for Pairs {
    fn default() -> Pairs {
        Pairs::Row(Arc::default())
    }
}

impl Map {
    /// A map of these pairs, or `None` when a key stands twice.
    pub fn try_from_pairs(mut pairs: Vec<(Term, Term)>) -> Option<Map> {
        if !is_rising(&pairs) {
            pairs.sort_by(|a, b| a.0.cmp_exact(&b.0));
            if !is_rising(&pairs) {
                return None;
            }
        }
        Some(Map(Pairs::Row(pairs.into())))
    }

    /// A map of pairs whose keys rise.
    #[inline]
    pub(crate) fn of_sorted(pairs: Arc<[(Term, Term)]>) -> Map {
        Map(Pairs::Row(pairs))
    }

    fn pairs_mut(&mut self) -> &mut Vec<(Term, Term)> {
        if let Pairs::Row(row) = &mut self.0 {
            let pairs = match Arc::get_mut(row) {
                Some(row) => row.iter_mut().map(|(key, value)| (take(key), take(value))).collect(),
                None => row.to_vec(),
            };
            self.0 = Pairs::Room(Arc::new(pairs));
        }
        match &mut self.0 {
            Pairs::Room(pairs) => Arc::make_mut(pairs),
            Pairs::Row(_) => unreachable!("it was given room just above"),
        }
    }

    /// The value under `key`.
    pub fn get(&self, key: &Term) -> Option<&Term> {
        let at = self.place(key).ok()?;
        Some(&self.pairs()[at].1)
    }

    /// The pairs, in the order of their keys.
    #[inline]
    pub fn pairs(&self) -> &[(Term, Term)] {
        match &self.0 {
            Pairs::Row(pairs) => pairs,
            Pairs::Room(pairs) => pairs,
        }
    }

    /// Where a key is, or belongs.
    fn place(&self, key: &Term) -> Result<usize, usize> {
        self.pairs().binary_search_by(|(k, _)| k.cmp_exact(key))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs().is_empty()
    }

    /// Puts a value under a key and gives back the one it displaced.
    pub fn insert(&mut self, key: Term, value: Term) -> Option<Term> {
        let place = self.place(&key);
        let pairs = self.pairs_mut();
        match place {
            Ok(at) => Some(std::mem::replace(&mut pairs[at].1, value)),
            Err(at) => {
                pairs.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a key out and gives back its value.
    pub fn remove(&mut self, key: &Term) -> Option<Term> {
        let at = self.place(key).ok()?;
        Some(self.pairs_mut().remove(at).1)
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
        Map(Pairs::Row(pairs.into()))
    }
}

/// The pairs, in the order of their keys, of keys that are each followed by its value; `None` when a key stands twice.
#[inline]
pub(crate) fn sorted_pairs(items: &mut [Term]) -> Option<Arc<[(Term, Term)]>> {
    let (flat, _) = items.as_chunks_mut::<2>();
    let rising = flat.windows(2).all(|w| w[0][0].cmp_exact(&w[1][0]) == Ordering::Less);
    let pairs = flat.iter_mut().map(|[key, value]| (take(key), take(value)));
    if rising {
        return Some(pairs.collect());
    }
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by(|a, b| a.0.cmp_exact(&b.0));
    is_rising(&pairs).then(|| pairs.into())
}

fn is_rising(pairs: &[(Term, Term)]) -> bool {
    pairs.windows(2).all(|w| w[0].0.cmp_exact(&w[1].0) == Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_changes_and_its_clones_do_not() {
        let pair = |key: i64| (Term::Int(key), Term::Int(-key));
        let first = Map::from_iter([3, 1].map(pair));
        let mut next = first.clone();
        assert_eq!(next.insert(Term::Int(2), Term::Int(-2)), None);
        assert_eq!(next.insert(Term::Int(3), Term::Int(9)), Some(Term::Int(-3)));
        let later = next.clone();
        assert_eq!(next.remove(&Term::Int(1)), Some(Term::Int(-1)));
        assert_eq!(next.remove(&Term::Int(1)), None);
        assert_eq!(first.pairs(), [1, 3].map(pair));
        assert_eq!(later.pairs(), [pair(1), pair(2), (Term::Int(3), Term::Int(9))]);
        assert_eq!(next.pairs(), [pair(2), (Term::Int(3), Term::Int(9))]);
        assert_eq!(next.get(&Term::Int(3)), Some(&Term::Int(9)));
        let mut alone = Map::try_from_pairs([2, 1].map(pair).into()).unwrap();
        alone.insert(Term::Int(0), Term::Int(0));
        assert_eq!(alone.pairs(), [0, 1, 2].map(pair));
        assert_eq!(Map::try_from_pairs([2, 1, 2].map(pair).into()), None);
    }
}
