//! Dropping all that is under way.
//!
//! Law: what is dropped is told, each thing once; what a Node is (its components, its plan, whom it
//! knows, the ids it has given) stays.

use std::sync::Arc;

use super::{Engine, Walk, parking::Parked};
use crate::step::{Cancelled, EngineStep};

impl Walk<'_> {
    /// Drops executions, parked ops, what is queued, and what ops keep.
    pub(crate) fn clear(&mut self) {
        let plan = self.plan;
        let (bootstraps, waiting) = self.engine.clear_bootstraps();
        let mut engine = std::mem::take(self.engine);
        self.engine.bootstraps = bootstraps;
        for (command, Parked { at, .. }) in std::mem::take(&mut engine.parked) {
            let Some(execution) = engine.pool.at(at.exec) else { continue };
            let module = plan.modules.get(execution.module as usize);
            let op = module.and_then(|module| module.ops.get(at.op as usize));
            let (exec, op) = (execution.id, op.map(|op| Arc::clone(&op.name)));
            let op = op.unwrap_or_default();
            self.cancel(Cancelled::Op { exec, op, command });
        }
        for (_, execution) in engine.pool.alive() {
            self.cancel(Cancelled::Execution { exec: execution.id });
        }
        for module in waiting {
            let module = plan.modules.get(module as usize).map(|module| Arc::clone(&module.name));
            self.cancel(Cancelled::Bootstrap { module: module.unwrap_or_default() });
        }
        let gated = engine.gate.take().into_iter().flat_map(|gate| gate.into_held());
        let held: Vec<_> = engine.held.drain(..).chain(gated).collect();
        let capacity = self.services.config.bus_capacity;
        let mut events = self.services.bus.as_mut().map(|bus| bus.clear(capacity));
        while let Some(event) = events.as_mut().and_then(|events| events.take()) {
            self.cancel(Cancelled::BusEvent { kind: event.kind().into() });
        }
        self.services.clear();
        held.into_iter().for_each(|held| self.cancel_held(held));
    }

    /// Tells that something was dropped.
    pub(crate) fn cancel(&mut self, dropped: Cancelled) {
        self.steps.push(EngineStep::Cancelled(dropped));
    }
}

impl Engine {
    /// What has happened since the Node was made or cleared.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a turn of so many events.
    pub(crate) fn note_turn(&mut self, events: usize) {
        self.counters.turns += 1;
        self.counters.events += events as u64;
    }
}

/// What has happened since the Node was made or cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Batches that were applied.
    pub turns: u64,
    /// Events in them.
    pub events: u64,
    /// Ops that fired.
    pub ops_fired: u64,
    /// Ops that failed.
    pub ops_failed: u64,
    /// Events of the bus that were heard.
    pub bus_events: u64,
}
