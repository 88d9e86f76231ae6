//! Time, as an op may know it and be woken by it.
//!
//! Law: a component has one timer of a kind, and a timer never rings in the turn that sets it.

use super::{InboundCtx, site::SlotEntry};
use crate::{
    error::OpError,
    services::{ComponentTimerKind, Services},
    time::Nanos,
};

/// The clock of this batch, and the timers of the component that is called.
pub struct TimeCtx<'a> {
    pub(super) slot: u32,
    pub(super) entry: Option<&'a SlotEntry>,
    pub(super) inbound: Option<&'a InboundCtx>,
    pub(super) services: &'a mut Services,
}

impl TimeCtx<'_> {
    /// The logical time of this batch.
    pub fn now(&self) -> Nanos {
        self.services.now
    }

    /// How long the peer behind this execution still waits, if one does and says so.
    pub fn deadline_left(&self) -> Option<Nanos> {
        self.inbound?.remaining(self.services.now)
    }

    /// Sets the component's timer of this kind, in place of the one that was set. It calls
    /// [`Ops::on_timer`](crate::component::Ops::on_timer) at `at`, or after this turn where that
    /// has passed. Refused at the limits on timers, and for a component without that callback.
    pub fn schedule(&mut self, kind: ComponentTimerKind, at: Nanos) -> Result<(), OpError> {
        if !self.entry.is_some_and(|slot| slot.takes_timers) {
            return Err(OpError::failed("the component declares no callback for timers"));
        }
        self.services.schedule_component(self.slot, kind, at)
    }

    /// Takes the timer of this kind back; false if none is set.
    pub fn cancel(&mut self, kind: ComponentTimerKind) -> bool {
        self.services.cancel_component(self.slot, kind)
    }
}

impl std::fmt::Debug for TimeCtx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeCtx").field("now", &self.now()).finish_non_exhaustive()
    }
}
