//! The recent past of named values, for ops and hosts to read.
//!
//! Law: recording never fails for a name that is known; the oldest value makes room and is counted.
//!
//! ```
//! use samsara_runtime::framework::RecordBuffer;
//!
//! let mut records = RecordBuffer::new(16, 2);
//! for loss in [9, 5, 3] {
//!     records.record("loss", loss)?;
//! }
//! assert!(records.read("loss").eq(&[5, 3]));
//! assert_eq!(records.dropped("loss"), 1);
//! # Ok::<(), samsara_runtime::framework::Refused<i32>>(())
//! ```

use std::sync::Arc;

use super::bounded::{Bounded, Refused};
use super::ring::Ring;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};

/// The records of a Node, a ring a name.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordBuffer<V> {
    capacity: u32,
    rings: Bounded<Arc<str>, Ring<V>>,
}

impl<V> RecordBuffer<V> {
    /// At most `max_names` rings of `capacity` values.
    pub const fn new(max_names: u32, capacity: u32) -> Self {
        Self { capacity, rings: Bounded::new("records", max_names) }
    }

    /// Adds the newest value; the oldest comes back if there was no room for both.
    pub fn record(&mut self, name: &str, value: V) -> Result<Option<V>, Refused<V>> {
        let capacity = self.capacity;
        match self.rings.open(name, Arc::from, || Ring::new(capacity)) {
            Ok(ring) => Ok(ring.push(value)),
            Err(reason) => Err(Refused { given: value, reason }),
        }
    }

    /// The values of this name, the oldest first.
    pub fn read(&self, name: &str) -> impl Iterator<Item = &V> {
        self.rings.get(name).into_iter().flat_map(Ring::iter)
    }

    /// The names, in their own order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rings.iter().map(|(name, _)| name.as_ref())
    }

    /// How many values of this name had to make room.
    pub fn dropped(&self, name: &str) -> u64 {
        self.rings.get(name).map_or(0, Ring::dropped)
    }
}

impl<V: Saved> Kept for RecordBuffer<V> {
    fn save(&self, out: &mut Saver) {
        self.rings.save_with(out, Ring::save);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let capacity = self.capacity;
        self.rings.fill_with(from, |_, from| {
            let mut ring = Ring::new(capacity);
            ring.fill(from)?;
            Ok(ring)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::CapReached;

    #[test]
    fn a_ring_keeps_the_newest_and_gives_the_oldest_back() {
        let mut records = RecordBuffer::new(1, 2);
        let back: Vec<_> = (1..=3).map(|value| records.record("a", value)).collect();
        assert_eq!(back, [Ok(None), Ok(None), Ok(Some(1))]);
        assert!(records.read("a").eq(&[2, 3]));
        assert_eq!((records.dropped("a"), records.read("b").count()), (1, 0));
    }

    #[test]
    fn the_name_one_over_the_cap_is_refused_and_known_ones_go_on() {
        let mut records = RecordBuffer::new(1, 2);
        records.record("a", 1).expect("there is room");
        let reason = CapReached { what: "records", cap: 1 };
        assert_eq!(records.record("b", 2), Err(Refused { given: 2, reason }));
        assert_eq!(records.record("a", 2), Ok(None));
        assert!(records.names().eq(["a"]));
    }
}
