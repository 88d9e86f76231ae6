//! Peers as small integers: the key of every hot map that would otherwise hold 80 bytes.
//!
//! Law: a peer has one index as long as anyone holds it; which index it gets follows from the
//! order of calls alone; and an index returns to the table only when its last holder lets go.
//! Indices never leave the Node: snapshots keep peer ids, and holders acquire again on restore.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::peer::PeerTable;
//!
//! let mut peers = PeerTable::new(2);
//! let ix = peers.acquire(&PeerId::from(12))?;
//! assert_eq!(peers.acquire(&PeerId::from(12))?, ix);
//! assert_eq!(peers.peer(ix), Some(&PeerId::from(12)));
//! # Ok::<(), samsara_runtime::peer::PeerTableFull>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use samsara_proto::PeerId;

/// The index of a peer in one [`PeerTable`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIx(u32);

impl PeerIx {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The index of this number, as it was written down beside its table.
    pub(crate) const fn of(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Debug for PeerIx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer[{}]", self.0)
    }
}

/// Interned peers, with a count of who holds each.
#[derive(Clone, Debug)]
pub struct PeerTable {
    cap: u32,
    by_peer: BTreeMap<PeerId, PeerIx>,
    entries: Vec<Option<Held>>,
    free: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
struct Held {
    peer: PeerId,
    holders: u64,
}

/// Every index is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer table is full, its capacity is {cap}")]
#[non_exhaustive]
pub struct PeerTableFull {
    /// Peers that the table holds at most.
    pub cap: u32,
}

impl PeerTable {
    /// A table of at most `cap` peers.
    pub const fn new(cap: u32) -> Self {
        Self { cap, by_peer: BTreeMap::new(), entries: Vec::new(), free: BTreeSet::new() }
    }

    /// The index of this peer, which the caller now holds once more.
    pub fn acquire(&mut self, peer: &PeerId) -> Result<PeerIx, PeerTableFull> {
        if let Some(&ix) = self.by_peer.get(peer) {
            if let Some(Some(held)) = self.entries.get_mut(ix.0 as usize) {
                held.holders = held.holders.saturating_add(1);
            }
            return Ok(ix);
        }
        let full = PeerTableFull { cap: self.cap };
        if self.by_peer.len() >= self.cap as usize {
            return Err(full);
        }
        let held = Some(Held { peer: *peer, holders: 1 });
        let ix = match self.free.pop_first() {
            Some(number) => {
                if let Some(entry) = self.entries.get_mut(number as usize) {
                    *entry = held;
                }
                PeerIx(number)
            }
            None => {
                let number = u32::try_from(self.entries.len()).map_err(|_| full)?;
                self.entries.push(held);
                PeerIx(number)
            }
        };
        self.by_peer.insert(*peer, ix);
        Ok(ix)
    }

    /// Lets go of this index once; true if that was its last holder and the peer is gone.
    pub fn release(&mut self, ix: PeerIx) -> bool {
        let Some(entry) = self.entries.get_mut(ix.0 as usize) else { return false };
        let Some(held) = entry else { return false };
        held.holders = held.holders.saturating_sub(1);
        if held.holders > 0 {
            return false;
        }
        self.by_peer.remove(&held.peer);
        *entry = None;
        self.free.insert(ix.0);
        true
    }

    /// The index of this peer, if anyone holds it.
    pub fn lookup(&self, peer: &PeerId) -> Option<PeerIx> {
        self.by_peer.get(peer).copied()
    }

    /// The peer of this index, if anyone holds it.
    pub fn peer(&self, ix: PeerIx) -> Option<&PeerId> {
        let held = self.entries.get(ix.0 as usize)?.as_ref()?;
        Some(&held.peer)
    }

    /// How many peers are held.
    pub fn len(&self) -> usize {
        self.by_peer.len()
    }

    /// Whether no peer is held.
    pub fn is_empty(&self) -> bool {
        self.by_peer.is_empty()
    }

    /// The peer of each index and how often it is held, for who writes the table down.
    pub(crate) fn holders(&self) -> impl ExactSizeIterator<Item = Option<(PeerId, u64)>> {
        self.entries.iter().map(|held| held.as_ref().map(|held| (held.peer, held.holders)))
    }

    /// The table of these holders; nothing if they are too many or one peer has two indices.
    pub(crate) fn of_holders(cap: u32, holders: Vec<Option<(PeerId, u64)>>) -> Option<Self> {
        let mut table = Self::new(cap);
        for (number, holder) in (0..).zip(holders) {
            match holder {
                Some((peer, _)) if table.by_peer.insert(peer, PeerIx(number)).is_some() => {
                    return None;
                }
                Some((peer, holders)) => table.entries.push(Some(Held { peer, holders })),
                None => {
                    table.entries.push(None);
                    table.free.insert(number);
                }
            }
        }
        (table.by_peer.len() <= cap as usize).then_some(table)
    }

    /// Whether one holder lets the peer of this index go.
    pub(crate) fn holds_once(&self, ix: PeerIx) -> bool {
        let held = self.entries.get(ix.0 as usize).and_then(Option::as_ref);
        held.is_some_and(|held| held.holders == 1)
    }

    /// How many peers may be held.
    pub(crate) const fn cap(&self) -> u32 {
        self.cap
    }

    /// The held peers and their indices, in the order of the peers.
    pub fn iter(&self) -> impl Iterator<Item = (&PeerId, PeerIx)> {
        self.by_peer.iter().map(|(peer, &ix)| (peer, ix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_refuses_a_new_peer_and_still_knows_the_old_ones() {
        let mut peers = PeerTable::new(1);
        let ix = peers.acquire(&PeerId::from(1)).expect("there is room");
        assert_eq!(peers.acquire(&PeerId::from(2)), Err(PeerTableFull { cap: 1 }));
        assert_eq!(peers.acquire(&PeerId::from(1)), Ok(ix));
    }

    #[test]
    fn a_peer_leaves_with_its_last_holder_and_its_index_is_given_again() {
        let mut peers = PeerTable::new(2);
        let ix = peers.acquire(&PeerId::from(1)).expect("there is room");
        peers.acquire(&PeerId::from(1)).expect("it is there");
        let other = peers.acquire(&PeerId::from(2)).expect("there is room");
        assert!(!peers.release(ix));
        assert_eq!(peers.peer(ix), Some(&PeerId::from(1)));
        assert!(peers.release(ix));
        assert_eq!((peers.peer(ix), peers.lookup(&PeerId::from(1))), (None, None));
        assert!(!peers.release(ix));
        assert_eq!(peers.acquire(&PeerId::from(3)), Ok(ix));
        assert_eq!(peers.peer(other), Some(&PeerId::from(2)));
        assert_eq!(peers.len(), 2);
    }

    #[test]
    fn peers_are_listed_in_their_own_order_whatever_came_first() {
        let mut peers = PeerTable::new(8);
        for number in [5, 3, 9, 1] {
            peers.acquire(&PeerId::from(number)).expect("there is room");
        }
        let listed: Vec<PeerId> = peers.iter().map(|(peer, _)| *peer).collect();
        assert_eq!(listed, [1, 3, 5, 9].map(PeerId::from));
    }
}
