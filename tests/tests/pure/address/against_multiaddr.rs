//! Addresses of every shape, held against the multiaddr crate.
//!
//! Law: what we accept it accepts as the same, and where we are narrower [`is_narrower`] says why.

use multiaddr::Multiaddr;
use multiaddr::multihash::Multihash;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use samsara_proto::{Address, AddressError, PeerIdError, Protocol};

const OUR_NAMES: &str = "ip4 ip6 dns dns4 dns6 dnsaddr tcp udp quic-v1 tls memory p2p p2p-circuit";
const OUR_CODES: [u64; 13] = [4, 6, 41, 53, 54, 55, 56, 273, 290, 421, 448, 461, 777];

/// Parts of text that are right alone, that need another, or that are nearly right.
const PARTS: &str = "ip4/127.0.0.1 ip4/127.0.0.01 ip4/256.0.0.1 ip6/::1 ip6/::ffff:1.2.3.4 \
    ip6/1:2::3:0:0:8 ip6/0001::0 ip6/FE80::1 ip6/fe80::1%1 ip6/1.2.3.4 dns/example.org dns4/a \
    dns6/bücher.example dnsaddr/tcp dns/ dns tcp/0 tcp/+80 udp/0080 udp/65535 tcp/65536 tcp/-1 \
    udp/ tcp 80 quic-v1 QUIC-V1 tls tls/ memory/18446744073709551615 memory/18446744073709551616 \
    p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA \
    ipfs/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N p2p/Qm0 p2p p2p-circuit ws noise";

fn libp2p_ids() -> impl Strategy<Value = multiaddr::PeerId> {
    let hashed = vec(any::<u8>(), 0..=64).prop_map(|digest| (0x12, digest));
    let inlined = vec(any::<u8>(), 0..=42).prop_map(|digest| (0, digest));
    prop_oneof![hashed, inlined].prop_map(|(code, digest)| {
        let hash = Multihash::wrap(code, &digest).expect("64 bytes fit");
        multiaddr::PeerId::from_multihash(hash).expect("a kind that libp2p knows")
    })
}

fn protocols() -> impl Strategy<Value = multiaddr::Protocol<'static>> {
    use multiaddr::Protocol as Theirs;
    let names = || "[^/]{1,8}";
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| Theirs::Ip4(ip.into())),
        any::<[u8; 16]>().prop_map(|ip| Theirs::Ip6(ip.into())),
        vec(select(vec![0, 0, 1, 0xffff_u16]), 8).prop_map(|groups| {
            let groups: [u16; 8] = groups.try_into().expect("eight were made");
            Theirs::Ip6(groups.into())
        }),
        any::<[u8; 4]>()
            .prop_map(|ip| { Theirs::Ip6(std::net::Ipv4Addr::from(ip).to_ipv6_mapped()) }),
        names().prop_map(|name| Theirs::Dns(name.into())),
        names().prop_map(|name| Theirs::Dns4(name.into())),
        names().prop_map(|name| Theirs::Dns6(name.into())),
        names().prop_map(|name| Theirs::Dnsaddr(name.into())),
        any::<u16>().prop_map(Theirs::Tcp),
        any::<u16>().prop_map(Theirs::Udp),
        any::<u64>().prop_map(Theirs::Memory),
        libp2p_ids().prop_map(Theirs::P2p),
        Just(Theirs::QuicV1),
        Just(Theirs::Tls),
        Just(Theirs::P2pCircuit),
    ]
}

/// Addresses of our protocols, made by the multiaddr crate.
fn multiaddrs() -> impl Strategy<Value = Multiaddr> {
    vec(protocols(), 1..6)
        .prop_map(Multiaddr::from_iter)
        .prop_filter("over our cap", |address| address.len() <= Address::ENCODED_LEN_MAX)
}

