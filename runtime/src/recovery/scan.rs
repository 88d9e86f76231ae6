//! Reading a log from its disk: what holds, where it ends, and whether it may end there.
//!
//! Law: what follows a bad record decides. Any whole header of the segment, wherever it stands,
//! that calls the bad record durable makes it corruption; without one it was never acknowledged by
//! anyone who wrote after it, and is cut. The tail that stays is synced again before it is acted on.

use std::collections::VecDeque;

use super::heads::Heads;
use super::record::{self, ALIGN, Fault, Lsn, Prefix, Record};
use super::segment::{self, HEADER, Segment, StoreId};
use super::{Corruption, Cut, OpenError};
use crate::planted::{self, Bug};
use crate::storage::{FileName, Storage, StorageError};

/// What is known of a log after reading all of it.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) segments: VecDeque<Segment>,
    pub(super) heads: Heads,
    /// The last record; zero of a log that never had one.
    pub(super) last: Lsn,
    /// Where the next record goes in the last segment.
    pub(super) end: u64,
    pub(super) cut: Option<Cut>,
}

/// Where the records of a segment end.
struct End {
    offset: usize,
    last: Lsn,
    fault: Fault,
}

/// Reads the log, cuts a torn tail, and syncs what stays.
pub(super) fn open(storage: &mut impl Storage, store: StoreId) -> Result<Scan, OpenError> {
    segment::remove_spare(storage)?;
    let mut scan = Scan::default();
    let mut files = segment::list(storage)?.into_iter().peekable();
    while let Some(file) = files.next() {
        let bytes = load(storage, &file)?;
        let segment = Segment::read(&file, &bytes, store)?;
        // The number before the first one, as if the segment before had ended there.
        let before = Lsn::new(segment.first.get().saturating_sub(1));
        if scan.segments.is_empty() {
            scan.last = before;
        }
        let heads = &mut scan.heads;
        let end = walk(&bytes, segment.salt, before, |record| heads.follow(record));
        let is_last = files.peek().is_none();
        scan.last = end.last;
        scan.end = end.offset as u64;
        if let Some(next) = files.peek() {
            must_reach(&segment, &end, next)?;
        } else if let Some(cut) = torn(&segment, &bytes, &end)? {
            scan.cut = Some(cut);
        }
        scan.segments.push_back(segment);
        if is_last {
            mend(storage, &scan, bytes.len() as u64)?;
        }
    }
    Ok(scan)
}

/// Hands out the whole records of a file, in order.
pub(super) fn read_segment(
    storage: &impl Storage,
    segment: &Segment,
    until: Lsn,
    mut visit: impl FnMut(Record<'_>),
) -> Result<(), OpenError> {
    let bytes = load(storage, &segment.file)?;
    let before = Lsn::new(segment.first.get().saturating_sub(1));
    let end = walk(&bytes, segment.salt, before, |record| {
        if record.lsn <= until {
            visit(*record);
        }
        Ok(())
    });
    if end.last < until { Err(lost(segment, &end).into()) } else { Ok(()) }
}

fn load(storage: &impl Storage, file: &FileName) -> Result<Vec<u8>, StorageError> {
    let size = storage.size(file)?;
    let too_large = || StorageError::Full { file: file.clone(), wanted: size };
    let len = usize::try_from(size).map_err(|_| too_large())?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| too_large())?;
    bytes.resize(len, 0);
    let read = storage.read(file, 0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Goes over the records of a segment as long as each is whole and the next one.
fn walk(
    bytes: &[u8],
    salt: u64,
    before: Lsn,
    mut check: impl FnMut(&Record<'_>) -> Result<(), Fault>,
) -> End {
    let (mut offset, mut last) = (HEADER, before);
    loop {
        let there = bytes.get(offset..).unwrap_or_default();
        let found = record::read(there, salt).and_then(|(record, len)| {
            if Some(record.lsn) != last.next() {
                return Err(Fault::OtherLsn { found: record.lsn });
            }
            check(&record).map(|()| (record.lsn, len))
        });
        match found {
            Ok((lsn, len)) => (offset, last) = (offset.saturating_add(len), lsn),
            Err(fault) => return End { offset, last, fault },
        }
    }
}

/// A segment that another one follows was synced to its end.
fn must_reach(segment: &Segment, end: &End, next: &FileName) -> Result<(), Corruption> {
    let first_of_next = segment::first_lsn(next);
    if first_of_next.is_some() && end.last.next() == first_of_next {
        return Ok(());
    }
    Err(lost(segment, end))
}

/// Whether the log may end here, and what is given up if it does.
fn torn(segment: &Segment, bytes: &[u8], end: &End) -> Result<Option<Cut>, Corruption> {
    let Some(lsn) = end.last.next() else { return Ok(None) };
    match end.fault {
        Fault::Absent | Fault::HeaderChecksum | Fault::PayloadChecksum => {}
        // These are whole and at a place that is not theirs: no loss of power does that.
        Fault::OtherLsn { .. } | Fault::Chain | Fault::NotUnderstood | Fault::SegmentHeader => {
            return Err(lost(segment, end));
        }
    }
    let tail = bytes.get(end.offset..).unwrap_or_default();
    let is_short = (bytes.len() as u64) < segment.size;
    if !is_short && tail.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let mut whole_behind = 0_u64;
    for offset in (end.offset..bytes.len()).step_by(ALIGN) {
        let there = bytes.get(offset..).unwrap_or_default();
        let Some(prefix) = plausible(there, lsn).and_then(|()| Prefix::read(there, segment.salt))
        else {
            continue;
        };
        if prefix.durable >= lsn {
            return Err(lost(segment, end));
        }
        if record::read(there, segment.salt).is_ok() {
            whole_behind = whole_behind.saturating_add(1);
        }
    }
    let (file, offset) = (segment.file.clone(), end.offset as u64);
    Ok(Some(Cut { file, offset, lsn, fault: end.fault, whole_behind }))
}

/// Whether the bytes could begin a record at or behind this one: asked first, since it costs less
/// than a checksum.
fn plausible(bytes: &[u8], lsn: Lsn) -> Option<()> {
    (Lsn::new(record::u64_at(bytes, 8)?) >= lsn).then_some(())
}

fn lost(segment: &Segment, end: &End) -> Corruption {
    Corruption {
        file: segment.file.clone(),
        offset: end.offset as u64,
        lsn: end.last.next().unwrap_or(end.last),
        fault: end.fault,
    }
}

/// Makes the rest of the last segment zeros again, and all of it durable: the process before may
/// have died between a write and its sync.
fn mend(storage: &mut impl Storage, scan: &Scan, size: u64) -> Result<(), StorageError> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let Some(segment) = scan.segments.back() else { return Ok(()) };
    if scan.cut.is_some() {
        let mut at = scan.end;
        while at < segment.size.max(size) {
            let left = segment.size.max(size).saturating_sub(at);
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
            storage.write_at(&segment.file, at, ZEROS.get(..len).unwrap_or_default())?;
            at = at.saturating_add(len as u64);
        }
    }
    if planted::is(Bug::UnsyncedTail) {
        return Ok(());
    }
    storage.sync(&segment.file)?;
    storage.sync_dir()
}
