//! A model of a host: a Node that counts what it takes, its journal, its snapshot and its courier.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use samsara_ingress::Admitted;
use samsara_proto::WireEnvelope;
use samsara_proto::wire::RefusalReason;
use samsara_runtime::delivery::{Courier, CourierStep, Received, Unplaced};
use samsara_runtime::event::{EnvelopeFrom, IngressEvent};
use samsara_runtime::framework::{Delivery, Watermark};
use samsara_runtime::time::Nanos;

use super::{MAILBOX, config, cost, number, peer, said, station};

/// Envelopes that a mailbox takes, however small: credit knows nothing of it.
const MAILBOX_ITEMS: usize = 5;

/// Work: something is said to a peer, which says it to the one after it as often as it has hops.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Order {
    pub(super) to: usize,
    pub(super) hops: u8,
    pub(super) size: usize,
}

impl Order {
    fn payload(&self) -> Bytes {
        let mut bytes = vec![self.hops; self.size.max(1)];
        bytes.truncate(3_600);
        bytes.into()
    }

    fn read(payload: &Bytes, to: usize) -> Option<Self> {
        let hops = payload.first().copied()?.checked_sub(1)?;
        Some(Self { to, hops, size: payload.len() })
    }
}

/// What a Node is, all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// The last number said to each.
    pub(super) sent: BTreeMap<usize, u64>,
    /// What was taken of each, in order.
    pub(super) effects: BTreeMap<usize, Vec<Bytes>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    orders: Vec<Order>,
    events: Vec<Admitted<IngressEvent>>,
}

impl Node {
    fn apply(&mut self, own: usize, among: usize, batch: &Batch) -> Vec<(usize, WireEnvelope)> {
        let mut outputs = Vec::new();
        for order in &batch.orders {
            self.say(order, &mut outputs);
        }
        for admitted in &batch.events {
            let IngressEvent::EnvelopeFrom(from) = &admitted.event else { continue };
            let source = number(from.src_peer, among);
            let taken = self.effects.entry(source).or_default();
            assert_eq!(from.envelope.seq, taken.len() as u64 + 1, "{own} takes {source} in order");
            let payload = from.envelope.fills[0].payload.clone();
            taken.push(payload.clone());
            if let Some(order) = Order::read(&payload, (own + 1) % among) {
                self.say(&order, &mut outputs);
            }
        }
        outputs
    }

    fn say(&mut self, order: &Order, outputs: &mut Vec<(usize, WireEnvelope)>) {
        let seq = self.sent.entry(order.to).or_default();
        *seq += 1;
        outputs.push((order.to, said(1, *seq, order.payload())));
    }
}

fn place(admitted: &Admitted<IngressEvent>) -> (samsara_proto::PeerId, u64) {
    let IngressEvent::EnvelopeFrom(from) = &admitted.event else { panic!("nothing else is there") };
    (from.src_peer, from.envelope.seq)
}

/// Where a turn ends before its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cut {
    BeforeSync,
    BeforeAck,
    BeforeApply,
    /// After this many outputs were handed to the courier.
    Releasing(usize),
    Nowhere,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) own: usize,
    among: usize,
    life: u64,
    nonce: u64,
    pub(super) courier: Courier,
    pub(super) node: Node,
    pub(super) orders: VecDeque<Order>,
    mailbox: VecDeque<Admitted<IngressEvent>>,
    /// What is durable, and how much of it was applied.
    journal: Vec<Batch>,
    applied: usize,
    snapshot: (Node, Bytes, usize),
    /// Whether nothing new was said since the process began.
    is_restored: bool,
    /// What may have been said by an earlier process.
    pub(super) inherited: BTreeMap<usize, u64>,
}

impl Host {
    pub(super) fn new(own: usize, among: usize) -> Self {
        let courier = Courier::new(station(own, 1, own as u64), config());
        let snapshot = (Node::default(), courier.section(), 0);
        Self {
            own,
            among,
            life: 1,
            nonce: own as u64,
            courier,
            node: Node::default(),
            orders: VecDeque::new(),
            mailbox: VecDeque::new(),
            journal: Vec::new(),
            applied: 0,
            snapshot,
            is_restored: false,
            inherited: BTreeMap::new(),
        }
    }

    /// How much of what a peer said is durable here.
    pub(super) fn durable_of(&self, source: usize) -> u64 {
        let events = self.journal.iter().flat_map(|batch| &batch.events);
        let of_source = events.filter(|admitted| {
            matches!(&admitted.event, IngressEvent::EnvelopeFrom(from) if from.src_peer == peer(source))
        });
        of_source.count() as u64
    }

    pub(super) fn room(&self) -> u64 {
        MAILBOX - self.mailbox.iter().map(|admitted| admitted.weight).sum::<u64>()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.orders.is_empty() && self.mailbox.is_empty() && self.applied == self.journal.len()
    }

