//! A header's bytes.
//!
//! Law: they are those that prost would write for the envelope, were its segments taken out and
//! named; and room for them is made once.

mod out;

use out::Out;

use crate::wire::{Ack, ChainContext, Fill, Refusal, TraceContext, WireEnvelope};

/// Bytes from which a payload or blob travels as a segment: below, its padding and table entry
/// would cost more than they save.
const SEGMENT_BYTES_MIN: usize = 1024;

/// Bytes of all numbers that an envelope says, and of the keys and lengths of its names.
const HEAD_LEN_MAX: usize = 96;
/// Bytes of an ack, a refusal, a trace or a chain: up to four numbers.
const MESSAGE_LEN_MAX: usize = 52;
/// Bytes of a fill beside what it holds.
const FILL_LEN_MAX: usize = 24;
/// Bytes of a key and a length, or of a number in a packed list.
const ENTRY_LEN_MAX: usize = 12;

/// Whether a payload or blob travels as a segment.
pub(super) fn is_segment(part: &[u8]) -> bool {
    part.len() >= SEGMENT_BYTES_MIN
}

/// What the header of an envelope says.
pub(super) struct Header<'a> {
    pub(super) envelope: &'a WireEnvelope,
    /// The numbers of the parts that are segments.
    pub(super) parts: &'a [u32],
}

impl Header<'_> {
    /// About as many bytes as `write` appends, seen at a glance and rarely less.
    pub(super) fn len_about(&self) -> usize {
        let it = self.envelope;
        let (acks, fills) = (it.acks.len() + it.refusals.len(), it.fills.len());
        let contexts = usize::from(it.trace.is_some()) + usize::from(it.chain.is_some());
        let messages = MESSAGE_LEN_MAX * (acks + contexts) + FILL_LEN_MAX * fills;
        let names = it.source.len() + it.destination.len();
        let held = it.fills.iter().map(|fill| {
            let blobs = fill.blobs.iter().map(|blob| ENTRY_LEN_MAX + inline(blob).len());
            fill.port.len()
                + fill.type_id.len()
                + inline(&fill.payload).len()
                + blobs.sum::<usize>()
        });
        let claims = it.claimed_addresses.iter().map(|address| ENTRY_LEN_MAX + address.len());
        let parts = ENTRY_LEN_MAX * self.parts.len();
        HEAD_LEN_MAX + messages + names + held.sum::<usize>() + claims.sum::<usize>() + parts
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

/// Fields in order of their numbers, without those that hold their default.
trait Fields {
    fn put(&self, out: &mut impl Out);
}

impl Fields for Header<'_> {
    fn put(&self, out: &mut impl Out) {
        let it = self.envelope;
        out.uint(1, it.schema.into());
        out.content(2, &it.source);
        out.content(3, &it.destination);
        out.uint(4, it.incarnation);
        out.fixed64(5, it.boot_nonce);
        out.uint(6, it.stream);
        out.uint(7, it.stream_epoch);
        out.uint(8, it.seq);
        out.uint(9, it.redelivered.into());
        it.acks.iter().for_each(|ack| out.message(10, ack));
        out.uint(11, it.correlation as u64);
        out.uint(12, it.request_id);
        if let Some(deadline_ns) = it.deadline_ns {
            out.number(13, deadline_ns);
        }
        if !self.parts.is_empty() {
            out.message(14, self.parts);
        }
        it.fills.iter().for_each(|fill| out.message(15, fill));
        it.refusals.iter().for_each(|refusal| out.message(16, refusal));
        it.trace.iter().for_each(|trace| out.message(17, trace));
        it.chain.iter().for_each(|chain| out.message(18, chain));
        it.claimed_addresses.iter().for_each(|address| out.entry(19, address));
    }
}

/// A packed list has no keys, but a length as messages have.
impl Fields for [u32] {
    fn put(&self, out: &mut impl Out) {
        self.iter().for_each(|number| out.varint((*number).into()));
    }
}

impl Fields for Ack {
    fn put(&self, out: &mut impl Out) {
        out.uint(1, self.stream);
        out.uint(2, self.stream_epoch);
        out.uint(3, self.durable);
        out.uint(4, self.credit_bytes);
    }
}

impl Fields for Refusal {
    fn put(&self, out: &mut impl Out) {
        out.uint(1, self.stream);
        out.uint(2, self.stream_epoch);
        out.uint(3, self.seq);
        out.uint(4, self.reason as u64);
    }
}

impl Fields for TraceContext {
    fn put(&self, out: &mut impl Out) {
        out.fixed64(1, self.trace_high);
        out.fixed64(2, self.trace_low);
        out.fixed64(3, self.span);
        out.uint(4, self.flags.into());
    }
}

impl Fields for ChainContext {
    fn put(&self, out: &mut impl Out) {
        out.uint(1, self.chain_id);
        out.uint(2, self.hop_index.into());
    }
}

impl Fields for Fill {
    fn put(&self, out: &mut impl Out) {
        out.content(1, self.port.as_bytes());
        out.content(2, self.type_id.as_bytes());
        out.content(3, inline(&self.payload));
        self.blobs.iter().for_each(|blob| out.entry(4, inline(blob)));
    }
}

/// What the header holds of a payload or blob.
fn inline(part: &[u8]) -> &[u8] {
    if is_segment(part) { &[] } else { part }
}
