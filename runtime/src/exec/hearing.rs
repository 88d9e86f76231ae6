//! What is heard inside the Node: events of the bus, phases, failures.
//!
//! Law: an event begins one execution for each op that subscribed to it, in the order of the plan.

use std::sync::Arc;

use super::Walk;
use crate::{
    bus::{InfraEvent, NodeEvent},
    error::OpError,
    id::ExecId,
    plan::Call,
    services::{Heard, Subscriber},
    step::EngineStep,
    syscall::Request,
    value::Value,
};

impl Walk<'_> {
    /// Begins executions for the events of the bus, until `budget` of them have begun or no event
    /// is left, and tells how many have.
    pub(crate) fn hear(&mut self, budget: u32) -> u32 {
        let mut begun = 0;
        while begun < budget {
            let heard = self.services.bus.as_mut().and_then(|bus| bus.take());
            let Some(Heard { event, is_echo, subscribers }) = heard else { break };
            self.engine.counters.bus_events += 1;
            let kind = event.kind();
            let value = event.into_value();
            for subscriber in subscribers.iter() {
                let value = value.clone();
                match *subscriber {
                    Subscriber::Op { module, op } => self.begin_from(module, op, value, is_echo),
                    Subscriber::Component { slot } => self.tell_event(slot, &kind, value, is_echo),
                }
                begun += 1;
            }
            self.answer_all();
        }
        // The subscribers of the last event may be more than were left to begin.
        begun.min(budget)
    }

    /// Begins an execution for each op of these modules that is enrolled in this phase.
    pub(crate) fn fire_lifecycle(&mut self, modules: &[u32], phase: &Arc<str>) {
        let plan = self.plan;
        let mut enrolled = Vec::new();
        for &index in modules {
            let Some(module) = plan.modules.get(index as usize) else { continue };
            for &op in &module.listeners {
                let Some(found) = module.ops.get(op as usize) else { continue };
                if matches!(&found.call, Call::Request(Request::LifecyclePhase(of)) if of == phase)
                {
                    enrolled.push((index, op, Arc::clone(&found.name)));
                }
            }
        }
        let ops = enrolled.iter().map(|(_, _, name)| Arc::clone(name)).collect();
        self.steps.push(EngineStep::LifecycleFired { phase: Arc::clone(phase), ops });
        for (module, op, _) in enrolled {
            self.begin_from(module, op, Value::Unit, false);
        }
    }

    /// Tells of a failure, in steps and on the bus.
    #[cold]
    pub(super) fn tell_failure(&mut self, exec: ExecId, op: Arc<str>, error: OpError) {
        self.engine.counters.ops_failed += 1;
        if let Some(bus) = &mut self.services.bus {
            bus.publish_failure(exec, "infra.op_failed", || {
                let (op, error) = (Arc::clone(&op), error.clone());
                NodeEvent::Infra(InfraEvent::OpFailed { exec, op, error })
            });
        }
        self.steps.push(EngineStep::OpFailed { exec, op, error });
    }

    /// Publishes what the Node tells of itself, which no execution has brought about.
    pub(super) fn publish(&mut self, event: impl FnOnce() -> NodeEvent) {
        if let Some(bus) = &mut self.services.bus {
            bus.publish(None, event());
        }
    }

    /// Notes the end of an execution that somebody wants to know of.
    #[cold]
    #[inline(never)]
    pub(super) fn note_end(&mut self, exec: ExecId, has_failed: bool) {
        if let Some(bus) = &mut self.services.bus {
            bus.note_end(exec);
        }
        if let Some(asking) = self.services.asked() {
            asking.note_end(exec);
        }
        self.note_bootstrap_end(exec, has_failed);
    }
}
