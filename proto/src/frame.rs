//! A frame: a header and the segments that it names, as one stretch of bytes.
//!
//! Law: the first sixteen bytes tell the whole length before anything is allocated, every byte has
//! one legal value given the content, and no segment is copied or even read.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of all that follows the prefix |
//! | 4 | length of the header |
//! | 2 | number of segments |
//! | 1 | kind |
//! | 1 | version, 1 |
//! | 4 | crc32 of the twelve bytes before, the segment table and the header |
//! | 4 each | segment table: the length of each segment |
//! | | the header |
//! | | each segment, after as many zeros as bring it to a multiple of 64 from the frame's start |
//!
//! Integers are little-endian. Segments are outside the checksum: the link authenticates every
//! byte, and a tensor of many MiB must cost no time here.

mod encoded;
mod error;

use bytes::{Buf, Bytes, BytesMut};

pub use encoded::EncodedFrame;
pub use error::FrameError;

use crate::EnvelopeCaps;

/// Segments start at multiples of this, which suits the widest vector instructions.
const ALIGN: usize = 64;
const VERSION: u8 = 1;
/// Bytes of the prefix that the checksum covers: all but itself.
const SUMMED_LEN: usize = 12;

/// What a frame's header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameKind {
    /// A [`WireEnvelope`](crate::WireEnvelope).
    Envelope,
}

/// The first sixteen bytes of a frame.
///
/// ```
/// use samsara_proto::wire::{SCHEMA, WireEnvelope};
/// use samsara_proto::{EnvelopeCodec, FramePrefix};
///
/// let codec = EnvelopeCodec::default();
/// let envelope = WireEnvelope { schema: SCHEMA, ..WireEnvelope::default() };
/// let sent = codec.encode(&envelope)?.to_bytes();
///
/// let prefix = FramePrefix::parse(&sent[..FramePrefix::LEN], codec.caps())?;
/// let mut received = prefix.buffer();
/// received.extend_from_slice(&sent);
/// assert_eq!(received.len(), prefix.total_len());
/// assert!(codec.decode_capped(received.freeze()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramePrefix {
    total_len: usize,
    header_start: usize,
    header_end: usize,
    segments: u16,
    kind: FrameKind,
    checksum: u32,
}

impl FramePrefix {
    /// Bytes of a prefix.
    pub const LEN: usize = 16;

    /// Reads the prefix at the start of `bytes`; what follows it is not looked at.
    pub fn parse(bytes: &[u8], caps: &EnvelopeCaps) -> Result<Self, FrameError> {
        let Some(prefix) = bytes.first_chunk::<{ Self::LEN }>() else {
            return Err(FrameError::Truncated { wanted: Self::LEN, got: bytes.len() });
        };
        let [f0, f1, f2, f3, h0, h1, h2, h3, s0, s1, kind, version, c0, c1, c2, c3] = *prefix;
        if version != VERSION {
            return Err(FrameError::UnknownVersion { got: version });
        }
        let kind = match kind {
            1 => FrameKind::Envelope,
            got => return Err(FrameError::UnknownKind { got }),
        };
        let total = u64::from(u32::from_le_bytes([f0, f1, f2, f3])) + Self::LEN as u64;
        let total_len = match usize::try_from(total) {
            Ok(len) if total <= caps.envelope_bytes => len,
            _ => {
                return Err(FrameError::TooLong { got: total, cap: caps.envelope_bytes });
            }
        };
        let segments = u16::from_le_bytes([s0, s1]);
        if segments > segments_max(caps) {
            return Err(FrameError::TooManySegments { got: segments, cap: segments_max(caps) });
        }
        let header_start = Self::LEN + 4 * usize::from(segments);
        let header_len = u32::from_le_bytes([h0, h1, h2, h3]);
        let wanted = header_start as u64 + u64::from(header_len);
        if wanted > total {
            return Err(FrameError::HeaderTooLong { wanted, total });
        }
        // Not above `total`, which is a `usize`.
        let header_end = header_start + header_len as usize;
        let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
        Ok(Self { total_len, header_start, header_end, segments, kind, checksum })
    }

    /// Bytes of the whole frame, prefix included.
    pub fn total_len(&self) -> usize {
        self.total_len
    }

    /// What the header is.
    pub fn kind(&self) -> FrameKind {
        self.kind
    }

