//! A place in raw protobuf bytes.
//!
//! Law: it never moves past its end, and it reads varints exactly as prost does.

use crate::DecodeError;

/// Bytes of the longest varint.
const VARINT_LEN_MAX: usize = 10;

/// Reads forward through one message. Offsets count from the start of the whole header.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// What has not been read.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    // Nearly all are of one byte: a call would cost more than the byte.
    #[inline(always)]
    pub(super) fn varint(&mut self) -> Option<u64> {
        let byte = *self.bytes.get(self.at)?;
        if byte < 0x80 {
            self.at += 1;
            return Some(byte.into());
        }
        self.long_varint()
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (index, &byte) in self.rest().iter().take(VARINT_LEN_MAX).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                // Nine bytes hold 63 bits: the tenth may add one.
                let fits = index + 1 < VARINT_LEN_MAX || byte <= 1;
                self.at += if fits { index + 1 } else { 0 };
                return fits.then_some(value);
            }
        }
        None
    }

    /// Why the varint here could not be read.
    #[cold]
    pub(super) fn varint_error(&self, field: &'static str, at: usize) -> DecodeError {
        if self.rest().len() < VARINT_LEN_MAX {
            DecodeError::Truncated { field, at }
        } else {
            DecodeError::VarintTooLong { field, at }
        }
    }

    /// The next `N` bytes, which this skips.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = *self.rest().first_chunk()?;
        self.at += N;
        Some(array)
    }

    /// A cursor over the next `len` bytes, which this one skips.
    #[inline]
    pub(super) fn split(&mut self, len: u64) -> Option<Self> {
        let at = self.at;
        let end = at.checked_add(usize::try_from(len).ok()?)?;
        let bytes = self.bytes.get(..end)?;
        self.at = end;
        Some(Self { bytes, at })
    }
}
