//! Frames: what the prefix tells, how segments lie, and how each malformed frame is refused.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use proptest::prelude::*;
use samsara_fuzz::framing::{Parts, join, seal, split};
use samsara_proto::wire::{Fill, SCHEMA, WireEnvelope};
use samsara_proto::{
    EncodedFrame, EnvelopeCaps, EnvelopeCodec, Frame, FrameError, FrameKind, FramePrefix,
};

const CAPS: EnvelopeCaps =
    EnvelopeCaps { envelope_bytes: 1000, fills: 1, payload_bytes: 300, ..EnvelopeCaps::edge() };

fn frame(segment_lens: &[usize]) -> Vec<u8> {
    let segments = segment_lens.iter().map(|len| vec![7; *len]).collect();
    join(&Parts { header: vec![8, 1], segments })
}

/// A frame after `change`, with a checksum that agrees.
fn changed(segment_lens: &[usize], change: impl FnOnce(&mut Vec<u8>)) -> Result<Frame, FrameError> {
    let mut bytes = frame(segment_lens);
    change(&mut bytes);
    seal(&mut bytes);
    Frame::parse(bytes.into(), &CAPS)
}

fn encoded(payload: Bytes) -> EncodedFrame {
    let fill = Fill { payload: payload.clone(), blobs: vec![payload], ..Fill::default() };
    let envelope = WireEnvelope { schema: SCHEMA, fills: vec![fill], ..WireEnvelope::default() };
    EnvelopeCodec::default().encode(&envelope).expect("a legal envelope")
}

#[test]
fn a_well_formed_frame_gives_its_header_and_segments() {
    let bytes = Bytes::from(frame(&[300, 1]));
    let frame = Frame::parse(bytes.clone(), &CAPS).expect("a well-formed frame");
    assert_eq!(frame.kind(), FrameKind::Envelope);
    assert_eq!(frame.header(), [8, 1].as_slice());
    assert_eq!(frame.header().as_ptr(), bytes[24..].as_ptr(), "a slice of the frame");
    assert_eq!(frame.segment_count(), 2);
    let segments: Vec<_> = frame.segments().collect();
    assert_eq!(segments, [vec![7; 300], vec![7; 1]]);
    assert_eq!(segments[0].as_ptr(), bytes[64..].as_ptr());
    assert_eq!(segments[1].as_ptr(), bytes[384..].as_ptr());
    assert_eq!(bytes.len(), 385, "nothing follows the last segment");
}

#[test]
fn a_frame_without_segments_has_no_padding() {
    assert_eq!(frame(&[]).len(), FramePrefix::LEN + 2);
    assert!(changed(&[], |_| {}).is_ok());
}

#[test]
fn a_prefix_tells_the_length_of_the_frame_and_gives_an_aligned_buffer() {
    let bytes = frame(&[300, 200]);
    let prefix = FramePrefix::parse(&bytes[..16], &CAPS).expect("a legal prefix");
    assert_eq!(prefix.total_len(), bytes.len());
    assert_eq!(prefix.kind(), FrameKind::Envelope);

    let mut buffer = prefix.buffer();
    let start = buffer.as_ptr();
    assert!(buffer.is_empty() && buffer.capacity() >= bytes.len());
    buffer.extend_from_slice(&bytes);
    let received = buffer.freeze();
    assert_eq!(received.as_ptr(), start, "filling and freezing moved it");
    let frame = Frame::parse(received, &CAPS).expect("a well-formed frame");
    assert!(frame.segments().all(|segment| segment.as_ptr().addr() % 64 == 0));
}

#[test]
fn every_flipped_bit_before_the_segments_is_noticed() {
    let whole = frame(&[300, 200]);
    for bit in 0..8 * 64 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Frame::parse(flipped.into(), &CAPS).is_err(), "bit {bit}");
    }
}

