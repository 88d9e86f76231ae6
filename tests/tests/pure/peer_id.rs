//! Peer ids, held against the multihash crate and against the peer ids of libp2p.

use std::collections::{BTreeSet, HashSet};

use multiaddr::multihash::Multihash;
use proptest::collection::vec;
use proptest::prelude::*;
use samsara_proto::{PeerId, PeerIdError};

/// Codes below 2^63, which is all that a varint of nine bytes can say, the common ones often.
fn codes() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(0x12), Just(0x13), 0..300_u64, 0..1_u64 << 63]
}

/// Encoded multihashes, made by the multihash crate.
fn multihashes() -> impl Strategy<Value = Vec<u8>> {
    (codes(), vec(any::<u8>(), 0..=64)).prop_map(|(code, digest)| {
        Multihash::<64>::wrap(code, &digest).expect("64 bytes fit").to_bytes()
    })
}

/// Multihashes with one byte changed, so that most of them are nearly right.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (multihashes(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, byte)| {
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    })
}

/// What we accept we write back, and we accept what the multihash crate accepts, no more; but for
/// its ten byte varints, which are no multiformats varints and lose bits.
fn agree(bytes: &[u8]) {
    let theirs = Multihash::<64>::from_bytes(bytes);
    match PeerId::from_bytes(bytes) {
        Ok(ours) => {
            assert_eq!(ours.to_bytes(), bytes);
            assert_eq!(theirs.expect("we accepted it").to_bytes(), bytes);
        }
        Err(PeerIdError::VarintTooLong { .. }) => {}
        Err(error) => assert!(theirs.is_err(), "{error} but the crate accepts {bytes:?}"),
    }
    if let Ok(theirs) = multiaddr::PeerId::from_bytes(bytes)
        && theirs.to_bytes() == bytes
    {
        let ours = PeerId::from_bytes(bytes).expect("libp2p accepts it");
        assert_eq!(ours.to_string(), theirs.to_string());
    }
}

