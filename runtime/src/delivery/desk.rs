//! What a courier has at hand while it writes to a peer.
//!
//! Law: every envelope leaves here, under the name and life of the Node.

use bytes::Bytes;
use samsara_proto::{PeerId, WireEnvelope};

use super::{CourierStep, Life, Station};
use crate::{config::DeliveryConfig, id::Incarnation, time::Nanos};

pub(super) struct Desk<'a> {
    pub(super) station: &'a Station,
    pub(super) config: &'a DeliveryConfig,
    pub(super) questions: &'a mut u64,
    /// Bytes that one peer may have under way.
    pub(super) credit_cap: u64,
    /// Bytes that the mailbox takes now.
    pub(super) room: u64,
    pub(super) now: Nanos,
    pub(super) steps: &'a mut Vec<CourierStep>,
}

impl Desk<'_> {
    pub(super) fn next_question(&mut self) -> u64 {
        // It began at what was drawn for the process, anywhere.
        *self.questions = self.questions.wrapping_add(1);
        *self.questions
    }

    /// The envelope as it leaves.
    pub(super) fn sealed(&self, to: PeerId, mut envelope: WireEnvelope) -> WireEnvelope {
        let Life { incarnation, boot_nonce } = self.station.life;
        envelope.source = Bytes::from(self.station.peer.to_bytes());
        envelope.destination = Bytes::from(to.to_bytes());
        (envelope.incarnation, envelope.boot_nonce) = (incarnation.get(), boot_nonce);
        envelope
    }

    pub(super) fn send(&mut self, to: PeerId, envelope: WireEnvelope) {
        let envelope = Box::new(self.sealed(to, envelope));
        self.steps.push(CourierStep::Send { to, envelope });
    }
}

/// The life that an envelope speaks for.
pub(super) fn life_of(envelope: &WireEnvelope) -> Life {
    let incarnation = Incarnation::new(envelope.incarnation);
    Life { incarnation, boot_nonce: envelope.boot_nonce }
}
