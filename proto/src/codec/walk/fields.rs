//! The fields of one message, one after the other.
//!
//! Law: a field is of its own wire type, occurs once unless a budget is spent on it, and each
//! refusal tells the field's name and where it starts.

use super::cursor::Cursor;
use crate::DecodeError;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

/// A field number has 29 bits, so no key is larger than this.
const KEY_MAX: u64 = u32::MAX as u64;

/// How often something may still occur.
pub(super) struct Budget {
    cap: u32,
    left: u32,
}

impl Budget {
    pub(super) fn new(cap: u32) -> Self {
        Self { cap, left: cap }
    }

    #[inline]
    fn spend(&mut self, field: &'static str, at: usize) -> Result<(), DecodeError> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(DecodeError::TooMany { field, at, cap: self.cap }),
        }
    }
}

/// Stands at one field of a message; which one that is, its readers are told by name.
pub(super) struct Fields<'a> {
    cursor: Cursor<'a>,
    /// Where the field starts.
    at: usize,
    key: u64,
    /// One bit for each number that may occur once and did.
    seen: u32,
}

impl<'a> Fields<'a> {
    pub(super) fn new(cursor: Cursor<'a>) -> Self {
        Self { cursor, at: 0, key: 0, seen: 0 }
    }

    /// Steps to the next field and tells its number.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<u64>, DecodeError> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        self.at = self.cursor.at();
        self.key = self.number("key")?;
        Ok(Some(self.key >> 3))
    }

    /// Where the field starts.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// A singular number of at most `max`.
    #[inline]
    pub(super) fn uint(&mut self, field: &'static str, max: u64) -> Result<u64, DecodeError> {
        self.once(field, VARINT)?;
        let got = self.number(field)?;
        if got > max {
            return Err(DecodeError::OutOfRange { field, at: self.at, got, max });
        }
        Ok(got)
    }

    /// A singular number of eight bytes.
    #[inline]
    pub(super) fn fixed64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.once(field, FIXED64)?;
        self.fixed(field).map(u64::from_le_bytes)
    }

    /// A singular stretch of at most `cap` bytes.
    #[inline]
    pub(super) fn content(
        &mut self,
        field: &'static str,
        cap: u64,
    ) -> Result<Cursor<'a>, DecodeError> {
        self.once(field, LENGTH)?;
        self.stretch(field, cap)
    }

    /// One of several stretches, as `content` otherwise.
    #[inline]
    pub(super) fn entry(
        &mut self,
        field: &'static str,
        budget: &mut Budget,
        cap: u64,
    ) -> Result<Cursor<'a>, DecodeError> {
        self.of_type(field, LENGTH)?;
        budget.spend(field, self.at)?;
        self.stretch(field, cap)
    }

    /// Skips a field whose number means nothing here.
    #[cold]
    pub(super) fn unknown(&mut self, budget: &mut Budget) -> Result<(), DecodeError> {
        let (field, at, key) = ("unknown", self.at, self.key);
        if key >> 3 == 0 || key > KEY_MAX {
            return Err(DecodeError::BadKey { at, key });
        }
        budget.spend(field, at)?;
        match key & 7 {
            VARINT => self.number(field).map(drop),
            FIXED64 => self.fixed::<8>(field).map(drop),
            LENGTH => self.stretch(field, u64::MAX).map(drop),
            FIXED32 => self.fixed::<4>(field).map(drop),
            // Groups nest without a length, and 6 and 7 mean nothing.
            got => Err(DecodeError::Unskippable { at, got }),
        }
    }

    #[inline]
    fn once(&mut self, field: &'static str, wire_type: u64) -> Result<(), DecodeError> {
        self.of_type(field, wire_type)?;
        // Known numbers are below 32, so each has its own bit.
        let bit = 1 << (self.key >> 3 & 31);
        if self.seen & bit != 0 {
            return Err(DecodeError::Duplicate { field, at: self.at });
        }
        self.seen |= bit;
        Ok(())
    }

    #[inline]
    fn of_type(&self, field: &'static str, wanted: u64) -> Result<(), DecodeError> {
        let got = self.key & 7;
        if got != wanted {
            return Err(DecodeError::WireType { field, at: self.at, wanted, got });
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.cursor.varint().ok_or_else(|| self.cursor.varint_error(field, self.at))
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.cursor.array().ok_or(DecodeError::Truncated { field, at: self.at })
    }

    #[inline]
    fn stretch(&mut self, field: &'static str, cap: u64) -> Result<Cursor<'a>, DecodeError> {
        let at = self.at;
        let got = self.number(field)?;
        if got > cap {
            return Err(DecodeError::TooLong { field, at, got, cap });
        }
        self.cursor.split(got).ok_or(DecodeError::Truncated { field, at })
    }
}
