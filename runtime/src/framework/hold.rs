//! Values put aside under a name until they are asked for, all at once.
//!
//! Law: a value that was taken is held until its name is flushed; one for which there is no room
//! is handed back.
//!
//! ```
//! use samsara_runtime::framework::HoldTable;
//!
//! let mut held = HoldTable::new(16, 16);
//! held.stash("early", 1)?;
//! held.stash("early", 2)?;
//! assert_eq!(held.flush("early"), [1, 2]);
//! assert!(held.flush("early").is_empty());
//! # Ok::<(), samsara_runtime::framework::Refused<i32>>(())
//! ```

use std::sync::Arc;

use super::bounded::{Bounded, CapReached, Refused};
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};

/// The held values of a Node. A name is taken while something is held under it.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldTable<V> {
    max_items: u32,
    names: Bounded<Arc<str>, Vec<V>>,
}

impl<V> HoldTable<V> {
    /// At most `max_names` names with at most `max_items` values each.
    pub const fn new(max_names: u32, max_items: u32) -> Self {
        Self { max_items, names: Bounded::new("names of held values", max_names) }
    }

    /// Puts a value aside.
    pub fn stash(&mut self, name: &str, value: V) -> Result<(), Refused<V>> {
        let cap = self.max_items;
        if self.len(name) >= cap as usize {
            let reason = CapReached { what: "held values of one name", cap };
            return Err(Refused { given: value, reason });
        }
        match self.names.open(name, Arc::from, Vec::new) {
            Ok(values) => {
                values.push(value);
                Ok(())
            }
            Err(reason) => Err(Refused { given: value, reason }),
        }
    }

    /// Every value under this name, the first one first.
    pub fn flush(&mut self, name: &str) -> Vec<V> {
        self.names.remove(name).unwrap_or_default()
    }

    /// How many values are held under this name.
    pub fn len(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, Vec::len)
    }
}

impl<V: Saved> Kept for HoldTable<V> {
    fn save(&self, out: &mut Saver) {
        self.names.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let cap = self.max_items as usize;
        self.names.fill_with(from, |_, from| from.row("held values of one name", cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_gives_all_of_one_name_in_order_and_nothing_of_another() {
        let mut held = HoldTable::new(2, 2);
        for (name, value) in [("a", 1), ("b", 9), ("a", 2)] {
            held.stash(name, value).expect("there is room");
        }
        assert_eq!(held.flush("a"), [1, 2]);
        assert_eq!((held.len("a"), held.flush("b")), (0, vec![9]));
    }

    #[test]
    fn the_value_one_over_the_cap_comes_back() {
        let mut held = HoldTable::new(1, 1);
        held.stash("a", 1).expect("there is room");
        let reason = CapReached { what: "held values of one name", cap: 1 };
        assert_eq!(held.stash("a", 2), Err(Refused { given: 2, reason }));
        assert_eq!(held.flush("a"), [1]);
    }

    #[test]
    fn the_name_one_over_the_cap_is_refused_until_another_is_flushed() {
        let mut held = HoldTable::new(1, 1);
        held.stash("a", 1).expect("there is room");
        let reason = CapReached { what: "names of held values", cap: 1 };
        assert_eq!(held.stash("b", 2), Err(Refused { given: 2, reason }));
        held.flush("a");
        assert_eq!(held.stash("b", 2), Ok(()));
    }
}
