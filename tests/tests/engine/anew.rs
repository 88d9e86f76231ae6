//! A Node that has lost its memory among Nodes that have not.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::{DeliveryConfig, NodeConfig},
    delivery::{Courier, CourierStep, Life, Received, Station, Undelivered},
    graph::Graph,
    id::Incarnation,
    node::{Installation, Node, Wakeup},
    step::EngineStep,
    time::Nanos,
    value::Value,
};

use super::{
    parts::outputs,
    wire::{address, peer, sent},
};

/// A Node with its courier, and what both told.
struct Host {
    node: Node,
    courier: Courier,
    heard: Vec<Value>,
    resets: Vec<(u64, u64)>,
    dropped: Vec<(u64, u64, Undelivered)>,
}

/// Tells the peer `to` what it hears from its host, and its host what it hears from peers.
fn host(own: u64, to: u64, process: u64, memory: u64) -> Host {
    let g = Graph::new("Main");
    g.net_out("Main/n", g.constant(peer(to)), g.input::<u64>("say"));
    g.output("heard", g.input::<u64>("n"));
    g.export("n");
    let program = Compiler::new().compile(g.build().expect("it is sound")).expect("it is sound");
    let installation = Installation::new(peer(own), &program).targets(["Main"]).memory(memory);
    let mut node = installation.config(NodeConfig::default()).install().expect("it installs");
    node.add_peer(peer(to), [address()]).expect("there is room");
    node.run_until_idle(Nanos::ZERO);
    let life = Life { incarnation: Incarnation::new(process), boot_nonce: process << 8 | own };
    let memory = node.memory();
    let station = Station { peer: peer(own), life, memory, mailbox_bytes: 1 << 20 };
    let courier = Courier::new(station, DeliveryConfig::default());
    Host { node, courier, heard: Vec::new(), resets: Vec::new(), dropped: Vec::new() }
}

impl Host {
    fn say(&mut self, n: u64) {
        self.node.invoke("Main", [("say", n)]).expect("it is admitted");
        self.cycle();
    }

    fn cycle(&mut self) {
        while self.node.next_wakeup() == Wakeup::Now {
            let batch = self.node.intake(Nanos::ZERO);
            self.courier.synced(&batch.events, Nanos::ZERO).expect("there is room");
            let mut steps = Vec::new();
            self.node.apply(&batch, &mut steps);
            for (to, class, envelope) in sent(&steps) {
                let mut told = Vec::new();
                let offered = self.courier.offer(to, class, envelope, Nanos::ZERO, &mut told);
                offered.expect("it is the next of its stream");
                self.mind(told);
            }
            self.heard.extend(outputs(&steps).into_iter().map(|(_, value)| value));
            self.resets.extend(steps.iter().filter_map(|step| match step {
                EngineStep::StreamReset { stream, ended, .. } => Some((*stream, *ended)),
                _ => None,
            }));
        }
    }

