//! Requests about time.
//!
//! Law: a wait ends at a logical time, by a timer that is part of the Node's state.

use super::{Fired, Site};
use crate::{
    error::{OpError, OpErrorKind},
    services::Alarm,
    time::Nanos,
    value::Value,
};

impl Site<'_> {
    /// Gives the input on after this time.
    pub(super) fn sleep(&mut self, time: Nanos) -> Result<Fired, OpError> {
        let command = self.services.new_command()?;
        let due = self.services.now + time;
        let timer = self.services.timers.schedule(due, Alarm::Resume(command));
        let timer = timer.map_err(|full| OpError::new(OpErrorKind::Limit, full.to_string()))?;
        Ok(Fired::Sleeps(command, timer))
    }

    /// Gives the first input on after as many nanoseconds as the second one says.
    pub(super) fn after(&mut self) -> Result<Fired, OpError> {
        match self.argument(1) {
            Value::U64(nanos) => self.sleep(Nanos::new(nanos)),
            other => {
                let reason = format!("argument 1: expected u64, got {}", other.kind().name());
                Err(OpError::new(OpErrorKind::BadArgument, reason))
            }
        }
    }
}
