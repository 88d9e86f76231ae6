//! Two couriers on one link, without Nodes.

use bytes::Bytes;
use samsara_ingress::Admitted;
use samsara_proto::{PeerId, WireEnvelope};
use samsara_runtime::config::DeliveryConfig;
use samsara_runtime::delivery::{Courier, CourierStep, OfferError, Received};
use samsara_runtime::event::{EnvelopeFrom, IngressEvent};
use samsara_runtime::framework::Delivery;
use samsara_runtime::time::{Nanos, millis};

use super::super::{MAILBOX, config, peer, said, station};

pub(super) const ADA: usize = 0;
pub(super) const BOB: usize = 1;

/// One courier, what it gave to its Node, and what it said to its host.
pub(super) struct End {
    pub(super) courier: Courier,
    pub(super) other: PeerId,
    pub(super) now: Nanos,
    pub(super) room: u64,
    pub(super) delivered: Vec<WireEnvelope>,
    pub(super) synced: usize,
    /// All steps but those that send.
    pub(super) told: Vec<CourierStep>,
}

impl End {
    pub(super) fn new(own: usize, other: usize, config: DeliveryConfig) -> Self {
        Self::of(Courier::new(station(own, 1, own as u64 + 10), config), other)
    }

    pub(super) fn of(courier: Courier, other: usize) -> Self {
        Self {
            courier,
            other: peer(other),
            now: millis(1),
            room: MAILBOX,
            delivered: Vec::new(),
            synced: 0,
            told: Vec::new(),
        }
    }

    /// The next process, from what this one left behind.
    pub(super) fn restored(&self, own: usize, life: u64, section: &Bytes) -> Self {
        let station = station(own, life, life << 20 | own as u64);
        let courier = Courier::restore(station, config(), section).expect("it was written here");
        Self { other: self.other, ..Self::of(courier, 0) }
    }

    pub(super) fn say(&mut self, seq: u64, size: usize) {
        self.offer(said(1, seq, vec![7; size].into())).expect("it is the next");
    }

    pub(super) fn offer(&mut self, envelope: WireEnvelope) -> Result<(), OfferError> {
        let class = match envelope.stream {
            0 => Delivery::BestEffort,
            _ => Delivery::Effective,
        };
        self.courier.offer(self.other, class, envelope, self.now, &mut self.told)
    }

    pub(super) fn offer_again(&mut self, envelope: WireEnvelope) -> Result<(), OfferError> {
        let class = Delivery::Effective;
        self.courier.offer_again(self.other, class, envelope, self.now, &mut self.told)
    }

    /// What is sent now.
    pub(super) fn poll(&mut self) -> Vec<WireEnvelope> {
        let mut steps = Vec::new();
        self.courier.poll(self.now, self.room, &mut steps);
        let mut sent = Vec::new();
        for step in steps {
            match step {
                CourierStep::Send { envelope, .. } => sent.push(*envelope),
                other => self.told.push(other),
            }
        }
        sent
    }

    pub(super) fn hear(&mut self, envelope: WireEnvelope) -> Received {
        let received =
            self.courier.receive(self.other, Box::new(envelope), self.now, &mut self.told);
        if let Received::Deliver(envelope) = &received {
            self.delivered.push((**envelope).clone());
        }
        received
    }

    /// All that was delivered is durable.
    pub(super) fn sync(&mut self) {
        let fresh = self.delivered.get(self.synced..).unwrap_or_default();
        let events: Vec<_> = fresh
            .iter()
            .map(|envelope| {
                let (src_peer, envelope) = (self.other, envelope.clone());
                let from = EnvelopeFrom { src_peer, envelope, src_observed_address: None };
                Admitted { event: IngressEvent::EnvelopeFrom(Box::new(from)), weight: 0 }
            })
            .collect();
        self.courier.synced(&events, self.now).expect("there is room");
        self.synced = self.delivered.len();
    }

    pub(super) fn seqs(&self) -> Vec<u64> {
        self.delivered.iter().map(|envelope| envelope.seq).collect()
    }

    pub(super) fn take_told(&mut self) -> Vec<CourierStep> {
        std::mem::take(&mut self.told)
    }
}

pub(super) fn pair() -> (End, End) {
    let (mut ada, mut bob) = (End::new(ADA, BOB, config()), End::new(BOB, ADA, config()));
    join(&mut ada, &mut bob);
    (ada, bob)
}

pub(super) fn join(ada: &mut End, bob: &mut End) {
    ada.courier.link_up(ada.other).expect("there is room");
    bob.courier.link_up(bob.other).expect("there is room");
}

pub(super) fn part(ada: &mut End, bob: &mut End) {
    ada.courier.link_down(&ada.other);
    bob.courier.link_down(&bob.other);
}

/// Lets both speak until they are silent; gives what went over the link, in order.
pub(super) fn talk(ada: &mut End, bob: &mut End) -> Vec<WireEnvelope> {
    let mut all = Vec::new();
    for _ in 0..100 {
        let mut sent = ada.poll();
        let back = bob.poll();
        if sent.is_empty() && back.is_empty() {
            return all;
        }
        for envelope in &sent {
            let _ = bob.hear(envelope.clone());
        }
        for envelope in &back {
            let _ = ada.hear(envelope.clone());
        }
        all.append(&mut sent);
        all.extend(back);
    }
    panic!("they never fall silent");
}

/// Talks, and lets what arrived become durable, until all is settled.
pub(super) fn settle(ada: &mut End, bob: &mut End) -> Vec<WireEnvelope> {
    let mut all = Vec::new();
    for _ in 0..100 {
        all.extend(talk(ada, bob));
        ada.sync();
        bob.sync();
        ada.now = ada.now + millis(30);
        bob.now = bob.now + millis(30);
        if ada.courier.is_settled() && bob.courier.is_settled() {
            return all;
        }
    }
    panic!("it never settles");
}
