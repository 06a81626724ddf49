//! A map from counters for a few entries, usually none or one: a sorted array, and a tree as soon as there are many.

use std::collections::BTreeMap;

/// A map in the order of its keys. Keeps its room when it is empty.
pub(crate) struct Few<V> {
    few: Vec<(u64, V)>,
    /// All entries, once there were more than [`FEW_MAX`]; until none is left.
    many: BTreeMap<u64, V>,
}

impl<V> Default for Few<V> {
    fn default() -> Few<V> {
        Few { few: Vec::new(), many: BTreeMap::new() }
    }
}

impl<V> Few<V> {
    pub(crate) fn insert(&mut self, key: u64, value: V) {
        if !self.many.is_empty() {
            self.many.insert(key, value);
            return;
        }
        if let Some(at) = self.place(key) {
            self.few[at].1 = value;
        } else if self.few.len() == FEW_MAX {
            self.many.extend(self.few.drain(..));
            self.many.insert(key, value);
        } else {
            let at = self.few.iter().rposition(|entry| entry.0 < key).map_or(0, |before| before + 1);
            self.few.insert(at, (key, value));
        }
    }

    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        match self.place(key) {
            Some(at) => Some(&self.few[at].1),
            None => self.many.get(&key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        match self.place(key) {
            Some(at) => Some(&mut self.few[at].1),
            None => self.many.get_mut(&key),
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        match self.place(key) {
            Some(at) => Some(self.few.remove(at).1),
            None => self.many.remove(&key),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.few
            .iter()
            .map(|(key, value)| (*key, value))
            .chain(self.many.iter().map(|(key, value)| (*key, value)))
    }

    /// Takes out what `is_it` wants.
    pub(crate) fn take_out(&mut self, is_it: impl Fn(&V) -> bool) -> Vec<(u64, V)> {
        let keys: Vec<u64> = self.iter().filter(|(_, value)| is_it(value)).map(|(key, _)| key).collect();
        keys.into_iter().filter_map(|key| self.remove(key).map(|value| (key, value))).collect()
    }

    fn place(&self, key: u64) -> Option<usize> {
        self.few.iter().position(|entry| entry.0 == key)
    }
}

const FEW_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_one_map() {
        let (mut map, mut model) = (Few::default(), BTreeMap::new());
        let mut dice = 7_u64;
        for _ in 0..10_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = dice >> 60;
            if dice >> 40 & 3 == 0 {
                map.insert(key, dice);
                model.insert(key, dice);
            } else {
                assert_eq!(map.remove(key), model.remove(&key));
            }
            assert!(map.iter().eq(model.iter().map(|(key, value)| (*key, value))));
        }
        assert_eq!(map.take_out(|_| true), model.into_iter().collect::<Vec<_>>());
        assert_eq!(map.iter().count(), 0);
    }
}
