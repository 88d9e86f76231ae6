//! What stands between a Node and its links: reliable streams, seen from the host.
//!
//! Law: what a Node has said reliably is kept until its receiver has it durably, and what is
//! acknowledged is durable. Envelopes go out in the order of their streams, within the credit of
//! their receivers; acknowledgements and credit wait for no Node. A [`Courier`] does nothing by
//! itself: it takes what happened and appends to `steps` what is to be done.
//!
//! A link is ordered and loses nothing until it closes. So there is no timer for any message: after
//! a link came up, the first use of a stream asks the receiver how far it is, and goes on from there.
//!
//! ```
//! use samsara_proto::{PeerId, WireEnvelope, wire::{Fill, SCHEMA}};
//! use samsara_runtime::config::DeliveryConfig;
//! use samsara_runtime::delivery::{Courier, CourierStep, Life, Received, Station};
//! use samsara_runtime::framework::Delivery;
//! use samsara_runtime::id::Incarnation;
//! use samsara_runtime::time::Nanos;
//!
//! let courier = |peer: u64| {
//!     let life = Life { incarnation: Incarnation::new(1), boot_nonce: peer };
//!     let peer = PeerId::from(peer);
//!     let station = Station { peer, life, memory: 1, mailbox_bytes: 1 << 20 };
//!     Courier::new(station, DeliveryConfig::default())
//! };
//! let (mut ada, mut bob, now) = (courier(1), courier(2), Nanos::ZERO);
//! ada.link_up(PeerId::from(2))?;
//! bob.link_up(PeerId::from(1))?;
//!
//! // What a Node says as `EngineStep::SendEnvelope` is offered as it is.
//! let fills = vec![Fill { port: "greeter/name".into(), ..Fill::default() }];
//! let said =
//!     WireEnvelope { schema: SCHEMA, stream: 1, stream_epoch: 1, seq: 1, fills, ..Default::default() };
//! let mut steps = Vec::new();
//! ada.offer(PeerId::from(2), Delivery::Effective, said, now, &mut steps)?;
//!
//! // A host would carry these; here one turn of each is question, answer, envelope.
//! let mut delivered = Vec::new();
//! for _ in 0..3 {
//!     ada.poll(now, 1 << 20, &mut steps);
//!     for step in std::mem::take(&mut steps) {
//!         let CourierStep::Send { envelope, .. } = step else { continue };
//!         if let Received::Deliver(envelope) = bob.receive(PeerId::from(1), envelope, now, &mut steps) {
//!             delivered.push(envelope);
//!         }
//!     }
//!     bob.poll(now, 1 << 20, &mut steps);
//!     for step in std::mem::take(&mut steps) {
//!         let CourierStep::Send { envelope, .. } = step else { continue };
//!         let _ = ada.receive(PeerId::from(2), envelope, now, &mut steps);
//!     }
//! }
//! assert_eq!(delivered.len(), 1);
//! assert!(!ada.is_settled(), "it is kept until Bob's host has synced it");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod correspondent;
mod desk;
mod inbox;
mod life;
mod offer;
mod outbox;
mod receive;
mod section;
mod step;
mod word;

use std::collections::{BTreeMap, BTreeSet};

use samsara_ingress::Admitted;
use samsara_proto::{PeerId, wire::RefusalReason};

pub use self::{
    life::Life,
    step::{
        Alarm, Amnesia, CourierStep, Decision, NotStopped, OfferError, Received, Undelivered,
        Unheard, Unplaced,
    },
};

use self::{correspondent::Correspondent, desk::Desk, outbox::Phase, word::cost};
use crate::{
    config::DeliveryConfig,
    event::IngressEvent,
    framework::{CapReached, Watermark},
    planted::{self, Bug},
    time::Nanos,
};

/// Whose courier it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// The Node.
    pub peer: PeerId,
    /// Its life.
    pub life: Life,
    /// How often it has begun with nothing remembered, this time included: the epoch of its streams.
    pub memory: u64,
    /// Bytes that its mailbox takes.
    pub mailbox_bytes: u64,
}

