//! Each cap at its edge, and each malformed header by its error.

use bytes::Bytes;
use samsara_fuzz::framing::{Parts, join};
use samsara_fuzz::hostile::field;
use samsara_proto::wire::{Ack, Fill, Refusal, WireEnvelope};
use samsara_proto::{DecodeError, EnvelopeCaps, EnvelopeCodec, FrameError, PeerIdError};

use super::{frame, minimal, with_fills, with_payload};

const CAPS: EnvelopeCaps = EnvelopeCaps {
    envelope_bytes: 4096,
    fills: 3,
    payload_bytes: 1100,
    path_bytes: 10,
    claimed_addresses: 2,
    address_bytes: 5,
    acks: 2,
    unknown_fields: 2,
};

fn decode(envelope: WireEnvelope) -> Option<DecodeError> {
    EnvelopeCodec::new(CAPS).decode_capped(frame(envelope)).err()
}

/// What the prescan says of an honest version followed by `rest`, at offset 2.
fn scan(rest: &[u8]) -> Option<DecodeError> {
    scan_with_segments(rest, 0)
}

fn scan_with_segments(rest: &[u8], segments: usize) -> Option<DecodeError> {
    let header = [&[8, 1], rest].concat();
    EnvelopeCodec::new(CAPS).prescan(&header, segments).err()
}

fn too_many(field: &'static str, at: usize, cap: u32) -> Option<DecodeError> {
    Some(DecodeError::TooMany { field, at, cap })
}

fn too_long(field: &'static str, at: usize, got: u64, cap: u64) -> Option<DecodeError> {
    Some(DecodeError::TooLong { field, at, got, cap })
}

#[test]
fn the_number_of_fills_is_capped() {
    assert_eq!(decode(with_fills(vec![Fill::default(); 3])), None);
    assert_eq!(decode(with_fills(vec![Fill::default(); 4])), too_many("fills", 8, 3));
}

#[test]
fn the_number_of_blobs_is_capped_over_all_fills() {
    let fill = |count| Fill { blobs: vec![Bytes::new(); count], ..Fill::default() };
    assert_eq!(decode(with_fills(vec![fill(2), fill(1)])), None);
    assert_eq!(decode(with_fills(vec![fill(2), fill(2)])), too_many("fill.blobs", 12, 3));
}

#[test]
fn the_numbers_of_acks_and_refusals_are_capped() {
    let acks = |count| WireEnvelope { acks: vec![Ack::default(); count], ..minimal() };
    assert_eq!(decode(acks(2)), None);
    assert_eq!(decode(acks(3)), too_many("acks", 6, 2));

    let refusals = |count| WireEnvelope { refusals: vec![Refusal::default(); count], ..minimal() };
    assert_eq!(decode(refusals(2)), None);
    assert_eq!(decode(refusals(3)), too_many("refusals", 8, 2));
}

#[test]
fn claimed_addresses_are_capped_in_number_and_length() {
    let claim = |lens: &[usize]| {
        let claimed_addresses = lens.iter().map(|len| vec![4; *len].into()).collect();
        decode(WireEnvelope { claimed_addresses, ..minimal() })
    };
    assert_eq!(claim(&[5, 5]), None);
    assert_eq!(claim(&[5, 5, 5]), too_many("claimed_addresses", 18, 2));
    assert_eq!(claim(&[6]), too_long("claimed_addresses", 2, 6, 5));
}

#[test]
fn ports_and_type_ids_are_capped() {
    let port = |len| with_fills(vec![Fill { port: "p".repeat(len).into(), ..Fill::default() }]);
    assert_eq!(decode(port(10)), None);
    assert_eq!(decode(port(11)), too_long("fill.port", 4, 11, 10));

    let type_id =
        |len| with_fills(vec![Fill { type_id: "t".repeat(len).into(), ..Fill::default() }]);
    assert_eq!(decode(type_id(10)), None);
    assert_eq!(decode(type_id(11)), too_long("fill.type_id", 4, 11, 10));
}

#[test]
fn payloads_and_blobs_are_capped_in_the_header_and_in_segments() {
    assert_eq!(decode(with_payload(1100)), None);
    let error = FrameError::SegmentTooLong { segment: 0, got: 1101, cap: 1100 };
    assert_eq!(decode(with_payload(1101)), Some(error.into()));

    assert_eq!(scan(&field(15, &field(3, &[0; 1100]))), None);
    let too_long_at = |field| too_long(field, 5, 1101, 1100);
    assert_eq!(scan(&field(15, &field(3, &[0; 1101]))), too_long_at("fill.payload"));
    assert_eq!(scan(&field(15, &field(4, &[0; 1101]))), too_long_at("fill.blobs"));
}

