//! Where fields go: into bytes, or only into a count of them.
//!
//! Law: the count is exact, because one description of each message serves both.

use super::Fields;
use crate::varint::varint_len;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;

/// Bytes of a message.
pub(super) fn len(fields: &(impl Fields + ?Sized)) -> usize {
    let mut len = Len(0);
    fields.put(&mut len);
    len.0
}

/// Takes the bytes of fields, or only counts them.
pub(super) trait Out {
    fn varint(&mut self, value: u64);
    fn bytes(&mut self, bytes: &[u8]);

    #[inline]
    fn key(&mut self, number: u64, wire_type: u64) {
        self.varint(number << 3 | wire_type);
    }

    /// A number that is told even if it is 0.
    #[inline]
    fn number(&mut self, number: u64, value: u64) {
        let key = number << 3 | VARINT;
        if key < 0x80 && value < 0x80 {
            return self.bytes(&[key as u8, value as u8]);
        }
        self.key(number, VARINT);
        self.varint(value);
    }

    #[inline]
    fn uint(&mut self, number: u64, value: u64) {
        if value != 0 {
            self.number(number, value);
        }
    }

    #[inline]
    fn fixed64(&mut self, number: u64, value: u64) {
        if value != 0 {
            self.key(number, FIXED64);
            self.bytes(&value.to_le_bytes());
        }
    }

    /// Bytes that are told even if there are none: entries of a list are counted.
    #[inline]
    fn entry(&mut self, number: u64, content: &[u8]) {
        self.key(number, LENGTH);
        self.varint(content.len() as u64);
        self.bytes(content);
    }

    #[inline]
    fn content(&mut self, number: u64, content: &[u8]) {
        if !content.is_empty() {
            self.entry(number, content);
        }
    }

    fn message(&mut self, number: u64, message: &(impl Fields + ?Sized));
}

impl Out for Vec<u8> {
    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn message(&mut self, number: u64, message: &(impl Fields + ?Sized)) {
        self.key(number, LENGTH);
        self.varint(len(message) as u64);
        message.put(self);
    }
}

struct Len(usize);

impl Out for Len {
    #[inline]
    fn varint(&mut self, value: u64) {
        self.0 += varint_len(value);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn message(&mut self, number: u64, message: &(impl Fields + ?Sized)) {
        let len = len(message);
        self.key(number, LENGTH);
        self.varint(len as u64);
        self.0 += len;
    }
}
