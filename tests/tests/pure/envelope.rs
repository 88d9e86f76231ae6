//! Envelopes: what goes in comes out, nothing is copied, and each cap and each malformed kind has
//! its typed refusal.

mod generated;
mod refusals;

use bytes::Bytes;
use proptest::prelude::*;
use samsara_fuzz::framing::join;
use samsara_fuzz::oracle;
use samsara_proto::wire::{Correlation, Fill, Refusal, SCHEMA, WireEnvelope};
use samsara_proto::{EncodeError, EnvelopeCaps, EnvelopeCodec, PeerId, PeerIdError};

fn minimal() -> WireEnvelope {
    WireEnvelope { schema: SCHEMA, ..WireEnvelope::default() }
}

fn with_fills(fills: Vec<Fill>) -> WireEnvelope {
    WireEnvelope { fills, ..minimal() }
}

fn with_payload(len: usize) -> WireEnvelope {
    with_fills(vec![Fill { payload: vec![7; len].into(), ..Fill::default() }])
}

fn frame(envelope: WireEnvelope) -> Bytes {
    EnvelopeCodec::default().encode(&envelope).expect("a legal envelope").to_bytes()
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(envelope in generated::envelope()) {
        // No unknown field is allowed: every field that prost writes has its rule.
        let caps = EnvelopeCaps { unknown_fields: 0, ..EnvelopeCaps::default() };
        let codec = EnvelopeCodec::new(caps);
        let bytes = codec.encode(&envelope).expect("a legal envelope").to_bytes();
        prop_assert_eq!(&join(&oracle::write(&envelope)), &bytes, "prost writes it differently");
        prop_assert_eq!(codec.decode_capped(bytes), Ok(envelope));
    }
}

#[test]
fn a_large_payload_is_decoded_where_it_was_received() {
    let bytes = frame(with_payload(1 << 20));
    let envelope = EnvelopeCodec::default().decode_capped(bytes.clone()).expect("a legal frame");
    let payload = &envelope.fills[0].payload;
    assert_eq!(payload.len(), 1 << 20);
    assert_eq!(payload.as_ptr(), bytes[64..].as_ptr(), "it was copied");
    assert_eq!(payload.as_ptr().addr() % 64, 0, "it is not aligned");
}

#[test]
fn a_small_payload_is_decoded_where_it_was_received() {
    let bytes = frame(with_payload(1023));
    let envelope = EnvelopeCodec::default().decode_capped(bytes.clone()).expect("a legal frame");
    assert!(bytes.as_ptr_range().contains(&envelope.fills[0].payload.as_ptr()), "it was copied");
}

#[test]
fn a_payload_of_a_kib_travels_as_a_segment() {
    let segments = |len| {
        let frame = EnvelopeCodec::default().encode(&with_payload(len)).expect("a legal envelope");
        frame.slices().filter(|slice| slice.len() == len).count()
    };
    assert_eq!(segments(1023), 0);
    assert_eq!(segments(1024), 1);
}

#[test]
fn the_sender_refuses_what_its_own_caps_forbid() {
    let caps = EnvelopeCaps {
        envelope_bytes: 3000,
        fills: 2,
        payload_bytes: 2000,
        ..EnvelopeCaps::edge()
    };
    let codec = EnvelopeCodec::new(caps);
    let refuse = |envelope: WireEnvelope| codec.encode(&envelope).err();

    assert_eq!(refuse(with_payload(2000)), None);
    let error = EncodeError::TooLong { field: "fill.payload", got: 2001, cap: 2000 };
    assert_eq!(refuse(with_payload(2001)), Some(error));

    assert_eq!(refuse(with_fills(vec![Fill::default(); 2])), None);
    let error = EncodeError::TooMany { field: "fills", cap: 2 };
    assert_eq!(refuse(with_fills(vec![Fill::default(); 3])), Some(error));

    let blobs = vec![Bytes::from(vec![7; 1500]); 2];
    let both = with_fills(vec![Fill { blobs, ..Fill::default() }]);
    // 64 bytes of header and padding, 1500 padded to 1536, and 1500.
    let error = EncodeError::TooLong { field: "envelope", got: 3100, cap: 3000 };
    assert_eq!(refuse(both), Some(error));
}

#[test]
fn the_sender_refuses_what_is_no_envelope() {
    let refuse = |envelope: WireEnvelope| EnvelopeCodec::default().encode(&envelope).err();

    let old = WireEnvelope::default();
    assert_eq!(refuse(old), Some(EncodeError::UnknownVersion { got: 0 }));

    let named = WireEnvelope { segment_parts: vec![0], ..minimal() };
    assert_eq!(refuse(named), Some(EncodeError::SegmentParts { got: 1 }));

    let correlated = WireEnvelope { correlation: Correlation::Response as i32 + 1, ..minimal() };
    assert_eq!(
        refuse(correlated),
        Some(EncodeError::UnknownValue { field: "correlation", got: 3 })
    );

    let refusals = vec![Refusal { reason: -1, ..Refusal::default() }];
    let error = EncodeError::UnknownValue { field: "refusal.reason", got: -1 };
    assert_eq!(refuse(WireEnvelope { refusals, ..minimal() }), Some(error));

    let cut: Bytes = PeerId::from(12).to_bytes()[..9].to_vec().into();
    let anonymous = WireEnvelope { destination: cut, ..minimal() };
    let source = PeerIdError::Truncated { part: "digest", wanted: 8, got: 7, at: 2 };
    assert_eq!(refuse(anonymous), Some(EncodeError::PeerId { field: "destination", source }));
}
