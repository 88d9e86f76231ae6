//! What of the promised answers outlives a life.
//!
//! Law: a job can be run again by anyone, a free completion by nobody else.

use super::Services;
use crate::id::CommandId;

impl Services {
    /// Forgets the answers that nobody can give any more, and tells which they were.
    pub(crate) fn lose_answers(&mut self) -> Vec<CommandId> {
        let Some(stores) = self.kept_mut() else { return Vec::new() };
        let (jobs, awaited) = (&stores.jobs, &mut stores.awaited);
        let lost = awaited.iter().copied().filter(|command| jobs.find(*command).is_none());
        let lost: Vec<_> = lost.collect();
        awaited.retain(|command| jobs.find(*command).is_some());
        lost
    }
}
