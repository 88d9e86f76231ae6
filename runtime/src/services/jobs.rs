//! The jobs that ops wait for.
//!
//! Law: a job is here from the moment that its op parks until its answer is in a batch. Which of
//! them somebody runs is known to this life alone.

use std::collections::BTreeMap;

use super::Services;
use crate::{
    codec::{Loader, Saved, Saver, Unreadable},
    id::CommandId,
    job::PendingJob,
};

/// Jobs by the command that their op waits under.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Jobs {
    pending: BTreeMap<CommandId, PendingJob>,
    /// The last job that was handed out. Commands rise, so all up to it were; a later life, which
    /// hands them out again, begins with none.
    handed_out: Option<CommandId>,
    /// Bytes of all requests.
    bytes: u64,
}

impl Jobs {
    /// Whether a request of so many bytes has room.
    pub(crate) fn has_room(&self, bytes: u64, cap: u64) -> bool {
        self.bytes.checked_add(bytes).is_some_and(|bytes| bytes <= cap)
    }

    pub(crate) fn start(&mut self, command: CommandId, job: PendingJob) {
        self.bytes = self.bytes.saturating_add(job.request.len() as u64);
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

    /// Notes that no op waits any more.
    pub(super) fn note_all_moot(&mut self) {
        self.pending.values_mut().for_each(|job| job.is_moot = true);
    }

    /// Forgets a job whose answer is there.
    pub(super) fn end(&mut self, command: CommandId) {
        if let Some(job) = self.pending.remove(&command) {
            self.bytes = self.bytes.saturating_sub(job.request.len() as u64);
        }
    }
}

impl Saved for Jobs {
    fn save(&self, out: &mut Saver) {
        self.pending.save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let pending = BTreeMap::<CommandId, PendingJob>::load(from)?;
        let bytes = pending.values().map(|job| job.request.len() as u64);
        let bytes = bytes.fold(0, u64::saturating_add);
        Ok(Self { pending, handed_out: None, bytes })
    }
}

impl Services {
    /// The jobs, if an op ever asked for one.
    pub(crate) fn jobs(&self) -> Option<&Jobs> {
        self.kept().map(|stores| &stores.jobs)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::stores::Stores;
    use super::*;
    use crate::{
        codec::{Types, from_bytes, to_bytes},
        config::NodeConfig,
        id::ExecId,
        job::IdempotencyKey,
    };

    /// Two jobs, of the commands 3 and 5, with requests of two bytes.
    fn jobs() -> (Jobs, [CommandId; 2]) {
        let exec = ExecId::new(1).expect("not zero");
        let op: Arc<str> = "worker.print".into();
        let mut jobs = Jobs::default();
        let commands = [3, 5].map(|number| CommandId::new(number).expect("not zero"));
        for command in commands {
            let job = PendingJob {
                exec,
                op: Arc::clone(&op),
                key: IdempotencyKey::of(1.into(), exec, &op),
                slot: 0,
                name: "print".into(),
                request: vec![1, 2].into(),
                is_moot: false,
            };
            jobs.start(command, job);
        }
        (jobs, commands)
    }

    #[test]
    fn a_later_life_hands_out_again_what_was_not_answered() {
        let (mut jobs, commands) = jobs();
        jobs.note_handed_out(commands[0]);
        assert_eq!(jobs.next().map(|(command, _)| command), Some(commands[1]));
        let restored: Jobs = from_bytes(&to_bytes(&jobs), &Types::default()).expect("it was saved");
        assert!(restored.iter().eq(jobs.iter()));
        assert!(restored.has_room(6, 10) && !restored.has_room(7, 10));
        assert_eq!(restored.next().map(|(command, _)| command), Some(commands[0]));
    }

    #[test]
    fn a_clear_leaves_jobs_only_for_the_places_of_their_answers() {
        let config = NodeConfig::default();
        let mut stores = Stores::new(&config);
        (stores.jobs, _) = jobs();
        stores.metrics.add("n", 1).expect("there is room");
        stores.clear(&config);
        assert_eq!((stores.jobs.iter().count(), stores.metrics.value("n")), (0, None));
        assert!(stores.jobs.next().is_some());
    }
}
