//! What a host may change about a Node's peers.
//!
//! Law: each change is an event of a batch like any other, so that it replays.

use std::collections::BTreeSet;

use samsara_proto::{Address, PeerId};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerChange {
    /// Refuse a peer.
    Block(PeerId),
    /// Refuse it no more.
    Unblock(PeerId),
    /// Talk to these peers and nobody else, or to everyone.
    Allow(Option<BTreeSet<PeerId>>),
    /// Add an owner, and addresses, to a peer.
    Add {
        /// The peer.
        peer: PeerId,
        /// Where it can be reached.
        addresses: Vec<Address>,
    },
    /// Take an owner from a peer.
    Drop(PeerId),
    /// Add an address to a peer that has an owner.
    Register {
        /// The peer.
        peer: PeerId,
        /// Where it can be reached.
        address: Address,
    },
    /// Take an address from a peer.
    Forget {
        /// The peer.
        peer: PeerId,
        /// Where it cannot be reached.
        address: Address,
    },
    /// Add an address of the Node itself.
    AddOwn(Address),
    /// Take an address of the Node itself.
    ForgetOwn(Address),
    /// Note that a send has reached a peer.
    Reached(PeerId),
    /// Begin the stream to a peer anew, since it has lost what it had of it.
    BeginAnew(PeerId),
}

impl PeerChange {
    /// What it costs of the mailbox's budget.
    pub fn weight(&self) -> u64 {
        let addresses = |count: usize| (count * Address::ENCODED_LEN_MAX) as u64;
        match self {
            Self::Allow(allowed) => {
                let count = allowed.as_ref().map_or(0, BTreeSet::len);
                (count * PeerId::ENCODED_LEN_MAX) as u64
            }
            Self::Add { addresses: list, .. } => addresses(list.len()),
            Self::Register { .. } | Self::Forget { .. } => addresses(1),
            Self::AddOwn(_) | Self::ForgetOwn(_) => addresses(1),
            Self::Block(_)
            | Self::Unblock(_)
            | Self::Drop(_)
            | Self::Reached(_)
            | Self::BeginAnew(_) => 0,
        }
    }
}
