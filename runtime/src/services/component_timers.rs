//! The timers that components set for themselves.
//!
//! Law: one of a kind and slot; setting it again replaces it.

use std::collections::BTreeMap;

use super::{Alarm, Services};
use crate::{
    codec::saved,
    error::{OpError, OpErrorKind},
    framework::TimerId,
    time::Nanos,
};

/// What a component's timer is for, by a number that the component chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentTimerKind(u32);

impl ComponentTimerKind {
    /// The kind of this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Which timers are set, by slot and kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ComponentTimers {
    by_slot: BTreeMap<u32, BTreeMap<ComponentTimerKind, TimerId>>,
}

impl ComponentTimers {
    fn remove(&mut self, slot: u32, kind: ComponentTimerKind) -> Option<TimerId> {
        self.by_slot.get_mut(&slot)?.remove(&kind)
    }
}

saved! {
    ComponentTimerKind { 0 }
    ComponentTimers { by_slot }
}

impl Services {
    /// Sets a component's timer, at the earliest for what comes after this turn: one that set
    /// itself again for now would never let a poll end.
    pub(crate) fn schedule_component(
        &mut self,
        slot: u32,
        kind: ComponentTimerKind,
        at: Nanos,
    ) -> Result<(), OpError> {
        let limit = |reason: String| OpError::new(OpErrorKind::Limit, reason);
        let Some(next) = self.now.checked_add(Nanos::new(1)) else {
            return Err(limit("time ends here, and no timer can ring behind it".to_owned()));
        };
        let cap = self.config.state.max_component_timers;
        let timers = &mut self.stores().component_timers;
        let set = timers.by_slot.entry(slot).or_default();
        let replaced = set.get(&kind).copied();
        if replaced.is_none() && set.len() >= cap as usize {
            return Err(limit(format!(
                "no room for more timers of one component, the cap is {cap}"
            )));
        }
        if let Some(replaced) = replaced {
            self.timers.cancel(replaced);
        }
        let due = at.max(next);
        let timer = self.timers.schedule(due, Alarm::Component { slot, kind });
        let timers = &mut self.stores().component_timers;
        match timer {
            Ok(timer) => {
                timers.by_slot.entry(slot).or_default().insert(kind, timer);
                Ok(())
            }
            Err(full) => {
                timers.remove(slot, kind);
                Err(limit(full.to_string()))
            }
        }
    }

    /// Takes a component's timer back, also one that has rung and was not told; false if it is not
    /// set.
    pub(crate) fn cancel_component(&mut self, slot: u32, kind: ComponentTimerKind) -> bool {
        let stores = self.kept_mut();
        let timer = stores.and_then(|stores| stores.component_timers.remove(slot, kind));
        timer.map(|timer| self.timers.cancel(timer)).is_some()
    }

    /// Forgets a timer that has rung; false if it was taken back or set anew since.
    pub(crate) fn take_component_timer(
        &mut self,
        slot: u32,
        kind: ComponentTimerKind,
        rung: TimerId,
    ) -> bool {
        let Some(stores) = self.kept_mut() else { return false };
        let set = stores.component_timers.by_slot.get(&slot).and_then(|set| set.get(&kind));
        let is_it = set == Some(&rung);
        if is_it {
            stores.component_timers.remove(slot, kind);
        }
        is_it
    }
}
