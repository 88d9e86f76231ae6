//! Applying a batch that has brought its Node down before.
//!
//! Law: an execution that was given up does nothing from this batch on, and all others do what they
//! would have done. Being watched changes nothing.

use super::{Batch, Node};
use crate::step::EngineStep;

pub use crate::exec::{Aborted, Guarded};

impl Node {
    /// As [`apply`](Self::apply), and gives what was given up of it.
    pub fn apply_guarded(
        &mut self,
        batch: &Batch,
        guarded: Guarded<'_>,
        steps: &mut Vec<EngineStep>,
    ) -> Vec<Aborted> {
        self.apply_with(batch, steps, Some(guarded))
    }

    /// As [`replay`](Self::replay), and gives what was given up of it.
    pub fn replay_guarded(
        &mut self,
        batch: &Batch,
        guarded: Guarded<'_>,
        steps: &mut Vec<EngineStep>,
    ) -> Vec<Aborted> {
        self.note_history(batch);
        self.services.is_replaying = true;
        let aborted = self.apply_guarded(batch, guarded, steps);
        self.services.is_replaying = false;
        aborted
    }
}