#[test]
fn the_envelope_as_a_whole_is_capped() {
    let unknown = |len| frame_of(&field(100, &vec![0; len]));
    // 16 of prefix, 2 of version, and 4 before the content.
    assert_eq!(unknown(4096 - 22), None);
    let error = FrameError::TooLong { got: 4097, cap: 4096 };
    assert_eq!(unknown(4096 - 21), Some(error.into()));
    assert_eq!(scan(&[0; 4095]), too_long("envelope", 0, 4097, 4096));
}

fn frame_of(rest: &[u8]) -> Option<DecodeError> {
    let header = [&[8, 1], rest].concat();
    let bytes = join(&Parts { header, segments: Vec::new() });
    EnvelopeCodec::new(CAPS).decode_capped(bytes.into()).err()
}

#[test]
fn unknown_fields_are_capped_over_all_messages() {
    let each_wire_type = [[0xa0, 6, 9].as_slice(), &[0xa5, 6, 0, 0, 0, 0]];
    assert_eq!(scan(&each_wire_type.concat()), None);
    let fixed64 = [0xa1, 6, 0, 0, 0, 0, 0, 0, 0, 0];
    let other_wire_types = [field(100, &[1]), fixed64.to_vec()];
    assert_eq!(scan(&other_wire_types.concat()), None);

    let in_a_fill = field(15, &[0x28, 0, 0x30, 0]);
    assert_eq!(scan(&in_a_fill), None);
    let and_one_more = [in_a_fill.as_slice(), &[0xa0, 6, 9]].concat();
    assert_eq!(scan(&and_one_more), too_many("unknown", 8, 2));
}

#[test]
fn an_envelope_of_no_or_another_version_is_refused() {
    let scan = |header: &[u8]| EnvelopeCodec::new(CAPS).prescan(header, 0).err();
    let unknown = |got| Some(DecodeError::UnknownVersion { got });
    assert_eq!(scan(&[]), unknown(0));
    assert_eq!(scan(&[0x20, 1]), unknown(0));
    assert_eq!(scan(&[8, 0]), unknown(0));
    assert_eq!(scan(&[8, 2, 0xff]), unknown(2));
    assert_eq!(scan(&[8, 0x81, 0x80, 0x80, 0x80, 0x10]), unknown(1 << 32 | 1));
    assert_eq!(scan(&[8, 1]), None);
}

#[test]
fn a_field_that_is_cut_short_is_refused() {
    let truncated = |field, at| Some(DecodeError::Truncated { field, at });
    assert_eq!(scan(&[0x80]), truncated("key", 2));
    assert_eq!(scan(&[0x20]), truncated("incarnation", 2));
    assert_eq!(scan(&[0x20, 0x80]), truncated("incarnation", 2));
    assert_eq!(scan(&[0x29, 0, 0, 0, 0, 0, 0, 0]), truncated("boot_nonce", 2));
    assert_eq!(scan(&[0x12, 2, 0]), truncated("source", 2));
    assert_eq!(scan(&[0xa0, 6]), truncated("unknown", 2));
    // The length of the inner field exceeds the fill, not the header.
    assert_eq!(scan(&[0x7a, 2, 0x0a, 1, 0x20, 1]), truncated("fill.port", 4));
}

#[test]
fn a_varint_over_64_bits_is_refused() {
    let too_long = Some(DecodeError::VarintTooLong { field: "incarnation", at: 2 });
    let ten = |last| [[0x20].as_slice(), &[0xff; 9], &[last]].concat();
    assert_eq!(scan(&ten(1)), None);
    assert_eq!(scan(&ten(2)), too_long);
    assert_eq!(scan(&[ten(0x80).as_slice(), &[0]].concat()), too_long);
}

#[test]
fn a_key_without_a_field_number_is_refused() {
    assert_eq!(scan(&[0x02, 0]), Some(DecodeError::BadKey { at: 2, key: 2 }));
    let key = 1 << 32;
    assert_eq!(scan(&[0x80, 0x80, 0x80, 0x80, 0x10, 0]), Some(DecodeError::BadKey { at: 2, key }));
}

#[test]
fn groups_are_refused() {
    for (key, got) in [(0xa3, 3), (0xa4, 4), (0xa6, 6), (0xa7, 7)] {
        assert_eq!(scan(&[key, 6, 0xa4, 6]), Some(DecodeError::Unskippable { at: 2, got }));
    }
}

#[test]
fn a_known_field_of_another_wire_type_is_refused() {
    let wire_type = |field, wanted, got| Some(DecodeError::WireType { field, at: 2, wanted, got });
    assert_eq!(scan(&[0x22, 0]), wire_type("incarnation", 0, 2));
    assert_eq!(scan(&[0x28, 0]), wire_type("boot_nonce", 1, 0));
    assert_eq!(scan(&[0x10, 0]), wire_type("source", 2, 0));
    assert_eq!(scan(&[0x70, 0]), wire_type("segment_parts", 2, 0));
}

