//! What records say, by their kinds.
//!
//! Law: total and canonical, as all state is. A record that does not read back stops its Node.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    letters::LetterId,
    outputs::{OutputMark, StepMarks},
    record::Lsn,
};
use crate::{
    codec::{Loader, Saved, Saver, Unreadable, from_bytes, saved, saved_enum, to_bytes},
    id::ExecId,
    node::{Batch, journal_types},
    schema::TypeTable,
};

/// What a record of a turn says: the batch, and the outputs of all turns before it.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnRecord {
    /// The outputs before this turn, which were released before it was taken.
    pub before: OutputMark,
    /// What tells the steps of the turn before apart.
    pub marks: StepMarks,
    /// The batch.
    pub batch: Batch,
}

impl TurnRecord {
    /// What stands before the batch, which is as long as this.
    pub(super) fn begin(before: &OutputMark, marks: &StepMarks, length: usize) -> Saver {
        let mut out = Saver::behind(0, length.saturating_add(marks.encoded_len()));
        before.save(&mut out);
        marks.save(&mut out);
        out
    }

    /// Reads a payload, with native values of these types.
    pub fn read(payload: &[u8], natives: &Arc<TypeTable>) -> Result<Self, Unreadable> {
        let (payload, types) = (Bytes::copy_from_slice(payload), journal_types(natives));
        let mut from = Loader::new(&payload, &types);
        let (before, marks, batch) = Saved::load(&mut from)?;
        from.end()?;
        Ok(Self { before, marks, batch })
    }
}

/// What is given up at a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GiveUp {
    /// One execution.
    Execution(ExecId),
    /// Whatever the batch brings: it fell outside of any execution.
    Batch,
}

/// What a record of an abort says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortRecord {
    /// The record of the batch.
    pub at: Lsn,
    /// What is given up there.
    pub target: GiveUp,
    /// Why, for people.
    pub reason: String,
}

saved_enum! { GiveUp: "what is given up" { 1 = Execution(exec), 2 = Batch } }
saved! { AbortRecord { at, target, reason } }

impl AbortRecord {
    /// Its payload.
    pub fn payload(&self) -> Bytes {
        to_bytes(self)
    }
}

/// The payload of a record that says how far a host has taken the outputs.
pub fn ack_payload(taken: u64) -> Bytes {
    to_bytes(&taken)
}

/// The payload of a record that says that a dead letter is gone.
pub fn gone_payload(letter: LetterId) -> Bytes {
    to_bytes(&letter)
}

/// Reads what has no values inside.
pub(super) fn read<T: Saved>(payload: &[u8]) -> Result<T, Unreadable> {
    from_bytes(&Bytes::copy_from_slice(payload), &crate::codec::Types::default())
}

impl Saved for Lsn {
    fn save(&self, out: &mut Saver) {
        self.get().save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::new(u64::load(from)?))
    }
}
