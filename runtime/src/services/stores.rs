//! What ops and components keep between calls.
//!
//! Law: every store is bounded, and a Node that keeps nothing has none of them.

use super::{
    Answer, Services, asking::Asking, component_timers::ComponentTimers, gathers::Gathers,
    jobs::Jobs, latches::Latches,
};
use std::collections::BTreeSet;

use crate::{
    config::NodeConfig,
    framework::{Enqueued, HoldTable, Metrics, PeerGate, RecordBuffer, Refused, SerializeQueue},
    id::CommandId,
    value::Value,
};

/// The stores of a Node.
#[derive(Debug)]
pub(crate) struct Stores {
    /// Commands whose answer comes by the mailbox and is not there yet.
    pub(crate) awaited: BTreeSet<CommandId>,
    pub(crate) gates: PeerGate,
    pub(crate) holds: HoldTable<Value>,
    pub(crate) queues: SerializeQueue<Value>,
    pub(crate) records: RecordBuffer<Value>,
    pub(crate) metrics: Metrics,
    pub(crate) latches: Latches,
    pub(crate) component_timers: ComponentTimers,
    pub(crate) jobs: Jobs,
    pub(crate) gathers: Gathers,
    /// Made when the first client asks.
    pub(super) asking: Option<Box<Asking>>,
}

impl Stores {
    pub(super) fn new(config: &NodeConfig) -> Self {
        let (state, exchange) = (&config.state, &config.exchange);
        let waiters = config.max_pending_async;
        Self {
            awaited: BTreeSet::new(),
            gates: PeerGate::new(exchange.max_gates, exchange.max_gate_waiters),
            holds: HoldTable::new(state.hold_names, state.hold_items),
            queues: SerializeQueue::new(state.max_names, state.serialize_capacity, waiters),
            records: RecordBuffer::new(state.max_names, state.record_capacity),
            metrics: Metrics::new(state.max_names),
            latches: Latches::new(state.max_latches),
            component_timers: ComponentTimers::default(),
            jobs: Jobs::default(),
            gathers: Gathers::new(state),
            asking: None,
        }
    }

    /// Drops what executions keep. Timers of components stay, as the components do, and so do jobs
    /// that nobody waits for now, for the places that are kept for their answers, and what clients
    /// have asked.
    pub(crate) fn clear(&mut self, config: &NodeConfig) {
        let Self { component_timers, mut jobs, awaited, asking, .. } =
            std::mem::replace(self, Self::new(config));
        jobs.note_all_moot();
        *self = Self { component_timers, jobs, awaited, asking, ..Self::new(config) };
    }
}

impl Services {
    /// Appends an item to a queue, or hands it to the op that has waited longest and is in time:
    /// who comes too late gets nothing, so that nothing is lost with its op.
    pub(crate) fn enqueue(&mut self, name: &str, mut item: Value) -> Result<(), Refused<Value>> {
        loop {
            match self.stores().queues.enqueue(name, item)? {
                Enqueued::Stored { .. } => return Ok(()),
                Enqueued::Handed { to, item: back } if self.is_too_late(to.command) => item = back,
                Enqueued::Handed { to, item } => {
                    self.answer_later(to.command, Answer::Output(item));
                    return Ok(());
                }
            }
        }
    }
}