#[test]
fn a_second_singular_field_is_refused() {
    let duplicate = |field, at| Some(DecodeError::Duplicate { field, at });
    assert_eq!(scan(&[8, 1]), duplicate("schema", 2));
    assert_eq!(scan(&[0x12, 0, 0x12, 0]), duplicate("source", 4));
    let trace = field(17, &[]);
    assert_eq!(scan(&trace.repeat(2)), duplicate("trace", 5));
    assert_eq!(scan(&field(15, &field(3, &[]).repeat(2))), duplicate("fill.payload", 6));
    assert_eq!(scan(&field(15, &field(1, b"a")).repeat(2)), None, "each fill has its own port");
}

#[test]
fn a_value_that_is_not_known_is_refused() {
    let out_of_range = |field, at, got, max| Some(DecodeError::OutOfRange { field, at, got, max });
    assert_eq!(scan(&[0x48, 2]), out_of_range("redelivered", 2, 2, 1));
    assert_eq!(scan(&[0x58, 3]), out_of_range("correlation", 2, 3, 2));
    let refusal = field(16, &[0x20, 8]);
    assert_eq!(scan(&refusal), out_of_range("refusal.reason", 5, 8, 7));
    let (over, max) = (1 << 32, u64::from(u32::MAX));
    let chain = field(18, &[0x10, 0x80, 0x80, 0x80, 0x80, 0x10]);
    assert_eq!(scan(&chain), out_of_range("chain.hop_index", 5, over, max));
}

#[test]
fn a_text_that_is_not_utf_8_is_refused() {
    let error = Some(DecodeError::NotUtf8 { field: "fill.port", at: 4 });
    assert_eq!(scan(&field(15, &field(1, &[0xff]))), error);
}

#[test]
fn a_source_or_destination_that_is_no_peer_id_is_refused() {
    let peer_id = |field| {
        let source = PeerIdError::Truncated { part: "digest", wanted: 8, got: 1, at: 2 };
        Some(DecodeError::PeerId { field, at: 2, source })
    };
    assert_eq!(scan(&field(2, &[0, 8, 0])), peer_id("source"));
    assert_eq!(scan(&field(3, &[0, 8, 0])), peer_id("destination"));
}

#[test]
fn segments_and_the_parts_that_name_them_must_agree() {
    let scan = |parts: &[u8], fills: &[Vec<u8>], segments| {
        scan_with_segments(&[field(14, parts), fills.concat()].concat(), segments)
    };
    let empty = field(15, &[]);
    let two_blobs = field(15, &[field(4, &[]), field(4, &[])].concat());

    assert_eq!(scan(&[0], std::slice::from_ref(&empty), 1), None);
    assert_eq!(scan(&[1, 2, 3], &[two_blobs.clone(), empty.clone()], 3), None);

    let no_such_part = |part, parts| Some(DecodeError::NoSuchPart { part, parts });
    assert_eq!(scan(&[0], &[], 1), no_such_part(0, 0));
    assert_eq!(scan(&[0, 4], &[two_blobs.clone(), empty.clone()], 2), no_such_part(4, 4));

    let count = |named, carried| Some(DecodeError::SegmentCount { named, carried });
    assert_eq!(scan(&[0], std::slice::from_ref(&empty), 2), count(1, 2));
    assert_eq!(scan(&[0], std::slice::from_ref(&empty), 0), count(1, 0));
    assert_eq!(scan(&[], &[], 1), count(0, 1));

    let out_of_order = |got, least| Some(DecodeError::PartsOutOfOrder { at: 5, got, least });
    assert_eq!(scan(&[0, 0], std::slice::from_ref(&two_blobs), 2), out_of_order(0, 1));
    assert_eq!(scan(&[2, 1], &[two_blobs], 2), out_of_order(1, 3));

    let long = Some(DecodeError::Truncated { field: "segment_parts", at: 4 });
    assert_eq!(scan(&[0x80], &[], 1), long);
}

#[test]
fn a_part_in_a_segment_is_empty_in_the_header() {
    let parts = |numbers: &[u8], fill: &[u8]| {
        scan_with_segments(&[field(14, numbers), field(15, fill)].concat(), 1)
    };
    let part_twice = |field, at| Some(DecodeError::PartTwice { field, at });
    assert_eq!(parts(&[0], &field(3, &[1])), part_twice("fill.payload", 7));
    assert_eq!(parts(&[1], &field(4, &[1])), part_twice("fill.blobs", 7));
    // Blobs may come first, and then the payload is still part 0.
    let blob_first = [field(4, &[1]), field(3, &[2])].concat();
    assert_eq!(parts(&[0], &blob_first), part_twice("fill.payload", 10));
}

#[test]
fn part_numbers_come_before_the_fills() {
    let late = [field(15, &[]), field(14, &[0])].concat();
    assert_eq!(scan_with_segments(&late, 1), Some(DecodeError::PartsAfterFills { at: 4 }));
}
