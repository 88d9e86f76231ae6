//! What a Node knows of its peers.
//!
//! Law: bounded, and a Node that never talks has none of it but its own addresses. A peer has an
//! index while something remembers it; one that is only passing by makes room for the next.

use std::collections::{BTreeMap, VecDeque};

use samsara_proto::{Address, PeerId};

use super::{Services, seed};
use crate::{
    config::NodeConfig,
    error::Denial,
    framework::{
        AddressBook, BackoffTable, BackpressureTracker, CapReached, InboundDedup, KnownAddress,
        Origin, PeerGovernor, PeerHealth, PeerTransition, RequestTracker, RttTracker, StreamKey,
        Watermark,
    },
    id::{CommandId, RequestId},
    peer::{PeerIx, PeerTable},
    rng::Rng,
    time::Nanos,
};

/// Everything about peers.
#[derive(Debug)]
pub(crate) struct Peering {
    pub(super) table: PeerTable,
    /// Peers that are remembered because they passed by, the longest ago first.
    pub(super) guests: VecDeque<PeerIx>,
    pub(crate) book: AddressBook,
    pub(crate) governor: PeerGovernor,
    pub(super) backoff: BackoffTable,
    pub(super) rtt: RttTracker,
    pub(super) requests: RequestTracker,
    pub(super) dedup: InboundDedup,
    pub(super) pressure: BackpressureTracker,
    /// The first epoch of all streams that the Node sends: one that has lost its state takes a new
    /// one.
    pub(super) stream_epoch: u64,
    /// How often the stream to a peer was begun anew since; made when the first is.
    pub(super) anew: Option<BTreeMap<PeerIx, u64>>,
    /// Peers that the mailbox is to refuse, or to refuse no more, from the end of this turn on.
    doors: Vec<(PeerId, bool)>,
    /// The last number of the reliable stream to each peer.
    pub(super) sent: BTreeMap<PeerIx, u64>,
    /// The last number of a best-effort message to anyone.
    pub(super) messages: u64,
}

impl Peering {
    fn new(own: PeerId, addresses: &[Address], memory: u64, config: &NodeConfig) -> Self {
        let (most, exchange) = (config.peers.max_peers, &config.exchange);
        let (book, capacity) = (first_book(own, addresses, config), config.ingress_capacity);
        Self {
            table: PeerTable::new(most),
            guests: VecDeque::new(),
            book,
            governor: PeerGovernor::new(config.peers),
            backoff: BackoffTable::new(config.backoff, most),
            rtt: RttTracker::new(config.rtt, config.rtt.max_estimates),
            requests: RequestTracker::new(exchange.max_requests),
            dedup: InboundDedup::new(exchange.max_streams, most, exchange.dedup_window)
                .with_streams_each(exchange.max_peer_streams),
            pressure: BackpressureTracker::new(config.backpressure, capacity, most),
            stream_epoch: memory,
            anew: None,
            doors: Vec::new(),
            sent: BTreeMap::new(),
            messages: 0,
        }
    }

    /// The index of a peer, which may be gone after the next call.
    pub(super) fn meet(&mut self, peer: &PeerId) -> Result<PeerIx, CapReached> {
        if let Some(ix) = self.table.lookup(peer) {
            return Ok(ix);
        }
        loop {
            match self.table.acquire(peer) {
                Ok(ix) => {
                    self.guests.push_back(ix);
                    return Ok(ix);
                }
                Err(full) => {
                    let full = CapReached { what: "peers", cap: full.cap };
                    let oldest = self.guests.pop_front().ok_or(full)?;
                    self.let_go(oldest);
                }
            }
        }
    }

    /// Remembers a peer until [`let_go`](Self::let_go), once more for each call.
    pub(super) fn hold(&mut self, ix: PeerIx) {
        if let Some(peer) = self.table.peer(ix).copied() {
            // A peer that is there is given again, however full the table is.
            let _ = self.table.acquire(&peer);
        }
    }

    /// Ends all requests: nobody waits for their answers any more, and no peer has failed.
    pub(super) fn end_requests(&mut self) {
        while let Some((_, request)) = self.requests.pop_expired(Nanos::MAX) {
            self.let_go(request.peer);
        }
    }

    pub(super) fn let_go(&mut self, ix: PeerIx) {
        if self.table.release(ix) {
            self.dedup.forget_ids(ix);
            self.rtt.forget(ix);
            self.pressure.forget(ix);
        }
    }
}

impl Services {
    /// What is known of peers, made if need be.
    pub(crate) fn peering(&mut self) -> &mut Peering {
        self.peering.get_or_insert_with(|| {
            let addresses = std::mem::take(&mut self.addresses);
            Box::new(Peering::new(self.peer, &addresses, self.memory, &self.config))
        })
    }

    /// What is known of peers, if anything is.
    pub(crate) fn peers(&self) -> Option<&Peering> {
        self.peering.as_deref()
    }

    /// Asks the book, or the one that there would be: to ask changes nothing.
    pub(crate) fn check_book<R>(&self, check: impl FnOnce(&AddressBook) -> R) -> R {
        match self.peers() {
            Some(peering) => check(&peering.book),
            None => check(&first_book(self.peer, &self.addresses, &self.config)),
        }
    }

