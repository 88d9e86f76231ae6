//! Threads for the work that ops leave to jobs.
//!
//! Law: a job never runs on a thread that runs turns. Its answer goes to the mailbox as any event
//! does, and waits here if that has no room; a job of an ended life is let go, since the next life
//! asks for it again.

use std::{
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use samsara_runtime::job::{Job, Resources};

/// How long an answer waits before it is offered to a full mailbox again.
const RETRY: Duration = Duration::from_millis(1);

/// Threads that run jobs, started with the first.
#[derive(Debug)]
pub(crate) struct Jobs {
    resources: Arc<Resources>,
    threads: usize,
    line: OnceLock<Sender<Job>>,
}

impl Jobs {
    pub(crate) fn new(resources: Resources, threads: usize) -> Self {
        Self { resources: Arc::new(resources), threads, line: OnceLock::new() }
    }

    /// Runs it soon. There are no more of them than all Nodes together may have pending.
    pub(crate) fn run(&self, job: Job) {
        let line = self.line.get_or_init(|| self.start());
        // Without a thread the job is let go, which tells its op that it was cancelled.
        drop(line.send(job));
    }

    fn start(&self) -> Sender<Job> {
        let (line, jobs) = unbounded();
        for number in 0..self.threads.max(1) {
            let (jobs, resources) = (jobs.clone(), Arc::clone(&self.resources));
            let thread = thread::Builder::new().name(format!("samsara job {number}"));
            // With fewer threads than wanted the others take over.
            drop(thread.spawn(move || work(&jobs, &resources)));
        }
        line
    }
}

fn work(jobs: &Receiver<Job>, resources: &Resources) {
    while let Ok(job) = jobs.recv() {
        let run = || {
            let mut answered = job.run(resources);
            while let Err(refused) = answered {
                if !refused.refusal.may_pass() {
                    return;
                }
                thread::sleep(RETRY);
                answered = refused.retry();
            }
        };
        // What a job falls over is told to its op by the handle that falls with it.
        let (_, _) =
            crate::panics::within(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)));
    }
}
