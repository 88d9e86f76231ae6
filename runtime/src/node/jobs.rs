//! The jobs that a Node's ops wait for, for a host to run.
//!
//! Law: which jobs there are follows from the batches; handing one out changes nothing that a batch
//! could show, and its answer comes as an event like any other.

use std::sync::Arc;

use super::Node;
use crate::{
    completion::CompletionHandle,
    error::OpError,
    id::CommandId,
    job::{Job, JobRefused, PendingJob, Resources},
};

impl Node {
    /// The jobs that ops wait for, handed out or not, by what their ops wait under.
    pub fn jobs(&self) -> impl Iterator<Item = (CommandId, &PendingJob)> {
        self.services.jobs().into_iter().flat_map(|jobs| jobs.iter())
    }

    /// The next job to run, in the order in which they were started. Each is handed out once in a
    /// life; a Node that came back hands out again what was not answered. One that is
    /// [replayed](Node::replay) should be asked when its history has ended.
    pub fn take_job(&mut self) -> Option<Job> {
        loop {
            let (command, pending) = self.services.jobs()?.next()?;
            let pending = pending.clone();
            let door = Some(&self.services.handle);
            let handle = CompletionHandle::<Job>::open(command, &self.services.config, door);
            if !handle.has_place() {
                // The life has ended: its jobs are of the next one.
                return None;
            }
            self.services.kept_mut()?.jobs.note_handed_out(command);
            if pending.is_moot {
                // The handle ends here, and with its word that it was dropped the place is free.
                continue;
            }
            let slot = self.program.plan().slots.get(pending.slot as usize);
            let declared = slot.and_then(|slot| slot.kind.op(&pending.name));
            match declared.and_then(|declared| declared.handler.runner()) {
                Some(runner) => return Some(Job { pending, runner: Arc::clone(runner), handle }),
                None => drop(handle.fail(OpError::failed("its component has no such job"))),
            }
        }
    }

    /// Every job that was not handed out yet.
    pub fn take_jobs(&mut self) -> Vec<Job> {
        std::iter::from_fn(|| self.take_job()).collect()
    }

    /// Runs every job that was not handed out yet, one after another on this thread, and tells how
    /// many those were. An answer for which the mailbox has no room comes back, to be offered again
    /// after the next turn; the jobs behind it are still to run.
    pub fn run_jobs(&mut self, resources: &Resources) -> Result<usize, Box<JobRefused>> {
        let mut count = 0;
        while let Some(job) = self.take_job() {
            job.run(resources)?;
            count += 1;
        }
        Ok(count)
    }
}
