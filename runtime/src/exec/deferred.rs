//! Doing what ops have asked for during a call.
//!
//! Law: what an echo asks for is an echo.

use super::Walk;
use crate::{id::ExecId, services::Deferred};

impl Walk<'_> {
    /// Does all that was asked for, and what that brings about.
    pub(super) fn do_deferred(&mut self) {
        while let Some(deferred) = self.services.deferred.pop_front() {
            match deferred {
                Deferred::Answer(command, answer) => self.answer(command, answer),
                Deferred::Begin { exec, is_echo, input, value } => {
                    self.begin(exec, input.module, 0, [(input.input, value)]);
                    if is_echo {
                        self.note_echo(exec);
                    }
                }
                Deferred::Tell(step) => self.steps.push(*step),
            }
        }
    }

    /// Notes that the execution which has just begun is an echo.
    #[cold]
    fn note_echo(&mut self, exec: ExecId) {
        // Nothing of it has fired yet. Where nothing is ready in it, it has ended.
        let begun = self.engine.born.last().filter(|(_, born, _)| *born == exec);
        let Some((index, _, _)) = begun.copied() else { return };
        if let Some(execution) = self.engine.pool.at(index).filter(|echo| echo.live > 0) {
            execution.is_watched = true;
            self.services.bus.as_mut().into_iter().for_each(|bus| bus.note_echo(exec));
        }
    }
}
