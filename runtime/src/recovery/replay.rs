//! Replay: bringing a Node from a snapshot, or from its start, to the end of its history.
//!
//! Law: the same batches give the same outputs, or the replay stops and says at which record they
//! did not. Nothing is let out a second time but what the last turn gave, of which nobody knows
//! whether it left, and what the host has not taken; both bear their old numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    cadence::Cadence,
    letters::{self, DeadLetters, LetterId},
    offers::Offers,
    outputs::{OutputMark, StepMarks},
    part::HostPart,
    payload::{self, AbortRecord, GiveUp, TurnRecord},
    record::{Head, Lsn, Record, RecordKind},
    strikes::{Cursor, Verdict},
};
use crate::{
    codec::Unreadable,
    config::SnapshotConfig,
    framework::CapReached,
    id::ExecId,
    node::{Batch, Guarded, Node},
    planted::{self, Bug},
    schema::TypeTable,
    step::EngineStep,
};

/// Why a history could not be replayed. The Node is not to be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A record does not read back: it was written by something else, or a type is not known here.
    #[error("record {at} is not understood")]
    Unreadable {
        /// The record.
        at: Lsn,
        /// What is wrong with it.
        source: Unreadable,
    },
    /// A batch gave other outputs than when it was new.
    #[error("batch {at} gave other outputs than when it was new, the first of them of {op:?}")]
    Diverged {
        /// The record of the batch.
        at: Lsn,
        /// What the first output that differs is about: an op, a port or a topic; empty if it is
        /// missing now, or cannot be told.
        op: String,
    },
    /// The records do not go on from where the Node is.
    #[error("record {at} is number {found} of the node, wanted {wanted}")]
    Gap {
        /// The record.
        at: Lsn,
        /// The number that was to come.
        wanted: u64,
        /// The number that it bears.
        found: u64,
    },
    /// At the record that the snapshot was taken at, the log tells of another history.
    #[error("record {at} is of another history than the snapshot")]
    OtherHistory {
        /// The record.
        at: Lsn,
    },
}

/// What the records of a Node say beside their batches. They are read before any is replayed, since
/// some of them speak of earlier ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    last: Lsn,
    aborts: BTreeMap<Lsn, Aborts>,
    taken: u64,
    gone: BTreeSet<LetterId>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Aborts {
    execs: BTreeSet<ExecId>,
    is_whole: bool,
    reason: String,
}

impl History {
    /// Takes note of a record of the Node.
    pub fn note(&mut self, record: &Record<'_>) -> Result<(), ReplayError> {
        let unreadable = |source| ReplayError::Unreadable { at: record.lsn, source };
        match record.kind {
            RecordKind::Batch => self.last = record.lsn,
            RecordKind::Abort => {
                self.give_up(payload::read(record.payload).map_err(unreadable)?);
            }
            RecordKind::Ack => {
                let taken: u64 = payload::read(record.payload).map_err(unreadable)?;
                self.taken = self.taken.max(taken);
            }
            RecordKind::DeadLetter => {
                self.gone.insert(payload::read(record.payload).map_err(unreadable)?);
            }
        }
        Ok(())
    }

    /// Takes note of an abort that was just appended.
    pub fn give_up(&mut self, abort: AbortRecord) {
        let AbortRecord { at, target, reason } = abort;
        let aborts = self.aborts.entry(at).or_default();
        match target {
            GiveUp::Execution(exec) => {
                aborts.execs.insert(exec);
            }
            GiveUp::Batch => aborts.is_whole = true,
        }
        aborts.reason = reason;
    }

    /// The record of the last batch; zero if there is none.
    pub fn last(&self) -> Lsn {
        self.last
    }

    /// Whether there is room for what would be given up next: asked before it is journaled. Without
    /// room the Node stays down until letters are taken out of it.
    pub fn may_give_up(&self, part: &HostPart) -> Result<(), CapReached> {
        let behind = self.aborts.range(part.lsn..).filter(|(at, _)| **at > part.lsn);
        let coming: usize =
            behind.map(|(_, aborts)| aborts.execs.len() + usize::from(aborts.is_whole)).sum();
        let gone = self.gone.iter().filter(|id| id.at > part.lsn || part.letters.has(**id)).count();
        part.letters.may_put((coming + 1).saturating_sub(gone))
    }

    /// What to do with the last batch, given what was left behind.
    pub fn verdict(&self, left_behind: Option<Cursor>, strikes_max: u32) -> Verdict {
        if self.last == Lsn::ZERO {
            return Verdict::Apply;
        }
        Verdict::on(left_behind, self.last, strikes_max)
    }
}

/// What a replay tells while it goes on.
#[derive(Debug)]
pub enum Heard<'r> {
    /// The last batch is about to be applied, or an execution of it to run: write this down.
    AtWork(Cursor),
    /// A batch gave these steps.
    Gave {
        /// The batch.
        batch: &'r Batch,
        /// The number of the first.
        first: u64,
        /// The steps.
        steps: &'r [EngineStep],
        /// They left before, all of them: only who keeps what is under way wants to see them.
        have_left: bool,
    },
}

/// A replay at work.
#[derive(Debug)]
pub struct Replay<'h> {
    history: &'h History,
    natives: Arc<TypeTable>,
    part: HostPart,
    cadence: Cadence,
    left_behind: Option<Cursor>,
    /// The batch that was applied last, and its steps.
    applied: (Lsn, Vec<EngineStep>),
}

