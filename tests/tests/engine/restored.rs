//! Two Nodes whose processes come back from a snapshot and what their couriers left beside it.
//!
//! Law: whenever a process was captured and whenever it falls, what its Node has said is heard once
//! and in order, and what may be lost is told.

use std::collections::VecDeque;

use bytes::Bytes;
use samsara_proto::WireEnvelope;
use samsara_runtime::{
    config::DeliveryConfig,
    delivery::{Courier, CourierStep, Life, Received, Station, Undelivered},
    framework::Delivery,
    graph::Graph,
    id::Incarnation,
    node::{Batch, Node, Wakeup},
    rng::Rng,
    snapshot::NodeSnapshot,
    time::{Nanos, millis},
    value::Value,
};

use super::{
    parts::outputs,
    wire::{envelope, fill, node, peer, sent},
};

struct Host {
    own: u64,
    life: u64,
    node: Node,
    courier: Courier,
    journal: Vec<Batch>,
    /// The Node, its courier, and how much of the journal they hold.
    captured: (NodeSnapshot, Bytes, usize),
    heard: Vec<Value>,
    /// Envelopes that an earlier process may have sent.
    said_before: u64,
    redelivered: u64,
}

fn station(own: u64, life: u64) -> Station {
    let life = Life { incarnation: Incarnation::new(life), boot_nonce: life << 8 | own };
    Station { peer: peer(own), life, memory: 1, mailbox_bytes: 1 << 20 }
}

/// Says what it is told to, and tells what it hears.
fn made(own: u64) -> Node {
    node(own, |g: &Graph| {
        g.net_out("Main/n", g.constant(peer(3 - own)), g.input::<u64>("say"));
        g.output("heard", g.input::<u64>("n"));
        g.export("n");
    })
}

impl Host {
    fn new(own: u64) -> Self {
        let mut node = made(own);
        let courier = Courier::new(station(own, 1), DeliveryConfig::default());
        let snapshot = node.snapshot().expect("it can be written");
        let captured = (snapshot, courier.section(), 0);
        let (journal, heard) = (Vec::new(), Vec::new());
        let (life, said_before, redelivered) = (1, 0, 0);
        Self { own, life, node, courier, journal, captured, heard, said_before, redelivered }
    }

    fn cycle(&mut self, now: Nanos) {
        while self.node.next_wakeup() == Wakeup::Now {
            let batch = self.node.intake(now);
            self.journal.push(batch.clone());
            self.courier.synced(&batch.events, now).expect("there is room");
            let (mut steps, mut told) = (Vec::new(), Vec::new());
            self.node.apply(&batch, &mut steps);
            for (to, class, envelope) in sent(&steps) {
                let offered = self.courier.offer(to, class, envelope, now, &mut told);
                offered.expect("it is the next of its stream");
            }
            assert_eq!(told, []);
            self.heard.extend(outputs(&steps).into_iter().map(|(_, value)| value));
        }
    }

    fn capture(&mut self) {
        let snapshot = self.node.snapshot().expect("it can be written");
        self.captured = (snapshot, self.courier.section(), self.journal.len());
    }

    /// Another process goes on from what was captured, and from the journal behind it.
    fn reboot(&mut self, now: Nanos) {
        self.life += 1;
        let (snapshot, section, from) = &self.captured;
        let (config, station) = (DeliveryConfig::default(), station(self.own, self.life));
        self.courier = Courier::restore(station, config, section).expect("it was written here");
        self.node = made(self.own);
        self.node.restore(snapshot).expect("it is of this Node");
        for batch in &self.journal[*from..] {
            let (mut steps, mut told) = (Vec::new(), Vec::new());
            self.courier.synced(&batch.events, now).expect("there is room");
            self.node.replay(batch, &mut steps);
            for (to, class, envelope) in sent(&steps) {
                self.said_before = self.said_before.max(envelope.seq);
                let offered = self.courier.offer_again(to, class, envelope, now, &mut told);
                offered.expect("it is what was said before");
            }
            assert_eq!(told, []);
        }
        let watermark = |peer: &_, stream| self.node.watermark(peer, stream);
        self.courier.verify(watermark).expect("the Node remembers what was acknowledged");
    }

