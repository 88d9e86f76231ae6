//! What must hold on any input.
//!
//! Law: each target states its promises as assertions and knows nothing else of the code.

use bytes::{Buf, Bytes, BytesMut};
use prost::Message;
use samsara_proto::{Address, DecodeError, EnvelopeCaps, EnvelopeCodec, PeerId, WireEnvelope};

/// A frame that is taken gives an envelope that can be sent, and comes back the same.
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
    let sent = codec.encode(envelope.clone()).expect("what was taken can be sent");
    let bytes = sent.to_bytes();
    assert_eq!(bytes.len(), sent.len());
    assert_eq!(codec.decode_capped(bytes.clone()).as_ref(), Ok(&envelope), "it comes back changed");
    assert_eq!(read_in_steps(sent), bytes, "its pieces differ from the whole");

    let again = codec.encode(envelope).expect("it was sent before");
    assert_eq!(again.to_bytes(), bytes, "equal envelopes give different bytes");
}

/// What the prescan takes prost takes, and what the prescan calls malformed prost refuses.
///
/// The first byte is the number of segments, the rest is the header.
pub fn prescan_versus_prost(data: &[u8]) {
    let Some((&segments, header)) = data.split_first() else { return };
    let codec = EnvelopeCodec::new(EnvelopeCaps::default());
    let scanned = codec.prescan(header, segments.into());
    let decoded = WireEnvelope::decode(header);
    match (scanned, decoded) {
        (Ok(()), Err(error)) => panic!("prost refuses what the prescan took: {error}"),
        (Ok(()), Ok(envelope)) => {
            let again = envelope.encode_to_vec();
            assert_eq!(
                codec.prescan(&again, segments.into()),
                Ok(()),
                "its canonical form is refused"
            );
        }
        (Err(error), Ok(_)) => assert!(is_stricter(&error), "only the prescan refuses: {error}"),
        (Err(_), Err(_)) => {}
    }
}

/// Whether an error is about a rule that protobuf itself does not have.
fn is_stricter(error: &DecodeError) -> bool {
    match error {
        DecodeError::Frame(_)
        | DecodeError::Protobuf(_)
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
