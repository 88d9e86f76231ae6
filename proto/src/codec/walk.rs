//! One walk over a header's raw bytes, which checks every rule of the wire schema and builds the
//! envelope as it goes.
//!
//! Law: prost reads whatever the walk takes, and reads the same; and what exceeds a cap is refused
//! before anything is allocated for it.

mod cursor;
mod fields;
mod keep;
mod parts;

use bytes::Bytes;

use cursor::Cursor;
use fields::{Budget, Fields};
use parts::Parts;

pub(super) use keep::{Keep, Nothing, Slices};

use super::check;
use crate::wire::{
    Ack, ChainContext, Correlation, Fill, Refusal, RefusalReason, SCHEMA, TraceContext,
    WireEnvelope,
};
use crate::{DecodeError, EnvelopeCaps, Name};

const CORRELATION_MAX: u64 = Correlation::Response as u64;
const REASON_MAX: u64 = RefusalReason::Draining as u64;

/// Reads the `header` of a frame that carries `segments` segments.
pub(super) fn walk(
    header: &[u8],
    segments: usize,
    caps: &EnvelopeCaps,
    keep: impl Keep,
) -> Result<WireEnvelope, DecodeError> {
    let (got, cap) = (header.len() as u64, caps.envelope_bytes);
    if got > cap {
        return Err(DecodeError::TooLong { field: "envelope", at: 0, got, cap });
    }
    let mut envelope = WireEnvelope::default();
    let mut walk = Walk::new(caps, keep);
    walk.envelope(Cursor::new(header), &mut envelope)?;
    if envelope.schema != SCHEMA {
        return Err(DecodeError::UnknownVersion { got: envelope.schema.into() });
    }
    walk.parts.finish(segments)?;
    Ok(envelope)
}

struct Walk<'a, K> {
    caps: &'a EnvelopeCaps,
    keep: K,
    acks: Budget,
    refusals: Budget,
    addresses: Budget,
    fills: Budget,
    blobs: Budget,
    unknown: Budget,
    parts: Parts<'a>,
}

impl<'a, K: Keep> Walk<'a, K> {
    fn new(caps: &'a EnvelopeCaps, keep: K) -> Self {
        Self {
            caps,
            keep,
            acks: Budget::new(caps.acks),
            refusals: Budget::new(caps.acks),
            addresses: Budget::new(caps.claimed_addresses),
            fills: Budget::new(caps.fills),
            blobs: Budget::new(caps.fills),
            unknown: Budget::new(caps.unknown_fields),
            parts: Parts::new(),
        }
    }

    fn envelope(&mut self, content: Cursor<'a>, to: &mut WireEnvelope) -> Result<(), DecodeError> {
        let mut it = Fields::new(content);
        while let Some(number) = it.next()? {
            match number {
                1 => to.schema = schema(&mut it)?,
                2 => to.source = self.peer("source", &mut it)?,
                3 => to.destination = self.peer("destination", &mut it)?,
                4 => to.incarnation = it.uint("incarnation", u64::MAX)?,
                5 => to.boot_nonce = it.fixed64("boot_nonce")?,
                6 => to.stream = it.uint("stream", u64::MAX)?,
                7 => to.stream_epoch = it.uint("stream_epoch", u64::MAX)?,
                8 => to.seq = it.uint("seq", u64::MAX)?,
                9 => to.redelivered = it.uint("redelivered", 1)? == 1,
                10 => {
                    let content = it.entry("acks", &mut self.acks, u64::MAX)?;
                    let ack = self.ack(content)?;
                    self.keep.entry(&mut to.acks, ack);
                }
                11 => to.correlation = it.uint("correlation", CORRELATION_MAX)? as i32,
                12 => to.request_id = it.uint("request_id", u64::MAX)?,
                13 => to.deadline_ns = Some(it.uint("deadline_ns", u64::MAX)?),
                14 => self.parts.begin(it.at(), it.content("segment_parts", u64::MAX)?)?,
                15 => {
                    let content = it.entry("fills", &mut self.fills, u64::MAX)?;
                    let fill = self.fill(content)?;
                    self.keep.entry(&mut to.fills, fill);
                }
                16 => {
                    let content = it.entry("refusals", &mut self.refusals, u64::MAX)?;
                    let refusal = self.refusal(content)?;
                    self.keep.entry(&mut to.refusals, refusal);
                }
                17 => to.trace = Some(self.trace(it.content("trace", u64::MAX)?)?),
                18 => to.chain = Some(self.chain(it.content("chain", u64::MAX)?)?),
                19 => {
                    let cap = self.caps.address_bytes.into();
                    let content = it.entry("claimed_addresses", &mut self.addresses, cap)?;
                    let address = self.keep.bytes(content.rest());
                    self.keep.entry(&mut to.claimed_addresses, address);
                }
                _ => it.unknown(&mut self.unknown)?,
            }
        }
        Ok(())
    }

