//! Envelopes that arrive: from a link to the courier, through the Node's door, into its mailbox.
//!
//! Law: what the door refuses the sender is told, with whether it may send it again.

use samsara_proto::{Address, PeerId, WireEnvelope, wire::RefusalReason};

use super::{Ground, Resident, Word};
use crate::{
    delivery::{
        CourierStep, Decision, NotStopped, Received,
        Undelivered::{GivenUp, PeerAnew},
        Unheard,
    },
    error::{DeliveryError, Denial},
    framework::CapReached,
    planted::{self, Bug},
    time::Nanos,
};

/// What came of an envelope that arrived.
#[derive(Debug)]
#[non_exhaustive]
pub enum Arrival {
    /// It is in the mailbox.
    Admitted,
    /// It was for the courier.
    Done,
    /// It was not heard. None of it is lost: what is still wanted is sent again.
    Unheard(Unheard),
    /// The door did not let it in, and its sender will be told.
    Refused(DeliveryError),
}

impl Resident {
    /// Has done what is to be done now between the Node and its links.
    pub(super) fn poll<G: Ground>(&mut self, ground: &mut G, now: Nanos) {
        let budget = self.node.config().ingress_byte_budget;
        let room = budget.saturating_sub(self.node.ingress().stats().bytes);
        self.courier.poll(now, room, &mut self.carried);
        for step in self.carried.drain(..) {
            if let CourierStep::Dropped { to, epoch, reason: PeerAnew | GivenUp, .. } = &step {
                // Without room for it the next that is dropped asks again.
                let _ = self.node.begin_stream_anew(*to, *epoch);
            }
            ground.hear(&self.peer, Word::Carry(step));
        }
    }

    /// Takes an envelope from a link on which `from` has proved to be who speaks.
    pub fn receive(
        &mut self,
        from: PeerId,
        envelope: Box<WireEnvelope>,
        observed: Option<Address>,
        now: Nanos,
    ) -> Arrival {
        let envelope = match self.courier.receive(from, envelope, now, &mut self.carried) {
            Received::Deliver(envelope) => envelope,
            Received::Done => return Arrival::Done,
            Received::Dropped(why) => return Arrival::Unheard(why),
        };
        let (stream, seq) = (envelope.stream, envelope.seq);
        match self.node.deliver_envelope(from, *envelope, observed) {
            Ok(()) => Arrival::Admitted,
            Err(error) => {
                if !planted::is(Bug::SwallowedRefusal) {
                    self.courier.refuse(&from, stream, seq, reason(&error));
                }
                Arrival::Refused(error)
            }
        }
    }

    /// A link to a peer is there.
    pub fn link_up(&mut self, peer: PeerId) -> Result<(), CapReached> {
        self.courier.link_up(peer)
    }

    /// The link to a peer has closed.
    pub fn link_down(&mut self, peer: &PeerId) {
        self.courier.link_down(peer);
    }

    /// Settles what becomes of a stream that an alarm has stopped.
    pub fn decide(
        &mut self,
        peer: &PeerId,
        stream: u64,
        decision: Decision,
    ) -> Result<(), NotStopped> {
        self.courier.decide(peer, stream, decision, &mut self.carried)
    }
}

/// What a sender is told.
fn reason(error: &DeliveryError) -> RefusalReason {
    match error {
        DeliveryError::OversizePayload { .. } | DeliveryError::EnvelopeOverCaps(_) => {
            RefusalReason::TooLarge
        }
        DeliveryError::Denied(Denial::Cooldown { .. } | Denial::Down) => RefusalReason::Busy,
        DeliveryError::Denied(_) | DeliveryError::Misdirected { .. } => RefusalReason::Denied,
        DeliveryError::InvalidEnvelope(_) => RefusalReason::Malformed,
        DeliveryError::IngressClosed => RefusalReason::Draining,
        _ => RefusalReason::Busy,
    }
}
