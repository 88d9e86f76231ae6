//! Where peers can be reached, and who wants to know it.
//!
//! Law: an owned peer and its owned addresses leave only when their owners say so. What was only
//! learned is a hint: marked as such, changing no ownership, and the first to make room.
//!
//! ```
//! use samsara_proto::{Address, PeerId};
//! use samsara_runtime::framework::{AddressBook, Origin};
//!
//! let (own, peer) = (PeerId::from(1), PeerId::from(2));
//! let (told, heard) = ("/ip4/10.0.0.2/tcp/1".parse()?, "/ip4/10.0.0.9/tcp/1".parse()?);
//! let mut book = AddressBook::new(own, 64, 4);
//! book.learn(&peer, &heard)?;
//! book.add_peer(&peer, &[told])?;
//!
//! let known: Vec<(String, Origin)> = book
//!     .lookup(&peer)
//!     .map(|known| (known.address.to_string(), known.origin))
//!     .collect();
//! assert_eq!(known[0], ("/ip4/10.0.0.2/tcp/1".into(), Origin::Owned));
//! assert_eq!(known[1], ("/ip4/10.0.0.9/tcp/1".into(), Origin::Learned));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;

use std::collections::VecDeque;

use samsara_proto::{Address, PeerId};

pub use self::error::AddressBookError;
use super::recent::Recent;
use crate::codec::{Kept, Loader, Saver, Unreadable, saved};

/// The known peers of a Node, itself among them.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressBook {
    own: PeerId,
    max_peers: u32,
    max_addresses: u32,
    /// Pinned are those with an owner.
    peers: Recent<PeerId, Entry>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    owners: u32,
    owned: Vec<Address>,
    /// The oldest hint first. Both lists together stay within the cap.
    learned: VecDeque<Address>,
}

/// One address of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAddress<'a> {
    /// The address.
    pub address: &'a Address,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An owner of the peer gave it.
    Owned,
    /// It was heard, often from the peer itself, and is unproven.
    Learned,
}

impl AddressBook {
    /// The book of the Node `own`: at most `max_peers`, each with at most `max_addresses`.
    pub const fn new(own: PeerId, max_peers: u32, max_addresses: u32) -> Self {
        Self { own, max_peers, max_addresses, peers: Recent::new("peers", max_peers) }
    }

    /// Adds an owner to the peer, and these addresses after those it has.
    pub fn add_peer(
        &mut self,
        peer: &PeerId,
        addresses: &[Address],
    ) -> Result<(), AddressBookError> {
        if addresses.is_empty() {
            return Err(AddressBookError::EmptyAddressList { peer: *peer });
        }
        self.own_addresses(peer, addresses, 1)
    }

    /// Takes an owner from the peer; with the last one it is gone, hints and all.
    pub fn drop_peer(&mut self, peer: &PeerId) -> Result<(), AddressBookError> {
        let entry = self.owned_entry(peer)?;
        entry.owners -= 1;
        if entry.owners == 0 {
            self.peers.remove(peer);
        }
        Ok(())
    }

    /// Adds an address to a peer that has an owner; one that it has already changes nothing.
    pub fn register_address(
        &mut self,
        peer: &PeerId,
        address: &Address,
    ) -> Result<(), AddressBookError> {
        self.owned_entry(peer)?;
        self.own_addresses(peer, std::slice::from_ref(address), 0)
    }

    /// Takes an address away, whatever its origin. One that is not there changes nothing, and the
    /// last one leaves an empty list.
    pub fn forget_address(
        &mut self,
        peer: &PeerId,
        address: &Address,
    ) -> Result<(), AddressBookError> {
        let unknown = AddressBookError::UnknownPeer { peer: *peer };
        let entry = self.peers.get_mut(peer).ok_or(unknown)?;
        entry.owned.retain(|known| known != address);
        entry.learned.retain(|known| known != address);
        if entry.owners == 0 && entry.learned.is_empty() {
            self.peers.remove(peer);
        }
        Ok(())
    }

    /// Notes a hint. It makes room by forgetting older hints, first of this peer's addresses, then
    /// of peers that are nothing but hints; where all is owned it is refused.
    pub fn learn(&mut self, peer: &PeerId, address: &Address) -> Result<(), AddressBookError> {
        let (max_peers, cap) = (self.max_peers, self.max_addresses);
        let owned = self.peers.get(peer).map_or(0, |entry| entry.owned.len());
        if owned >= cap as usize && !self.knows(peer, address) {
            let count = owned as u64 + 1;
            return Err(AddressBookError::TooManyAddresses { peer: *peer, count, cap });
        }
        let full = AddressBookError::Full { cap: max_peers };
        let entry = self.peers.touch(*peer, Entry::default).map_err(|_| full)?;
        if !entry.owned.contains(address) && !entry.learned.contains(address) {
            entry.learned.push_back(address.clone());
            entry.make_room(cap);
        }
        Ok(())
    }