proptest! {
    #[test]
    fn bytes_of_any_multihash_round_trip(bytes in multihashes()) {
        let peer = PeerId::from_bytes(&bytes).expect("a multihash");
        prop_assert_eq!(peer.to_bytes(), &bytes[..]);
        prop_assert_eq!(peer.encoded_len(), bytes.len());
        let mut appended = vec![0xaa];
        peer.write_to(&mut appended);
        prop_assert_eq!(&appended[1..], &bytes[..]);
    }

    #[test]
    fn text_of_any_multihash_round_trips(bytes in multihashes()) {
        let peer = PeerId::from_bytes(&bytes).expect("a multihash");
        prop_assert_eq!(peer.to_string().parse(), Ok(peer));
        prop_assert_eq!(format!("{peer:?}"), format!("PeerId({peer})"));
    }

    #[test]
    fn random_bytes_are_read_as_others_read_them(bytes in vec(any::<u8>(), 0..80)) {
        agree(&bytes);
    }

    #[test]
    fn damaged_ids_are_read_as_others_read_them(bytes in damaged()) {
        agree(&bytes);
    }

    #[test]
    fn random_text_is_read_as_libp2p_reads_it(text in "[1-9A-HJ-NP-Za-km-z0OIl+ é]{0,110}") {
        if let Ok(theirs) = text.parse::<multiaddr::PeerId>() {
            let ours: PeerId = text.parse().expect("libp2p accepts it");
            prop_assert_eq!(ours.to_bytes(), theirs.to_bytes());
        }
        if let Ok(ours) = text.parse::<PeerId>() {
            prop_assert_eq!(ours.to_string(), text);
        }
    }

    #[test]
    fn an_ed25519_id_gives_its_key_back(key in any::<[u8; 32]>()) {
        let peer = PeerId::from_ed25519_public_key(&key);
        prop_assert_eq!(&peer.to_bytes()[..6], [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
        prop_assert_eq!(&peer.to_bytes()[6..], key);
        prop_assert_eq!(peer.ed25519_public_key(), Some(key));

        let theirs = multiaddr::PeerId::from_bytes(&peer.to_bytes()).expect("a libp2p id");
        prop_assert_eq!(peer.to_string(), theirs.to_string());
    }

    #[test]
    fn order_is_total_and_agrees_with_equality(a in multihashes(), b in multihashes()) {
        let [x, y] = [&a, &b].map(|bytes| PeerId::from_bytes(bytes).expect("a multihash"));
        prop_assert_eq!(x == y, a == b);
        prop_assert_eq!(x.cmp(&y).is_eq(), a == b);
        prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
    }
}

#[test]
fn ids_that_libp2p_publishes_are_read() {
    let hashed = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
    let peer: PeerId = hashed.parse().expect("a sha2-256 id");
    assert_eq!(peer.to_bytes()[..2], [0x12, 0x20]);
    assert_eq!(peer.ed25519_public_key(), None);
    assert_eq!(peer.to_string(), hashed);

    let inlined = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
    let peer: PeerId = inlined.parse().expect("an ed25519 id");
    assert!(peer.ed25519_public_key().is_some());
    assert_eq!(peer.to_string(), inlined);
}

#[test]
fn a_number_is_an_identity_of_eight_big_endian_bytes() {
    let bytes = [0x00, 0x08, 0, 0, 0, 0, 0, 0, 0, 0x0c];
    assert_eq!(PeerId::from(12).to_bytes(), bytes);
    assert_eq!(PeerId::from(12).ed25519_public_key(), None);
}

#[test]
fn one_id_by_three_roads_is_one_id() {
    let peer = PeerId::from(12);
    let from_bytes = PeerId::from_bytes(&peer.to_bytes()).expect("a peer id");
    let from_text = peer.to_string().parse().expect("a peer id");
    let roads = [peer, from_bytes, from_text];
    assert_eq!(BTreeSet::from(roads).len(), 1);
    assert_eq!(HashSet::from(roads).len(), 1);
}

#[test]
fn a_key_is_found_in_no_other_kind_of_id() {
    let bytes = PeerId::from_ed25519_public_key(&[7; 32]).to_bytes();
    for at in [0, 2, 3, 4, 5] {
        let mut other = bytes.clone();
        other[at] ^= 0x01;
        let other = PeerId::from_bytes(&other).expect("still a multihash");
        assert_eq!(other.ed25519_public_key(), None, "byte {at} changed");
    }
}

#[test]
fn a_derived_id_hashes_the_bytes_of_host_and_name() {
    let wanted = "122064798f7e2061b7d0470990b271bfe624d57e6a378532178c0a08baa41af1d663";
    let derived = PeerId::from(12).derive("counter").to_bytes();
    let text: String = derived.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text, wanted);

    assert_ne!(PeerId::from(12).derive("a"), PeerId::from(12).derive("b"));
    assert_ne!(PeerId::from(12).derive("a"), PeerId::from(13).derive("a"));
}

#[test]
fn the_longest_id_is_as_long_as_promised() {
    let mut bytes = vec![0xff; 8];
    bytes.extend([0x7f, 64]);
    bytes.extend([0xff; 64]);
    let peer = PeerId::from_bytes(&bytes).expect("the longest id");
    assert_eq!(peer.encoded_len(), PeerId::ENCODED_LEN_MAX);
    let text = peer.to_string();
    assert!(text.len() <= PeerId::TEXT_LEN_MAX, "{} characters", text.len());
    assert_eq!(text.parse(), Ok(peer));
}

#[test]
fn malformed_bytes_are_refused_with_what_was_wanted_and_where() {
    let truncated = |part, wanted, got, at| PeerIdError::Truncated { part, wanted, got, at };
    let digest_too_long = |got, at| PeerIdError::DigestTooLong { got, cap: 64, at };
    let trailing = |wanted, got| PeerIdError::TrailingBytes { wanted, got };
    let varint_too_long = |part, at| PeerIdError::VarintTooLong { part, at };
    let not_minimal = |part, at| PeerIdError::VarintNotMinimal { part, at };
    let cases: [(&[u8], PeerIdError); 13] = [
        (&[], PeerIdError::Empty),
        (&[0x12], truncated("digest length", 1, 0, 1)),
        (&[0x92], truncated("hash code", 2, 1, 0)),
        (&[0x92, 0x01, 0x80], truncated("digest length", 2, 1, 2)),
        (&[0x12, 0x20, 1, 2, 3], truncated("digest", 32, 3, 2)),
        (&[0x12, 65], digest_too_long(65, 1)),
        (&[0x12, 0xff, 0x01, 0], digest_too_long(255, 1)),
        (&[0x92, 0x01, 0x02, 1, 2, 3, 4], trailing(5, 7)),
        (&[0x00, 0x00, 0x00], trailing(2, 3)),
        (&[0x80; 10], varint_too_long("hash code", 0)),
        (&[0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], varint_too_long("digest length", 1)),
        (&[0x92, 0x00, 0x00], not_minimal("hash code", 0)),
        (&[0x00, 0x81, 0x00, 0x07], not_minimal("digest length", 1)),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(PeerId::from_bytes(bytes), Err(wanted), "{bytes:?}");
    }
}

#[test]
fn malformed_text_is_refused_with_what_was_wanted_and_where() {
    let parse = |text: &str| text.parse::<PeerId>();
    let invalid = |found, at| Err(PeerIdError::InvalidCharacter { found, at });
    assert_eq!(parse(""), Err(PeerIdError::Empty));
    assert_eq!(parse("Qm0"), invalid('0', 2));
    assert_eq!(parse("Qmé1"), invalid('é', 2));
    assert_eq!(parse(" Qm"), invalid(' ', 0));
    // The text of the bytes 0x12 0x20: an id that ends before its digest.
    let (part, wanted, got, at) = ("digest", 32, 0, 2);
    assert_eq!(parse("2P1"), Err(PeerIdError::Truncated { part, wanted, got, at }));
}

#[test]
fn a_long_text_is_refused_by_its_length_alone() {
    let cap = PeerId::TEXT_LEN_MAX;
    let refused = |got| Err(PeerIdError::TextTooLong { got, cap });
    assert_eq!("0".repeat(cap + 1).parse::<PeerId>(), refused(cap + 1));
    assert_eq!("z".repeat(1 << 20).parse::<PeerId>(), refused(1 << 20));
    // One less is decoded: zeros, of which the third is one too many.
    let wanted = PeerIdError::TrailingBytes { wanted: 2, got: cap };
    assert_eq!("1".repeat(cap).parse::<PeerId>(), Err(wanted));
}

#[test]
fn an_error_says_what_was_wanted_and_what_was_there() {
    let error = PeerId::from_bytes(&[0x12, 0x20, 1, 2, 3]).expect_err("it is cut");
    assert_eq!(error.to_string(), "digest at byte 2 of a peer id wants 32 bytes, 3 are there");
}