    /// Takes a frame; false if the mailbox had no room for it.
    pub(super) fn receive(
        &mut self,
        source: usize,
        envelope: Box<WireEnvelope>,
        now: Nanos,
        steps: &mut Vec<CourierStep>,
    ) -> bool {
        let src_peer = peer(source);
        let received = self.courier.receive(src_peer, envelope, now, steps);
        let Received::Deliver(envelope) = received else { return true };
        let weight = cost(&envelope);
        assert!(envelope.acks.is_empty() && envelope.refusals.is_empty(), "what is the link's");
        if weight > self.room() || self.mailbox.len() >= MAILBOX_ITEMS {
            let (stream, seq) = (envelope.stream, envelope.seq);
            self.courier.refuse(&src_peer, stream, seq, RefusalReason::Busy);
            return false;
        }
        let from = EnvelopeFrom { src_peer, envelope: *envelope, src_observed_address: None };
        let event = IngressEvent::EnvelopeFrom(Box::new(from));
        self.mailbox.push_back(Admitted { event, weight });
        true
    }

    /// One cycle of so many events. True if it came to its end.
    pub(super) fn turn(
        &mut self,
        events: usize,
        cut: Cut,
        now: Nanos,
        steps: &mut Vec<CourierStep>,
    ) -> bool {
        let orders = self.orders.len().min(2);
        let events = self.mailbox.len().min(events);
        if orders + events > 0 {
            let batch = Batch {
                orders: self.orders.drain(..orders).collect(),
                events: self.screened(events),
            };
            if cut == Cut::BeforeSync {
                // The caller is told, and asks again; the peers were not acknowledged.
                batch.orders.into_iter().rev().for_each(|order| self.orders.push_front(order));
                return false;
            }
            self.journal.push(batch);
            if cut == Cut::BeforeAck {
                return false;
            }
            let batch = self.journal.last().expect("it was pushed");
            self.courier.synced(&batch.events, now).expect("there is room");
        }
        if cut == Cut::BeforeApply {
            return false;
        }
        // The journal is the overflow: what was acknowledged waits there for the outbox.
        while self.applied < self.journal.len() && !self.courier.is_full() {
            let outputs = self.node.apply(self.own, self.among, &self.journal[self.applied]);
            self.applied += 1;
            for (at, (to, envelope)) in outputs.into_iter().enumerate() {
                if cut == Cut::Releasing(at) {
                    return false;
                }
                self.is_restored = false;
                let class = Delivery::Effective;
                let offered = self.courier.offer(peer(to), class, envelope, now, steps);
                offered.expect("it is the next of its stream");
            }
        }
        true
    }

    /// The events of a batch: what comes too early is kept out of it.
    fn screened(&mut self, events: usize) -> Vec<Admitted<IngressEvent>> {
        let taken: Vec<_> = self.mailbox.drain(..events).collect();
        let mut next = BTreeMap::new();
        let (mut batch, mut unplaced) = (Vec::new(), Vec::new());
        for admitted in taken {
            let (source, seq) = place(&admitted);
            let at = number(source, self.among);
            let next = next.entry(source).or_insert_with(|| self.durable_of(at) + 1);
            if seq == *next {
                *next += 1;
                batch.push(admitted);
            } else if seq > *next {
                unplaced.push(Unplaced { peer: source, stream: 1, seq });
            }
        }
        self.courier.put_back(&unplaced);
        batch
    }

    /// The Node has no place for a stream at the moment.
    pub(super) fn keep_out(&mut self, events: usize) -> bool {
        let events = self.mailbox.len().min(events);
        let unplaced: Vec<_> = self
            .mailbox
            .drain(..events)
            .map(|admitted| {
                let (peer, seq) = place(&admitted);
                Unplaced { peer, stream: 1, seq }
            })
            .collect();
        self.courier.put_back(&unplaced);
        !unplaced.is_empty()
    }

    pub(super) fn capture(&mut self) {
        self.snapshot = (self.node.clone(), self.courier.section(), self.applied);
    }

    /// The process dies and comes back.
    pub(super) fn reboot(&mut self, now: Nanos, steps: &mut Vec<CourierStep>) {
        self.life += 1;
        self.mailbox.clear();
        self.nonce = self.life << 20 | self.own as u64;
        let station = station(self.own, self.life, self.nonce);
        let courier = Courier::restore(station, config(), &self.snapshot.1);
        self.courier = courier.expect("it was written here");
        self.is_restored = true;
        self.replay(now, steps);
        self.inherited = self.node.sent.clone();
    }

    /// The Node dies and comes back; its courier and mailbox have outlived it.
    pub(super) fn revive(&mut self, now: Nanos, steps: &mut Vec<CourierStep>) {
        self.life += 1;
        self.courier.begin_life(station(self.own, self.life, self.nonce).life);
        self.replay(now, steps);
        if self.is_restored {
            self.inherited = self.node.sent.clone();
        }
    }

    fn replay(&mut self, now: Nanos, steps: &mut Vec<CourierStep>) {
        let (node, _, captured) = &self.snapshot;
        (self.node, self.applied) = (node.clone(), *captured);
        for batch in &self.journal[*captured..] {
            self.courier.synced(&batch.events, now).expect("there is room");
            for (to, envelope) in self.node.apply(self.own, self.among, batch) {
                let class = Delivery::Effective;
                let offered = self.courier.offer_again(peer(to), class, envelope, now, steps);
                offered.expect("it is what was said before");
            }
            self.applied += 1;
        }
        let watermark = |source: &_, _| {
            let taken = self.node.effects.get(&number(*source, self.among))?;
            Some(Watermark { epoch: 1, next: taken.len() as u64 + 1 })
        };
        self.courier.verify(watermark).expect("what was acknowledged is remembered");
    }
}
