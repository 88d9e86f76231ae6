//! What an envelope must keep before it may be sent.
//!
//! Law: what passes here passes the walk at the other end, if its caps are the same.

use crate::wire::{Correlation, Fill, RefusalReason, SCHEMA, WireEnvelope};
use crate::{EncodeError, EnvelopeCaps, PeerId, PeerIdError};

pub(super) fn check(envelope: &WireEnvelope, caps: &EnvelopeCaps) -> Result<(), EncodeError> {
    if envelope.schema != SCHEMA {
        return Err(EncodeError::UnknownVersion { got: envelope.schema });
    }
    if !envelope.segment_parts.is_empty() {
        return Err(EncodeError::SegmentParts { got: envelope.segment_parts.len() });
    }
    peer("source", &envelope.source)?;
    peer("destination", &envelope.destination)?;
    if Correlation::try_from(envelope.correlation).is_err() {
        return Err(EncodeError::UnknownValue { field: "correlation", got: envelope.correlation });
    }
    count("acks", envelope.acks.len(), caps.acks)?;
    count("refusals", envelope.refusals.len(), caps.acks)?;
    for refusal in &envelope.refusals {
        if RefusalReason::try_from(refusal.reason).is_err() {
            return Err(EncodeError::UnknownValue { field: "refusal.reason", got: refusal.reason });
        }
    }
    count("claimed_addresses", envelope.claimed_addresses.len(), caps.claimed_addresses)?;
    for address in &envelope.claimed_addresses {
        len("claimed_addresses", address.len(), caps.address_bytes.into())?;
    }
    count("fills", envelope.fills.len(), caps.fills)?;
    let blobs = envelope.fills.iter().map(|fill| fill.blobs.len()).sum();
    count("fill.blobs", blobs, caps.fills)?;
    envelope.fills.iter().try_for_each(|it| fill(it, caps))
}

fn fill(fill: &Fill, caps: &EnvelopeCaps) -> Result<(), EncodeError> {
    len("fill.port", fill.port.len(), caps.path_bytes.into())?;
    len("fill.type_id", fill.type_id.len(), caps.path_bytes.into())?;
    len("fill.payload", fill.payload.len(), caps.payload_bytes)?;
    fill.blobs.iter().try_for_each(|blob| len("fill.blobs", blob.len(), caps.payload_bytes))
}

fn peer(field: &'static str, bytes: &[u8]) -> Result<(), EncodeError> {
    peer_id(bytes).map_err(|source| EncodeError::PeerId { field, source })
}

/// Whether the bytes are a peer id, or none at all.
#[inline]
pub(super) fn peer_id(bytes: &[u8]) -> Result<(), PeerIdError> {
    if bytes.is_empty() || is_short_peer_id(bytes) {
        return Ok(());
    }
    PeerId::from_bytes(bytes).map(drop)
}

/// Whether the bytes are a peer id whose hash code and length are one byte each, as nearly all are:
/// seen at a glance, where reading the id would copy it.
#[inline]
fn is_short_peer_id(bytes: &[u8]) -> bool {
    let [code, len, digest @ ..] = bytes else { return false };
    let len = usize::from(*len);
    *code < 0x80 && len == digest.len() && len <= PeerId::DIGEST_LEN_MAX
}

fn count(field: &'static str, got: usize, cap: u32) -> Result<(), EncodeError> {
    if got as u64 > u64::from(cap) { Err(EncodeError::TooMany { field, cap }) } else { Ok(()) }
}

fn len(field: &'static str, got: usize, cap: u64) -> Result<(), EncodeError> {
    let got = got as u64;
    if got > cap { Err(EncodeError::TooLong { field, got, cap }) } else { Ok(()) }
}
