//! What is known of a call before it happens: its attributes, and the slots around it.
//!
//! Law: made when the program is planned, and shared by every call of the op.

use std::{collections::BTreeMap, sync::Arc};

use crate::value::Value;

/// The part of a call that is the same each time.
#[derive(Clone, Debug)]
pub(crate) struct CallSite {
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) slots: Arc<SlotTable>,
}

/// The slots of a plan, in the order of their names, which is also that of their numbers.
#[derive(Debug, Default)]
pub(crate) struct SlotTable(pub(crate) Vec<SlotEntry>);

/// What an op may ask of a slot.
#[derive(Debug)]
pub(crate) struct SlotEntry {
    pub(crate) name: Arc<str>,
    /// Whether its component has a callback for timers.
    pub(crate) takes_timers: bool,
}

impl SlotTable {
    /// The number of the slot of this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|slot| (*slot.name).cmp(name)).ok()
    }

    pub(super) fn at(&self, number: usize) -> Option<&SlotEntry> {
        self.0.get(number)
    }
}
