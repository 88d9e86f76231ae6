//! The slots of a plan, with what their components are told beside their ops.
//!
//! Law: slots stand in the order of their names, and so does the table that ops look into.

use std::{collections::BTreeMap, sync::Arc};

use super::SlotPlan;
use crate::{
    component::ComponentType,
    context::{CallSite, SlotEntry, SlotTable},
};

/// The names of these slots, for every op to share.
pub(super) fn table(slots: &BTreeMap<String, ComponentType>) -> Arc<SlotTable> {
    let entry = |(name, kind): (&String, &ComponentType)| SlotEntry {
        name: name.as_str().into(),
        takes_timers: kind.wants().on_timer.is_some(),
    };
    Arc::new(SlotTable(slots.iter().map(entry).collect()))
}

/// The slots themselves.
pub(super) fn plan(
    slots: &BTreeMap<String, ComponentType>,
    table: &Arc<SlotTable>,
) -> Vec<SlotPlan> {
    let slot = |(name, kind): (&String, &ComponentType)| SlotPlan {
        name: name.as_str().into(),
        kind: kind.clone(),
        on_timer: format!("{name}.on_timer").into(),
        on_event: format!("{name}.on_event").into(),
        site: CallSite { attributes: BTreeMap::new(), slots: Arc::clone(table) },
    };
    slots.iter().map(slot).collect()
}
