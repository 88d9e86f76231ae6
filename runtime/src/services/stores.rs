//! What the syscall ops keep between executions.
//!
//! Law: every store is bounded, and a Node that keeps nothing has none of them.

use crate::{
    config::NodeConfig,
    framework::{HoldTable, Metrics, PeerGate, RecordBuffer, SerializeQueue},
    value::Value,
};

/// The stores of a Node.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) gates: PeerGate,
    pub(crate) holds: HoldTable<Value>,
    pub(crate) queues: SerializeQueue<Value>,
    pub(crate) records: RecordBuffer<Value>,
    pub(crate) metrics: Metrics,
}

impl Stores {
    pub(super) fn new(config: &NodeConfig) -> Self {
        let (state, waiters) = (&config.state, config.max_pending_async);
        Self {
            gates: PeerGate::new(state.max_names, waiters),
            holds: HoldTable::new(state.hold_names, state.hold_items),
            queues: SerializeQueue::new(state.max_names, state.serialize_capacity, waiters),
            records: RecordBuffer::new(state.max_names, state.record_capacity),
            metrics: Metrics::new(state.max_names),
        }
    }
}