/// A Node's host side at the end of its history.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Replayed {
    /// All outputs so far.
    pub(super) mark: OutputMark,
    pub(super) marks: StepMarks,
    pub(super) cadence: Cadence,
    /// What the host has not taken.
    pub offers: Offers,
    /// What was given up.
    pub letters: DeadLetters,
    /// The Node's last record.
    pub last: Lsn,
    /// How far its records go.
    pub head: Head,
}

impl<'h> Replay<'h> {
    /// A replay of this history from where `part` is, of a Node that was set to it.
    pub fn new(
        history: &'h History,
        natives: &Arc<TypeTable>,
        part: HostPart,
        config: SnapshotConfig,
        left_behind: Option<Cursor>,
    ) -> Self {
        let mut cadence = Cadence::new(config);
        if part.lsn > Lsn::ZERO {
            cadence.captured(part.lsn);
        }
        let applied = (part.lsn, Vec::new());
        let natives = Arc::clone(natives);
        Self { history, natives, part, cadence, left_behind, applied }
    }

    /// Moves the Node by its next record. One that the snapshot holds already moves nothing.
    pub fn go_on(
        &mut self,
        node: &mut Node,
        record: &Record<'_>,
        hear: &mut dyn FnMut(Heard<'_>),
    ) -> Result<(), ReplayError> {
        let at = record.lsn;
        if at <= self.part.lsn
            && planted::is(Bug::ReplayedTwice)
            && record.kind == RecordKind::Batch
        {
            if let Ok(turn) = TurnRecord::read(record.payload, &self.natives) {
                node.replay(&turn.batch, &mut Vec::new());
            }
            return Ok(());
        }
        if at <= self.part.lsn {
            let is_other = at == self.part.lsn && record.head != self.part.head;
            return if is_other { Err(ReplayError::OtherHistory { at }) } else { Ok(()) };
        }
        let wanted = self.part.head.count.saturating_add(1);
        if record.head.count != wanted {
            return Err(ReplayError::Gap { at, wanted, found: record.head.count });
        }
        (self.part.lsn, self.part.head) = (at, record.head);
        if record.kind == RecordKind::Batch {
            let turn = TurnRecord::read(record.payload, &self.natives)
                .map_err(|source| ReplayError::Unreadable { at, source })?;
            self.compare(&turn)?;
            let events = turn.batch.events.len() as u64;
            self.cadence.note(at, events, record.payload.len() as u64);
            self.apply(node, at, turn, hear);
        }
        Ok(())
    }

    /// Compares what the batches before this turn gave with what they gave when they were new.
    fn compare(&self, turn: &TurnRecord) -> Result<(), ReplayError> {
        if turn.before == self.part.mark {
            return Ok(());
        }
        let (at, steps) = &self.applied;
        let first = self.part.marks.first_difference(&turn.marks);
        let op = steps.get(first).map_or("", EngineStep::subject).to_owned();
        Err(ReplayError::Diverged { at: *at, op })
    }

    fn apply(
        &mut self,
        node: &mut Node,
        at: Lsn,
        turn: TurnRecord,
        hear: &mut dyn FnMut(Heard<'_>),
    ) {
        let TurnRecord { mut batch, .. } = turn;
        let is_last = at == self.history.last;
        let cursor = Cursor::before(at, self.left_behind);
        if is_last {
            hear(Heard::AtWork(cursor));
        }
        let none = Aborts::default();
        let aborts = self.history.aborts.get(&at);
        let is_struck = is_last && cursor.begun > 1;
        let mut steps = std::mem::take(&mut self.applied.1);
        steps.clear();
        let mut letters = Vec::new();
        if aborts.is_some_and(|aborts| aborts.is_whole) {
            letters = letters::of_batch(at, &batch, &aborts.unwrap_or(&none).reason);
            batch.discard = true;
        }
        if aborts.is_some() || is_struck {
            let aborts = aborts.unwrap_or(&none);
            let about_to_run = &mut |exec| {
                if is_last {
                    hear(Heard::AtWork(cursor.within(exec)));
                }
            };
            let guarded = Guarded { aborted: &aborts.execs, about_to_run };
            let aborted = node.replay_guarded(&batch, guarded, &mut steps);
            letters.extend(letters::of_aborted(at, &batch, &aborted, &aborts.reason));
        } else {
            node.replay(&batch, &mut steps);
        }
        self.part.letters.put(letters, &self.history.gone);
        self.part.offers.note(&self.part.mark, &steps);
        let first = self.part.mark.count.saturating_add(1);
        (self.part.mark, self.part.marks) = self.part.mark.after(&steps);
        hear(Heard::Gave { batch: &batch, first, steps: &steps, have_left: !is_last });
        self.applied = (at, steps);
    }

    /// The end of the history. The cursor is to be cleared now.
    pub fn end(self) -> Replayed {
        let Self { history, part, cadence, .. } = self;
        let HostPart { lsn, head, mark, marks, mut offers, letters, courier: _ } = part;
        offers.take_up_to(history.taken);
        Replayed { mark, marks, cadence, offers, letters, last: lsn, head }
    }
}
