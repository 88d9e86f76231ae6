//! The end of the log: what is appended, written, synced and cut off at its beginning.
//!
//! Law: numbers rise by one and are given at append; records go out in that order; what could not be
//! written waits and is not lost. After a failed write or sync nothing is taken any more, but a disk
//! that is only full may be tried again.

use std::collections::VecDeque;

use samsara_proto::PeerId;

use super::heads::{Heads, ResumeError, StillInLog};
use super::record::{self, Head, Lsn, OVERHEAD_MAX, Record, RecordKind};
use super::scan::{self, Scan};
use super::segment::{self, HEADER, Segment, StoreId};
use super::{OpenError, Opened};
use crate::config::JournalConfig;
use crate::rng::Rng;
use crate::storage::{Storage, StorageError};

/// A log, open at its end.
#[derive(Debug)]
pub struct Log {
    config: JournalConfig,
    store: StoreId,
    rng: Rng,
    /// Oldest first; records go into the last.
    segments: VecDeque<Segment>,
    /// Where the next record goes in the last segment.
    end: u64,
    heads: Heads,
    /// Records that are not written, one after the other and not sealed.
    pending: Vec<u8>,
    appended: Lsn,
    written: Lsn,
    durable: Lsn,
    /// Whether the zeros of the next segment are on the disk.
    is_prepared: bool,
    is_stopped: bool,
}

/// Why a record was not appended. Nothing of it is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A write or a sync failed: only opening the log again tells what it holds.
    #[error("the log is stopped since a write or a sync failed")]
    Stopped,
    /// What waits to be written has to be written first.
    #[error("{bytes} bytes more than the {waiting} that wait to be written, the cap is {cap}")]
    Full {
        /// Bytes of the record, at most.
        bytes: u64,
        /// Bytes that wait.
        waiting: u64,
        /// Bytes that may wait.
        cap: u64,
    },
    /// No segment would take the record.
    #[error("a payload of {bytes} bytes, the cap is {cap}")]
    TooLarge {
        /// Bytes of the payload.
        bytes: u64,
        /// Bytes of the largest.
        cap: u64,
    },
    /// The log has records of as many Nodes as it may.
    #[error("no room for more nodes in the log, the cap is {cap}")]
    TooManyNodes {
        /// How many there may be.
        cap: u32,
    },
    /// Numbers have run out.
    #[error("no number is left for a record")]
    Exhausted,
}

