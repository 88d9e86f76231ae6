//! The door between envelopes and frames.
//!
//! Law: `decode_capped(encode(e)) == e` for every envelope that its own caps allow, equal
//! envelopes give equal bytes, and payloads are never copied on either way.

mod check;
mod error;

use std::mem;

use bytes::Bytes;
use prost::Message;

pub use error::{DecodeError, EncodeError};

use crate::frame::{self, EncodedFrame, Frame};
use crate::wire::{Fill, WireEnvelope};
use crate::{EnvelopeCaps, prescan};

/// Bytes from which a payload or blob travels as a segment: below, its padding and table entry
/// would cost more than they save.
const SEGMENT_BYTES_MIN: usize = 1024;

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
/// let frame = codec.encode(envelope.clone())?.to_bytes();
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

    /// Frames an envelope. It is consumed so that large payloads move into the frame's segments;
    /// cloning one beforehand shares its payloads.
    pub fn encode(&self, mut envelope: WireEnvelope) -> Result<EncodedFrame, EncodeError> {
        self.check(&envelope)?;
        let segments = self.take_segments(&mut envelope)?;
        EncodedFrame::build(&envelope, segments, &self.caps)
    }

    /// Tells whether [`EnvelopeCodec::encode`] would refuse, apart from the size of the whole.
    pub fn check(&self, envelope: &WireEnvelope) -> Result<(), EncodeError> {
        check::check(envelope, &self.caps)
    }

    /// Reads the envelope of one whole frame. Payloads and blobs are slices of `frame`, and keep it
    /// alive.
    pub fn decode_capped(&self, frame: Bytes) -> Result<WireEnvelope, DecodeError> {
        let frame = Frame::parse(frame, &self.caps)?;
        let header = frame.header();
        self.prescan(&header, frame.segment_count())?;
        let mut envelope = WireEnvelope::decode(header)?;
        put_segments(&mut envelope, &frame);
        Ok(envelope)
    }

    /// Checks the raw header of a frame that carries `segments` segments: everything that
    /// [`EnvelopeCodec::decode_capped`] would refuse, at no allocation.
    pub fn prescan(&self, header: &[u8], segments: usize) -> Result<(), DecodeError> {
        prescan::prescan(header, segments, &self.caps)
    }

    fn take_segments(&self, envelope: &mut WireEnvelope) -> Result<Vec<Bytes>, EncodeError> {
        let cap = frame::segments_max(&self.caps);
        let mut segments = Vec::new();
        for (number, part) in (0..).zip(parts(&mut envelope.fills)) {
            if part.len() < SEGMENT_BYTES_MIN {
                continue;
            }
            if segments.len() >= usize::from(cap) {
                return Err(EncodeError::TooMany { field: "segments", cap: cap.into() });
            }
            segments.push(mem::take(part));
            envelope.segment_parts.push(number);
        }
        Ok(segments)
    }
}

/// The prescan has seen that each segment is named by one empty part, in ascending order.
fn put_segments(envelope: &mut WireEnvelope, frame: &Frame) {
    let numbers = mem::take(&mut envelope.segment_parts);
    let mut awaited = numbers.into_iter().zip(frame.segments()).peekable();
    for (number, part) in (0..).zip(parts(&mut envelope.fills)) {
        if let Some((_, segment)) = awaited.next_if(|(awaited, _)| *awaited == number) {
            *part = segment;
        } else if awaited.peek().is_none() {
            return;
        }
    }
}

/// All that may travel as a segment, in the order that `segment_parts` counts.
fn parts(fills: &mut [Fill]) -> impl Iterator<Item = &mut Bytes> {
    fills.iter_mut().flat_map(|fill| std::iter::once(&mut fill.payload).chain(&mut fill.blobs))
}
