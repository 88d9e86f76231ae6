//! Why an address book refuses.
//!
//! Law: a refusal left the book as it was.

use samsara_proto::PeerId;

/// Why the book was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressBookError {
    /// A peer was added without any address.
    #[error("no address for {peer}, wanted at least one")]
    EmptyAddressList {
        /// The peer.
        peer: PeerId,
    },
    /// Every place is taken by a peer with an owner.
    #[error("the address book is full, its capacity is {cap}")]
    Full {
        /// Peers that the book holds at most.
        cap: u32,
    },
    /// The owned addresses alone would be more than a peer may have.
    #[error("{count} addresses for {peer}, the cap is {cap}")]
    TooManyAddresses {
        /// The peer.
        peer: PeerId,
        /// How many there would be.
        count: u64,
        /// How many there may be.
        cap: u32,
    },
    /// Nobody added this peer.
    #[error("no entry for {peer}")]
    UnknownPeer {
        /// The peer.
        peer: PeerId,
    },
}
