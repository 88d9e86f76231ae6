//! What an envelope changes before any of its values is looked at.
//!
//! Law: a reliable envelope is taken in the order of its stream and once; any other at most once.
//! What a peer says of itself is a hint.

use samsara_proto::{
    Address, PeerId, WireEnvelope,
    wire::{Correlation, Refusal, RefusalReason},
};

use super::{Services, peering::Peering};
use crate::{
    event::EnvelopeFrom,
    framework::{
        BackoffNotice, ChainContext, Delivery, Pressure, Request, RequestKind, Route,
        StreamArrival, StreamKey, Traffic,
    },
    id::RequestId,
    peer::PeerIx,
    step::WireRefusal,
    time::Nanos,
};

/// An envelope that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) source: PeerIx,
    pub(crate) class: Delivery,
    /// What its source is asked to do.
    pub(crate) notice: Option<BackoffNotice>,
    /// The epoch of its stream that has ended with it.
    pub(crate) ended: Option<u64>,
}

impl Services {
    /// Takes an envelope, with `depth` items in the mailbox, or says why not.
    pub(crate) fn take_in(
        &mut self,
        from: &EnvelopeFrom,
        depth: u64,
    ) -> Result<Arrival, WireRefusal> {
        let EnvelopeFrom { src_peer, envelope, .. } = from;
        let heard = self.may_hear(src_peer);
        if envelope.stream == 0 {
            heard?;
        }
        let now = self.now;
        let wait = self.config.backpressure.notice_interval;
        let peering = self.peering();
        let source = peering.meet(src_peer)?;
        let arrival = match envelope.stream {
            0 => peering.take_message(source, envelope, depth, now)?,
            stream => peering.take_next(StreamKey { source, stream }, envelope)?,
        };
        // What is in the batch is acknowledged, so its stream goes on behind it though nobody hears.
        heard?;
        if from.src_observed_address.is_some() || !envelope.claimed_addresses.is_empty() {
            peering.learn(from);
        }
        if envelope.refusals.iter().any(is_notice) {
            peering.backoff.advise(src_peer, now, wait);
        }
        Ok(arrival)
    }

    /// Whether one more reliable stream of a peer has a place, beside those that the same batch
    /// opens: so many of this peer, and so many in all.
    pub(crate) fn has_room_for_stream(&self, peer: &PeerId, of_peer: usize, in_all: usize) -> bool {
        let exchange = &self.config.exchange;
        let peers_max = self.config.peers.max_peers as usize;
        let (mut own, mut all, mut is_known, mut places) = (0, 0, false, peers_max);
        if let Some(peering) = self.peers() {
            let known = peering.table.lookup(peer);
            own = known.map_or(0, |source| peering.dedup.streams_of(source));
            all = peering.dedup.streams();
            is_known = known.is_some();
            places = peers_max.saturating_sub(peering.table.len());
            if in_all >= places {
                places += peering.free_guests();
            }
        }
        own + of_peer < exchange.max_peer_streams as usize
            && all + in_all < exchange.max_streams as usize
            && (is_known || of_peer > 0 || in_all < places)
    }

    /// Ends the request that an envelope answers.
    pub(crate) fn take_answer(
        &mut self,
        source: PeerIx,
        envelope: &WireEnvelope,
    ) -> Option<Request> {
        let now = self.now;
        let id = RequestId::new(envelope.request_id)?;
        let port = envelope.fills.first().map_or(&[][..], |fill| fill.port.as_bytes());
        let kind = RequestKind::of_port(port);
        let peering = self.peering();
        let request = peering.requests.answer(id, source, kind, now).ok()?;
        let chain = envelope
            .chain
            .map(|chain| ChainContext { chain_id: chain.chain_id, hop_index: chain.hop_index });
        let route = Route { peer: source, channel: kind.get(), chain };
        peering.rtt.observe(route, now - request.sent_at);
        peering.let_go(request.peer);
        Some(request)
    }
}

impl Peering {
    /// Peers that would make room, since nothing but their having passed by holds them.
    fn free_guests(&self) -> usize {
        self.guests.iter().filter(|ix| self.table.holds_once(**ix)).count()
    }

    fn take_message(
        &mut self,
        source: PeerIx,
        envelope: &WireEnvelope,
        depth: u64,
        now: Nanos,
    ) -> Result<Arrival, WireRefusal> {
        let answers = envelope.correlation() == Correlation::Response
            && RequestId::new(envelope.request_id)
                .is_some_and(|id| self.requests.awaits(id, source));
        let traffic = if answers { Traffic::Answer } else { Traffic::Unasked };
        let notice = match self.pressure.on_arrival(source, traffic, depth, now) {
            Pressure::Hear => None,
            Pressure::Notify(notice) => Some(notice),
            Pressure::Mute => return Err(WireRefusal::Muted),
        };
        if !self.dedup.accept_id(source, envelope.seq)? {
            return Err(WireRefusal::Duplicate);
        }
        Ok(Arrival { source, class: Delivery::BestEffort, notice, ended: None })
    }

    fn take_next(
        &mut self,
        key: StreamKey,
        envelope: &WireEnvelope,
    ) -> Result<Arrival, WireRefusal> {
        let is_new = self.dedup.watermark(key).is_none();
        let ended = match self.dedup.accept(key, envelope.stream_epoch, envelope.seq)? {
            StreamArrival::Fresh => None,
            StreamArrival::FreshEpoch { ended } => Some(ended),
            StreamArrival::Duplicate => return Err(WireRefusal::Duplicate),
            StreamArrival::Gap { expected } => return Err(WireRefusal::Gap { expected }),
            StreamArrival::StaleEpoch { current } => {
                return Err(WireRefusal::StaleEpoch { current });
            }
        };
        if is_new {
            self.hold(key.source);
        }
        Ok(Arrival { source: key.source, class: Delivery::Effective, notice: None, ended })
    }

    /// Notes where the source may be reached. A book without room for hints goes without.
    #[cold]
    fn learn(&mut self, from: &EnvelopeFrom) {
        let peer = &from.src_peer;
        let claims = from.envelope.claimed_addresses.iter();
        let claims = claims.filter_map(|bytes| Address::from_bytes(bytes).ok());
        for address in from.src_observed_address.iter().cloned().chain(claims) {
            let names_other = address.peer_id().is_some_and(|named| named != *peer);
            if !names_other {
                let _ = self.book.learn(peer, &address);
            }
        }
    }
}

/// Whether a peer asks for a pause of what has no credit.
fn is_notice(refusal: &Refusal) -> bool {
    refusal.stream == 0 && refusal.reason() == RefusalReason::Busy
}
