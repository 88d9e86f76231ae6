//! Strikes: how a batch that brings its Node or its process down is found out and given up.
//!
//! Law: a strike is of a batch, counted where the death of a process does not reach, and cleared by
//! success. Only the last batch of a history can be struck, since each one behind another has once
//! succeeded; and a healthy Node is never given up, however often its process is killed.
//!
//! The cursor is 24 bytes that are written before a batch is applied, without a sync: a process that
//! dies leaves them behind, and a loss of power, which no batch causes, may take them. Little-endian:
//! the record's number, the execution that ran (0: none was seen), how often the batch was begun,
//! and a CRC of all that. All zeros: nothing was at work.
//!
//! ```
//! use samsara_runtime::recovery::{Cursor, GiveUp, Lsn, Verdict};
//!
//! let last = Lsn::new(7);
//! let mut cursor = Cursor::before(last, None);
//! for begun in 1..3 {
//!     let left_behind = Cursor::read(&cursor.to_bytes());
//!     assert_eq!(Verdict::on(left_behind, last, 3), Verdict::Watch { begun });
//!     cursor = Cursor::before(last, left_behind);
//! }
//! assert_eq!(Verdict::on(Some(cursor), last, 3), Verdict::GiveUp(GiveUp::Batch));
//! ```

use super::{
    payload::GiveUp,
    record::{Lsn, u32_at, u64_at},
};
use crate::id::ExecId;

/// What was at work when a process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The record of the batch.
    pub at: Lsn,
    /// The execution that ran, if the batch was watched.
    pub exec: Option<ExecId>,
    /// How often it was begun, since it last succeeded.
    pub begun: u32,
}

impl Cursor {
    /// Bytes of a cursor.
    pub const LEN: usize = 24;
    /// The bytes of no cursor: what succeeded is cleared by them.
    pub const CLEAR: [u8; Self::LEN] = [0; Self::LEN];

    /// The cursor to write before a batch is begun once more than the last one says.
    pub fn before(at: Lsn, last: Option<Self>) -> Self {
        let begun = last.filter(|last| last.at == at).map_or(0, |last| last.begun);
        Self { at, exec: None, begun: begun.saturating_add(1) }
    }

    /// The same, in this execution.
    pub const fn within(self, exec: ExecId) -> Self {
        Self { exec: Some(exec), ..self }
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = Self::CLEAR;
        let exec = self.exec.map_or(0, ExecId::get);
        let fields =
            [&self.at.get().to_le_bytes()[..], &exec.to_le_bytes(), &self.begun.to_le_bytes()];
        let parts = fields.concat();
        for (byte, part) in bytes.iter_mut().zip(parts.iter().chain(&crc(&parts).to_le_bytes())) {
            *byte = *part;
        }
        bytes
    }

    /// The cursor of these bytes; nothing if they are clear, or were torn.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if u32_at(bytes, 20)? != crc(bytes.get(..20)?) {
            return None;
        }
        let at = Lsn::new(u64_at(bytes, 0)?);
        let exec = ExecId::new(u64_at(bytes, 8)?);
        (at > Lsn::ZERO).then_some(Self { at, exec, begun: u32_at(bytes, 16)? })
    }
}

fn crc(bytes: &[u8]) -> u32 {
    // Not that of zeros alone, which is a cursor that is clear.
    crc32fast::hash(bytes)
}

/// What to do with the last batch of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Apply it as any other.
    Apply,
    /// Apply it, and note each execution in the cursor.
    Watch {
        /// How often it was begun and did not end.
        begun: u32,
    },
    /// Journal that this is given up, clear the cursor, and only then apply it without.
    GiveUp(GiveUp),
}

impl Verdict {
    /// On the last batch of a history, given what was left behind, with so many strikes allowed.
    pub fn on(left_behind: Option<Cursor>, last: Lsn, strikes_max: u32) -> Self {
        match left_behind.filter(|cursor| cursor.at == last && cursor.begun > 0) {
            None => Self::Apply,
            Some(Cursor { begun, .. }) if begun < strikes_max => Self::Watch { begun },
            Some(Cursor { exec: Some(exec), .. }) => Self::GiveUp(GiveUp::Execution(exec)),
            Some(Cursor { exec: None, .. }) => Self::GiveUp(GiveUp::Batch),
        }
    }
}