    /// Does what a host has to, and gives what is to be carried.
    fn mind(&mut self, told: Vec<CourierStep>) -> Vec<(PeerId, Box<samsara_proto::WireEnvelope>)> {
        let mut sent = Vec::new();
        for step in told {
            match step {
                CourierStep::Send { to, envelope } => sent.push((to, envelope)),
                CourierStep::Dropped { to, epoch, count, reason, .. } => {
                    self.dropped.push((epoch, count, reason));
                    self.node.begin_stream_anew(to).expect("there is room");
                }
                CourierStep::Dial { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        sent
    }
}

fn link(hosts: &mut [Host; 2]) {
    for (own, other) in [(0, 2), (1, 1)] {
        hosts[own].courier.link_down(&peer(other));
        hosts[own].courier.link_up(peer(other)).expect("there is room");
    }
}

/// Carries until nobody has anything to say.
fn settle(hosts: &mut [Host; 2]) {
    let mut quiet = 0;
    let mut now = Nanos::ZERO;
    while quiet < 4 {
        quiet += 1;
        now = now + Nanos::from_millis(1);
        for at in 0..2 {
            hosts[at].cycle();
            let mut steps = Vec::new();
            hosts[at].courier.poll(now, 1 << 20, &mut steps);
            for (_, envelope) in hosts[at].mind(steps) {
                quiet = 0;
                let (from, mut told) = (peer(at as u64 + 1), Vec::new());
                let to = &mut hosts[1 - at];
                if let Received::Deliver(got) = to.courier.receive(from, envelope, now, &mut told) {
                    to.node.deliver_envelope(from, *got, None).expect("it is admitted");
                }
                assert_eq!(to.mind(told), []);
            }
        }
    }
}

fn numbers(values: &[Value]) -> Vec<u64> {
    let number = |value: &Value| match value {
        Value::U64(n) => *n,
        other => panic!("{other:?}"),
    };
    values.iter().map(number).collect()
}

#[test]
fn a_node_that_begins_anew_speaks_on_a_new_stream_and_is_spoken_to_on_one() {
    let mut hosts = [host(1, 2, 1, 1), host(2, 1, 1, 5)];
    link(&mut hosts);
    (1..=3).for_each(|n| hosts[0].say(n));
    (11..=12).for_each(|n| hosts[1].say(n));
    settle(&mut hosts);
    assert_eq!((numbers(&hosts[1].heard), numbers(&hosts[0].heard)), (vec![1, 2, 3], vec![11, 12]));
    // What is said now waits for a process that has ended.
    hosts[0].courier.link_down(&peer(2));
    hosts[0].say(4);

    hosts[1] = host(2, 1, 2, 6);
    link(&mut hosts);
    hosts[1].say(13);
    settle(&mut hosts);
    assert_eq!(hosts[0].dropped, [(1, 1, Undelivered::PeerAnew)], "what waited is told");
    assert_eq!(hosts[0].resets, [(1, 5)], "and that no more of the old stream will come");
    assert_eq!(numbers(&hosts[0].heard), [11, 12, 13]);

    (5..=6).for_each(|n| hosts[0].say(n));
    settle(&mut hosts);
    assert_eq!(numbers(&hosts[1].heard), [5, 6], "both go on");
    assert!(hosts.iter().all(|host| host.courier.is_settled()));
}

#[test]
fn what_is_said_after_the_link_is_up_is_not_dropped_with_the_old_stream() {
    let mut hosts = [host(1, 2, 1, 1), host(2, 1, 1, 5)];
    link(&mut hosts);
    hosts[0].say(1);
    settle(&mut hosts);
    for (process, memory) in [(2, 6), (3, 9)] {
        hosts[1] = host(2, 1, process, memory);
        link(&mut hosts);
        settle(&mut hosts);
        hosts[0].say(process);
        settle(&mut hosts);
        assert_eq!(numbers(&hosts[1].heard), [process]);
    }
    assert_eq!(hosts[0].dropped, [1, 2].map(|epoch| (epoch, 0, Undelivered::PeerAnew)));
}

#[test]
fn the_epochs_of_a_node_are_in_its_snapshot() {
    let mut hosts = [host(1, 2, 1, 3), host(2, 1, 1, 5)];
    link(&mut hosts);
    hosts[0].say(1);
    settle(&mut hosts);
    hosts[0].node.begin_stream_anew(peer(2)).expect("there is room");
    hosts[0].cycle();
    let snapshot = hosts[0].node.snapshot().expect("it can be written");
    let mut again = host(1, 2, 2, 7);
    again.node.restore(&snapshot).expect("it is of this Node");
    assert_eq!(again.node.memory(), 3, "it has remembered");
    again.node.invoke("Main", [("say", 2_u64)]).expect("it is admitted");
    let steps = again.node.run_until_idle(Nanos::ZERO).0;
    let places: Vec<_> =
        sent(&steps).into_iter().map(|(_, _, said)| (said.stream_epoch, said.seq)).collect();
    assert_eq!(places, [(4, 1)]);
}

#[test]
fn a_replay_says_again_what_has_ended_with_its_stream_and_it_goes_nowhere() {
    let mut hosts = [host(1, 2, 1, 1), host(2, 1, 1, 5)];
    link(&mut hosts);
    hosts[0].say(1);
    settle(&mut hosts);
    hosts[1] = host(2, 1, 2, 6);
    link(&mut hosts);
    settle(&mut hosts);
    hosts[0].say(2);
    let (class, mut told) = (samsara_runtime::framework::Delivery::Effective, Vec::new());
    let old = super::wire::envelope(1, vec![super::wire::fill("Main/n", 1_u64)]);
    let courier = &mut hosts[0].courier;
    courier.offer_again(peer(2), class, old.clone(), Nanos::ZERO, &mut told).expect("it is past");
    courier.offer(peer(2), class, old, Nanos::ZERO, &mut told).expect_err("it is not new");
    assert_eq!(told, []);
    settle(&mut hosts);
    assert_eq!(numbers(&hosts[1].heard), [2]);
}