/// Carries the envelopes of one Node, see the [module](self) page.
#[derive(Clone, Debug)]
pub struct Courier {
    station: Station,
    config: DeliveryConfig,
    peers: BTreeMap<PeerId, Correspondent>,
    /// Peers about which something has changed.
    stirred: BTreeSet<PeerId>,
    agenda: BTreeSet<(Nanos, PeerId)>,
    /// What all outboxes hold.
    bytes: u64,
    was_busy: bool,
    /// Questions asked: no two of any process are alike.
    questions: u64,
    /// Whether an earlier process may have sent what this one does not know of.
    is_restored: bool,
}

impl Courier {
    /// A courier that has carried nothing.
    pub fn new(station: Station, config: DeliveryConfig) -> Self {
        Self {
            station,
            config,
            peers: BTreeMap::new(),
            stirred: BTreeSet::new(),
            agenda: BTreeSet::new(),
            bytes: 0,
            was_busy: false,
            questions: station.life.boot_nonce,
            is_restored: false,
        }
    }

    /// Whose it is.
    pub fn station(&self) -> Station {
        self.station
    }

    /// Speaks for the Node's next life from now on. What waits for the Node and for its peers stays.
    pub fn begin_life(&mut self, life: Life) {
        self.station.life = life;
    }

    /// A link to a peer is there. What was said on an earlier one counts no more.
    pub fn link_up(&mut self, peer: PeerId) -> Result<(), CapReached> {
        let known = self.meet(peer)?;
        if !planted::is(Bug::NoRelink) {
            known.relink();
        }
        known.is_linked = true;
        self.stirred.insert(peer);
        Ok(())
    }