    /// An empty buffer with room for the whole frame, whose first byte lies at a multiple of 64, so
    /// that every segment will. Charge the sender for [`FramePrefix::total_len`] before calling
    /// this, and read no more than that into it: growing would move it.
    pub fn buffer(&self) -> BytesMut {
        aligned(self.total_len)
    }
}

/// A received frame whose structure is known to be right.
#[derive(Clone, Debug)]
pub struct Frame {
    prefix: FramePrefix,
    bytes: Bytes,
}

impl Frame {
    /// Reads a frame that fills `bytes` exactly.
    pub fn parse(bytes: Bytes, caps: &EnvelopeCaps) -> Result<Self, FrameError> {
        let prefix = FramePrefix::parse(&bytes, caps)?;
        if bytes.len() != prefix.total_len {
            return Err(FrameError::WrongLength { wanted: prefix.total_len, got: bytes.len() });
        }
        let computed = checksum(&bytes, prefix.header_end);
        if computed != prefix.checksum {
            return Err(FrameError::Checksum { wanted: prefix.checksum, got: computed });
        }
        let frame = Self { prefix, bytes };
        frame.check_segments(caps)?;
        Ok(frame)
    }

    /// What the header is.
    pub fn kind(&self) -> FrameKind {
        self.prefix.kind
    }

    /// The header, where it was received.
    pub fn header(&self) -> &[u8] {
        self.bytes.get(self.prefix.header_start..self.prefix.header_end).unwrap_or_default()
    }

    /// The whole frame.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many segments there are.
    pub fn segment_count(&self) -> usize {
        self.prefix.segments.into()
    }

    /// The segments in order, slices of the received buffer.
    pub fn segments(&self) -> impl Iterator<Item = Bytes> {
        let mut end = self.prefix.header_end;
        self.segment_lens().map(move |len| {
            let start = end.next_multiple_of(ALIGN);
            end = start + len;
            self.bytes.slice(start..end)
        })
    }

    fn segment_lens(&self) -> impl Iterator<Item = usize> {
        let table = self.bytes.get(FramePrefix::LEN..self.prefix.header_start).unwrap_or_default();
        // On machines where lengths exceed `usize`, none passes the check of the total.
        table
            .as_chunks()
            .0
            .iter()
            .map(|len| usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX))
    }

    fn check_segments(&self, caps: &EnvelopeCaps) -> Result<(), FrameError> {
        let mut end = self.prefix.header_end;
        for (segment, len) in self.segment_lens().enumerate() {
            if len == 0 {
                return Err(FrameError::EmptySegment { segment });
            }
            if len as u64 > caps.payload_bytes {
                let (got, cap) = (len as u64, caps.payload_bytes);
                return Err(FrameError::SegmentTooLong { segment, got, cap });
            }
            let start = end.next_multiple_of(ALIGN);
            let left = self.bytes.len().saturating_sub(start);
            if left < len {
                return Err(FrameError::SegmentCut { segment, wanted: len, got: left });
            }
            let padding = self.bytes.get(end..start).unwrap_or_default();
            if let Some(dirty) = padding.iter().position(|byte| *byte != 0) {
                return Err(FrameError::DirtyPadding { at: end + dirty });
            }
            end = start + len;
        }
        if end != self.bytes.len() {
            return Err(FrameError::TrailingBytes { wanted: end, got: self.bytes.len() });
        }
        Ok(())
    }
}

/// How many segments a frame may have: a payload for each fill and every blob.
pub(crate) fn segments_max(caps: &EnvelopeCaps) -> u16 {
    u16::try_from(caps.fills.saturating_mul(2)).unwrap_or(u16::MAX)
}

/// The checksum of a frame whose header ends at `header_end`.
fn checksum(frame: &[u8], header_end: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(frame.get(..SUMMED_LEN).unwrap_or_default());
    hasher.update(frame.get(FramePrefix::LEN..header_end).unwrap_or_default());
    hasher.finalize()
}

/// An empty buffer for `len` bytes that starts at a multiple of [`ALIGN`].
fn aligned(len: usize) -> BytesMut {
    // Room to step forward to the next multiple from wherever the allocator put us.
    let mut buffer = BytesMut::with_capacity(len.saturating_add(ALIGN - 1));
    let address = buffer.as_ptr().addr();
    let skipped = address.next_multiple_of(ALIGN) - address;
    buffer.resize(skipped, 0);
    buffer.advance(skipped);
    buffer
}
