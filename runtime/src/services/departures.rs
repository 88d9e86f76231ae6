//! What a send must pass, and the number that it then bears.
//!
//! Law: a number of a stream is used when its envelope leaves and never before, so that a stream
//! has no gaps. A reliable send without an answer is held back by the lists alone: the host keeps
//! it until the peer is back.

use samsara_proto::PeerId;

use super::{Services, peering::Peering};
use crate::{
    framework::{CapReached, Delivery, Request, RequestError, RequestKind, Route},
    id::{CommandId, RequestId},
    peer::PeerIx,
    step::DropReason,
    time::Nanos,
};

/// The one reliable stream to each peer: what a Node sends to another arrives in that order.
const STREAM: u64 = 1;

/// Why something is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// Nothing is known of the peer.
    Unresolved,
    Dropped(DropReason),
}

impl<R: Into<DropReason>> From<R> for Unsent {
    fn from(reason: R) -> Self {
        Self::Dropped(reason.into())
    }
}

/// The place of an envelope among those to its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parcel {
    pub(crate) stream: u64,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
}

impl Services {
    /// Whether this may be sent now. `asks` says that somebody waits for the outcome.
    pub(crate) fn may_send(
        &mut self,
        to: &PeerId,
        class: Delivery,
        asks: bool,
    ) -> Result<(), Unsent> {
        if !self.known_peer(to) {
            return Err(Unsent::Unresolved);
        }
        let now = self.now;
        let peering = self.peering();
        if class == Delivery::Effective && !asks {
            return Ok(peering.governor.check_inbound(to)?);
        }
        Ok(peering.governor.check_outbound(to, now, &peering.backoff)?)
    }

    /// The place of the next envelope to this peer.
    pub(crate) fn next_parcel(
        &mut self,
        to: &PeerId,
        class: Delivery,
    ) -> Result<Parcel, CapReached> {
        let cap = self.config.exchange.max_streams;
        let peering = self.peering();
        if class == Delivery::BestEffort {
            peering.messages = peering.messages.saturating_add(1);
            return Ok(Parcel { stream: 0, epoch: 0, seq: peering.messages });
        }
        let full = CapReached { what: "outbound streams", cap };
        let ix = peering.meet(to)?;
        if !peering.sent.contains_key(&ix) {
            if peering.sent.len() >= cap as usize {
                return Err(full);
            }
            peering.hold(ix);
        }
        let epoch = peering.epoch_to(ix);
        let last = peering.sent.entry(ix).or_default();
        // No Node lives to see its last number; if one did, its stream would have to end here.
        *last = last.checked_add(1).ok_or(full)?;
        Ok(Parcel { stream: STREAM, epoch, seq: *last })
    }

    /// How often the Node has begun with nothing remembered, the last time included.
    pub(crate) fn memory(&self) -> u64 {
        self.peers().map_or(self.memory, |peering| peering.stream_epoch)
    }

    /// Begins to wait for an answer, no longer than until `latest`; tells until when.
    pub(crate) fn open_request(
        &mut self,
        to: &PeerId,
        kind: RequestKind,
        command: CommandId,
        latest: Option<Nanos>,
    ) -> Result<(RequestId, Nanos), RequestError> {
        let now = self.now;
        let peering = self.peering();
        let peer = peering.meet(to)?;
        let route = Route { peer, channel: kind.get(), chain: None };
        let deadline = now + peering.rtt.budget(route, 1);
        let deadline = latest.map_or(deadline, |latest| latest.min(deadline));
        let request = Request { peer, kind, command, sent_at: now, deadline };
        let id = peering.requests.open(request)?;
        peering.hold(peer);
        Ok((id, deadline))
    }
}

impl Peering {
    /// The epoch of the stream to a peer.
    fn epoch_to(&self, peer: PeerIx) -> u64 {
        let anew = self.anew.as_ref().and_then(|anew| anew.get(&peer)).copied();
        self.stream_epoch.saturating_add(anew.unwrap_or(0))
    }

    /// Begins the stream to a peer anew, if there is one.
    pub(crate) fn begin_stream_anew(&mut self, peer: &PeerId) {
        let Some(ix) = self.table.lookup(peer) else { return };
        if let Some(last) = self.sent.get_mut(&ix) {
            *last = 0;
            let times = self.anew.get_or_insert_default().entry(ix).or_default();
            *times = times.saturating_add(1);
        }
    }
}
