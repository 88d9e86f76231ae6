//! The door between envelopes and frames.
//!
//! Law: `decode_capped(encode(e)) == e` for every envelope that its own caps allow, equal
//! envelopes give equal bytes, and large payloads are never copied on either way.

mod check;
mod error;
mod walk;
mod write;

use bytes::Bytes;

pub use error::{DecodeError, EncodeError};

use crate::EnvelopeCaps;
use crate::frame::{self, EncodedFrame, Frame};
use crate::wire::{Fill, WireEnvelope};
use walk::{Nothing, Slices, walk};
use write::{Header, is_segment};

/// Turns envelopes into frames and back, within caps.
///
/// ```
/// use samsara_proto::wire::{Fill, SCHEMA, WireEnvelope};
/// use samsara_proto::{EnvelopeCaps, EnvelopeCodec};
///
/// let codec = EnvelopeCodec::new(EnvelopeCaps::default());
/// let fill = Fill { port: "greeter/name".into(), payload: "Ada".into(), ..Fill::default() };
/// let envelope = WireEnvelope { schema: SCHEMA, fills: vec![fill], ..WireEnvelope::default() };
///
/// let frame = codec.encode(&envelope)?.to_bytes();
/// assert_eq!(codec.decode_capped(frame)?, envelope);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeCodec {
    caps: EnvelopeCaps,
}

impl EnvelopeCodec {
    /// A codec that neither sends nor takes what exceeds `caps`.
    pub const fn new(caps: EnvelopeCaps) -> Self {
        Self { caps }
    }

    /// The caps that hold here.
    pub const fn caps(&self) -> &EnvelopeCaps {
        &self.caps
    }

    /// Frames an envelope, which stays the caller's. The frame shares its large payloads.
    pub fn encode(&self, envelope: &WireEnvelope) -> Result<EncodedFrame, EncodeError> {
        self.check(envelope)?;
        let (parts, segments): (Vec<u32>, Vec<Bytes>) = (0..)
            .zip(parts(&envelope.fills))
            .filter(|(_, part)| is_segment(part))
            .map(|(number, part)| (number, part.clone()))
            .unzip();
        let cap = frame::segments_max(&self.caps);
        if segments.len() > usize::from(cap) {
            return Err(EncodeError::TooMany { field: "segments", cap: cap.into() });
        }
        let header = Header { envelope, parts: &parts };
        EncodedFrame::build(header.len_about(), |out| header.write(out), segments, &self.caps)
    }

    /// Tells whether [`EnvelopeCodec::encode`] would refuse, apart from the size of the whole.
    pub fn check(&self, envelope: &WireEnvelope) -> Result<(), EncodeError> {
        check::check(envelope, &self.caps)
    }

    /// Reads the envelope of one whole frame. Payloads and blobs are slices of `frame`, and keep it
    /// alive.
    pub fn decode_capped(&self, frame: Bytes) -> Result<WireEnvelope, DecodeError> {
        let frame = Frame::parse(frame, &self.caps)?;
        walk(frame.header(), frame.segment_count(), &self.caps, Slices::of(&frame))
    }

    /// Checks the raw header of a frame that carries `segments` segments: everything that
    /// [`EnvelopeCodec::decode_capped`] would refuse, at no allocation.
    pub fn prescan(&self, header: &[u8], segments: usize) -> Result<(), DecodeError> {
        walk(header, segments, &self.caps, Nothing).map(drop)
    }
}

/// All that may travel as a segment, in the order that `segment_parts` counts.
fn parts(fills: &[Fill]) -> impl Iterator<Item = &Bytes> {
    fills.iter().flat_map(|fill| std::iter::once(&fill.payload).chain(&fill.blobs))
}
