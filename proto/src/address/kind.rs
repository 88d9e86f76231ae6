//! The protocols that an address may name, without their values.
//!
//! Law: codes and names are those of the multiaddr table, and this is the only place that has them.

/// Which protocol; the discriminant is its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ip4 = 4,
    Tcp = 6,
    Ip6 = 41,
    Dns = 53,
    Dns4 = 54,
    Dns6 = 55,
    Dnsaddr = 56,
    Udp = 273,
    P2pCircuit = 290,
    P2p = 421,
    Tls = 448,
    QuicV1 = 461,
    Memory = 777,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Ip4,
        Self::Tcp,
        Self::Ip6,
        Self::Dns,
        Self::Dns4,
        Self::Dns6,
        Self::Dnsaddr,
        Self::Udp,
        Self::P2pCircuit,
        Self::P2p,
        Self::Tls,
        Self::QuicV1,
        Self::Memory,
    ];

    pub(super) fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        // Other readers take the old name of `/p2p` too; nobody writes it.
        let name = if name == "ipfs" { "p2p" } else { name };
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn code(self) -> u64 {
        self as u64
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ip4 => "ip4",
            Self::Tcp => "tcp",
            Self::Ip6 => "ip6",
            Self::Dns => "dns",
            Self::Dns4 => "dns4",
            Self::Dns6 => "dns6",
            Self::Dnsaddr => "dnsaddr",
            Self::Udp => "udp",
            Self::P2pCircuit => "p2p-circuit",
            Self::P2p => "p2p",
            Self::Tls => "tls",
            Self::QuicV1 => "quic-v1",
            Self::Memory => "memory",
        }
    }

    /// What its value must be, for an error to say.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Ip4 => "an IPv4 address",
            Self::Ip6 => "an IPv6 address",
            Self::Tcp | Self::Udp => "a port from 0 to 65535",
            Self::Dns | Self::Dns4 | Self::Dns6 | Self::Dnsaddr => "a name in UTF-8 without slash",
            Self::Memory => "a number below 2^64",
            Self::P2p => "a peer id",
            Self::P2pCircuit | Self::Tls | Self::QuicV1 => "no value",
        }
    }
}
