//! A map that holds so many entries and no more, and the refusal that says so.
//!
//! Law: what is there stays reachable; only a new entry is refused, and a refusal changes nothing.

use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

/// A limit of the configuration was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for more {what}, the cap is {cap}")]
#[non_exhaustive]
pub struct CapReached {
    /// What there would have been one too many of.
    pub what: &'static str,
    /// How many there may be.
    pub cap: u32,
}

/// A value that was not taken, handed back.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused<V> {
    /// The value.
    pub given: V,
    /// The limit that was met.
    pub reason: CapReached,
}

// Written by hand, so that a value which cannot be shown can still be refused.
impl<V> std::error::Error for Refused<V> {}

impl<V> fmt::Debug for Refused<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.reason).finish()
    }
}

impl<V> fmt::Display for Refused<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

/// A map with a cap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounded<K, V> {
    what: &'static str,
    cap: u32,
    entries: BTreeMap<K, V>,
}

impl<K: Ord, V> Bounded<K, V> {
    pub(super) const fn new(what: &'static str, cap: u32) -> Self {
        Self { what, cap, entries: BTreeMap::new() }
    }

    /// What a caller is told when there is no room.
    pub(super) const fn cap_reached(&self) -> CapReached {
        CapReached { what: self.what, cap: self.cap }
    }

    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    /// The entry of this key, made if there is none. The key is only made with it, so that a name
    /// which is known costs no allocation.
    pub(super) fn open<'q, Q: Ord + ?Sized>(
        &mut self,
        key: &'q Q,
        own: impl FnOnce(&'q Q) -> K,
        make: impl FnOnce() -> V,
    ) -> Result<&mut V, CapReached>
    where
        K: Borrow<Q>,
    {
        let full = self.cap_reached();
        if !self.entries.contains_key(key) {
            if self.entries.len() >= self.cap as usize {
                return Err(full);
            }
            self.entries.insert(own(key), make());
        }
        self.entries.get_mut(key).ok_or(full)
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key)
    }

    /// How many entries are in this range; it looks at each.
    pub(super) fn count(&self, range: impl std::ops::RangeBounds<K>) -> usize {
        self.entries.range(range).count()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }
}

impl<K: Saved + Ord, V: Saved> Kept for Bounded<K, V> {
    fn save(&self, out: &mut Saver) {
        self.entries.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.fill_with(from, |_, from| V::load(from))
    }
}

impl<K: Saved + Ord, V> Bounded<K, V> {
    /// Takes over entries whose values are read like this, if they fit.
    pub(super) fn fill_with(
        &mut self,
        from: &mut Loader<'_>,
        mut value: impl FnMut(&K, &mut Loader<'_>) -> Result<V, Unreadable>,
    ) -> Result<(), Unreadable> {
        let (what, cap) = (self.what, self.cap);
        let length = from.length(what)?;
        if length > cap as usize {
            return Err(Unreadable::invalid(what, format!("{length} of them, the cap is {cap}")));
        }
        self.entries.clear();
        for _ in 0..length {
            let key = K::load(from)?;
            if self.entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(Unreadable::invalid(what, "their keys do not rise"));
            }
            let value = value(&key, from)?;
            self.entries.insert(key, value);
        }
        Ok(())
    }

    /// Writes entries whose values are written like this.
    pub(super) fn save_with(&self, out: &mut Saver, mut value: impl FnMut(&V, &mut Saver)) {
        (self.entries.len() as u64).save(out);
        for (key, held) in &self.entries {
            key.save(out);
            value(held, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_refuses_a_new_key_and_still_opens_the_old_ones() {
        let mut map = Bounded::new("apples", 2);
        for key in [1, 2] {
            *map.open(&key, |key| *key, || 0).expect("there is room") = key;
        }
        let full = CapReached { what: "apples", cap: 2 };
        assert_eq!(map.open(&3, |key| *key, || 0), Err(full));
        assert_eq!(map.open(&2, |key| *key, || 0), Ok(&mut 2));
        assert_eq!(map.remove(&1), Some(1));
        assert!(map.open(&3, |key| *key, || 0).is_ok());
    }

    #[test]
    fn a_refusal_names_the_limit() {
        let reason = CapReached { what: "apples", cap: 2 };
        let refused = Refused { given: "an apple", reason };
        assert_eq!(refused.to_string(), "no room for more apples, the cap is 2");
    }
}