#[test]
fn every_truncation_and_every_extension_is_noticed() {
    let whole = frame(&[300, 200]);
    for len in 0..whole.len() {
        let cut = Bytes::copy_from_slice(&whole[..len]);
        assert!(Frame::parse(cut, &CAPS).is_err(), "cut to {len}");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    let wanted = whole.len();
    let error = FrameError::WrongLength { wanted, got: wanted + 1 };
    assert_eq!(Frame::parse(longer.into(), &CAPS).err(), Some(error));
}

#[test]
fn a_short_prefix_is_refused() {
    let error = FrameError::Truncated { wanted: 16, got: 15 };
    assert_eq!(FramePrefix::parse(&[0; 15], &CAPS), Err(error));
}

#[test]
fn another_version_or_kind_is_refused() {
    let error = changed(&[], |bytes| bytes[11] = 2).err();
    assert_eq!(error, Some(FrameError::UnknownVersion { got: 2 }));
    let error = changed(&[], |bytes| bytes[10] = 0).err();
    assert_eq!(error, Some(FrameError::UnknownKind { got: 0 }));
}

#[test]
fn a_frame_over_the_cap_is_refused_by_its_prefix() {
    let claim = |len: u32| {
        let mut bytes = frame(&[]);
        bytes[..4].copy_from_slice(&len.to_le_bytes());
        FramePrefix::parse(&bytes, &CAPS)
    };
    assert!(claim(1000 - 16).is_ok());
    assert_eq!(claim(1000 - 15), Err(FrameError::TooLong { got: 1001, cap: 1000 }));
    let got = u64::from(u32::MAX) + 16;
    assert_eq!(claim(u32::MAX), Err(FrameError::TooLong { got, cap: 1000 }));
}

#[test]
fn a_frame_has_at_most_two_segments_for_each_fill() {
    assert!(changed(&[1, 1], |_| {}).is_ok());
    let error = FrameError::TooManySegments { got: 3, cap: 2 };
    assert_eq!(changed(&[1, 1, 1], |_| {}).err(), Some(error));
}

#[test]
fn a_header_beyond_the_frame_is_refused() {
    let error = FrameError::HeaderTooLong { wanted: 19, total: 18 };
    assert_eq!(changed(&[], |bytes| bytes[4] = 3).err(), Some(error));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut bytes = frame(&[]);
    bytes[17] = 2;
    let error = Frame::parse(bytes.into(), &CAPS).err();
    assert!(matches!(error, Some(FrameError::Checksum { .. })), "{error:?}");
}

#[test]
fn an_empty_segment_is_refused() {
    let error = FrameError::EmptySegment { segment: 1 };
    assert_eq!(changed(&[1, 0], |_| {}).err(), Some(error));
}

#[test]
fn a_segment_over_the_cap_is_refused() {
    assert!(changed(&[300], |_| {}).is_ok());
    let error = FrameError::SegmentTooLong { segment: 0, got: 301, cap: 300 };
    assert_eq!(changed(&[301], |_| {}).err(), Some(error));
}

#[test]
fn a_segment_beyond_the_frame_is_refused() {
    let error = FrameError::SegmentCut { segment: 0, wanted: 11, got: 10 };
    assert_eq!(changed(&[10], |bytes| bytes[16] = 11).err(), Some(error));
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    for at in [26, 63, 65, 127] {
        let error = FrameError::DirtyPadding { at };
        assert_eq!(changed(&[1, 1], |bytes| bytes[at] = 1).err(), Some(error));
    }
}

#[test]
fn bytes_after_the_last_segment_are_refused() {
    let error = FrameError::TrailingBytes { wanted: 73, got: 74 };
    assert_eq!(changed(&[10], |bytes| bytes[16] = 9).err(), Some(error));
}

#[test]
fn a_vectored_write_sends_the_segments_themselves() {
    let payload = Bytes::from(vec![7; 2000]);
    let frame = encoded(payload.clone());
    let mut slices = [IoSlice::new(&[]); 8];
    let count = frame.chunks_vectored(&mut slices);
    let sent: Vec<&[u8]> = slices[..count].iter().map(|slice| &**slice).collect();
    assert_eq!(sent.concat(), frame.to_bytes());
    let sent: Vec<_> = sent.iter().filter(|it| it.len() == 2000).collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|slice| slice.as_ptr() == payload.as_ptr()));
}

proptest! {
    #[test]
    fn what_is_left_after_any_advance_is_the_rest_of_the_frame(
        payload in 0_usize..3000, advance in 0.0..=1.0
    ) {
        let mut frame = encoded(vec![7; payload].into());
        let whole = frame.to_bytes();
        prop_assert_eq!(frame.len(), whole.len());
        let at = (whole.len() as f64 * advance) as usize;
        frame.advance(at);
        prop_assert_eq!(frame.remaining(), whole.len() - at);
        prop_assert_eq!(frame.has_remaining(), !frame.chunk().is_empty());
        prop_assert_eq!(frame.to_bytes(), whole.slice(at..));
        prop_assert_eq!(frame.copy_to_bytes(frame.remaining()), whole.slice(at..));
        prop_assert!(frame.is_empty());
    }

    #[test]
    fn an_encoded_frame_is_laid_out_as_an_independent_reader_expects(
        payload in proptest::collection::vec(any::<u8>(), 0..3000)
    ) {
        let bytes = encoded(payload.clone().into()).to_bytes();
        let parts = split(&bytes).expect("a right checksum and right lengths");
        let in_segments = if payload.len() < 1024 { vec![] } else { vec![payload.clone(), payload] };
        prop_assert_eq!(&parts.segments, &in_segments);
        prop_assert_eq!(join(&parts), bytes);
    }
}
