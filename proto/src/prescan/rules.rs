//! The wire schema as the prescan sees it: one rule per field number.
//!
//! Law: every field of `wire.proto` has its rule here, and no rule is missing there.

use crate::EnvelopeCaps;
use crate::wire::{Correlation, RefusalReason};

/// What one field number of a message means.
pub(super) struct Rule {
    /// Full name, for errors.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) wire_type: u64,
    /// Set for repeated fields: which budget they draw on. Others occur once.
    pub(super) many: Option<Many>,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Schema,
    Varint { max: u64 },
    Fixed64,
    Peer,
    Text,
    Payload,
    Blob,
    Address,
    SegmentParts,
    Message(&'static [Rule]),
    Fill(&'static [Rule]),
}

/// Budgets of repeated fields, each over the whole envelope.
#[derive(Clone, Copy)]
pub(super) enum Many {
    Acks,
    Refusals,
    Addresses,
    Fills,
    Blobs,
}

impl Kind {
    const fn wire_type(self) -> u64 {
        match self {
            Self::Schema | Self::Varint { .. } => 0,
            Self::Fixed64 => 1,
            Self::Peer
            | Self::Text
            | Self::Payload
            | Self::Blob
            | Self::Address
            | Self::SegmentParts
            | Self::Message(_)
            | Self::Fill(_) => 2,
        }
    }
}

impl Many {
    pub(super) const COUNT: usize = 5;

    pub(super) fn cap(self, caps: &EnvelopeCaps) -> u32 {
        match self {
            Self::Acks | Self::Refusals => caps.acks,
            Self::Addresses => caps.claimed_addresses,
            Self::Fills | Self::Blobs => caps.fills,
        }
    }
}

const BOOL: Kind = Kind::Varint { max: 1 };
const UINT32: Kind = Kind::Varint { max: u32::MAX as u64 };
const UINT64: Kind = Kind::Varint { max: u64::MAX };
const CORRELATION: Kind = Kind::Varint { max: Correlation::Response as u64 };
const REASON: Kind = Kind::Varint { max: RefusalReason::Draining as u64 };

/// In order of field number, from 1, as all tables here.
pub(super) const ENVELOPE: &[Rule] = &[
    one("schema", Kind::Schema),
    one("source", Kind::Peer),
    one("destination", Kind::Peer),
    one("incarnation", UINT64),
    one("boot_nonce", Kind::Fixed64),
    one("stream", UINT64),
    one("stream_epoch", UINT64),
    one("seq", UINT64),
    one("redelivered", BOOL),
    many("acks", Kind::Message(ACK), Many::Acks),
    one("correlation", CORRELATION),
    one("request_id", UINT64),
    one("deadline_ns", UINT64),
    one("segment_parts", Kind::SegmentParts),
    many("fills", Kind::Fill(FILL), Many::Fills),
    many("refusals", Kind::Message(REFUSAL), Many::Refusals),
    one("trace", Kind::Message(TRACE)),
    one("chain", Kind::Message(CHAIN)),
    many("claimed_addresses", Kind::Address, Many::Addresses),
];

const ACK: &[Rule] = &[
    one("ack.stream", UINT64),
    one("ack.stream_epoch", UINT64),
    one("ack.durable", UINT64),
    one("ack.credit_bytes", UINT64),
];

const REFUSAL: &[Rule] = &[
    one("refusal.stream", UINT64),
    one("refusal.stream_epoch", UINT64),
    one("refusal.seq", UINT64),
    one("refusal.reason", REASON),
];

const TRACE: &[Rule] = &[
    one("trace.trace_high", Kind::Fixed64),
    one("trace.trace_low", Kind::Fixed64),
    one("trace.span", Kind::Fixed64),
    one("trace.flags", UINT32),
];

const CHAIN: &[Rule] = &[one("chain.chain_id", UINT64), one("chain.hop_index", UINT32)];

const FILL: &[Rule] = &[
    one("fill.port", Kind::Text),
    one("fill.type_id", Kind::Text),
    one("fill.payload", Kind::Payload),
    many("fill.blobs", Kind::Blob, Many::Blobs),
];

const fn one(name: &'static str, kind: Kind) -> Rule {
    Rule { name, kind, wire_type: kind.wire_type(), many: None }
}

const fn many(name: &'static str, kind: Kind, many: Many) -> Rule {
    Rule { name, kind, wire_type: kind.wire_type(), many: Some(many) }
}
