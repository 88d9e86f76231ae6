//! The queue of random programs: items or waiters, never both.
//!
//! Law: an item goes to who has waited longest and waits still.

use std::collections::VecDeque;

use samsara_runtime::{id::CommandId, value::Value};

use super::{Answer, Fired, Model};

#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Value>,
    line: VecDeque<CommandId>,
}

impl Queue {
    pub(super) fn leave(&mut self, command: CommandId) {
        self.line.retain(|waiting| *waiting != command);
    }
}

impl Model<'_> {
    pub(super) fn enqueue(&mut self, item: Value) -> Fired {
        while self.queue.line.front().is_some_and(|command| self.is_too_late(*command)) {
            self.queue.line.pop_front();
        }
        match self.queue.line.pop_front() {
            Some(command) => self.answered.push_back((command, Answer::Outputs(vec![item]))),
            None => self.queue.items.push_back(item),
        }
        Fired::Now(Vec::new())
    }

    pub(super) fn dequeue(&mut self) -> Fired {
        self.with_command(|model, command| {
            if let Some(item) = model.queue.items.pop_front() {
                return Fired::Now(vec![item]);
            }
            model.queue.line.push_back(command);
            Fired::Waits(command, Value::Unit)
        })
    }
}
