//! Any legal envelope.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use samsara_proto::PeerId;
use samsara_proto::wire::{Ack, ChainContext, Fill, Refusal, SCHEMA, TraceContext, WireEnvelope};

pub(super) fn envelope() -> impl Strategy<Value = WireEnvelope> {
    let names = (peer(), peer(), any::<(u64, u64)>());
    let place = any::<(u64, u64, u64, bool)>();
    let request = (0..3, any::<(u64, Option<u64>)>());
    let lists =
        (vec(ack(), 0..4), vec(refusal(), 0..4), vec(fill(), 0..4), vec(bytes(0..256), 0..8));
    let contexts = (option::of(trace()), option::of(chain()));
    (names, place, request, lists, contexts).prop_map(|(names, place, request, lists, contexts)| {
        let (source, destination, (incarnation, boot_nonce)) = names;
        let (stream, stream_epoch, seq, redelivered) = place;
        let (correlation, (request_id, deadline_ns)) = request;
        let (acks, refusals, fills, claimed_addresses) = lists;
        let (trace, chain) = contexts;
        WireEnvelope {
            schema: SCHEMA,
            source,
            destination,
            incarnation,
            boot_nonce,
            stream,
            stream_epoch,
            seq,
            redelivered,
            acks,
            correlation,
            request_id,
            deadline_ns,
            segment_parts: Vec::new(),
            fills,
            refusals,
            trace,
            chain,
            claimed_addresses,
        }
    })
}

fn peer() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        Just(Bytes::new()),
        any::<u64>().prop_map(|number| PeerId::from(number).to_bytes().into()),
        any::<[u8; 32]>().prop_map(|key| PeerId::from_ed25519_public_key(&key).to_bytes().into()),
    ]
}

fn fill() -> impl Strategy<Value = Fill> {
    (".{0,64}", ".{0,64}", part(), vec(part(), 0..4)).prop_map(|(port, type_id, payload, blobs)| {
        Fill { port: port.into(), type_id: type_id.into(), payload, blobs }
    })
}

/// Below and above the length from which a part is a segment.
fn part() -> impl Strategy<Value = Bytes> {
    prop_oneof![bytes(0..8), bytes(1000..1100)]
}

fn bytes(len: std::ops::Range<usize>) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), len).prop_map(Bytes::from)
}

fn ack() -> impl Strategy<Value = Ack> {
    any::<(u64, u64, u64, u64)>().prop_map(|(stream, stream_epoch, durable, credit_bytes)| Ack {
        stream,
        stream_epoch,
        durable,
        credit_bytes,
    })
}

fn refusal() -> impl Strategy<Value = Refusal> {
    (any::<(u64, u64, u64)>(), 0..8).prop_map(|((stream, stream_epoch, seq), reason)| Refusal {
        stream,
        stream_epoch,
        seq,
        reason,
    })
}

fn trace() -> impl Strategy<Value = TraceContext> {
    any::<(u64, u64, u64, u32)>().prop_map(|(trace_high, trace_low, span, flags)| TraceContext {
        trace_high,
        trace_low,
        span,
        flags,
    })
}

fn chain() -> impl Strategy<Value = ChainContext> {
    any::<(u64, u32)>().prop_map(|(chain_id, hop_index)| ChainContext { chain_id, hop_index })
}
