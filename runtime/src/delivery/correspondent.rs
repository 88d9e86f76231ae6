//! All that a courier keeps about one peer.
//!
//! Law: what is owed to the peer rides on what goes there anyway, and goes by itself when it is due:
//! nothing of it waits for a Node to do anything.

use std::collections::{BTreeMap, VecDeque};

use samsara_proto::{
    PeerId, WireEnvelope,
    wire::{Refusal, RefusalReason},
};

use super::{
    CourierStep, Desk, Life, Undelivered,
    inbox::Inbox,
    life::Fence,
    outbox::{Outbox, Phase},
    word,
};
use crate::{
    config::DeliveryConfig,
    framework::{CapReached, Delivery, OutboundQueue},
    planted::{self, Bug},
    time::Nanos,
};

/// What a Node that has never lost its memory says of it.
const FIRST: u64 = 1;

/// One peer.
#[derive(Clone, Debug)]
pub(super) struct Correspondent {
    pub(super) fence: Fence,
    /// How often the peer has begun anew, as it said last; 0 is unknown.
    pub(super) memory: u64,
    pub(super) is_linked: bool,
    was_dialled: bool,
    /// Whether it was told on this link how often this Node began anew.
    knows_memory: bool,
    pub(super) outboxes: BTreeMap<u64, Outbox>,
    pub(super) inboxes: BTreeMap<u64, Inbox>,
    loose: OutboundQueue<(Nanos, WireEnvelope)>,
    /// Lives that are to be told that they are not heard: at most the two that were heard last.
    unheard: Vec<Life>,
    refusals: Vec<Refusal>,
    /// When it is looked at again, as the courier has noted it.
    pub(super) wake: Option<Nanos>,
}

impl Correspondent {
    pub(super) fn new(config: &DeliveryConfig) -> Self {
        Self {
            fence: Fence::default(),
            memory: 0,
            is_linked: false,
            was_dialled: false,
            knows_memory: false,
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            loose: OutboundQueue::new(config.max_best_effort, 100),
            unheard: Vec::new(),
            refusals: Vec::new(),
            wake: None,
        }
    }

