//! The side of a log that takes records: numbers, chains, and bytes that wait.
//!
//! Law: numbers rise by one and are given at append; records go out in that order. What was taken
//! out and is not written counts as waiting, so that a slow disk is felt here and nowhere else.

use samsara_proto::PeerId;

use super::{AppendError, LogGroup};
use crate::config::JournalConfig;
use crate::recovery::heads::{Heads, ResumeError, StillInLog};
use crate::recovery::record::{self, Head, Lsn, OVERHEAD_MAX, RecordKind};
use crate::recovery::segment::HEADER;

/// The side of a log that many append to, each for an instant. See [`Log::split`](super::Log::split).
#[derive(Debug)]
pub struct LogFront {
    config: JournalConfig,
    heads: Heads,
    /// Records that nobody has taken out, one after the other and not sealed.
    pending: Vec<u8>,
    /// Bytes that were taken out and are not written.
    handed: u64,
    appended: Lsn,
    is_stopped: bool,
}

impl LogFront {
    pub(super) fn new(config: JournalConfig, heads: Heads, last: Lsn) -> Self {
        let pending = Vec::new();
        Self { config, heads, pending, handed: 0, appended: last, is_stopped: false }
    }

    /// Takes a record of a Node, to be written with those of others, and gives its number.
    pub fn append(
        &mut self,
        node: &PeerId,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<Lsn, AppendError> {
        self.may_append(node, payload)?;
        let before = self.heads.head(node).unwrap_or_default();
        let head = before.after(node, kind, payload).ok_or(AppendError::Exhausted)?;
        let lsn = self.appended.next().ok_or(AppendError::Exhausted)?;
        let start = self.pending.len();
        if record::push(&mut self.pending, lsn, node, &head, kind, payload).is_none() {
            self.pending.truncate(start);
            return Err(self.too_large(payload));
        }
        self.heads.advance(node, head, lsn);
        self.appended = lsn;
        Ok(lsn)
    }

    fn may_append(&self, node: &PeerId, payload: &[u8]) -> Result<(), AppendError> {
        if self.is_stopped {
            return Err(AppendError::Stopped);
        }
        let JournalConfig { pending_bytes: cap, max_nodes, .. } = self.config;
        if self.max_payload().is_none_or(|max| payload.len() as u64 > max) {
            return Err(self.too_large(payload));
        }
        let bytes = (payload.len() as u64).saturating_add(OVERHEAD_MAX as u64);
        let waiting = self.waiting();
        if waiting > 0 && waiting.saturating_add(bytes) > cap {
            return Err(AppendError::Full { bytes, waiting, cap });
        }
        if !self.heads.has_room(node, max_nodes) {
            return Err(AppendError::TooManyNodes { cap: max_nodes });
        }
        Ok(())
    }

    fn too_large(&self, payload: &[u8]) -> AppendError {
        AppendError::TooLarge { bytes: payload.len() as u64, cap: self.max_payload().unwrap_or(0) }
    }

    /// What every new segment takes, even in a tree of settings that nobody validated; nothing if
    /// it does not take a record at all.
    fn max_payload(&self) -> Option<u64> {
        let room = self.config.segment_bytes.checked_sub((HEADER + OVERHEAD_MAX) as u64)?;
        Some(self.config.max_record_bytes.min(room).min(u64::from(u32::MAX)))
    }

    /// Takes out all that waits, behind what the group still holds.
    pub fn hand_over(&mut self, to: &mut LogGroup) {
        if to.bytes.is_empty() {
            std::mem::swap(&mut to.bytes, &mut self.pending);
        } else {
            to.bytes.append(&mut self.pending);
        }
        self.handed = to.bytes.len() as u64;
    }

    /// Takes back what was taken out and is not written: it goes out first.
    pub(super) fn take_back(&mut self, mut group: LogGroup) {
        group.bytes.append(&mut self.pending);
        (self.pending, self.handed) = (group.bytes, 0);
    }

    /// Notes how much of what was taken out is still to be written.
    pub fn note_written(&mut self, left: &LogGroup) {
        self.handed = left.bytes.len() as u64;
    }

    /// Bytes that were appended and are not known to be written.
    pub fn waiting(&self) -> u64 {
        self.handed.saturating_add(self.pending.len() as u64)
    }

    /// Whether there is something to take out.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes nothing any more.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// How far the records of a Node go, if the log knows any.
    pub fn head(&self, node: &PeerId) -> Option<Head> {
        self.heads.head(node)
    }

    /// The last record of a Node; zero if the log never had one.
    pub fn last(&self, node: &PeerId) -> Lsn {
        self.heads.last(node)
    }

    /// The Nodes that the log knows.
    pub fn nodes(&self) -> impl Iterator<Item = PeerId> {
        self.heads.nodes()
    }

    /// Lets the records of a Node go on from its snapshot, and checks one against the other.
    pub fn resume(&mut self, node: &PeerId, head: Head) -> Result<(), ResumeError> {
        self.heads.resume(node, head, self.config.max_nodes)
    }

    /// Forgets a Node that has left the store, of a log whose first record is this one; should it
    /// come back, it begins anew.
    pub fn forget(&mut self, node: &PeerId, first: Lsn) -> Result<(), StillInLog> {
        self.heads.forget(node, first)
    }

    /// The last record that was appended.
    pub const fn appended(&self) -> Lsn {
        self.appended
    }
}
