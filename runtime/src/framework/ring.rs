//! A queue that keeps the newest items.
//!
//! Law: an item that makes room is handed to the caller and counted, never silently gone.

use std::collections::VecDeque;

use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};

/// A queue with a cap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ring<V> {
    cap: u32,
    items: VecDeque<V>,
    dropped: u64,
}

impl<V> Ring<V> {
    pub(super) const fn new(cap: u32) -> Self {
        Self { cap, items: VecDeque::new(), dropped: 0 }
    }

    /// Adds the newest item and gives the oldest back if there was no room for both.
    pub(super) fn push(&mut self, item: V) -> Option<V> {
        self.items.push_back(item);
        if self.items.len() <= self.cap as usize {
            return None;
        }
        self.dropped = self.dropped.saturating_add(1);
        self.items.pop_front()
    }

    pub(super) fn pop(&mut self) -> Option<V> {
        self.items.pop_front()
    }

    /// How many items had to make room.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The items, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        self.items.iter()
    }
}

impl<V: Saved> Kept for Ring<V> {
    fn save(&self, out: &mut Saver) {
        self.dropped.save(out);
        self.items.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.dropped = u64::load(from)?;
        self.items = from.row("items of a ring", self.cap as usize)?.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_item_comes_back_when_one_too_many_is_added() {
        let mut ring = Ring::new(2);
        let back: Vec<Option<u8>> = (1..=4).map(|item| ring.push(item)).collect();
        assert_eq!(back, [None, None, Some(1), Some(2)]);
        assert_eq!((ring.dropped(), ring.pop(), ring.len()), (2, Some(3), 1));
    }

    #[test]
    fn a_ring_without_places_gives_everything_back() {
        let mut ring = Ring::new(0);
        assert_eq!((ring.push('a'), ring.len(), ring.dropped()), (Some('a'), 0, 1));
    }
}
