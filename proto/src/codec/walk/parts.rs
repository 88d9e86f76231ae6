//! Which parts of the fills travel as segments, checked while the fills go by.
//!
//! Law: every segment is named once, by a part that exists.

use super::cursor::Cursor;
use crate::DecodeError;

const FIELD: &str = "segment_parts";

pub(super) struct Parts<'a> {
    /// The part that the next segment belongs to.
    awaited: Option<u64>,
    unread: Option<Cursor<'a>>,
    named: usize,
    /// Parts of all fills so far.
    count: u64,
}

impl<'a> Parts<'a> {
    pub(super) fn new() -> Self {
        Self { awaited: None, unread: None, named: 0, count: 0 }
    }

    /// Takes the packed list of part numbers that starts in the field at `at`.
    pub(super) fn begin(&mut self, at: usize, list: Cursor<'a>) -> Result<(), DecodeError> {
        if self.count > 0 {
            return Err(DecodeError::PartsAfterFills { at });
        }
        self.unread = Some(list);
        self.await_next()
    }

    /// Checks that nothing is left over on either side.
    pub(super) fn finish(self, carried: usize) -> Result<(), DecodeError> {
        if let Some(part) = self.awaited {
            return Err(DecodeError::NoSuchPart { part, parts: self.count });
        }
        if self.named != carried {
            return Err(DecodeError::SegmentCount { named: self.named, carried });
        }
        Ok(())
    }

    /// Numbers one more part and tells whether it is in a segment.
    #[inline]
    pub(super) fn take_part(&mut self) -> Result<bool, DecodeError> {
        let in_segment = self.awaited == Some(self.count);
        self.count += 1;
        if in_segment {
            self.await_next()?;
        }
        Ok(in_segment)
    }

    fn await_next(&mut self) -> Result<(), DecodeError> {
        let Some(list) = self.unread.as_mut().filter(|list| !list.is_empty()) else {
            self.awaited = None;
            return Ok(());
        };
        let at = list.at();
        let Some(got) = list.varint() else {
            return Err(list.varint_error(FIELD, at));
        };
        let max = u64::from(u32::MAX);
        if got > max {
            return Err(DecodeError::OutOfRange { field: FIELD, at, got, max });
        }
        // The part that was awaited last is the one just counted.
        if self.named > 0 && got < self.count {
            return Err(DecodeError::PartsOutOfOrder { at, got, least: self.count });
        }
        self.named += 1;
        self.awaited = Some(got);
        Ok(())
    }
}
