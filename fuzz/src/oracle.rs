//! Segments put into envelopes and taken out of them without the code under test.
//!
//! Law: with these and plain prost, anyone reads and writes what the envelope codec does.

use bytes::Bytes;
use prost::Message;
use samsara_proto::WireEnvelope;

use crate::framing::Parts;

/// Parts from this length on travel as segments.
const SEGMENT_BYTES_MIN: usize = 1024;

/// The envelope that header and segments make, as far as protobuf itself goes.
pub fn read(parts: &Parts) -> Result<WireEnvelope, prost::DecodeError> {
    let mut envelope = WireEnvelope::decode(parts.header.as_slice())?;
    let numbers = std::mem::take(&mut envelope.segment_parts);
    let mut places = places(&mut envelope);
    for (number, segment) in numbers.into_iter().zip(&parts.segments) {
        if let Some(place) = places.get_mut(number as usize) {
            **place = segment.clone().into();
        }
    }
    Ok(envelope)
}

/// The header and segments of an envelope.
pub fn write(envelope: &WireEnvelope) -> Parts {
    let mut envelope = envelope.clone();
    let mut numbers = Vec::new();
    let mut segments = Vec::new();
    for (number, place) in (0..).zip(places(&mut envelope)) {
        if place.len() >= SEGMENT_BYTES_MIN {
            numbers.push(number);
            segments.push(std::mem::take(place).to_vec());
        }
    }
    envelope.segment_parts = numbers;
    Parts { header: envelope.encode_to_vec(), segments }
}

/// Each fill's payload, and then its blobs.
fn places(envelope: &mut WireEnvelope) -> Vec<&mut Bytes> {
    let mut places = Vec::new();
    for fill in &mut envelope.fills {
        places.push(&mut fill.payload);
        places.extend(&mut fill.blobs);
    }
    places
}
