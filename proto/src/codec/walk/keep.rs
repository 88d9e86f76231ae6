//! What becomes of the parts of an envelope that cost memory.
//!
//! Law: whoever keeps nothing allocates nothing.

use std::str::Utf8Error;

use bytes::Bytes;

use crate::{Frame, Name};

/// Takes what the walk has checked.
pub(in crate::codec) trait Keep {
    /// Bytes of the header.
    fn bytes(&self, content: &[u8]) -> Bytes;
    /// The next segment of the frame.
    fn segment(&mut self) -> Bytes;
    /// Text of the header, or why it is none.
    fn name(&self, content: &[u8]) -> Result<Name, Utf8Error>;
    fn entry<T>(&self, list: &mut Vec<T>, entry: T);
}

/// Keeps nothing: for whom the check is all.
pub(in crate::codec) struct Nothing;

impl Keep for Nothing {
    fn bytes(&self, _: &[u8]) -> Bytes {
        Bytes::new()
    }

    fn segment(&mut self) -> Bytes {
        Bytes::new()
    }

    fn name(&self, content: &[u8]) -> Result<Name, Utf8Error> {
        std::str::from_utf8(content).map(|_| Name::default())
    }

    fn entry<T>(&self, _: &mut Vec<T>, _: T) {}
}

/// Keeps everything: bytes and names as slices of the frame that they came in, lists on the heap.
pub(in crate::codec) struct Slices<'f, S> {
    frame: &'f Bytes,
    segments: S,
}

impl<'f> Slices<'f, ()> {
    pub(in crate::codec) fn of(frame: &'f Frame) -> Slices<'f, impl Iterator<Item = Bytes>> {
        Slices { frame: frame.bytes(), segments: frame.segments() }
    }
}

impl<S: Iterator<Item = Bytes>> Keep for Slices<'_, S> {
    #[inline]
    fn bytes(&self, content: &[u8]) -> Bytes {
        self.frame.slice_ref(content)
    }

    /// Empty when the frame has no more: the walk's end refuses that.
    fn segment(&mut self) -> Bytes {
        self.segments.next().unwrap_or_default()
    }

    #[inline]
    fn name(&self, content: &[u8]) -> Result<Name, Utf8Error> {
        Name::from_utf8(self.bytes(content))
    }

    #[inline]
    fn entry<T>(&self, list: &mut Vec<T>, entry: T) {
        // Most lists have one entry, and a vector would make room for four.
        if list.is_empty() {
            list.reserve_exact(1);
        }
        list.push(entry);
    }
}