    /// Whether it can be forgotten without breaking a promise.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_linked && self.outboxes.is_empty() && self.inboxes.is_empty()
    }

    /// Nothing that was said on a link holds on the next one.
    pub(super) fn relink(&mut self) {
        self.outboxes.values_mut().for_each(Outbox::relink);
        self.inboxes.values_mut().for_each(Inbox::relink);
        self.refusals.clear();
        self.was_dialled &= planted::is(Bug::DialledOnce);
        self.knows_memory = false;
    }

    /// The inbox of a stream, made if there is room for one.
    pub(super) fn inbox(
        &mut self,
        stream: u64,
        epoch: u64,
        config: &DeliveryConfig,
    ) -> Result<&mut Inbox, CapReached> {
        let cap = config.max_streams_per_peer;
        let full = CapReached { what: "inbound streams of a peer", cap };
        let is_full = self.inboxes.len() >= cap as usize;
        if is_full && !self.inboxes.contains_key(&stream) {
            return Err(full);
        }
        Ok(self.inboxes.entry(stream).or_insert_with(|| Inbox::new(epoch)))
    }

    /// The outbox of a stream, made if there is room for one.
    pub(super) fn outbox(
        &mut self,
        stream: u64,
        epoch: u64,
        config: &DeliveryConfig,
    ) -> Result<&mut Outbox, CapReached> {
        let cap = config.max_streams_per_peer;
        let full = CapReached { what: "outbound streams of a peer", cap };
        let is_full = self.outboxes.len() >= cap as usize;
        if is_full && !self.outboxes.contains_key(&stream) {
            return Err(full);
        }
        Ok(self.outboxes.entry(stream).or_insert_with(|| Outbox::new(epoch)))
    }

    /// Keeps a best-effort envelope; true if an older one had to go for it.
    pub(super) fn keep_loose(&mut self, envelope: WireEnvelope, now: Nanos) -> bool {
        // Only reliable entries are refused, and there are none in this queue.
        !matches!(self.loose.push(Delivery::BestEffort, (now, envelope)), Ok(None))
    }

    pub(super) fn tell_unheard(&mut self, life: Life) {
        if !self.unheard.contains(&life) {
            self.unheard.truncate(1);
            self.unheard.push(life);
        }
    }

    /// Refuses what has no place here; what is over the cap will be refused when it comes again.
    pub(super) fn tell_refusal(&mut self, refusal: Refusal, config: &DeliveryConfig) {
        if self.refusals.len() < config.max_acks_per_envelope as usize {
            self.refusals.push(refusal);
        }
    }

    /// The peer has lost its memory: what it has acknowledged of a stream is gone, so that nothing
    /// behind it can ever be next. Streams that it has nothing of just go on.
    pub(super) fn forget_with(&mut self, to: PeerId, steps: &mut Vec<CourierStep>) {
        for (stream, outbox) in &mut self.outboxes {
            if outbox.acked > 0 && outbox.phase != Phase::Ended {
                let (epoch, count) = (outbox.epoch, outbox.end());
                let reason = Undelivered::PeerAnew;
                steps.push(CourierStep::Dropped { to, stream: *stream, epoch, count, reason });
            }
        }
    }

    /// When it has to be looked at though nothing happens.
    pub(super) fn due(&self, config: &DeliveryConfig) -> Option<Nanos> {
        if !self.is_linked || self.fence.is_disputed() {
            return None;
        }
        let rests = self.outboxes.values().filter_map(|outbox| match outbox.phase {
            Phase::Resting(until) => Some(until),
            _ => None,
        });
        rests.chain(self.inboxes.values().filter_map(|inbox| inbox.due(config))).min()
    }

    /// Whether the peer waits for credit, which may come without any word of it.
    pub(super) fn is_short(&self, credit_cap: u64) -> bool {
        let cap = self.share(credit_cap);
        self.is_linked && self.inboxes.values().any(|inbox| inbox.is_short(cap))
    }

    /// What each stream of the peer gets of its credit.
    fn share(&self, credit: u64) -> u64 {
        credit.checked_div(self.inboxes.len() as u64).unwrap_or(credit)
    }

    fn grant(&self, desk: &Desk<'_>) -> Grant {
        if planted::is(Bug::NoCredit) {
            return Grant { left: 0, cap: self.share(desk.credit_cap) };
        }
        let held = self.inboxes.values().map(|inbox| inbox.held_bytes).fold(0, u64::saturating_add);
        let left = desk.credit_cap.saturating_sub(held).min(desk.room);
        Grant { left: self.share(left), cap: self.share(desk.credit_cap) }
    }

    /// Sends what may be sent.
    pub(super) fn poll(&mut self, to: PeerId, desk: &mut Desk<'_>) {
        for life in std::mem::take(&mut self.unheard) {
            let envelope = Box::new(desk.sealed(to, word::fenced(life)));
            desk.steps.push(CourierStep::Refuse { to, life, envelope });
        }
        if self.fence.is_disputed() {
            return;
        }
        if !self.is_linked {
            let waits = !self.loose.is_empty()
                || self.outboxes.values().any(|outbox| outbox.wants_to_ask(desk.now));
            if waits && !self.was_dialled {
                self.was_dialled = true;
                desk.steps.push(CourierStep::Dial { peer: to });
            }
            return;
        }
        // Before the peer says something new on a stream that it does not know to have ended.
        if !std::mem::replace(&mut self.knows_memory, true) && desk.station.memory > FIRST {
            desk.send(to, word::memory(desk.station.memory));
        }
        let mut ride = self.ride(desk);
        self.answer(to, desk);
        self.ask(to, desk);
        self.carry(to, desk, &mut ride);
        let is_due = self.inboxes.values().filter_map(|inbox| inbox.due(desk.config));
        let is_due = is_due.min().is_some_and(|due| due <= desk.now);
        while !ride.refusals.is_empty() || (is_due && self.owes(&mut ride)) {
            let mut envelope = self.load(word::note(), desk, &mut ride);
            let count = ride.refusals.len().min(desk.config.max_acks_per_envelope as usize);
            envelope.refusals.extend(ride.refusals.drain(..count));
            desk.send(to, envelope);
        }
    }

    /// What waits to ride along.
    fn ride(&mut self, desk: &Desk<'_>) -> Ride {
        let mut refusals = std::mem::take(&mut self.refusals);
        let Grant { left, cap } = self.grant(desk);
        for (stream, inbox) in &mut self.inboxes {
            inbox.offer_credit(inbox.held_bytes.saturating_add(left), cap);
            if let Some((seq, reason)) = inbox.take_lapse() {
                let (stream, stream_epoch, reason) = (*stream, inbox.epoch, reason.into());
                refusals.push(Refusal { stream, stream_epoch, seq, reason });
            }
        }
        let acks = self.inboxes.iter().filter(|(_, inbox)| inbox.owes()).map(|(stream, _)| *stream);
        Ride { left, refusals, acks: acks.collect() }
    }

    /// Whether any acknowledgement has not gone along yet.
    fn owes(&self, ride: &mut Ride) -> bool {
        ride.acks.retain(|stream| self.inboxes.get(stream).is_some_and(Inbox::owes));
        !ride.acks.is_empty()
    }

    /// Puts on an envelope the acknowledgements that wait for one. Refusals go on none of a Node's,
    /// which may bear some that are for the other Node.
    fn load(
        &mut self,
        mut envelope: WireEnvelope,
        desk: &Desk<'_>,
        ride: &mut Ride,
    ) -> WireEnvelope {
        let most = desk.config.max_acks_per_envelope as usize;
        while envelope.acks.len() < most
            && let Some(stream) = ride.acks.pop_front()
        {
            let inbox = self.inboxes.get_mut(&stream).filter(|inbox| inbox.owes());
            envelope.acks.extend(inbox.map(|inbox| {
                let credit = inbox.held_bytes.saturating_add(ride.left);
                inbox.ack(stream, credit)
            }));
        }
        envelope
    }

    fn answer(&mut self, to: PeerId, desk: &mut Desk<'_>) {
        let Grant { left, .. } = self.grant(desk);
        for (stream, inbox) in &mut self.inboxes {
            if let Some(id) =
                inbox.asked.take().filter(|id| !planted::is(Bug::Unanswered) || id % 5 != 0)
            {
                let credit = inbox.held_bytes.saturating_add(left);
                let ack = inbox.ack(*stream, credit);
                desk.send(to, word::answer(id, desk.station.memory, ack));
            }
        }
    }

    fn ask(&mut self, to: PeerId, desk: &mut Desk<'_>) {
        for (stream, outbox) in &mut self.outboxes {
            if outbox.wants_to_ask(desk.now) {
                let id = desk.next_question();
                outbox.phase = Phase::Asked(id);
                let next = outbox.last().saturating_add(1);
                desk.send(to, word::question(*stream, outbox.epoch, next, id));
            }
        }
    }

    fn carry(&mut self, to: PeerId, desk: &mut Desk<'_>, ride: &mut Ride) {
        let streams: Vec<u64> = self.outboxes.keys().copied().collect();
        for stream in streams {
            while let Some(envelope) =
                self.outboxes.get_mut(&stream).and_then(|outbox| outbox.next(desk.now))
            {
                let envelope = self.load(envelope, desk, ride);
                desk.send(to, envelope);
            }
        }
        while let Some((_, (offered_at, mut envelope))) = self.loose.pop() {
            let spent = (desk.now - offered_at).get();
            envelope.deadline_ns = envelope.deadline_ns.map(|left| left.saturating_sub(spent));
            if envelope.deadline_ns == Some(0) {
                let (stream, epoch, count, reason) = (0, 0, 1, Undelivered::Expired);
                desk.steps.push(CourierStep::Dropped { to, stream, epoch, count, reason });
                continue;
            }
            let envelope = self.load(envelope, desk, ride);
            desk.send(to, envelope);
        }
    }
}

/// What a stream may send beyond the bytes of it that are held, and what it is to have at most.
struct Grant {
    left: u64,
    cap: u64,
}

/// What rides along to a peer.
struct Ride {
    /// Bytes that the peer may send beyond those that are held.
    left: u64,
    refusals: Vec<Refusal>,
    acks: VecDeque<u64>,
}

/// What a sender does about a refusal of a message.
pub(super) fn is_passing(reason: RefusalReason) -> bool {
    match reason {
        RefusalReason::Unspecified | RefusalReason::Busy | RefusalReason::Draining => true,
        RefusalReason::TooLarge
        | RefusalReason::Denied
        | RefusalReason::Fenced
        | RefusalReason::Malformed
        | RefusalReason::Quarantined => false,
    }
}