    fn fill(&mut self, content: Cursor<'a>) -> Result<Fill, DecodeError> {
        let mut to = Fill::default();
        let in_segment = self.parts.take_part()?;
        if in_segment {
            to.payload = self.keep.segment();
        }
        let mut it = Fields::new(content);
        while let Some(number) = it.next()? {
            match number {
                1 => to.port = self.name("fill.port", &mut it)?,
                2 => to.type_id = self.name("fill.type_id", &mut it)?,
                3 => {
                    let field = "fill.payload";
                    let content = it.content(field, self.caps.payload_bytes)?;
                    if in_segment {
                        check_empty(field, it.at(), content)?;
                    } else {
                        to.payload = self.keep.bytes(content.rest());
                    }
                }
                4 => {
                    let field = "fill.blobs";
                    let content = it.entry(field, &mut self.blobs, self.caps.payload_bytes)?;
                    let blob = if self.parts.take_part()? {
                        check_empty(field, it.at(), content)?;
                        self.keep.segment()
                    } else {
                        self.keep.bytes(content.rest())
                    };
                    self.keep.entry(&mut to.blobs, blob);
                }
                _ => it.unknown(&mut self.unknown)?,
            }
        }
        Ok(to)
    }

    fn ack(&mut self, content: Cursor<'a>) -> Result<Ack, DecodeError> {
        let mut to = Ack::default();
        let mut it = Fields::new(content);
        while let Some(number) = it.next()? {
            match number {
                1 => to.stream = it.uint("ack.stream", u64::MAX)?,
                2 => to.stream_epoch = it.uint("ack.stream_epoch", u64::MAX)?,
                3 => to.durable = it.uint("ack.durable", u64::MAX)?,
                4 => to.credit_bytes = it.uint("ack.credit_bytes", u64::MAX)?,
                _ => it.unknown(&mut self.unknown)?,
            }
        }
        Ok(to)
    }

    fn refusal(&mut self, content: Cursor<'a>) -> Result<Refusal, DecodeError> {
        let mut to = Refusal::default();
        let mut it = Fields::new(content);
        while let Some(number) = it.next()? {
            match number {
                1 => to.stream = it.uint("refusal.stream", u64::MAX)?,
                2 => to.stream_epoch = it.uint("refusal.stream_epoch", u64::MAX)?,
                3 => to.seq = it.uint("refusal.seq", u64::MAX)?,
                4 => to.reason = it.uint("refusal.reason", REASON_MAX)? as i32,
                _ => it.unknown(&mut self.unknown)?,
            }
        }
        Ok(to)
    }

    fn trace(&mut self, content: Cursor<'a>) -> Result<TraceContext, DecodeError> {
        let mut to = TraceContext::default();
        let mut it = Fields::new(content);
        while let Some(number) = it.next()? {
            match number {
                1 => to.trace_high = it.fixed64("trace.trace_high")?,
                2 => to.trace_low = it.fixed64("trace.trace_low")?,
                3 => to.span = it.fixed64("trace.span")?,
                4 => to.flags = it.uint("trace.flags", u32::MAX.into())? as u32,
                _ => it.unknown(&mut self.unknown)?,
            }
        }
        Ok(to)
    }

    fn chain(&mut self, content: Cursor<'a>) -> Result<ChainContext, DecodeError> {
        let mut to = ChainContext::default();
        let mut it = Fields::new(content);
        while let Some(number) = it.next()? {
            match number {
                1 => to.chain_id = it.uint("chain.chain_id", u64::MAX)?,
                2 => to.hop_index = it.uint("chain.hop_index", u32::MAX.into())? as u32,
                _ => it.unknown(&mut self.unknown)?,
            }
        }
        Ok(to)
    }

    fn name(&self, field: &'static str, it: &mut Fields<'a>) -> Result<Name, DecodeError> {
        let content = it.content(field, self.caps.path_bytes.into())?;
        let name = self.keep.name(content.rest());
        name.map_err(|_| DecodeError::NotUtf8 { field, at: it.at() })
    }

    fn peer(&self, field: &'static str, it: &mut Fields<'a>) -> Result<Bytes, DecodeError> {
        let bytes = it.content(field, u64::MAX)?.rest();
        match check::peer_id(bytes) {
            Ok(()) => Ok(self.keep.bytes(bytes)),
            Err(source) => Err(DecodeError::PeerId { field, at: it.at(), source }),
        }
    }
}

/// Refused at once, because another version may mean anything by what follows.
fn schema(it: &mut Fields<'_>) -> Result<u32, DecodeError> {
    let got = it.uint("schema", u64::MAX)?;
    if got == u64::from(SCHEMA) { Ok(SCHEMA) } else { Err(DecodeError::UnknownVersion { got }) }
}

fn check_empty(field: &'static str, at: usize, content: Cursor<'_>) -> Result<(), DecodeError> {
    if content.is_empty() { Ok(()) } else { Err(DecodeError::PartTwice { field, at }) }
}
