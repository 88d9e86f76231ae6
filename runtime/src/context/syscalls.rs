//! What the syscall ops keep, as a component may read and change it.
//!
//! Law: the same stores, limits and orders as of the ops: who waits for an item is handed it.

use std::fmt::Display;

use crate::{
    error::{OpError, OpErrorKind},
    services::Services,
    value::Value,
};

/// The named state of the Node's syscall ops.
pub struct SyscallCtx<'a> {
    pub(super) services: &'a mut Services,
}

fn limit(reached: impl Display) -> OpError {
    OpError::new(OpErrorKind::Limit, reached.to_string())
}

impl SyscallCtx<'_> {
    /// What was counted under this name.
    pub fn metric(&self, name: &str) -> Option<i64> {
        self.services.kept()?.metrics.value(name)
    }

    /// Counts, as `IncrMetric` does, and gives the count.
    pub fn add_metric(&mut self, name: &str, delta: i64) -> Result<i64, OpError> {
        self.services.stores().metrics.add(name, delta).map_err(limit)
    }

    /// What is recorded under this name, oldest first.
    pub fn records(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.services.kept().into_iter().flat_map(move |stores| stores.records.read(name))
    }

    /// Records a value, as `Record` does; the oldest makes room.
    pub fn record(&mut self, name: &str, value: impl Into<Value>) -> Result<(), OpError> {
        self.services.stores().records.record(name, value.into()).map(drop).map_err(limit)
    }

    /// How many values are held under this name.
    pub fn held(&self, name: &str) -> usize {
        self.services.kept().map_or(0, |stores| stores.holds.len(name))
    }

    /// Puts a value aside, as `Hold.Stash` does.
    pub fn stash(&mut self, name: &str, value: impl Into<Value>) -> Result<(), OpError> {
        self.services.stores().holds.stash(name, value.into()).map_err(limit)
    }

    /// Takes all that is held under this name, as `Hold.Flush` does.
    pub fn flush(&mut self, name: &str) -> Vec<Value> {
        self.services.stores().holds.flush(name)
    }

    /// How many items wait in the queue of this name.
    pub fn queued(&self, name: &str) -> usize {
        self.services.kept().map_or(0, |stores| stores.queues.len(name))
    }

    /// Puts an item into a queue, as `Serialize.Enqueue` does: the op that waits longest for one
    /// gets it when this call has returned.
    pub fn enqueue(&mut self, name: &str, item: impl Into<Value>) -> Result<(), OpError> {
        self.services.enqueue(name, item.into()).map_err(limit)
    }

    /// Takes the oldest item of a queue, if there is one.
    pub fn dequeue(&mut self, name: &str) -> Option<Value> {
        self.services.kept_mut()?.queues.take(name)
    }
}

impl std::fmt::Debug for SyscallCtx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyscallCtx").finish_non_exhaustive()
    }
}
