//! What a send must pass, and the number that it then bears.
//!
//! Law: a number of a stream is used when its envelope leaves and never before, so that a stream
//! has no gaps. A reliable send without an answer is held back by the lists alone: the host keeps
//! it until the peer is back.

use samsara_proto::PeerId;

use super::Services;
use crate::{
    framework::{CapReached, Delivery, Request, RequestError, RequestKind, Route},
    id::{CommandId, RequestId},
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
        let epoch = peering.stream_epoch;
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
        let last = peering.sent.entry(ix).or_default();
        // No Node lives to see its last number; if one did, its stream would have to end here.
        *last = last.checked_add(1).ok_or(full)?;
        Ok(Parcel { stream: STREAM, epoch, seq: *last })
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
