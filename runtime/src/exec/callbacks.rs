//! Components that are told something outside of any op.
//!
//! Law: each in an execution of its own, which gives nothing; a failure is a failed step of
//! `slot.on_timer` or `slot.on_event`.

use std::sync::Arc;

use super::Walk;
use crate::{
    component::{ErasedCallback, Told},
    context::{ComponentTimerKind, Cx, Siblings},
    error::OpError,
    plan::SlotPlan,
    value::Value,
};

impl Walk<'_> {
    /// Tells a component that its timer rings.
    pub(super) fn tell_timer(&mut self, slot: u32, kind: ComponentTimerKind) {
        let plan = self.plan;
        let Some(at) = plan.slots.get(slot as usize) else { return };
        let Some(callback) = &at.kind.wants().on_timer else { return };
        self.tell(slot, at, (&at.on_timer, &**callback), Told::Timer(kind), false);
    }

    /// Tells a component of an event, if it wants to hear of that kind.
    pub(super) fn tell_event(&mut self, slot: u32, kind: &str, value: Value, is_echo: bool) {
        let plan = self.plan;
        let Some(at) = plan.slots.get(slot as usize) else { return };
        let Some(callback) = at.kind.wants().on_event.get(kind) else { return };
        self.tell(slot, at, (&at.on_event, &**callback), Told::Event(value), is_echo);
    }

    fn tell(
        &mut self,
        slot: u32,
        at: &SlotPlan,
        (op, callback): (&Arc<str>, &dyn ErasedCallback),
        told: Told,
        is_echo: bool,
    ) {
        let Ok(exec) = self.services.inner_execs.mint() else { return };
        if let (true, Some(bus)) = (is_echo, &mut self.services.bus) {
            bus.note_echo(exec);
        }
        if !self.may_call(exec) {
            self.services.bus.as_mut().into_iter().for_each(|bus| bus.note_end(exec));
            return;
        }
        let called = match Siblings::split(self.components, slot as usize) {
            Some((component, siblings)) => {
                let (site, services) = (&at.site, &mut *self.services);
                let mut cx = Cx { exec, op, site, inbound: None, siblings, services };
                callback.call(component, &mut cx, told)
            }
            None => Err(OpError::failed("its slot is empty")),
        };
        if let Err(error) = called {
            self.tell_failure(exec, Arc::clone(op), error);
        }
        if let Some(stores) = self.services.kept_mut() {
            stores.latches.end(exec);
        }
        if let Some(bus) = &mut self.services.bus {
            bus.note_end(exec);
        }
    }
}
