//! What a host asks of a Node about its peers, and what it is told.
//!
//! Law: a change is checked against what is there now, and happens in the batch that it enters; only
//! reads act at once.
//!
//! ```
//! use samsara_proto::{Address, PeerId};
//! use samsara_runtime::{
//!     compiler::Compiler, config::NodeConfig, graph::Graph, node::install, time::Nanos,
//! };
//!
//! let g = Graph::new("Main");
//! g.emit("n", g.input::<u64>("n"));
//! let program = Compiler::new().compile(g.build()?)?;
//! let mut node = install(PeerId::from(1), [], &program, &["Main"], NodeConfig::default())?;
//!
//! let (friend, address): (_, Address) = (PeerId::from(2), "/ip4/10.0.0.2/tcp/4001".parse()?);
//! node.add_peer(friend, [address.clone()])?;
//! assert_eq!(node.peer_address(&friend), None, "it has not happened yet");
//! node.run_until_idle(Nanos::ZERO);
//! assert_eq!(node.peer_address(&friend), Some(&address));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;

use samsara_proto::{Address, PeerId};

use super::Node;
use crate::{
    error::DeliveryError,
    event::{Control, IngressEvent, PeerChange, SendFailed, SendFailure},
    framework::{AddressBookError, CapReached, KnownAddress, PeerHealth},
    id::RequestId,
};

/// Why a change about peers was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerChangeError {
    /// The address book does not allow it.
    #[error(transparent)]
    Book(#[from] AddressBookError),
    /// A list is full.
    #[error(transparent)]
    List(#[from] CapReached),
    /// The mailbox does not take it.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl Node {
    /// The addresses that it is reached at.
    pub fn local_addresses(&self) -> impl Iterator<Item = &Address> {
        self.services.addresses_of(&self.services.peer).map(|known| known.address)
    }

    /// Adds an address of the Node itself; one that it has already changes nothing.
    pub fn add_local_address(&mut self, address: Address) -> Result<(), PeerChangeError> {
        let added = std::slice::from_ref(&address);
        self.services.check_book(|book| book.may_add(book.own(), added))?;
        self.change(PeerChange::AddOwn(address))
    }

    /// Takes an address of the Node itself. One that is not there changes nothing; without any
    /// entry it is refused.
    pub fn forget_local_address(&mut self, address: Address) -> Result<(), PeerChangeError> {
        let own = self.peer_id();
        self.check_owned(&own)?;
        self.change(PeerChange::ForgetOwn(address))
    }

    /// Where a peer can be reached: what its owners gave first, then hints.
    pub fn resolve_peer_addresses(&self, peer: &PeerId) -> Vec<KnownAddress<'_>> {
        self.services.addresses_of(peer).collect()
    }

    /// The first of these.
    pub fn peer_address(&self, peer: &PeerId) -> Option<&Address> {
        self.services.addresses_of(peer).map(|known| known.address).next()
    }

    /// Adds an owner, and these addresses, to a peer.
    pub fn add_peer(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Address>,
    ) -> Result<(), PeerChangeError> {
        let most = self.config().peers.max_addresses as usize;
        // One more than may be is enough to refuse by.
        let addresses: Vec<_> = addresses.into_iter().take(most + 1).collect();
        if addresses.is_empty() {
            return Err(AddressBookError::EmptyAddressList { peer }.into());
        }
        self.services.check_book(|book| book.may_add(&peer, &addresses))?;
        self.change(PeerChange::Add { peer, addresses })
    }

    /// Takes an owner from a peer; with the last one it is forgotten.
    pub fn drop_peer(&mut self, peer: PeerId) -> Result<(), PeerChangeError> {
        self.check_owned(&peer)?;
        self.change(PeerChange::Drop(peer))
    }

    /// Adds an address to a peer that has an owner.
    pub fn register_address(
        &mut self,
        peer: PeerId,
        address: Address,
    ) -> Result<(), PeerChangeError> {
        self.check_owned(&peer)?;
        self.services.check_book(|book| book.may_add(&peer, std::slice::from_ref(&address)))?;
        self.change(PeerChange::Register { peer, address })
    }

    /// Takes an address from a peer, whatever its origin.
    pub fn forget_address(
        &mut self,
        peer: PeerId,
        address: Address,
    ) -> Result<(), PeerChangeError> {
        if !self.services.check_book(|book| book.contains(&peer)) {
            return Err(AddressBookError::UnknownPeer { peer }.into());
        }
        self.change(PeerChange::Forget { peer, address })
    }

    /// Refuses a peer.
    pub fn block_peer(&mut self, peer: PeerId) -> Result<(), PeerChangeError> {
        self.services.check_block(&peer)?;
        self.change(PeerChange::Block(peer))
    }

    /// Refuses a peer no more.
    pub fn unblock_peer(&mut self, peer: PeerId) -> Result<(), PeerChangeError> {
        self.change(PeerChange::Unblock(peer))
    }

    /// Talks to these peers and nobody else, or with `None` to everyone.
    pub fn set_allowlist(
        &mut self,
        allowed: Option<BTreeSet<PeerId>>,
    ) -> Result<(), PeerChangeError> {
        let cap = self.config().peers.max_listed;
        if allowed.as_ref().is_some_and(|list| list.len() > cap as usize) {
            return Err(CapReached { what: "allowed peers", cap }.into());
        }
        self.change(PeerChange::Allow(allowed))
    }

    /// Begins the reliable stream to a peer anew, under an epoch of its own: what a host does when
    /// its courier tells that the old one has [ended](crate::delivery::CourierStep::Dropped), as
    /// when the peer has lost its memory. What is said until then is dropped with the old stream.
    /// Without a stream to the peer nothing changes.
    pub fn begin_stream_anew(&mut self, peer: PeerId) -> Result<(), PeerChangeError> {
        self.change(PeerChange::BeginAnew(peer))
    }

    /// How a peer fares, if anything is known.
    pub fn peer_health(&self, peer: &PeerId) -> Option<PeerHealth> {
        self.services.health(peer)
    }

    /// Tells the Node that a send has reached a peer, or why it has not; a request that was not sent
    /// fails at once.
    pub fn note_send_result(
        &mut self,
        peer: PeerId,
        request: Option<RequestId>,
        result: Result<(), SendFailure>,
    ) -> Result<(), DeliveryError> {
        let event = match result {
            Ok(()) => IngressEvent::Control(Control::Peers(Box::new(PeerChange::Reached(peer)))),
            Err(reason) => IngressEvent::SendFailed(Box::new(SendFailed { peer, request, reason })),
        };
        self.offer(event)
    }

    fn change(&mut self, change: PeerChange) -> Result<(), PeerChangeError> {
        Ok(self.offer(IngressEvent::Control(Control::Peers(Box::new(change))))?)
    }

    fn offer(&mut self, event: IngressEvent) -> Result<(), DeliveryError> {
        let weight = event.weight();
        Ok(self.handle.try_push(event, weight).map_err(|refused| refused.refusal)?)
    }

    fn check_owned(&self, peer: &PeerId) -> Result<(), AddressBookError> {
        if self.services.check_book(|book| book.is_owned(peer)) {
            return Ok(());
        }
        Err(AddressBookError::UnknownPeer { peer: *peer })
    }
}