    /// Whether a peer could be blocked now.
    pub(crate) fn check_block(&self, peer: &PeerId) -> Result<(), CapReached> {
        match self.peers() {
            Some(peering) => peering.governor.may_block(peer),
            None => PeerGovernor::new(self.config.peers).may_block(peer),
        }
    }

    /// Refuses a peer from now on.
    pub(crate) fn block(&mut self, peer: &PeerId) -> Result<Option<PeerTransition>, CapReached> {
        let peering = self.peering();
        let changed = peering.governor.block(peer)?;
        peering.doors.extend(changed.map(|_| (*peer, true)));
        Ok(changed)
    }

    /// Refuses a peer no more.
    pub(crate) fn unblock(&mut self, peer: &PeerId) -> Option<PeerTransition> {
        let peering = self.peering();
        let changed = peering.governor.unblock(peer);
        peering.doors.extend(changed.map(|_| (*peer, false)));
        changed
    }

    /// Takes the peers that were blocked, and those that were unblocked, in order.
    pub(crate) fn take_doors(&mut self) -> Vec<(PeerId, bool)> {
        self.peering.as_mut().map(|peering| std::mem::take(&mut peering.doors)).unwrap_or_default()
    }

    /// Where a peer can be reached, itself included.
    pub(crate) fn addresses_of(&self, peer: &PeerId) -> impl Iterator<Item = KnownAddress<'_>> {
        let own = if *peer == self.peer { &*self.addresses } else { &[] };
        let own = own.iter().map(|address| KnownAddress { address, origin: Origin::Owned });
        own.chain(self.peers().into_iter().flat_map(|peering| peering.book.lookup(peer)))
    }

    /// Whether a host can find this peer: it has an address, or is at a place of the program.
    pub(crate) fn known_peer(&self, peer: &PeerId) -> bool {
        let is_bound = || self.bindings.as_ref().is_some_and(|bindings| bindings.has(peer));
        *peer == self.peer || self.addresses_of(peer).next().is_some() || is_bound()
    }

    /// Whether a peer is heard.
    pub(crate) fn may_hear(&self, peer: &PeerId) -> Result<(), Denial> {
        self.peers().map_or(Ok(()), |peering| peering.governor.check_inbound(peer))
    }

    /// How a peer fares.
    pub(crate) fn health(&self, peer: &PeerId) -> Option<PeerHealth> {
        self.peers()?.governor.health(peer)
    }

    /// How far a stream of a peer was taken.
    pub(crate) fn watermark(&self, peer: &PeerId, stream: u64) -> Option<Watermark> {
        let peering = self.peers()?;
        let source = peering.table.lookup(peer)?;
        peering.dedup.watermark(StreamKey { source, stream })
    }

    /// Notes that a peer did what was wanted.
    pub(crate) fn note_success(&mut self, peer: &PeerId) -> Option<PeerTransition> {
        let now = self.now;
        let peering = self.peering();
        peering.backoff.record_success(peer);
        peering.governor.record_success(peer, now)
    }

    /// Notes that a peer did not do what was wanted.
    pub(crate) fn note_failure(&mut self, peer: &PeerId) -> Option<PeerTransition> {
        let (own, now) = (self.peer, self.now);
        self.peering();
        let peering = self.peering.as_deref_mut()?;
        let rng = self.rng.get_or_insert_with(|| Box::new(Rng::from_seed_bytes(seed(own))));
        peering.backoff.record_failure(peer, now, rng);
        peering.governor.record_failure(peer, now)
    }

    /// Ends a request that was not sent.
    pub(crate) fn close_request(&mut self, id: RequestId) {
        if let Some(peering) = self.peering.as_deref_mut()
            && let Some(request) = peering.requests.close(id)
        {
            peering.let_go(request.peer);
        }
    }

    /// Ends a request to this peer that was not sent, and tells who waits for its answer.
    pub(crate) fn close_request_to(&mut self, id: RequestId, peer: &PeerId) -> Option<CommandId> {
        let peering = self.peering.as_deref_mut()?;
        let asked = peering.table.lookup(peer)?;
        if !peering.requests.awaits(id, asked) {
            return None;
        }
        let request = peering.requests.close(id)?;
        peering.let_go(request.peer);
        Some(request.command)
    }

    /// Ends the next request whose time is up.
    pub(crate) fn pop_expired(&mut self) -> Option<(RequestId, PeerId, CommandId)> {
        let now = self.now;
        let peering = self.peering.as_deref_mut()?;
        let (id, request) = peering.requests.pop_expired(now)?;
        let peer = peering.table.peer(request.peer).copied()?;
        peering.let_go(request.peer);
        Some((id, peer, request.command))
    }
}

/// A book that knows of nobody but the Node itself.
fn first_book(own: PeerId, addresses: &[Address], config: &NodeConfig) -> AddressBook {
    let mut book = AddressBook::new(own, config.peers.max_peers, config.peers.max_addresses);
    for address in addresses {
        // Installing has refused more than the book takes.
        let _ = book.add_own_address(address);
    }
    book
}
