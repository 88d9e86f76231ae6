//! Where a Node can be reached: a list of protocols, as multiaddr writes it.
//!
//! Law: an address is never empty and every byte of it was checked by [`Address::from_bytes`], so
//! other multiaddr readers take it, and bytes, protocols and text tell the same.

mod binary;
mod error;
mod kind;
mod protocol;
mod text;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use self::binary::Reader;
pub use self::error::AddressError;
pub use self::protocol::Protocol;
use self::text::Segments;
use crate::PeerId;

/// Where a Node can be reached; cheap to clone.
///
/// Bytes and text are those of multiaddr, for the protocols of [`Protocol`].
///
/// ```
/// use samsara_proto::{Address, PeerId, Protocol};
///
/// let address: Address = "/ip4/127.0.0.1/udp/4001/quic-v1".parse()?;
/// assert_eq!(address.as_bytes(), [4, 127, 0, 0, 1, 0x91, 2, 15, 161, 0xcd, 3]);
/// assert_eq!(address.protocols().nth(1), Some(Protocol::Udp(4001)));
///
/// let peer = PeerId::from_ed25519_public_key(&[7; 32]);
/// let address = address.with_peer(peer)?;
/// assert_eq!(address.peer_id(), Some(peer));
/// assert_eq!(address.to_string(), format!("/ip4/127.0.0.1/udp/4001/quic-v1/p2p/{peer}"));
/// # Ok::<(), samsara_proto::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<[u8]>);

impl Address {
    /// Bytes of the longest address: a relayed one, with two peers, stays far below.
    pub const ENCODED_LEN_MAX: usize = 256;
    /// Bytes of the longest text: `/p2p-circuit` says two encoded bytes in twelve, none says more.
    pub const TEXT_LEN_MAX: usize = Self::ENCODED_LEN_MAX / 2 * 12;

    /// Reads an address that fills `bytes` exactly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AddressError> {
        let (got, cap) = (bytes.len(), Self::ENCODED_LEN_MAX);
        if got == 0 {
            return Err(AddressError::Empty);
        }
        if got > cap {
            return Err(AddressError::TooLong { got, cap });
        }
        let mut reader = Reader::new(bytes);
        while !reader.is_at_end() {
            reader.protocol()?;
        }
        Ok(Self(bytes.into()))
    }

    /// The address that names `protocols`, in this order.
    ///
    /// ```
    /// use samsara_proto::{Address, Protocol};
    ///
    /// let address = Address::from_protocols([Protocol::Dns("example.org"), Protocol::Tcp(443)])?;
    /// assert_eq!(address.to_string(), "/dns/example.org/tcp/443");
    /// # Ok::<(), samsara_proto::AddressError>(())
    /// ```
    pub fn from_protocols<'a>(
        protocols: impl IntoIterator<Item = Protocol<'a>>,
    ) -> Result<Self, AddressError> {
        let mut bytes = Vec::new();
        for protocol in protocols {
            protocol.write_to(&mut bytes);
        }
        Self::from_bytes(&bytes)
    }

    /// The address as multiaddr encodes it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A copy of [`Address::as_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// What the address is made of, in order.
    pub fn protocols(&self) -> impl Iterator<Item = Protocol<'_>> {
        let mut reader = Reader::new(&self.0);
        // The constructor read the same bytes to their end, so only the end can fail here.
        std::iter::from_fn(move || reader.protocol().ok())
    }

    /// The peer that is reached here, if the address names it.
    ///
    /// A peer before a `/p2p-circuit` is the relay, not the peer that is reached through it.
    pub fn peer_id(&self) -> Option<PeerId> {
        let told = |protocol: &_| matches!(protocol, Protocol::P2p(_) | Protocol::P2pCircuit);
        let Protocol::P2p(peer) = self.protocols().filter(told).last()? else {
            return None;
        };
        Some(peer)
    }

    /// This address with `/p2p/<peer>` at its end, unless it names that peer already.
    pub fn with_peer(&self, peer: PeerId) -> Result<Self, AddressError> {
        match self.peer_id() {
            Some(found) if found == peer => Ok(self.clone()),
            Some(found) => {
                Err(AddressError::OtherPeer { wanted: Box::new(peer), found: Box::new(found) })
            }
            None => Self::from_protocols(self.protocols().chain([Protocol::P2p(peer)])),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.protocols().try_for_each(|protocol| protocol.fmt(f))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (got, cap) = (text.len(), Self::TEXT_LEN_MAX);
        if got > cap {
            return Err(AddressError::TextTooLong { got, cap });
        }
        let mut segments = Segments::new(text)?;
        let mut bytes = Vec::new();
        while !segments.is_at_end() {
            segments.protocol()?.write_to(&mut bytes);
        }
        Self::from_bytes(&bytes)
    }
}