    fn poll(&mut self, line: &mut VecDeque<Box<WireEnvelope>>, is_up: bool, now: Nanos) {
        let mut steps = Vec::new();
        self.courier.poll(now, 1 << 20, &mut steps);
        for step in steps {
            match step {
                CourierStep::Send { envelope, .. } => {
                    self.redelivered += u64::from(envelope.redelivered);
                    line.extend(is_up.then_some(envelope));
                }
                CourierStep::Dial { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear(&mut self, envelope: Box<WireEnvelope>, now: Nanos) {
        let (from, mut told) = (peer(3 - self.own), Vec::new());
        let received = self.courier.receive(from, envelope, now, &mut told);
        assert_eq!(told, []);
        if let Received::Deliver(envelope) = received {
            self.node.deliver_envelope(from, *envelope, None).expect("it is admitted");
        }
    }
}

#[test]
fn processes_that_come_back_from_any_capture_lose_and_double_nothing() {
    let (mut reboots, mut redelivered, mut acknowledged) = (0, 0, 0);
    for seed in 0..30 {
        let mut rng = Rng::from_seed(seed);
        let mut hosts = [Host::new(1), Host::new(2)];
        let mut lines = [VecDeque::new(), VecDeque::new()];
        let (mut is_up, mut said, mut now) = (false, [0_u64; 2], millis(1));
        for round in 0..3_000 {
            now = now + millis(1);
            let (at, has_faults) = (rng.below(2) as usize, round < 400);
            if has_faults && rng.chance(1, 3) {
                said[at] += 1;
                hosts[at].node.invoke("Main", [("say", said[at])]).expect("it is admitted");
                // Told to its caller when it is in the journal, and not before.
                hosts[at].cycle(now);
            }
            match if has_faults { rng.below(40) } else { 40 } {
                fault @ 0..3 => {
                    if fault < 2 {
                        reboots += 1;
                        acknowledged += u64::from(hosts[at].courier.is_settled());
                        hosts[at].reboot(now);
                    }
                    is_up = false;
                    lines.iter_mut().for_each(VecDeque::clear);
                    hosts[0].courier.link_down(&peer(2));
                    hosts[1].courier.link_down(&peer(1));
                }
                3 | 4 => hosts[at].capture(),
                _ if !is_up && rng.chance(1, 5) => {
                    is_up = true;
                    hosts[0].courier.link_up(peer(2)).expect("there is room");
                    hosts[1].courier.link_up(peer(1)).expect("there is room");
                }
                _ => {}
            }
            hosts[at].cycle(now);
            hosts[at].poll(&mut lines[at], is_up, now);
            for _ in 0..rng.below(6) {
                let Some(frame) = lines[at].pop_front() else { break };
                hosts[1 - at].hear(frame, now);
            }
        }
        for (own, other) in [(0, 1), (1, 0)] {
            let all: Vec<_> = (1..=said[other]).map(Value::U64).collect();
            assert_eq!(hosts[own].heard, all, "history {seed}: once and in order");
            assert!(hosts[own].courier.is_settled());
            redelivered += hosts[own].redelivered;
        }
    }
    assert!(reboots > 200 && redelivered > 200 && acknowledged > 20, "{reboots} {redelivered}");
}

#[test]
fn best_effort_that_a_replay_says_again_is_told_as_dropped_and_takes_no_place_of_the_rest() {
    let mut ada = Host::new(1);
    let loose =
        WireEnvelope { stream: 0, stream_epoch: 0, ..envelope(1, vec![fill("Main/n", 7_u64)]) };
    let (mut told, now) = (Vec::new(), millis(1));
    ada.courier.offer(peer(2), Delivery::BestEffort, loose.clone(), now, &mut told).expect("room");
    ada.node.invoke("Main", [("say", 1_u64)]).expect("it is admitted");
    ada.cycle(now);
    ada.reboot(now);
    assert_eq!(ada.said_before, 1);
    ada.courier
        .offer_again(peer(2), Delivery::BestEffort, loose, now, &mut told)
        .expect("it is dropped");
    let [CourierStep::Dropped { reason, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*reason, Undelivered::Replayed);
    assert!(!ada.courier.is_settled(), "the reliable one is kept");
}
