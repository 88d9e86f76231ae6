//! One protocol of an address with its value.
//!
//! Law: what is written here, in bytes or in text, reads back as the same protocol.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::error::AddressError;
use super::kind::Kind;
use crate::varint::push_varint;
use crate::{PeerId, PeerIdError};

/// One part of an [`Address`](crate::Address); names borrow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol<'a> {
    /// `/ip4/127.0.0.1`: an IPv4 host.
    Ip4(Ipv4Addr),
    /// `/ip6/::1`: an IPv6 host.
    Ip6(Ipv6Addr),
    /// `/dns/example.org`: a name, resolved to any IP address.
    Dns(&'a str),
    /// `/dns4/example.org`: a name, resolved to IPv4.
    Dns4(&'a str),
    /// `/dns6/example.org`: a name, resolved to IPv6.
    Dns6(&'a str),
    /// `/dnsaddr/example.org`: a name, resolved to whole addresses.
    Dnsaddr(&'a str),
    /// `/tcp/443`: a TCP port.
    Tcp(u16),
    /// `/udp/443`: a UDP port.
    Udp(u16),
    /// `/quic-v1`: QUIC of RFC 9000, over what comes before.
    QuicV1,
    /// `/tls`: TLS, over what comes before.
    Tls,
    /// `/memory/7`: a port within the process.
    Memory(u64),
    /// `/p2p/<peer>`: the peer that must prove itself there.
    P2p(PeerId),
    /// `/p2p-circuit`: a relay carries what comes after.
    P2pCircuit,
}

impl Protocol<'_> {
    /// The `/p2p` of what was read as `peer` at byte `at`, unless other readers would refuse it.
    pub(super) fn p2p(peer: Result<PeerId, PeerIdError>, at: usize) -> Result<Self, AddressError> {
        let peer = peer.map_err(|source| AddressError::InvalidPeer { at, source })?;
        if peer.is_libp2p() {
            Ok(Self::P2p(peer))
        } else {
            Err(AddressError::ForeignPeer { peer, at })
        }
    }

    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        push_varint(self.kind().code(), out);
        match self {
            Self::Ip4(ip) => out.extend_from_slice(&ip.octets()),
            Self::Ip6(ip) => out.extend_from_slice(&ip.octets()),
            Self::Dns(name) | Self::Dns4(name) | Self::Dns6(name) | Self::Dnsaddr(name) => {
                push_varint(name.len() as u64, out);
                out.extend_from_slice(name.as_bytes());
            }
            Self::Tcp(port) | Self::Udp(port) => out.extend_from_slice(&port.to_be_bytes()),
            Self::Memory(port) => out.extend_from_slice(&port.to_be_bytes()),
            Self::P2p(peer) => {
                push_varint(peer.encoded_len() as u64, out);
                peer.write_to(out);
            }
            Self::QuicV1 | Self::Tls | Self::P2pCircuit => {}
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Ip4(_) => Kind::Ip4,
            Self::Ip6(_) => Kind::Ip6,
            Self::Dns(_) => Kind::Dns,
            Self::Dns4(_) => Kind::Dns4,
            Self::Dns6(_) => Kind::Dns6,
            Self::Dnsaddr(_) => Kind::Dnsaddr,
            Self::Tcp(_) => Kind::Tcp,
            Self::Udp(_) => Kind::Udp,
            Self::QuicV1 => Kind::QuicV1,
            Self::Tls => Kind::Tls,
            Self::Memory(_) => Kind::Memory,
            Self::P2p(_) => Kind::P2p,
            Self::P2pCircuit => Kind::P2pCircuit,
        }
    }
}

/// The text of multiaddr, slash first.
impl fmt::Display for Protocol<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.kind().name())?;
        match self {
            Self::Ip4(ip) => write!(f, "/{ip}"),
            Self::Ip6(ip) => write!(f, "/{ip}"),
            Self::Dns(name) | Self::Dns4(name) | Self::Dns6(name) | Self::Dnsaddr(name) => {
                write!(f, "/{name}")
            }
            Self::Tcp(port) | Self::Udp(port) => write!(f, "/{port}"),
            Self::Memory(port) => write!(f, "/{port}"),
            Self::P2p(peer) => write!(f, "/{peer}"),
            Self::QuicV1 | Self::Tls | Self::P2pCircuit => Ok(()),
        }
    }
}
