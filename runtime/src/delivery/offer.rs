//! What a Node says, on its way into the outboxes.
//!
//! Law: reliable output is taken whatever is full already, and one place of a stream has one
//! content. Best effort is held for a while, and what has to go for it is told.

use samsara_proto::{PeerId, WireEnvelope};

use super::{
    Courier, CourierStep, OfferError, Undelivered,
    outbox::{Offered, Outbox},
};
use crate::{framework::Delivery, time::Nanos};

impl Courier {
    /// Takes what the Node says to a peer now.
    pub fn offer(
        &mut self,
        to: PeerId,
        class: Delivery,
        envelope: WireEnvelope,
        now: Nanos,
        steps: &mut Vec<CourierStep>,
    ) -> Result<(), OfferError> {
        self.is_restored = false;
        match class {
            Delivery::Effective => self.keep(to, envelope, now, false, steps),
            Delivery::BestEffort => {
                self.stirred.insert(to);
                if self.meet(to)?.keep_loose(envelope, now) {
                    steps.push(dropped_loose(to, Undelivered::Evicted));
                }
                Ok(())
            }
        }
    }

    /// Takes what the Node says while its history is replayed: what was offered before has to be
    /// the same, and what an earlier process may have sent will be marked as that.
    pub fn offer_again(
        &mut self,
        to: PeerId,
        class: Delivery,
        envelope: WireEnvelope,
        now: Nanos,
        steps: &mut Vec<CourierStep>,
    ) -> Result<(), OfferError> {
        match class {
            // It was said, and ended with its stream.
            Delivery::Effective if self.is_past(&to, &envelope) => Ok(()),
            Delivery::Effective => self.keep(to, envelope, now, self.is_restored, steps),
            Delivery::BestEffort => {
                steps.push(dropped_loose(to, Undelivered::Replayed));
                Ok(())
            }
        }
    }

    fn is_past(&self, to: &PeerId, envelope: &WireEnvelope) -> bool {
        let known = self.peers.get(to).and_then(|known| known.outboxes.get(&envelope.stream));
        known.is_some_and(|outbox| envelope.stream_epoch < outbox.epoch)
    }

    fn keep(
        &mut self,
        to: PeerId,
        envelope: WireEnvelope,
        now: Nanos,
        was_sent: bool,
        steps: &mut Vec<CourierStep>,
    ) -> Result<(), OfferError> {
        let (stream, epoch, config) = (envelope.stream, envelope.stream_epoch, self.config);
        let outbox = self.meet(to)?.outbox(stream, epoch, &config)?;
        let before = outbox.bytes;
        if epoch > outbox.epoch {
            let (epoch, count, reason) = (outbox.epoch, outbox.end(), Undelivered::Anew);
            if count > 0 {
                steps.push(CourierStep::Dropped { to, stream, epoch, count, reason });
            }
            *outbox = Outbox::new(envelope.stream_epoch);
        }
        let offered = outbox.offer(envelope, now, was_sent);
        let after = outbox.bytes;
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        self.stirred.insert(to);
        if offered? == Offered::TooLate {
            let (count, reason) = (1, Undelivered::PeerAnew);
            steps.push(CourierStep::Dropped { to, stream, epoch, count, reason });
        }
        Ok(())
    }
}

fn dropped_loose(to: PeerId, reason: Undelivered) -> CourierStep {
    CourierStep::Dropped { to, stream: 0, epoch: 0, count: 1, reason }
}
