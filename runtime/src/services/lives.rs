//! What of the promised answers outlives a life.
//!
//! Law: a job can be run again by anyone, a free completion by nobody else.

use super::Services;
use crate::id::CommandId;

impl Services {
    /// Forgets the answers that nobody can give any more, and tells which they were.
    pub(crate) fn lose_answers(&mut self) -> Vec<CommandId> {
        let jobs = self.stores.as_ref().map(|stores| &stores.jobs);
        let is_job = |command: &CommandId| jobs.is_some_and(|jobs| jobs.find(*command).is_some());
        let lost: Vec<CommandId> =
            self.awaited.iter().copied().filter(|command| !is_job(command)).collect();
        lost.iter().for_each(|command| {
            self.awaited.remove(command);
        });
        lost
    }
}