/// Why the log could not be brought to its disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A write or a sync failed before this.
    #[error("the log is stopped since a write or a sync failed")]
    Stopped,
    /// The disk is full. What was appended waits, and it may be tried again.
    #[error("the log has no room on its disk")]
    Full(#[source] StorageError),
    /// A write or a sync failed just now, and the log is stopped.
    #[error("the log is stopped")]
    Failed(#[source] StorageError),
}

impl Log {
    /// Reads the log of a store whose lock is held, cuts a torn tail, and goes on at its end.
    ///
    /// `rng` has to be seeded anew for each life of the store.
    pub fn open(
        storage: &mut impl Storage,
        store: StoreId,
        config: JournalConfig,
        rng: Rng,
    ) -> Result<Opened, OpenError> {
        let Scan { segments, heads, last, end, cut } = scan::open(storage, store)?;
        let log = Self {
            config,
            store,
            rng,
            segments,
            end,
            heads,
            pending: Vec::new(),
            appended: last,
            written: last,
            durable: last,
            is_prepared: false,
            is_stopped: false,
        };
        Ok(Opened { log, cut })
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
        let waiting = self.pending.len() as u64;
        if !self.pending.is_empty() && waiting.saturating_add(bytes) > cap {
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

    /// Writes what was appended. It is durable after the next [`Log::sync`].
    pub fn write(&mut self, storage: &mut impl Storage) -> Result<Lsn, LogError> {
        self.must_go_on()?;
        while !self.pending.is_empty() {
            let (len, last) = self.fitting();
            let Some(segment) = self.segments.back().filter(|_| len > 0) else {
                self.rotate(storage)?;
                continue;
            };
            let (salt, durable) = (segment.salt, self.durable);
            let group = self.pending.get_mut(..len).unwrap_or_default();
            seal_all(group, durable, salt);
            let outcome = storage.write_at(&segment.file, self.end, group);
            self.settle(outcome)?;
            self.pending.drain(..len);
            self.end = self.end.saturating_add(len as u64);
            self.written = last;
        }
        Ok(self.written)
    }

    /// Makes durable what was written, and says how far that is.
    pub fn sync(&mut self, storage: &mut impl Storage) -> Result<Lsn, LogError> {
        self.must_go_on()?;
        if let Some(segment) = self.segments.back().filter(|_| self.durable < self.written) {
            let outcome = storage.sync(&segment.file);
            self.settle(outcome)?;
            self.durable = self.written;
        }
        Ok(self.durable)
    }

    /// Makes the zeros of the next segment ahead of time, so that no write waits for them.
    pub fn prepare(&mut self, storage: &mut impl Storage) -> Result<(), LogError> {
        self.must_go_on()?;
        if !self.is_prepared {
            let outcome = segment::prepare(storage, self.config.segment_bytes);
            self.settle(outcome)?;
            self.is_prepared = true;
        }
        Ok(())
    }

    /// Deletes the segments of which no record is at or above this one.
    pub fn truncate(&mut self, storage: &mut impl Storage, keep: Lsn) -> Result<(), LogError> {
        self.must_go_on()?;
        while let (Some(oldest), Some(next)) = (self.segments.front(), self.segments.get(1)) {
            if next.first > keep {
                break;
            }
            // One at a time and synced, so that a crash leaves no hole in between.
            let outcome = storage.remove(&oldest.file).and_then(|()| storage.sync_dir());
            self.settle(outcome)?;
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Hands out the written records from this one on, in order.
    pub fn read(
        &self,
        storage: &impl Storage,
        from: Lsn,
        mut visit: impl FnMut(Record<'_>),
    ) -> Result<(), OpenError> {
        for (place, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(place.saturating_add(1)).map(|next| next.first);
            let until = next.map_or(self.written, |next| Lsn::new(next.get().saturating_sub(1)));
            if until < from {
                continue;
            }
            scan::read_segment(storage, segment, until, |record| {
                if record.lsn >= from {
                    visit(record);
                }
            })?;
        }
        Ok(())
    }

    /// How far the records of a Node go, if the log knows any.
    pub fn head(&self, node: &PeerId) -> Option<Head> {
        self.heads.head(node)
    }

    /// The last record of a Node; zero if the log never had one.
    pub fn last(&self, node: &PeerId) -> Lsn {
        self.heads.last(node)
    }

    /// Lets the records of a Node go on from its snapshot, and checks one against the other.
    pub fn resume(&mut self, node: &PeerId, head: Head) -> Result<(), ResumeError> {
        self.heads.resume(node, head, self.config.max_nodes)
    }

    /// Forgets a Node that has left the store; should it come back, it begins anew.
    pub fn forget(&mut self, node: &PeerId) -> Result<(), StillInLog> {
        self.heads.forget(node, self.first())
    }

    /// The first record that the log still has, or would have.
    pub fn first(&self) -> Lsn {
        let next = self.appended.next().unwrap_or(self.appended);
        self.segments.front().map_or(next, |segment| segment.first)
    }

    /// The last record that was appended.
    pub const fn appended(&self) -> Lsn {
        self.appended
    }

    /// The last record that is durable.
    pub const fn durable(&self) -> Lsn {
        self.durable
    }

    /// Whether a write or a sync failed.
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// The length of the pending records that the last segment takes, and the last of them.
    fn fitting(&self) -> (usize, Lsn) {
        let size = self.segments.back().map_or(0, |segment| segment.size);
        let room = usize::try_from(size.saturating_sub(self.end)).unwrap_or(usize::MAX);
        let (mut fitting, mut last) = (0_usize, self.written);
        while let Some((len, lsn)) = self.pending.get(fitting..).and_then(record::measure) {
            match fitting.checked_add(len) {
                Some(end) if end <= room => (fitting, last) = (end, lsn),
                Some(_) | None => break,
            }
        }
        (fitting, last)
    }

    /// Goes on in a new segment. The one before is synced first, so that there is no hole in it.
    fn rotate(&mut self, storage: &mut impl Storage) -> Result<(), LogError> {
        self.sync(storage)?;
        let first = self.written.next().unwrap_or(self.written);
        let (size, drawn) = (self.config.segment_bytes, self.rng.next_u64());
        let Some(segment) = Segment::new(self.store, first, size, drawn) else {
            return Err(LogError::Stopped);
        };
        self.prepare(storage)?;
        let outcome = segment.create(storage, self.store);
        self.is_prepared = false;
        self.settle(outcome)?;
        // One without records was too small for this one, and has given up its name.
        if self.segments.back().is_some_and(|last| last.first == first) {
            self.segments.pop_back();
        }
        self.segments.push_back(segment);
        self.end = HEADER as u64;
        Ok(())
    }

    const fn must_go_on(&self) -> Result<(), LogError> {
        if self.is_stopped { Err(LogError::Stopped) } else { Ok(()) }
    }

    /// Stops the log when its disk has failed, unless it only is full.
    fn settle(&mut self, outcome: Result<(), StorageError>) -> Result<(), LogError> {
        match outcome {
            Ok(()) => Ok(()),
            Err(full @ StorageError::Full { .. }) => Err(LogError::Full(full)),
            Err(error) => {
                self.is_stopped = true;
                Err(LogError::Failed(error))
            }
        }
    }
}

/// Puts into each record of a group what is known only now that it is written.
fn seal_all(mut group: &mut [u8], durable: Lsn, salt: u64) {
    while let Some((len, _)) = record::measure(group) {
        let Some((record, rest)) = group.split_at_mut_checked(len) else { return };
        if record::seal(record, durable, salt).is_none() {
            return;
        }
        group = rest;
    }
}
