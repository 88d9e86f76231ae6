//! A map that makes room by forgetting what was used longest ago.
//!
//! Law: it never holds more than its cap; what is pinned is never forgotten; and who is forgotten
//! follows from the order of calls alone.

use std::collections::{BTreeMap, btree_map::Entry as Slot};

use super::bounded::CapReached;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};

/// A map with a cap, whose entries age.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recent<K, V> {
    what: &'static str,
    cap: u32,
    touches: u64,
    forgotten: u64,
    entries: BTreeMap<K, Entry<V>>,
    pinned: usize,
    by_age: Ages<K>,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    touched: u64,
    /// Its place among the ages, which is older than it is itself until somebody looks there.
    noted: u64,
    is_pinned: bool,
    value: V,
}

/// Where an entry is noted says nothing: only when it was touched does.
impl<V: PartialEq> PartialEq for Entry<V> {
    fn eq(&self, other: &Self) -> bool {
        let parts = (self.touched, self.is_pinned);
        parts == (other.touched, other.is_pinned) && self.value == other.value
    }
}

/// The place of an entry that is noted nowhere: touches are counted from one.
const NOWHERE: u64 = 0;

/// Entries by when they were touched at the earliest: a touch moves none, which is what makes it
/// cheap, and whoever looks for the oldest puts those right that he meets.
#[derive(Clone, Debug)]
struct Ages<K>(BTreeMap<u64, K>);

/// What is noted here follows from the entries, and how far it was put right from nothing that counts.
impl<K> PartialEq for Ages<K> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<K: Ord + Copy, V> Recent<K, V> {
    pub(super) const fn new(what: &'static str, cap: u32) -> Self {
        Self {
            what,
            cap,
            touches: 0,
            forgotten: 0,
            entries: BTreeMap::new(),
            pinned: 0,
            by_age: Ages(BTreeMap::new()),
        }
    }

    /// The entry of this key, made if there is none, and now the youngest. Refused if everything
    /// that is there is pinned.
    pub(super) fn touch(&mut self, key: K, make: impl FnOnce() -> V) -> Result<&mut V, CapReached> {
        if self.entries.len() >= self.cap as usize && !self.entries.contains_key(&key) {
            self.make_room()?;
        }
        let touched = self.touches.saturating_add(1);
        let entry = match self.entries.entry(key) {
            Slot::Occupied(known) => {
                self.touches = touched;
                let entry = known.into_mut();
                entry.touched = touched;
                entry
            }
            Slot::Vacant(place) => {
                // One for the making, one for the touch.
                let touched = touched.saturating_add(1);
                self.touches = touched;
                self.by_age.0.insert(touched, key);
                place.insert(Entry { touched, noted: touched, is_pinned: false, value: make() })
            }
        };
        Ok(&mut entry.value)
    }

    /// Whether an entry of this key is there or could be made.
    pub(super) fn has_room_for(&self, key: &K) -> bool {
        let entries = self.entries.len();
        let is_full = entries >= self.cap as usize && self.pinned == entries;
        !is_full || self.entries.contains_key(key)
    }

    fn make_room(&mut self) -> Result<(), CapReached> {
        let full = CapReached { what: self.what, cap: self.cap };
        loop {
            let (noted, oldest) = self.by_age.0.pop_first().ok_or(full)?;
            let Some(entry) = self.entries.get_mut(&oldest) else { continue };
            if entry.is_pinned {
                entry.noted = NOWHERE;
            } else if entry.touched > noted {
                entry.noted = entry.touched;
                self.by_age.0.insert(entry.touched, oldest);
            } else {
                self.entries.remove(&oldest);
                self.forgotten = self.forgotten.saturating_add(1);
                return Ok(());
            }
        }
    }

    /// Keeps this entry from being forgotten.
    pub(super) fn pin(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            self.pinned += usize::from(!entry.is_pinned);
            entry.is_pinned = true;
        }
    }

    /// Lets this entry age again.
    pub(super) fn unpin(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            self.pinned -= usize::from(entry.is_pinned);
            entry.is_pinned = false;
            if entry.noted == NOWHERE {
                entry.noted = entry.touched;
                self.by_age.0.insert(entry.touched, *key);
            }
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.by_age.0.remove(&entry.noted);
        self.pinned -= usize::from(entry.is_pinned);
        Some(entry.value)
    }

    pub(super) fn retain(&mut self, mut stays: impl FnMut(&K) -> bool) {
        if self.entries.is_empty() {
            return;
        }
        let pinned = &mut self.pinned;
        self.entries.retain(|key, entry| {
            let stays = stays(key);
            *pinned -= usize::from(!stays && entry.is_pinned);
            stays
        });
        let entries = &self.entries;
        self.by_age.0.retain(|_, key| entries.contains_key(key));
    }

    /// How many entries had to make room.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.value))
    }
}

