//! Requests that keep something in the Node, or tell it to the host or to its own modules.
//!
//! Law: every store is bounded. What is dropped for room is counted where it was dropped; what
//! finds no room at all fails the op that asked.

use std::sync::Arc;

use super::{Fired, Site};
use crate::{
    bus::NodeEvent,
    error::{OpError, OpErrorKind},
    framework::{Dequeued, Waiter},
    step::EngineStep,
    value::Value,
};

fn limit(reached: impl ToString) -> OpError {
    OpError::new(OpErrorKind::Limit, reached.to_string())
}

impl Site<'_> {
    pub(super) fn emit(&mut self, topic: &Arc<str>) -> Fired {
        let (exec, topic, value) = (self.exec, Arc::clone(topic), self.argument(0));
        self.steps.push(EngineStep::AppEmitted { exec, topic, value });
        Fired::All
    }

    pub(super) fn notify(&mut self, topic: &Arc<str>) -> Fired {
        let value = self.argument(0);
        if let Some(bus) = &mut self.services.bus {
            let topic = Arc::clone(topic);
            bus.publish(Some(self.exec), NodeEvent::App { topic, value });
        }
        Fired::All
    }

    pub(super) fn stash(&mut self, name: &str) -> Result<Fired, OpError> {
        let value = self.argument(0);
        self.services.stores().holds.stash(name, value).map_err(limit)?;
        Ok(Fired::All)
    }

    pub(super) fn flush(&mut self, name: &str) -> Result<Fired, OpError> {
        self.argument(0);
        let stashed = Value::list(self.services.stores().holds.flush(name));
        let list =
            stashed.map_err(|deep| OpError::new(OpErrorKind::BadOutput, deep.to_string()))?;
        Ok(self.give(list))
    }

    pub(super) fn enqueue(&mut self, name: &str) -> Result<Fired, OpError> {
        let value = self.argument(0);
        self.services.enqueue(name, value).map_err(limit)?;
        Ok(Fired::All)
    }

    pub(super) fn dequeue(&mut self, name: &str) -> Result<Fired, OpError> {
        self.argument(0);
        let command = self.services.new_command()?;
        let waiter = Waiter { exec: self.exec, command };
        match self.services.stores().queues.dequeue(name, waiter).map_err(limit)? {
            Dequeued::Item(item) => Ok(self.give(item)),
            Dequeued::Waits => Ok(Fired::Waits(command)),
        }
    }

    pub(super) fn record(&mut self, name: &str) -> Result<Fired, OpError> {
        let value = self.argument(0);
        self.services.stores().records.record(name, value).map_err(limit)?;
        Ok(Fired::All)
    }

    pub(super) fn incr_metric(&mut self, name: &str) -> Result<Fired, OpError> {
        match self.argument(0) {
            Value::I64(delta) => {
                self.services.stores().metrics.add(name, delta).map_err(limit)?;
                Ok(Fired::All)
            }
            other => {
                let reason = format!("argument 0: expected i64, got {}", other.kind().name());
                Err(OpError::new(OpErrorKind::BadArgument, reason))
            }
        }
    }
}