fn to_theirs(ours: Protocol<'_>) -> multiaddr::Protocol<'_> {
    use multiaddr::Protocol as Theirs;
    match ours {
        Protocol::Ip4(ip) => Theirs::Ip4(ip),
        Protocol::Ip6(ip) => Theirs::Ip6(ip),
        Protocol::Dns(name) => Theirs::Dns(name.into()),
        Protocol::Dns4(name) => Theirs::Dns4(name.into()),
        Protocol::Dns6(name) => Theirs::Dns6(name.into()),
        Protocol::Dnsaddr(name) => Theirs::Dnsaddr(name.into()),
        Protocol::Tcp(port) => Theirs::Tcp(port),
        Protocol::Udp(port) => Theirs::Udp(port),
        Protocol::QuicV1 => Theirs::QuicV1,
        Protocol::Tls => Theirs::Tls,
        Protocol::Memory(port) => Theirs::Memory(port),
        Protocol::P2p(peer) => {
            let peer = multiaddr::PeerId::from_bytes(&peer.to_bytes());
            Theirs::P2p(peer.expect("an address holds libp2p ids only"))
        }
        Protocol::P2pCircuit => Theirs::P2pCircuit,
        other => panic!("{other} has no counterpart here"),
    }
}

/// Whether `error` is one of the reasons for which we refuse what the multiaddr crate accepts.
fn is_narrower(error: &AddressError) -> bool {
    match error {
        // An address leads somewhere, and its size is bounded.
        AddressError::Empty | AddressError::TooLong { .. } | AddressError::TextTooLong { .. } => {
            true
        }
        // Not of our list; the crate drops the bits of a code over 32, so it may know 2^32 + 4.
        AddressError::UnknownProtocol { name, .. } => {
            !OUR_NAMES.split(' ').any(|ours| ours == name)
        }
        AddressError::UnknownCode { code, .. } => !OUR_CODES.contains(code),
        // A name has characters, and reads back from text.
        AddressError::MissingValue { protocol, .. } => protocol.starts_with("dns"),
        AddressError::InvalidValue { protocol, value, .. } => {
            protocol.starts_with("dns") && value.contains('/')
        }
        // The crate reads ten bytes, and drops bits.
        AddressError::VarintTooLong { .. } => true,
        AddressError::InvalidPeer { source, .. } => {
            matches!(source, PeerIdError::VarintTooLong { .. })
        }
        _ => false,
    }
}

/// What we accept the crate accepts as the same, and we refuse more only where we say why.
fn agree(ours: Result<Address, AddressError>, theirs: multiaddr::Result<Multiaddr>) {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours.as_bytes(), theirs.as_ref());
            assert_eq!(ours.to_string(), theirs.to_string());
            assert_eq!(ours.to_string().parse(), Ok(ours));
        }
        (Ok(ours), Err(error)) => panic!("{ours} accepted, but: {error}"),
        (Err(error), Ok(theirs)) => assert!(is_narrower(&error), "{theirs} refused: {error}"),
        (Err(_), Err(_)) => {}
    }
}

fn agree_on_bytes(bytes: &[u8]) {
    let ours = Address::from_bytes(bytes);
    if let Ok(ours) = &ours {
        assert_eq!(ours.as_bytes(), bytes);
    }
    agree(ours, Multiaddr::try_from(bytes.to_vec()));
}

proptest! {
    #[test]
    fn bytes_text_and_protocols_are_those_of_multiaddr(theirs in multiaddrs()) {
        let ours = Address::from_bytes(theirs.as_ref()).expect("our protocols only");
        prop_assert_eq!(ours.to_bytes(), theirs.to_vec());
        prop_assert_eq!(ours.to_string(), theirs.to_string());
        prop_assert_eq!(theirs.to_string().parse(), Ok(ours.clone()));
        prop_assert_eq!(Address::from_protocols(ours.protocols()), Ok(ours.clone()));
        prop_assert_eq!(format!("{ours:?}"), format!("Address({theirs})"));

        let protocols: Vec<_> = ours.protocols().map(to_theirs).collect();
        prop_assert_eq!(protocols, theirs.iter().collect::<Vec<_>>());
    }

    #[test]
    fn random_bytes_are_read_as_others_read_them(bytes in vec(any::<u8>(), 0..300)) {
        agree_on_bytes(&bytes);
    }

    #[test]
    fn damaged_bytes_are_read_as_others_read_them(
        address in multiaddrs(),
        at in any::<Index>(),
        wound in vec(any::<u8>(), 0..3),
        lost in 0..3_usize,
    ) {
        let mut bytes = address.to_vec();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + lost);
        bytes.splice(at..end, wound);
        agree_on_bytes(&bytes);
    }

    #[test]
    fn shuffled_text_is_read_as_others_read_it(
        parts in vec(select(Vec::from_iter(PARTS.split_whitespace())), 0..5),
        slash in select(vec!["", "/", "/", "/"]),
    ) {
        let text = format!("{slash}{}", parts.join("/"));
        agree(text.parse(), text.parse());
    }

    #[test]
    fn damaged_text_is_read_as_others_read_it(
        address in multiaddrs(),
        at in any::<Index>(),
        wound in "[/0-9a-fp:.]{0,2}",
        lost in 0..3_usize,
    ) {
        let mut text: Vec<char> = address.to_string().chars().collect();
        let at = at.index(text.len());
        let end = text.len().min(at + lost);
        text.splice(at..end, wound.chars());
        let text = String::from_iter(text);
        agree(text.parse(), text.parse());
    }
}