    /// The link to a peer has closed.
    pub fn link_down(&mut self, peer: &PeerId) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        if !planted::is(Bug::NoRelink) {
            known.relink();
        }
        known.is_linked = false;
        self.stirred.insert(*peer);
    }

    /// Takes note that the events of a batch are durable: from now on they may be acknowledged. The
    /// batches of a replay are durable too.
    pub fn synced(
        &mut self,
        events: &[Admitted<IngressEvent>],
        now: Nanos,
    ) -> Result<(), CapReached> {
        let config = self.config;
        for admitted in events {
            let IngressEvent::EnvelopeFrom(from) = &admitted.event else { continue };
            let envelope = &from.envelope;
            let known = self.meet(from.src_peer)?;
            known.fence.hear(desk::life_of(envelope));
            if envelope.stream != 0 {
                let epoch = envelope.stream_epoch;
                known.inbox(envelope.stream, epoch, &config)?.note_durable(
                    epoch,
                    envelope.seq,
                    now,
                );
            }
            self.stirred.insert(from.src_peer);
        }
        Ok(())
    }

    /// The mailbox did not take what was just received: it will be sent again, if the reason is one
    /// that passes.
    pub fn refuse(&mut self, peer: &PeerId, stream: u64, seq: u64, reason: RefusalReason) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        if let Some(inbox) = known.inboxes.get_mut(&stream) {
            inbox.refuse(seq, reason);
            self.stirred.insert(*peer);
        }
    }

    /// The Node has kept these out of its batch: they will be sent again.
    pub fn put_back(&mut self, unplaced: &[Unplaced]) {
        for Unplaced { peer, stream, seq } in unplaced {
            self.refuse(peer, *stream, *seq, RefusalReason::Busy);
        }
    }

    /// Holds what was acknowledged against what the Node remembers, after its replay and before any
    /// link is up.
    pub fn verify(
        &self,
        watermark: impl Fn(&PeerId, u64) -> Option<Watermark>,
    ) -> Result<(), Amnesia> {
        for (peer, known) in &self.peers {
            for (stream, inbox) in &known.inboxes {
                let has = watermark(peer, *stream).filter(|mark| mark.epoch >= inbox.epoch);
                let is_later = has.is_some_and(|mark| mark.epoch > inbox.epoch);
                let known = has.map_or(0, |mark| mark.next.saturating_sub(1));
                if known < inbox.durable && !is_later {
                    let (peer, stream, acked) = (*peer, *stream, inbox.durable);
                    return Err(Amnesia { peer, stream, acked, known });
                }
            }
        }
        Ok(())
    }

    /// Settles what becomes of a stream that an alarm has stopped.
    pub fn decide(
        &mut self,
        peer: &PeerId,
        stream: u64,
        decision: Decision,
        steps: &mut Vec<CourierStep>,
    ) -> Result<(), NotStopped> {
        let outbox = self.peers.get_mut(peer).and_then(|known| known.outboxes.get_mut(&stream));
        let Some(outbox) = outbox.filter(|outbox| outbox.phase == Phase::Stopped) else {
            return Err(NotStopped { stream });
        };
        match decision {
            Decision::Retry => {
                outbox.phase = Phase::Unasked;
                outbox.relink();
            }
            Decision::GiveUp => {
                self.bytes = self.bytes.saturating_sub(outbox.bytes);
                let (to, epoch, count, reason) =
                    (*peer, outbox.epoch, outbox.end(), Undelivered::GivenUp);
                steps.push(CourierStep::Dropped { to, stream, epoch, count, reason });
            }
        }
        self.stirred.insert(*peer);
        Ok(())
    }

    /// Decides what is sent now, the mailbox having room for so many bytes.
    pub fn poll(&mut self, now: Nanos, room: u64, steps: &mut Vec<CourierStep>) {
        while let Some(&(at, peer)) = self.agenda.first()
            && at <= now
        {
            self.agenda.pop_first();
            self.stirred.insert(peer);
        }
        let credit_cap = self.credit_cap();
        for peer in std::mem::take(&mut self.stirred) {
            let Some(known) = self.peers.get_mut(&peer) else { continue };
            let mut desk = Desk {
                station: &self.station,
                config: &self.config,
                questions: &mut self.questions,
                credit_cap,
                room,
                now,
                steps,
            };
            known.poll(peer, &mut desk);
            if known.is_short(credit_cap) {
                self.stirred.insert(peer);
            }
            let due = known.due(&self.config);
            if let Some(at) = std::mem::replace(&mut known.wake, due) {
                self.agenda.remove(&(at, peer));
            }
            self.agenda.extend(due.map(|at| (at, peer)));
        }
        let is_busy = self.is_busy();
        if std::mem::replace(&mut self.was_busy, is_busy) != is_busy {
            steps.push(if is_busy { CourierStep::Busy } else { CourierStep::Free });
        }
    }

    /// When it is to be polled though nothing happens.
    pub fn next_due(&self) -> Option<Nanos> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Whether new work from outside is to be refused, so that what was acknowledged has room.
    pub fn is_busy(&self) -> bool {
        let high = u128::from(self.config.outbox_bytes);
        let high = high * u128::from(self.config.outbox_high_percent) / 100;
        u128::from(self.bytes) >= high
    }

    /// Whether the Node is not to be moved before its peers have taken some of its output. What
    /// arrives is journaled and acknowledged nevertheless.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.config.outbox_bytes
    }

    /// Bytes of reliable output that wait for their receivers.
    pub fn outbox_bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether all reliable output is durable where it was to go.
    pub fn is_settled(&self) -> bool {
        self.bytes == 0
    }

    fn credit_cap(&self) -> u64 {
        let share = u128::from(self.station.mailbox_bytes);
        let share = share * u128::from(self.config.credit_percent) / 100;
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// What is kept about a peer. One with whom nothing is open makes room for a new one.
    fn meet(&mut self, peer: PeerId) -> Result<&mut Correspondent, CapReached> {
        let cap = self.config.max_peers;
        if self.peers.len() >= cap as usize && !self.peers.contains_key(&peer) {
            let idle = self.peers.iter().find(|(_, known)| known.is_idle()).map(|(id, _)| *id);
            let idle = idle.ok_or(CapReached { what: "peers of a courier", cap })?;
            self.peers.remove(&idle);
        }
        let config = &self.config;
        Ok(self.peers.entry(peer).or_insert_with(|| Correspondent::new(config)))
    }
}
