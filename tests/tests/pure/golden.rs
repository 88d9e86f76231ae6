//! Bytes that are frozen: what other versions and other machines hold must stay readable.

use std::fmt::Write as _;

use bytes::Bytes;
use prost::Message;
use samsara_proto::snapshot::{
    NamedComponentSnapshot, NamedGraphSnapshot, NodeConfigSnapshot, NodeSnapshot, SnapshotPart,
    TransientSnapshot,
};
use samsara_proto::wire::{
    Ack, ChainContext, Correlation, Fill, Refusal, RefusalReason, SCHEMA, TraceContext,
    WireEnvelope,
};
use samsara_proto::{Address, EnvelopeCodec, PeerId};

/// The bytes under `# name` in a file of hex lines.
fn frozen(file: &str, name: &str) -> Vec<u8> {
    let section =
        file.split("# ").find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    let digits: Vec<u32> =
        section.unwrap_or_default().chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8))
        .collect()
}

pub(super) fn assert_frozen(file: &str, name: &str, built: &[u8]) {
    let hex = built.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string grows");
        hex
    });
    assert!(
        frozen(file, name) == built,
        "the bytes of `{name}` are frozen: old data could not be read any more. Built now:\n{hex}"
    );
}

fn assert_peer_id_frozen(name: &str, id: PeerId) {
    let file = include_str!("../../golden/peer_id.hex");
    assert_frozen(file, name, &id.to_bytes());
    assert_eq!(PeerId::from_bytes(&frozen(file, name)), Ok(id));
}

fn assert_address_frozen(text: &str) {
    let file = include_str!("../../golden/address.hex");
    let address: Address = text.parse().expect("an address");
    assert_frozen(file, text, &address.to_bytes());
    assert_eq!(Address::from_bytes(&frozen(file, text)), Ok(address));
}

fn assert_envelope_frozen(name: &str, envelope: &WireEnvelope) {
    let file = include_str!("../../golden/envelope.hex");
    let codec = EnvelopeCodec::default();
    let frame = codec.encode(envelope).expect("a legal envelope").to_bytes();
    assert_frozen(file, name, &frame);
    assert_eq!(codec.decode_capped(frozen(file, name).into()).as_ref(), Ok(envelope));
}

fn ed25519() -> PeerId {
    PeerId::from_ed25519_public_key(&[7; 32])
}

/// Bytes in which no stretch looks like another.
fn content(len: usize) -> Bytes {
    (0..len).map(|index| (index % 251) as u8).collect()
}

#[test]
fn a_numbered_peer_id_is_frozen() {
    assert_peer_id_frozen("number 12", PeerId::from(12));
}

#[test]
fn an_ed25519_peer_id_is_frozen() {
    assert_peer_id_frozen("ed25519", ed25519());
}

#[test]
fn a_derived_peer_id_is_frozen() {
    assert_peer_id_frozen("derived", ed25519().derive("counter"));
}

#[test]
fn an_ip4_address_is_frozen() {
    assert_address_frozen("/ip4/192.0.2.7/tcp/4001");
}

#[test]
fn an_ip6_address_is_frozen() {
    assert_address_frozen("/ip6/2001:db8::7/udp/4001/quic-v1");
}

#[test]
fn a_dns_address_is_frozen() {
    assert_address_frozen("/dns/node.example/tcp/443/tls");
}

#[test]
fn a_memory_address_with_a_peer_is_frozen() {
    assert_address_frozen("/memory/12/p2p/12D3KooWAHQqaXWGqUUPVNQrKeVtwqWifydk6FP3Gnjn37XpSUzE");
}

#[test]
fn a_minimal_envelope_is_frozen() {
    let envelope = WireEnvelope { schema: SCHEMA, ..WireEnvelope::default() };
    assert_envelope_frozen("minimal", &envelope);
}

#[test]
fn an_envelope_with_every_field_is_frozen() {
    let fill = Fill {
        port: "counter/add".into(),
        type_id: "i64@1".into(),
        payload: content(8),
        blobs: vec![content(3), Bytes::new()],
    };
    let envelope = WireEnvelope {
        schema: SCHEMA,
        source: ed25519().derive("counter").to_bytes().into(),
        destination: PeerId::from(12).to_bytes().into(),
        incarnation: 3,
        boot_nonce: 0x0102_0304_0506_0708,
        stream: 4,
        stream_epoch: 5,
        seq: 300,
        redelivered: true,
        acks: vec![Ack { stream: 9, stream_epoch: 2, durable: 70_000, credit_bytes: 1 << 20 }],
        correlation: Correlation::Request.into(),
        request_id: 77,
        deadline_ns: Some(0),
        segment_parts: Vec::new(),
        fills: vec![fill, Fill::default()],
        refusals: vec![Refusal {
            stream: 8,
            stream_epoch: 1,
            seq: 2,
            reason: RefusalReason::Draining.into(),
        }],
        trace: Some(TraceContext { trace_high: 1, trace_low: u64::MAX, span: 2, flags: 1 }),
        chain: Some(ChainContext { chain_id: 6, hop_index: 7 }),
        claimed_addresses: vec![content(4)],
    };
    assert_envelope_frozen("every field", &envelope);
}

#[test]
fn an_envelope_with_segments_is_frozen() {
    let fill = Fill {
        port: "trainer/weights".into(),
        type_id: "tensor@1".into(),
        payload: content(1024),
        blobs: vec![content(5), content(5 * 1024)],
    };
    let envelope = WireEnvelope { schema: SCHEMA, fills: vec![fill], ..WireEnvelope::default() };
    assert_envelope_frozen("segments of 1 and 5 KiB", &envelope);
}

#[test]
fn a_node_snapshot_is_frozen() {
    let snapshot = NodeSnapshot {
        spec_version: 1,
        peer_id: PeerId::from(12).to_bytes().into(),
        incarnation: 3,
        plan_hash: content(32),
        config: Some(NodeConfigSnapshot { version: 1, body: content(2) }),
        graphs: vec![NamedGraphSnapshot {
            name: "main".into(),
            hash: content(4),
            model_bytes: content(6),
        }],
        components: vec![NamedComponentSnapshot {
            type_name: "counter".into(),
            instance_id: "counter#1".into(),
            package: "examples".into(),
            version: "0.1.0".into(),
            state_bytes: content(8),
        }],
        transient: Some(TransientSnapshot {
            parts: vec![SnapshotPart { name: "bus".into(), version: 2, body: content(5) }],
        }),
    };
    let file = include_str!("../../golden/snapshot.hex");
    assert_frozen(file, "every field", &snapshot.encode_to_vec());
    assert_eq!(NodeSnapshot::decode(frozen(file, "every field").as_slice()), Ok(snapshot));
}
