//! What must hold on any input.
//!
//! Law: each target states its promises as assertions and knows nothing else of the code.

use bytes::{Buf, Bytes, BytesMut};
use prost::Message;
use samsara_proto::{Address, DecodeError, EnvelopeCaps, EnvelopeCodec, PeerId, WireEnvelope};

use crate::framing::{Parts, join};
use crate::oracle;

/// A frame that is taken gives an envelope that can be sent as prost would, and comes back the same.
pub fn envelope(data: &[u8]) {
    let codec = EnvelopeCodec::new(EnvelopeCaps::default());
    let taken = codec.decode_capped(Bytes::copy_from_slice(data));
    let small =
        EnvelopeCodec::new(EnvelopeCaps::edge()).decode_capped(Bytes::copy_from_slice(data));
    let Ok(envelope) = taken else {
        assert!(small.is_err(), "smaller caps take what larger ones refuse");
        return;
    };
    if let Ok(small) = small {
        assert_eq!(small, envelope, "caps change what is read");
    }
    let sent = codec.encode(&envelope).expect("what was taken can be sent");
    let bytes = sent.to_bytes();
    assert_eq!(bytes.len(), sent.len());
    assert_eq!(codec.decode_capped(bytes.clone()).as_ref(), Ok(&envelope), "it comes back changed");
    assert_eq!(read_in_steps(sent), bytes, "its pieces differ from the whole");
    assert_eq!(join(&oracle::write(&envelope)), bytes, "prost writes it differently");
}

/// What is taken prost reads the same, what is called malformed prost refuses, and the prescan
/// refuses what decoding would.
///
/// The first byte is the number of segments, the rest is the header.
pub fn prescan_versus_prost(data: &[u8]) {
    let Some((&count, header)) = data.split_first() else { return };
    // Each segment has content of its own: a mix-up would show.
    let segments = (1..=count).map(|number| vec![number]).collect();
    let parts = Parts { header: header.to_vec(), segments };
    let codec = EnvelopeCodec::new(EnvelopeCaps::default());
    let scanned = codec.prescan(header, count.into());
    let decoded = codec.decode_capped(join(&parts).into());
    assert_eq!(decoded.as_ref().err(), scanned.as_ref().err(), "two walks refuse differently");
    match (decoded, oracle::read(&parts)) {
        (Ok(_), Err(error)) => panic!("prost refuses what was taken: {error}"),
        (Ok(envelope), Ok(expected)) => {
            assert_eq!(envelope, expected, "prost reads it differently");
            let again = WireEnvelope::decode(header).map(|it| it.encode_to_vec());
            let again = again.expect("prost read it before");
            assert_eq!(
                codec.prescan(&again, count.into()),
                Ok(()),
                "its canonical form is refused"
            );
        }
        (Err(error), Ok(_)) => assert!(is_stricter(&error), "only the codec refuses: {error}"),
        (Err(_), Err(_)) => {}
    }
}

/// Whether an error is about a rule that protobuf itself does not have.
fn is_stricter(error: &DecodeError) -> bool {
    match error {
        DecodeError::Frame(_)
        | DecodeError::Truncated { .. }
        | DecodeError::VarintTooLong { .. }
        | DecodeError::NotUtf8 { .. }
        | DecodeError::BadKey { .. } => false,
        // Protobuf also reads numbers that are not packed.
        DecodeError::WireType { field, .. } => *field == "segment_parts",
        _ => true,
    }
}

/// An id that is read writes the same bytes, and its text reads back.
pub fn peer_id(data: &[u8]) {
    if let Ok(id) = PeerId::from_bytes(data) {
        assert_eq!(id.to_bytes(), data);
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Some(id) = std::str::from_utf8(data).ok().and_then(|text| text.parse::<PeerId>().ok()) {
        assert_eq!(PeerId::from_bytes(&id.to_bytes()), Ok(id));
        assert_eq!(id.to_string().as_bytes(), data);
    }
}

/// An address that is read writes the same bytes, and its text reads back.
pub fn address(data: &[u8]) {
    if let Ok(address) = Address::from_bytes(data) {
        assert_eq!(address.to_bytes(), data);
        assert_eq!(address.to_string().parse().as_ref(), Ok(&address));
    }
    if let Some(address) =
        std::str::from_utf8(data).ok().and_then(|text| text.parse::<Address>().ok())
    {
        assert_eq!(Address::from_bytes(&address.to_bytes()).as_ref(), Ok(&address));
        assert_eq!(address.to_string().parse().as_ref(), Ok(&address));
    }
}

/// Reads as a socket would that takes a different amount each time.
fn read_in_steps(mut frame: impl Buf) -> Bytes {
    let mut read = BytesMut::new();
    for step in (1..=4096).cycle() {
        if !frame.has_remaining() {
            break;
        }
        let step = step.min(frame.chunk().len());
        read.extend_from_slice(&frame.chunk()[..step]);
        frame.advance(step);
    }
    read.freeze()
}
