//! What ops ask for during a call, to be done when it has returned.
//!
//! Law: in the order in which it was asked, and in the turn in which it was asked: nothing of it is
//! left between turns, so a replay asks for it again and nothing happens twice.

use super::{Answer, Services};
use crate::{
    event::InputIndex,
    id::{CommandId, ExecId},
    step::EngineStep,
    value::Value,
};

/// One thing that was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deferred {
    /// A parked op goes on.
    Answer(CommandId, Answer),
    /// An execution begins.
    Begin { exec: ExecId, is_echo: bool, input: InputIndex, value: Value },
    /// Something is told that has happened.
    Tell(Box<EngineStep>),
}

impl Services {
    /// Has a parked op go on when the call has returned.
    pub(crate) fn answer_later(&mut self, command: CommandId, answer: Answer) {
        self.deferred.push_back(Deferred::Answer(command, answer));
    }
}
