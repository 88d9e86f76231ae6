//! Two Nodes and their couriers, over links that close, with processes that come back.
//!
//! Law: each Node is moved by its journal alone; what the other has taken is in there once.

use std::collections::VecDeque;

use samsara_proto::{EnvelopeCodec, PeerId, wire::RefusalReason};
use samsara_runtime::config::DeliveryConfig;
use samsara_runtime::delivery::{Courier, CourierStep, Life, Received, Station};
use samsara_runtime::graph::Graph;
use samsara_runtime::id::Incarnation;
use samsara_runtime::node::{Batch, Node, Wakeup};
use samsara_runtime::rng::Rng;
use samsara_runtime::step::EngineStep;
use samsara_runtime::time::{Nanos, millis};
use samsara_runtime::value::Value;

use super::wire::{node, peer, sent};

struct Host {
    own: u64,
    life: u64,
    record: fn(&Graph),
    node: Node,
    courier: Courier,
    journal: Vec<Batch>,
    totals: Vec<Value>,
    now: Nanos,
}

fn station(own: u64, life: u64) -> Station {
    let life = Life { incarnation: Incarnation::new(life), boot_nonce: life << 8 | own };
    Station { peer: peer(own), life, memory: 1, mailbox_bytes: 1 << 20 }
}

impl Host {
    fn new(own: u64, record: fn(&Graph)) -> Self {
        Self {
            own,
            life: 1,
            record,
            node: node(own, record),
            courier: Courier::new(station(own, 1), DeliveryConfig::default()),
            journal: Vec::new(),
            totals: Vec::new(),
            now: millis(1),
        }
    }

    /// Take, keep, acknowledge, apply, release.
    fn cycle(&mut self) {
        while self.node.next_wakeup() == Wakeup::Now {
            let batch = self.node.intake(self.now);
            self.journal.push(batch.clone());
            self.courier.synced(&batch.events, self.now).expect("there is room");
            let mut steps = Vec::new();
            self.node.apply(&batch, &mut steps);
            let mut told = Vec::new();
            for (to, class, envelope) in sent(&steps) {
                let offered = self.courier.offer(to, class, envelope, self.now, &mut told);
                offered.expect("it is the next of its stream");
            }
            self.note(&steps);
        }
    }

    fn note(&mut self, steps: &[EngineStep]) {
        for step in steps {
            match step {
                EngineStep::AppEvent { value, .. } => self.totals.push(value.clone()),
                EngineStep::WireReceiveFailed { reason, .. } => panic!("{reason}"),
                _ => {}
            }
        }
    }

    /// The process dies, and another one has the journal and no snapshot but the first.
    fn reboot(&mut self) {
        self.life += 1;
        let (config, nothing) = (
            DeliveryConfig::default(),
            Courier::new(station(self.own, 1), DeliveryConfig::default()).section(),
        );
        self.courier =
            Courier::restore(station(self.own, self.life), config, &nothing).expect("it is one");
        self.node = node(self.own, self.record);
        self.totals.clear();
        for batch in std::mem::take(&mut self.journal) {
            let (mut steps, mut told) = (Vec::new(), Vec::new());
            self.courier.synced(&batch.events, self.now).expect("there is room");
            self.node.replay(&batch, &mut steps);
            for (to, class, envelope) in sent(&steps) {
                let offered = self.courier.offer_again(to, class, envelope, self.now, &mut told);
                offered.expect("it is what was said before");
            }
            self.note(&steps);
            self.journal.push(batch);
        }
        let watermark = |peer: &PeerId, stream| self.node.watermark(peer, stream);
        self.courier.verify(watermark).expect("the Node remembers what was acknowledged");
    }

    fn poll(&mut self, line: &mut VecDeque<bytes::Bytes>, is_up: bool) {
        let (mut steps, codec) = (Vec::new(), EnvelopeCodec::default());
        self.courier.poll(self.now, 1 << 20, &mut steps);
        for step in steps {
            match step {
                CourierStep::Send { envelope, .. } if is_up => {
                    line.push_back(codec.encode(&envelope).expect("it keeps the caps").to_bytes());
                }
                CourierStep::Send { .. } | CourierStep::Dial { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear(&mut self, from: u64, frame: bytes::Bytes) {
        let envelope = EnvelopeCodec::default().decode_capped(frame).expect("it was encoded here");
        let (from, mut told) = (peer(from), Vec::new());
        let received = self.courier.receive(from, Box::new(envelope), self.now, &mut told);
        assert_eq!(told, []);
        if let Received::Deliver(envelope) = received {
            let (stream, seq) = (envelope.stream, envelope.seq);
            if self.node.deliver_envelope(from, *envelope, None).is_err() {
                self.courier.refuse(&from, stream, seq, RefusalReason::Busy);
            }
        }
    }
}

/// Adds up what it hears, and says each sum back.
fn adds_and_tells(g: &Graph) {
    let total = g.slot("parts").op("add", [g.input::<u64>("n")]);
    g.output("total", total);
    g.net_out("Main/n", g.constant(peer(1)), total);
    g.export("n");
}

fn tells(g: &Graph) {
    g.output("heard", g.input::<u64>("n"));
    g.export("n");
}

#[test]
fn nodes_that_fall_over_links_that_close_hear_each_envelope_once() {
    for seed in 0..20 {
        let mut rng = Rng::from_seed(seed);
        let mut hosts = [Host::new(1, tells), Host::new(2, adds_and_tells)];
        let mut lines = [VecDeque::new(), VecDeque::new()];
        let (mut is_up, mut said) = (false, 0);
        for round in 0.. {
            let has_faults = round < 400;
            assert!(round < 2_000, "it never settles");
            let at = rng.below(2) as usize;
            if has_faults && said < 100 && rng.chance(1, 2) {
                said += 1;
                let envelope = super::wire::envelope(said, vec![super::wire::fill("Main/n", said)]);
                let class = samsara_runtime::framework::Delivery::Effective;
                let mut told = Vec::new();
                let now = hosts[0].now;
                let offered = hosts[0].courier.offer(peer(2), class, envelope, now, &mut told);
                offered.expect("it is the next");
            }
            hosts.iter_mut().for_each(|host| host.now = host.now + millis(1));
            let fault = if has_faults { rng.below(40) } else { 40 };
            if fault < 3 {
                if fault == 0 {
                    hosts[1].reboot();
                }
                is_up = false;
                lines.iter_mut().for_each(VecDeque::clear);
                hosts[0].courier.link_down(&peer(2));
                hosts[1].courier.link_down(&peer(1));
            } else if !is_up && rng.chance(1, 5) {
                is_up = true;
                hosts[0].courier.link_up(peer(2)).expect("there is room");
                hosts[1].courier.link_up(peer(1)).expect("there is room");
            }
            hosts[at].cycle();
            hosts[at].poll(&mut lines[at], is_up);
            for _ in 0..rng.below(6) {
                let Some(frame) = lines[at].pop_front() else { break };
                hosts[1 - at].hear(at as u64 + 1, frame);
            }
            let is_quiet = lines.iter().all(VecDeque::is_empty);
            let is_settled = hosts.iter().all(|host| host.courier.is_settled());
            if !has_faults && is_quiet && is_settled {
                break;
            }
        }
        let sums: Vec<Value> = (1..=said).map(|n| Value::from(n * (n + 1) / 2)).collect();
        assert!(said > 50);
        assert_eq!(hosts[1].totals, sums, "each was added once");
        assert_eq!(hosts[0].totals, sums, "and each sum was heard once");
    }
}
