//! Addresses: which peer they name, how long they get, and how each malformed one is refused.

mod against_multiaddr;

use samsara_proto::{Address, AddressError, EnvelopeCaps, PeerId, PeerIdError, Protocol};

fn peers() -> [PeerId; 2] {
    [[1; 32], [2; 32]].map(|key| PeerId::from_ed25519_public_key(&key))
}

fn parse(text: &str) -> Address {
    text.parse().expect("an address")
}

#[test]
fn the_peer_of_an_address_is_the_one_that_is_reached() {
    let [relay, peer] = peers();
    let cases = [
        ("/ip4/1.2.3.4/tcp/1".to_owned(), None),
        (format!("/p2p/{peer}"), Some(peer)),
        (format!("/ip4/1.2.3.4/tcp/1/p2p/{peer}"), Some(peer)),
        (format!("/dns/a/tcp/1/p2p/{relay}/p2p-circuit"), None),
        (format!("/dns/a/tcp/1/p2p/{relay}/p2p-circuit/p2p/{peer}"), Some(peer)),
    ];
    for (text, wanted) in cases {
        assert_eq!(parse(&text).peer_id(), wanted, "{text}");
    }
}

#[test]
fn a_peer_is_added_once_and_never_replaced() {
    let [peer, other] = peers();
    let bare = parse("/ip4/1.2.3.4/tcp/1");
    let named = bare.with_peer(peer).expect("it fits");
    assert_eq!(named, parse(&format!("/ip4/1.2.3.4/tcp/1/p2p/{peer}")));
    assert_eq!(named.with_peer(peer), Ok(named.clone()));

    let (wanted, found) = (Box::new(other), Box::new(peer));
    assert_eq!(named.with_peer(other), Err(AddressError::OtherPeer { wanted, found }));

    let relayed = parse(&format!("/p2p/{peer}/p2p-circuit")).with_peer(other);
    assert_eq!(relayed, Ok(parse(&format!("/p2p/{peer}/p2p-circuit/p2p/{other}"))));
}

#[test]
fn a_peer_id_that_libp2p_does_not_know_has_no_address() {
    let sha2_512 = PeerId::from_bytes(&[&[0x13, 64][..], &[7; 64]].concat()).expect("an id");
    let inlined = PeerId::from_bytes(&[&[0x00, 43][..], &[7; 43]].concat()).expect("an id");
    for peer in [sha2_512, inlined] {
        let foreign = |at| Err(AddressError::ForeignPeer { peer, at });
        assert_eq!(parse("/tls").with_peer(peer), foreign(5));
        assert_eq!(format!("/tls/p2p/{peer}").parse::<Address>(), foreign(9));
    }
}

#[test]
fn the_old_name_of_p2p_is_read_and_not_written() {
    let [peer, _] = peers();
    assert_eq!(parse(&format!("/ipfs/{peer}")).to_string(), format!("/p2p/{peer}"));
}

#[test]
fn the_longest_address_fits_and_a_longer_one_does_not() {
    let cap = Address::ENCODED_LEN_MAX;
    let longest = "/p2p-circuit".repeat(cap / 2);
    assert_eq!(longest.len(), Address::TEXT_LEN_MAX);
    let address = parse(&longest);
    assert_eq!(address.as_bytes().len(), cap);

    let too_long = |got| Err(AddressError::TooLong { got, cap });
    assert_eq!(Address::from_bytes(&vec![0; cap + 1]), too_long(cap + 1));
    assert_eq!("/tls".repeat(cap / 2 + 1).parse::<Address>(), too_long(cap + 2));
    let [peer, _] = peers();
    assert_eq!(address.with_peer(peer), too_long(cap + 41));

    let text_too_long = AddressError::TextTooLong { got: 1 << 20, cap: Address::TEXT_LEN_MAX };
    assert_eq!("/".repeat(1 << 20).parse::<Address>(), Err(text_too_long));
}

#[test]
fn the_default_caps_let_the_longest_address_through() {
    let cap = EnvelopeCaps::default().address_bytes;
    assert_eq!(usize::try_from(cap), Ok(Address::ENCODED_LEN_MAX));
}

