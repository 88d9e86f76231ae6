//! The beginning of a life inside a Node.
//!
//! Law: what only an earlier life could have answered fails; what is kept goes on.

use super::Walk;
use crate::{
    error::{OpError, OpErrorKind},
    services::Answer,
};

impl Walk<'_> {
    /// Fails the ops whose free completions have ended with the life that gave them out.
    pub(crate) fn begin_life(&mut self) {
        for command in self.services.lose_answers() {
            let reason = "the life that was to answer has ended";
            self.answer(command, Answer::Failed(OpError::new(OpErrorKind::Lost, reason)));
        }
    }
}