impl<K: Saved + Ord + Copy, V: Saved> Kept for Recent<K, V> {
    fn save(&self, out: &mut Saver) {
        self.save_with(out, V::save);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.fill_with(from, V::load)
    }
}

impl<K: Saved + Ord + Copy, V> Recent<K, V> {
    /// Writes everything, the values like this.
    pub(super) fn save_with(&self, out: &mut Saver, value: impl Fn(&V, &mut Saver)) {
        self.touches.save(out);
        self.forgotten.save(out);
        (self.entries.len() as u64).save(out);
        for (key, entry) in &self.entries {
            key.save(out);
            entry.touched.save(out);
            (!entry.is_pinned).save(out);
            value(&entry.value, out);
        }
    }

    /// Takes over everything, the values read like this, if it fits.
    pub(super) fn fill_with(
        &mut self,
        from: &mut Loader<'_>,
        value: impl Fn(&mut Loader<'_>) -> Result<V, Unreadable>,
    ) -> Result<(), Unreadable> {
        let (what, cap) = (self.what, self.cap);
        let mut filled = Self::new(what, cap);
        (filled.touches, filled.forgotten) = Saved::load(from)?;
        let length = from.length(what)?;
        if length > cap as usize {
            return Err(Unreadable::invalid(what, format!("{length} of them, the cap is {cap}")));
        }
        for _ in 0..length {
            let (key, touched, is_loose): (K, u64, bool) = Saved::load(from)?;
            let is_known = is_loose && filled.by_age.0.insert(touched, key).is_some();
            let noted = if is_loose { touched } else { NOWHERE };
            filled.pinned += usize::from(!is_loose);
            let entry = Entry { touched, noted, is_pinned: !is_loose, value: value(from)? };
            let is_known = filled.entries.insert(key, entry).is_some() || is_known;
            if is_known || touched > filled.touches {
                return Err(Unreadable::invalid(what, "they contradict each other"));
            }
        }
        *self = filled;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(map: &Recent<u8, ()>) -> Vec<u8> {
        map.iter().map(|(key, ())| *key).collect()
    }

    fn filled() -> Recent<u8, ()> {
        let mut map = Recent::new("apples", 3);
        for key in [1, 2, 3] {
            map.touch(key, || ()).expect("there is room");
        }
        map
    }

    #[test]
    fn a_new_key_takes_the_place_of_what_was_touched_longest_ago() {
        let mut map = filled();
        map.touch(1, || ()).expect("it is there");
        map.touch(4, || ()).expect("2 makes room");
        assert_eq!((keys(&map), map.forgotten()), (vec![1, 3, 4], 1));
    }

    #[test]
    fn a_pinned_entry_outlives_younger_ones_until_it_is_unpinned() {
        let mut map = filled();
        map.pin(&1);
        map.touch(4, || ()).expect("2 makes room");
        assert_eq!(keys(&map), [1, 3, 4]);
        map.touch(1, || ()).expect("it is there");
        map.unpin(&1);
        for key in [5, 6] {
            map.touch(key, || ()).expect("3 and 4 are older than 1");
        }
        assert_eq!(keys(&map), [1, 5, 6]);
    }

    #[test]
    fn a_map_of_pinned_entries_refuses_and_so_does_one_without_places() {
        let mut map = filled();
        [1, 2, 3].iter().for_each(|key| map.pin(key));
        assert_eq!(map.touch(4, || ()), Err(CapReached { what: "apples", cap: 3 }));
        assert_eq!((keys(&map), map.forgotten()), (vec![1, 2, 3], 0));
        assert!(Recent::new("apples", 0).touch(1, || ()).is_err());
    }

    #[test]
    fn what_was_removed_leaves_no_age_behind() {
        let mut map = filled();
        map.remove(&1);
        map.retain(|key| *key != 2);
        assert_eq!((keys(&map), map.by_age.0.len()), (vec![3], 1));
    }
}