#[test]
fn malformed_bytes_are_refused_with_what_was_wanted_and_where() {
    let truncated = |part, wanted, got, at| AddressError::Truncated { part, wanted, got, at };
    let dns_wants = "a name in UTF-8 without slash";
    let missing = |at| AddressError::MissingValue { protocol: "dns", wanted: dns_wants, at };
    let invalid = |value: &str, at| AddressError::InvalidValue {
        protocol: "dns",
        wanted: dns_wants,
        value: value.to_owned(),
        at,
    };
    let source = PeerIdError::Truncated { part: "digest", wanted: 32, got: 1, at: 2 };
    let cases: [(&[u8], AddressError); 17] = [
        (&[], AddressError::Empty),
        (&[4, 127, 0, 0], truncated("ip4", 4, 3, 1)),
        (&[4, 127, 0, 0, 1, 6, 80], truncated("tcp", 2, 1, 6)),
        (&[41, 0], truncated("ip6", 16, 1, 1)),
        (&[0x89, 0x06, 1], truncated("memory", 8, 1, 2)),
        (&[53, 3, b'a', b'b'], truncated("dns", 3, 2, 2)),
        (&[53, 0xff, 0x7f], truncated("dns", 0x3fff, 0, 3)),
        (&[53], truncated("length of a value", 1, 0, 1)),
        (&[0xc0, 0x03, 0xc0], truncated("protocol code", 2, 1, 2)),
        (&[0xc0, 0x03, 0xdd, 0x03], AddressError::UnknownCode { code: 477, at: 2 }),
        (&[53, 0, 6, 0, 80], missing(2)),
        (&[53, 3, b'a', b'/', b'b'], invalid("a/b", 2)),
        (&[53, 2, b'a', 0xff], invalid("a\u{fffd}", 2)),
        (&[0x84, 0x00], AddressError::VarintNotMinimal { part: "protocol code", at: 0 }),
        (&[53, 0x81, 0x00], AddressError::VarintNotMinimal { part: "length of a value", at: 1 }),
        (&[0xff; 11], AddressError::VarintTooLong { part: "protocol code", at: 0 }),
        (&[0xa5, 3, 3, 0x12, 32, 7], AddressError::InvalidPeer { at: 3, source }),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(Address::from_bytes(bytes), Err(wanted), "{bytes:?}");
    }
}

#[test]
fn malformed_text_is_refused_with_what_was_wanted_and_where() {
    let unknown = |name: &str, at| AddressError::UnknownProtocol { name: name.to_owned(), at };
    let missing = |protocol, wanted, at| AddressError::MissingValue { protocol, wanted, at };
    let invalid = |protocol, wanted, value: &str, at| AddressError::InvalidValue {
        protocol,
        wanted,
        value: value.to_owned(),
        at,
    };
    let port = "a port from 0 to 65535";
    let source = PeerIdError::InvalidCharacter { found: '0', at: 2 };
    let cases = [
        ("", AddressError::Empty),
        ("tls", AddressError::MissingSlash { found: 't' }),
        ("/", AddressError::MissingProtocol { at: 1 }),
        ("/tls/", AddressError::MissingProtocol { at: 5 }),
        ("/tls//tls", AddressError::MissingProtocol { at: 5 }),
        ("/tls/ws", unknown("ws", 5)),
        ("/TLS", unknown("TLS", 1)),
        ("/tcp", missing("tcp", port, 4)),
        ("/tcp/", missing("tcp", port, 5)),
        ("/dns//tcp/80", missing("dns", "a name in UTF-8 without slash", 5)),
        ("/tls/p2p", missing("p2p", "a peer id", 8)),
        ("/dns/é/tcp/65536", invalid("tcp", port, "65536", 12)),
        ("/udp/x", invalid("udp", port, "x", 5)),
        ("/ip4/1.2.3", invalid("ip4", "an IPv4 address", "1.2.3", 5)),
        ("/ip6/1.2.3.4", invalid("ip6", "an IPv6 address", "1.2.3.4", 5)),
        ("/memory/-1", invalid("memory", "a number below 2^64", "-1", 8)),
        ("/tls/p2p/Qm0", AddressError::InvalidPeer { at: 9, source }),
    ];
    for (text, wanted) in cases {
        assert_eq!(text.parse::<Address>(), Err(wanted), "{text}");
    }
}

#[test]
fn protocols_of_a_caller_are_checked_like_bytes() {
    let refused = Address::from_protocols([Protocol::Tls, Protocol::Dns("a/b")]);
    assert!(matches!(refused, Err(AddressError::InvalidValue { protocol: "dns", at: 4, .. })));
    assert_eq!(Address::from_protocols([]), Err(AddressError::Empty));
}

#[test]
fn an_error_says_what_was_wanted_and_what_was_there() {
    let error = "/ip4/1.2.3.4/tcp/http".parse::<Address>().expect_err("no port");
    let wanted = "tcp wants a port from 0 to 65535 at byte 17 of an address, \"http\" is there";
    assert_eq!(error.to_string(), wanted);
}
