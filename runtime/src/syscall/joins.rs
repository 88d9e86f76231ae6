//! Requests that join or hold back what happens in one execution.
//!
//! Law: who waits for a permit goes on with its own input, in the order of asking.

use super::{Fired, Site};
use crate::{
    error::{OpError, OpErrorKind},
    framework::{Acquired, Waiter},
    services::Answer,
    value::Value,
};

impl Site<'_> {
    /// Gives the input that arrived, and its position.
    pub(super) fn any(&mut self) -> Fired {
        let (position, value) = self.winner();
        self.outputs.push(value);
        self.give(position as u64)
    }

    /// Takes the input that arrived, with its position.
    pub(super) fn winner(&mut self) -> (usize, Value) {
        let arrived = |(at, place): (usize, &mut Option<Value>)| Some((at, place.take()?));
        let winner = self.arguments.iter_mut().enumerate().find_map(arrived);
        winner.unwrap_or((0, Value::Unit))
    }

    /// Gives the first input on; the second one only had to arrive.
    pub(super) fn gate(&mut self) -> Fired {
        let value = self.argument(0);
        self.argument(1);
        self.give(value)
    }

    /// Gives the input on by the first output: it came before the deadline.
    pub(super) fn in_time(&mut self) -> Fired {
        let value = self.argument(0);
        self.give(value);
        Fired::Only(0)
    }

    /// Gives the input on once the execution holds a permit.
    pub(super) fn acquire(&mut self, limit: &str, permits: u32) -> Result<Fired, OpError> {
        let command = self.services.new_command()?;
        let waiter = Waiter { exec: self.exec, command };
        match self.services.stores().gates.acquire(limit, permits, waiter) {
            Ok(Acquired::Granted) => Ok(self.pass_on()),
            Ok(Acquired::Waits) => Ok(Fired::Waits(command)),
            Err(error) => Err(OpError::new(OpErrorKind::Limit, error.to_string())),
        }
    }

    /// Gives the input on and the permit back.
    pub(super) fn release(&mut self, limit: &str) -> Result<Fired, OpError> {
        let next = self.services.stores().gates.release(limit, self.exec);
        let next = next.map_err(|error| OpError::failed(error.to_string()))?;
        if let Some(next) = next {
            self.services.answer_later(next.command, Answer::ItsInput);
        }
        Ok(self.pass_on())
    }
}
