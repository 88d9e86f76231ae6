//! Named counters that programs keep.
//!
//! Law: a counter stops at either end of its range; it never wraps.
//!
//! ```
//! use samsara_runtime::framework::Metrics;
//!
//! let mut metrics = Metrics::new(16);
//! metrics.add("open", 3)?;
//! assert_eq!(metrics.add("open", -1)?, 2);
//! assert_eq!(metrics.value("open"), Some(2));
//! # Ok::<(), samsara_runtime::framework::CapReached>(())
//! ```

use std::sync::Arc;

use super::bounded::{Bounded, CapReached};
use crate::codec::{Kept, Loader, Saver, Unreadable};

/// The counters of a Node.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    counters: Bounded<Arc<str>, i64>,
}

impl Metrics {
    /// At most `max_names` counters.
    pub const fn new(max_names: u32) -> Self {
        Self { counters: Bounded::new("metrics", max_names) }
    }

    /// Adds to a counter, which begins at zero, and gives what it is now.
    pub fn add(&mut self, name: &str, delta: i64) -> Result<i64, CapReached> {
        let counter = self.counters.open(name, Arc::from, || 0)?;
        *counter = counter.saturating_add(delta);
        Ok(*counter)
    }

    /// What a counter is.
    pub fn value(&self, name: &str) -> Option<i64> {
        self.counters.get(name).copied()
    }

    /// Every counter, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.counters.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

impl Kept for Metrics {
    fn save(&self, out: &mut Saver) {
        self.counters.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.counters.fill(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_stops_at_both_ends() {
        let mut metrics = Metrics::new(2);
        assert_eq!(metrics.add("up", i64::MAX), Ok(i64::MAX));
        assert_eq!(metrics.add("up", 1), Ok(i64::MAX));
        assert_eq!(metrics.add("down", i64::MIN), Ok(i64::MIN));
        assert_eq!(metrics.add("down", -1), Ok(i64::MIN));
        assert!(metrics.iter().eq([("down", i64::MIN), ("up", i64::MAX)]));
    }

    #[test]
    fn the_counter_one_over_the_cap_is_refused_and_known_ones_go_on() {
        let mut metrics = Metrics::new(1);
        metrics.add("a", 1).expect("there is room");
        assert_eq!(metrics.add("b", 1), Err(CapReached { what: "metrics", cap: 1 }));
        assert_eq!((metrics.add("a", 1), metrics.value("b")), (Ok(2), None));
    }
}
