//! The jobs that ops wait for.
//!
//! Law: a job is here from the moment that its op parks until its answer is in a batch. Which of
//! them somebody runs is known to this life alone.

use std::collections::BTreeMap;

use super::Services;
use crate::{id::CommandId, job::PendingJob};

/// Jobs by the command that their op waits under.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Jobs {
    pending: BTreeMap<CommandId, PendingJob>,
    /// The last job that was handed out. Commands rise, so all up to it were; a later life, which
    /// hands them out again, begins with none.
    handed_out: Option<CommandId>,
}

impl Jobs {
    pub(crate) fn start(&mut self, command: CommandId, job: PendingJob) {
        self.pending.insert(command, job);
    }

    pub(crate) fn find(&self, command: CommandId) -> Option<&PendingJob> {
        self.pending.get(&command)
    }

    /// Those that ops wait for, handed out or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (CommandId, &PendingJob)> {
        let wanted = self.pending.iter().filter(|(_, job)| !job.is_moot);
        wanted.map(|(command, job)| (*command, job))
    }

    /// The next one to hand out.
    pub(crate) fn next(&self) -> Option<(CommandId, &PendingJob)> {
        let behind = self.handed_out.map_or(0, CommandId::get);
        let mut waiting = self.pending.range(CommandId::new(behind.checked_add(1)?)?..);
        waiting.next().map(|(command, job)| (*command, job))
    }

    /// Notes that all jobs up to this one are handed out.
    pub(crate) fn note_handed_out(&mut self, command: CommandId) {
        self.handed_out = Some(command);
    }

    /// Notes that the op waits no more. The job stays, as does the place for its answer, until
    /// that is in a batch.
    pub(crate) fn note_moot(&mut self, command: CommandId) {
        if let Some(job) = self.pending.get_mut(&command) {
            job.is_moot = true;
        }
    }

    /// Forgets a job whose answer is there.
    pub(super) fn end(&mut self, command: CommandId) {
        self.pending.remove(&command);
    }
}

impl Services {
    /// The jobs, if an op ever asked for one.
    pub(crate) fn jobs(&self) -> Option<&Jobs> {
        self.kept().map(|stores| &stores.jobs)
    }
}