    /// The addresses of a peer: those of its owners in the order they were given, then the hints.
    pub fn lookup(&self, peer: &PeerId) -> impl Iterator<Item = KnownAddress<'_>> {
        let entry = self.peers.get(peer).into_iter();
        entry.flat_map(|entry| {
            let known = |origin| move |address| KnownAddress { address, origin };
            let owned = entry.owned.iter().map(known(Origin::Owned));
            owned.chain(entry.learned.iter().map(known(Origin::Learned)))
        })
    }

    /// Whether these addresses of a peer could be added now.
    pub fn may_add(&self, peer: &PeerId, addresses: &[Address]) -> Result<(), AddressBookError> {
        self.with_owned(peer, addresses)?;
        if self.peers.has_room_for(peer) {
            return Ok(());
        }
        Err(AddressBookError::Full { cap: self.max_peers })
    }

    /// Whether this peer has an entry, be it without an address.
    pub fn contains(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some()
    }

    /// Whether an owner wants this peer known.
    pub fn is_owned(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|entry| entry.owners > 0)
    }

    /// Adds an address of this Node itself, whose entry is made if need be.
    pub fn add_own_address(&mut self, address: &Address) -> Result<(), AddressBookError> {
        let own = self.own;
        let owners = u32::from(!self.is_owned(&own));
        self.own_addresses(&own, std::slice::from_ref(address), owners)
    }

    /// The Node whose book it is.
    pub const fn own(&self) -> &PeerId {
        &self.own
    }

    /// How many peers that were only learned had to make room.
    pub const fn forgotten(&self) -> u64 {
        self.peers.forgotten()
    }

    /// Everyone in the book, in the order of the ids.
    pub fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.peers.iter().map(|(peer, _)| peer)
    }

    /// How many peers are in the book.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether the book is empty.
    pub fn is_empty(&self) -> bool {
        self.peers.len() == 0
    }

    fn own_addresses(
        &mut self,
        peer: &PeerId,
        addresses: &[Address],
        owners: u32,
    ) -> Result<(), AddressBookError> {
        let owned = self.with_owned(peer, addresses)?;
        let (max_peers, cap) = (self.max_peers, self.max_addresses);
        let full = AddressBookError::Full { cap: max_peers };
        let entry = self.peers.touch(*peer, Entry::default).map_err(|_| full)?;
        entry.learned.retain(|hint| !owned.contains(hint));
        entry.owned = owned;
        entry.owners = entry.owners.saturating_add(owners);
        entry.make_room(cap);
        self.peers.pin(peer);
        Ok(())
    }

    /// The owned addresses of a peer with these added.
    fn with_owned(
        &self,
        peer: &PeerId,
        addresses: &[Address],
    ) -> Result<Vec<Address>, AddressBookError> {
        let cap = self.max_addresses;
        let mut owned = self.peers.get(peer).map(|entry| entry.owned.clone()).unwrap_or_default();
        for address in addresses {
            if !owned.contains(address) {
                owned.push(address.clone());
            }
        }
        if owned.len() > cap as usize {
            let count = owned.len() as u64;
            return Err(AddressBookError::TooManyAddresses { peer: *peer, count, cap });
        }
        Ok(owned)
    }

    fn owned_entry(&mut self, peer: &PeerId) -> Result<&mut Entry, AddressBookError> {
        let entry = self.peers.get_mut(peer).filter(|entry| entry.owners > 0);
        entry.ok_or(AddressBookError::UnknownPeer { peer: *peer })
    }

    fn knows(&self, peer: &PeerId, address: &Address) -> bool {
        self.lookup(peer).any(|known| known.address == address)
    }
}

impl Entry {
    fn make_room(&mut self, cap: u32) {
        while self.owned.len() + self.learned.len() > cap as usize {
            if self.learned.pop_front().is_none() {
                break;
            }
        }
    }
}

saved! { Entry { owners, owned, learned } }

impl Kept for AddressBook {
    fn save(&self, out: &mut Saver) {
        self.peers.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.peers.fill(from)?;
        let cap = self.max_addresses as usize;
        let is_over = |entry: &Entry| entry.owned.len() + entry.learned.len() > cap;
        if self.peers.iter().any(|(_, entry)| is_over(entry)) {
            return Err(Unreadable::invalid("addresses of a peer", format!("the cap is {cap}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
