//! The side of a log that is on a disk: segments that are written, synced and cut off.
//!
//! Law: what could not be written stays in its group and is not lost. After a failed write or sync
//! nothing is done any more, but a disk that is only full may be tried again.

use std::collections::VecDeque;

use super::{LogError, LogGroup};
use crate::config::JournalConfig;
use crate::planted::{self, Bug};
use crate::recovery::OpenError;
use crate::recovery::record::{self, Lsn, Record};
use crate::recovery::scan;
use crate::recovery::segment::{self, HEADER, Segment, StoreId};
use crate::rng::Rng;
use crate::storage::{Storage, StorageError};

/// The side of a log that one thread writes, however long that takes. See
/// [`Log::split`](super::Log::split).
#[derive(Debug)]
pub struct LogBack {
    config: JournalConfig,
    store: StoreId,
    rng: Rng,
    /// Oldest first; records go into the last.
    segments: VecDeque<Segment>,
    /// Where the next record goes in the last segment.
    end: u64,
    written: Lsn,
    durable: Lsn,
    /// Whether the zeros of the next segment are on the disk.
    is_prepared: bool,
    is_stopped: bool,
}

/// What of a log is written, as it was when this was made: to be read on another thread.
#[derive(Clone, Debug, Default)]
pub struct LogView {
    segments: VecDeque<Segment>,
    written: Lsn,
}

impl LogBack {
    pub(super) fn new(
        config: JournalConfig,
        store: StoreId,
        rng: Rng,
        segments: VecDeque<Segment>,
        (last, end): (Lsn, u64),
    ) -> Self {
        Self {
            config,
            store,
            rng,
            segments,
            end,
            written: last,
            durable: last,
            is_prepared: false,
            is_stopped: false,
        }
    }

    /// Writes a group. It is durable after the next [`LogBack::sync`].
    pub fn write(
        &mut self,
        storage: &mut impl Storage,
        group: &mut LogGroup,
    ) -> Result<Lsn, LogError> {
        self.must_go_on()?;
        while !group.bytes.is_empty() {
            let (len, last) = self.fitting(group);
            let Some(segment) = self.segments.back().filter(|_| len > 0) else {
                self.rotate(storage)?;
                continue;
            };
            let (salt, durable) = (segment.salt, self.durable);
            let fitting = group.bytes.get_mut(..len).unwrap_or_default();
            seal_all(fitting, durable, salt);
            let outcome = storage.write_at(&segment.file, self.end, fitting);
            self.settle(outcome)?;
            group.bytes.drain(..len);
            self.end = self.end.saturating_add(len as u64);
            self.written = last;
        }
        Ok(self.written)
    }

    /// Makes durable what was written, and says how far that is.
    pub fn sync(&mut self, storage: &mut impl Storage) -> Result<Lsn, LogError> {
        self.must_go_on()?;
        if let Some(segment) = self.segments.back().filter(|_| self.durable < self.written) {
            let lies = planted::is(Bug::SyncLies);
            let outcome = if lies { Ok(()) } else { storage.sync(&segment.file) };
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

    /// Whether it is time to [prepare](Self::prepare) the next segment.
    pub fn is_half_full(&self) -> bool {
        self.segments.back().is_some_and(|segment| self.end > segment.size / 2)
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

    /// What is written now, to be read somewhere else.
    pub fn view(&self) -> LogView {
        LogView { segments: self.segments.clone(), written: self.written }
    }

    /// Hands out the written records from this one on, in order.
    pub fn read(
        &self,
        storage: &impl Storage,
        from: Lsn,
        visit: impl FnMut(Record<'_>),
    ) -> Result<(), OpenError> {
        read(&self.segments, self.written, storage, from, visit)
    }

    /// The first record that the log still has, if it has a segment.
    pub fn first(&self) -> Option<Lsn> {
        self.segments.front().map(|segment| segment.first)
    }

    /// The last record that is durable.
    pub const fn durable(&self) -> Lsn {
        self.durable
    }

    /// Whether a write or a sync failed.
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// The length of the group's records that the last segment takes, and the last of them.
    fn fitting(&self, group: &LogGroup) -> (usize, Lsn) {
        let size = self.segments.back().map_or(0, |segment| segment.size);
        let room = usize::try_from(size.saturating_sub(self.end)).unwrap_or(usize::MAX);
        let (mut fitting, mut last) = (0_usize, self.written);
        while let Some((len, lsn)) = group.bytes.get(fitting..).and_then(record::measure) {
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

impl LogView {
    /// Hands out the records from this one on, in order, from segments that are still there.
    pub fn read(
        &self,
        storage: &impl Storage,
        from: Lsn,
        visit: impl FnMut(Record<'_>),
    ) -> Result<(), OpenError> {
        read(&self.segments, self.written, storage, from, visit)
    }
}

fn read(
    segments: &VecDeque<Segment>,
    written: Lsn,
    storage: &impl Storage,
    from: Lsn,
    mut visit: impl FnMut(Record<'_>),
) -> Result<(), OpenError> {
    for (place, segment) in segments.iter().enumerate() {
        let next = segments.get(place.saturating_add(1)).map(|next| next.first);
        let until = next.map_or(written, |next| Lsn::new(next.get().saturating_sub(1)));
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
