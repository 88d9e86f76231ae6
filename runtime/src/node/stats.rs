//! The figures of a Node: how much is under way, what has happened, what was dropped, what the
//! limits are.
//!
//! Law: every bounded thing that can be met has its depth here beside its limit, and every drop its
//! cause.

use samsara_ingress::RefusalCounts;

use super::Node;
pub use crate::exec::Counters;

/// The figures of a Node at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// How much is under way.
    pub depths: Depths,
    /// What has happened.
    pub counters: Counters,
    /// What was dropped or refused.
    pub drops: Drops,
    /// How much may be under way.
    pub limits: Limits,
}

/// How much is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Depths {
    /// Ops that are ready.
    pub ready: usize,
    /// Ops that wait for a bootstrap to end.
    pub gated: usize,
    /// Ops that wait for their answer.
    pub parked: usize,
    /// Executions that have begun and not ended.
    pub executions: usize,
    /// Timers that are set.
    pub timers: usize,
    /// Events on the bus.
    pub bus: usize,
    /// Ops that listen to the bus.
    pub subscriptions: usize,
    /// Events in the mailbox.
    pub ingress_items: usize,
    /// Answers in the mailbox.
    pub ingress_answers: usize,
    /// Bytes charged to the mailbox.
    pub ingress_bytes: u64,
}

/// What was dropped or refused, by cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Events of the bus that had to make room.
    pub bus_overflow: u64,
    /// Answers that nobody waited for any more.
    pub answers_ignored: u64,
    /// What came for a round of a gather that had ended, where the gather counts it.
    pub gathered_late: u64,
    /// Calls that were refused at the door.
    pub refused_calls: u64,
    /// Those of them that no turn told of, because too many sources were refused at once.
    pub refusals_unlisted: u64,
    /// What the mailbox refused, by its own causes.
    pub ingress: RefusalCounts,
}

/// How much may be under way; the names are those of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Ops fired in one turn.
    pub cycle_op_budget: u32,
    /// Ops that are ready, and ops that wait for a bootstrap.
    pub max_ready_ops: u32,
    /// Parked ops.
    pub max_pending_async: u32,
    /// Executions.
    pub max_executions: u32,
    /// Timers.
    pub max_timers: u32,
    /// Events on the bus.
    pub bus_capacity: u32,
    /// Ops that listen to the bus.
    pub max_subscriptions: u32,
    /// Events in the mailbox.
    pub ingress_capacity: u32,
    /// Bytes charged to the mailbox.
    pub ingress_byte_budget: u64,
}

impl Node {
    /// The figures of this moment.
    pub fn engine_stats(&self) -> EngineStats {
        let ingress = self.queue.stats();
        let refused = self.beside.as_ref().map(|beside| &beside.refused);
        let bus = self.services.bus.as_ref();
        let (waiting, bus_overflow) = bus.map_or((0, 0), |bus| bus.depth());
        let engine = self.engine.as_deref();
        let counters = engine.map(|engine| *engine.counters()).unwrap_or_default();
        EngineStats {
            depths: Depths {
                ready: self.ready(),
                gated: engine.map_or(0, |engine| engine.gated()),
                parked: self.pending_async_count(),
                executions: self.execution_count(),
                timers: self.services.timers.len(),
                bus: waiting,
                subscriptions: bus.map_or(0, |bus| bus.subscriptions()),
                ingress_items: ingress.items,
                ingress_answers: ingress.answers,
                ingress_bytes: ingress.bytes,
            },
            counters,
            drops: Drops {
                bus_overflow,
                answers_ignored: self.ignored_completion_count(),
                gathered_late: self.services.kept().map_or(0, |stores| stores.gathers.late()),
                refused_calls: refused.map_or(0, |refused| refused.calls),
                refusals_unlisted: refused.map_or(0, |refused| refused.unlisted),
                ingress: ingress.refused,
            },
            limits: self.limits(),
        }
    }

    fn limits(&self) -> Limits {
        let config = self.config();
        Limits {
            cycle_op_budget: config.cycle_op_budget,
            max_ready_ops: config.engine.max_ready_ops,
            max_pending_async: config.max_pending_async,
            max_executions: config.engine.max_executions,
            max_timers: config.state.max_timers,
            bus_capacity: config.bus_capacity,
            max_subscriptions: config.state.max_subscriptions,
            ingress_capacity: config.ingress_capacity,
            ingress_byte_budget: config.ingress_byte_budget,
        }
    }
}
