//! A frame ready to be sent.
//!
//! Law: segments are the sender's own buffers; nothing copies them until the socket does.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::iter;

use bytes::{Buf, BufMut, Bytes};

use super::{ALIGN, FramePrefix, SUMMED_LEN, VERSION, aligned, checksum};
use crate::{EncodeError, EnvelopeCaps};

const ENVELOPE_KIND: u8 = 1;

static ZEROS: [u8; ALIGN] = [0; ALIGN];

/// A frame ready to be sent: a [`Buf`] of several chunks, so that a vectored write needs no copy.
///
/// As with any `Buf`, what has been advanced over is gone.
///
/// ```
/// use bytes::{Buf, Bytes};
/// use samsara_proto::EnvelopeCodec;
/// use samsara_proto::wire::{Fill, SCHEMA, WireEnvelope};
///
/// let payload = Bytes::from(vec![7; 4096]);
/// let fill = Fill { payload: payload.clone(), ..Fill::default() };
/// let envelope = WireEnvelope { schema: SCHEMA, fills: vec![fill], ..WireEnvelope::default() };
///
/// let frame = EnvelopeCodec::default().encode(&envelope)?;
/// let sent = frame.slices().last().map(<[u8]>::as_ptr);
/// assert_eq!(sent, Some(payload.as_ptr()), "the payload itself is sent");
/// # Ok::<(), samsara_proto::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EncodedFrame {
    /// The chunk that is read next; empty only when nothing is left.
    head: Bytes,
    rest: VecDeque<Bytes>,
    len: usize,
}

impl EncodedFrame {
    /// A frame whose header has about `header_len` bytes and is appended by `write_header`.
    pub(crate) fn build(
        header_len: usize,
        write_header: impl FnOnce(&mut Vec<u8>),
        segments: Vec<Bytes>,
        caps: &EnvelopeCaps,
    ) -> Result<Self, EncodeError> {
        let header_start = FramePrefix::LEN + 4 * segments.len();
        let mut head = Vec::with_capacity(header_start.saturating_add(header_len));
        head.resize(FramePrefix::LEN, 0);
        for segment in &segments {
            // Below the frame's length, which is checked.
            head.put_u32_le(segment.len() as u32);
        }
        write_header(&mut head);
        let header_end = head.len();
        // In 64 bits, because segments may share one buffer and exceed the address space together.
        let got = segments.iter().fold(header_end as u64, |end, segment| {
            end.next_multiple_of(ALIGN as u64) + segment.len() as u64
        });
        let cap = caps.envelope_bytes.min(u32::MAX.into());
        let (true, Ok(len), Ok(body_len)) =
            (got <= cap, usize::try_from(got), u32::try_from(got - FramePrefix::LEN as u64))
        else {
            return Err(EncodeError::TooLong { field: "envelope", got, cap });
        };
        // Both are below the frame's length or its number of segments, which were checked.
        let (header_len, count) = ((header_end - header_start) as u32, segments.len() as u16);
        if let Some(mut prefix) = head.get_mut(..SUMMED_LEN) {
            prefix.put_u32_le(body_len);
            prefix.put_u32_le(header_len);
            prefix.put_u16_le(count);
            prefix.put_slice(&[ENVELOPE_KIND, VERSION]);
        }
        seal(&mut head);
        let mut end = header_end;
        let mut rest = VecDeque::with_capacity(2 * segments.len());
        for segment in segments {
            let padding = end.next_multiple_of(ALIGN) - end;
            end += padding + segment.len();
            if padding > 0 {
                rest.push_back(Bytes::from_static(&ZEROS).slice(..padding));
            }
            rest.push_back(segment);
        }
        Ok(Self { head: head.into(), rest, len })
    }

    /// Bytes that are left to send: at first, the whole frame.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether all has been sent.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is left to send, piece by piece.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(&self.head).chain(&self.rest).map(Bytes::as_ref)
    }

    /// What is left in one stretch, whose segments lie at multiples of 64 as a receiver's do: a copy
    /// where there are any, else the frame itself. For tests, and for handing a frame over without a
    /// socket.
    pub fn to_bytes(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.head.clone();
        }
        let mut buffer = aligned(self.len);
        for slice in self.slices() {
            buffer.extend_from_slice(slice);
        }
        buffer.freeze()
    }
}

impl Buf for EncodedFrame {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        &self.head
    }

    fn chunks_vectored<'a>(&'a self, target: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (place, slice) in target.iter_mut().zip(self.slices().filter(|it| !it.is_empty())) {
            *place = IoSlice::new(slice);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len, "advanced {count} bytes, {} were left", self.len);
        self.len -= count;
        while count >= self.head.len() && !self.head.is_empty() {
            count -= self.head.len();
            self.head = self.rest.pop_front().unwrap_or_default();
        }
        self.head.advance(count);
    }
}

/// Writes the checksum of all that precedes the segments.
fn seal(head: &mut [u8]) {
    let checksum = checksum(head, head.len());
    if let Some(place) = head.get_mut(SUMMED_LEN..FramePrefix::LEN) {
        place.copy_from_slice(&checksum.to_le_bytes());
    }
}
