//! Callbacks of components that wait for a bootstrap, among the ops that do.
//!
//! Law: in the line and in the frontier a callback has its place like an op, and is called or
//! dropped once. One whose timer was taken back or set anew while it waited is not called. What the
//! bootstrap that runs has set itself waits for nothing: it may be what ends it.

use std::sync::Arc;

use super::{OpAt, Walk, gate::Waiting, pool::ExecIndex};
use crate::{
    codec::{saved, saved_enum},
    context::ComponentTimerKind,
    error::{OpError, OpErrorKind},
    framework::TimerId,
    step::Cancelled,
    value::Value,
};

/// The place in the frontier of a callback, the first of those that the engine holds.
pub(super) const CALLBACK: OpAt = OpAt { exec: ExecIndex::MAX, op: u32::MAX };

/// A callback that waits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) slot: u32,
    call: Call,
}

/// What the component is to be told.
#[derive(Clone, Debug, PartialEq)]
enum Call {
    Timer { kind: ComponentTimerKind, timer: TimerId },
    Event { kind: String, value: Value, is_echo: bool },
}

saved! { Held { slot, call } }
saved_enum! { Call: "callback" { 0 = Timer { kind, timer }, 1 = Event { kind, value, is_echo } } }

impl Walk<'_> {
    /// Rings a timer of a component, or has it wait.
    pub(super) fn ring_component(&mut self, slot: u32, kind: ComponentTimerKind, timer: TimerId) {
        self.call_or_hold(Held { slot, call: Call::Timer { kind, timer } });
    }

    /// Tells a component of an event, or has it wait.
    pub(super) fn hear_event(&mut self, slot: u32, kind: &str, value: Value, is_echo: bool) {
        let gate = self.engine.gate.as_ref();
        if gate.is_some_and(|gate| gate.keeps(slot)) {
            let kind = kind.to_owned();
            return self.call_or_hold(Held { slot, call: Call::Event { kind, value, is_echo } });
        }
        self.tell_event(slot, kind, value, is_echo);
    }

    /// Makes the call that is next among those that waited.
    #[cold]
    #[inline(never)]
    pub(super) fn call_held(&mut self) {
        if let Some(held) = self.engine.held.pop_front() {
            self.call_or_hold(held);
        }
    }

    fn call_or_hold(&mut self, held: Held) {
        let set_at = match held.call {
            Call::Timer { timer, .. } => Some(timer),
            Call::Event { .. } => None,
        };
        if let Some(gate) = &mut self.engine.gate
            && gate.keeps(held.slot)
            && !set_at.is_some_and(|timer| gate.is_of_bootstrap(timer))
        {
            let Err(held) = gate.hold(held) else { return };
            return self.refuse_held(held);
        }
        let slot = held.slot;
        match held.call {
            Call::Timer { kind, timer } => {
                if self.services.take_component_timer(slot, kind, timer) {
                    self.tell_timer(slot, kind);
                }
            }
            Call::Event { kind, value, is_echo } => self.tell_event(slot, &kind, value, is_echo),
        }
    }

    /// Fails a callback that may not be called and finds no room to wait.
    #[cold]
    fn refuse_held(&mut self, held: Held) {
        let Some(at) = self.plan.slots.get(held.slot as usize) else { return };
        let op = match held.call {
            Call::Timer { kind, timer } => {
                self.services.take_component_timer(held.slot, kind, timer);
                &at.on_timer
            }
            Call::Event { .. } => &at.on_event,
        };
        let Ok(exec) = self.services.inner_execs.mint() else { return };
        let reason = "no room for more callbacks that wait for a bootstrap";
        self.tell_failure(exec, Arc::clone(op), OpError::new(OpErrorKind::Limit, reason));
    }

    /// Puts what waited at the gate first into the frontier, in its order.
    pub(super) fn let_pass(&mut self, free: Vec<Waiting>) {
        for waiting in free.into_iter().rev() {
            let at = match waiting {
                Waiting::Op { at, .. } => at,
                Waiting::Call(held) => {
                    self.engine.held.push_front(held);
                    CALLBACK
                }
            };
            self.engine.frontier.push_front(at);
        }
    }

    /// Drops a callback with all else that is under way. A timer of a component outlives that, so
    /// it is set again.
    pub(super) fn cancel_held(&mut self, held: Held) {
        match held.call {
            Call::Timer { kind, timer } => {
                let now = self.services.now;
                if self.services.take_component_timer(held.slot, kind, timer)
                    && self.services.schedule_component(held.slot, kind, now).is_err()
                {
                    self.cancel(Cancelled::Request { what: "timer of a component" });
                }
            }
            Call::Event { kind, .. } => self.cancel(Cancelled::BusEvent { kind: kind.into() }),
        }
    }
}
