//! Envelopes that a Node keeps out of its batches, and that nobody else has.

use samsara_proto::{WireEnvelope, wire::RefusalReason};
use samsara_runtime::{
    config::{DeliveryConfig, ExchangeConfig, NodeConfig},
    delivery::{Courier, CourierStep, Life, Received, Station},
    framework::Delivery,
    graph::Graph,
    id::Incarnation,
    node::Node,
    time::{Nanos, millis},
    value::Value,
};

use super::{
    parts::outputs,
    wire::{envelope, fill, node_with, peer},
};

fn courier(own: u64) -> Courier {
    let life = Life { incarnation: Incarnation::new(1), boot_nonce: own };
    let station = Station { peer: peer(own), life, memory: 1, mailbox_bytes: 1 << 20 };
    Courier::new(station, DeliveryConfig::default())
}

fn tells(g: &Graph) {
    g.output("heard", g.input::<u64>("n"));
    g.export("n");
}

fn node(max_streams: u32) -> Node {
    let exchange = ExchangeConfig { max_streams, ..ExchangeConfig::default() };
    node_with(2, NodeConfig { exchange, ..NodeConfig::default() }, tells)
}

/// What one courier sends to the other now; nothing else is told.
fn sent(courier: &mut Courier, now: Nanos) -> Vec<WireEnvelope> {
    let mut steps = Vec::new();
    courier.poll(now, 1 << 20, &mut steps);
    let sent = steps.into_iter().map(|step| match step {
        CourierStep::Send { envelope, .. } => *envelope,
        other => panic!("{other:?}"),
    });
    sent.collect()
}

/// Carries what both have to say, and takes what arrives into the Node; tells what it gave.
fn turn(ada: &mut Courier, (bob, node): (&mut Courier, &mut Node), now: Nanos) -> Vec<Value> {
    let mut told = Vec::new();
    for said in sent(ada, now) {
        if let Received::Deliver(said) = bob.receive(peer(1), Box::new(said), now, &mut told) {
            node.deliver_envelope(peer(1), *said, None).expect("it is admitted");
        }
    }
    let taken = node.take(now);
    bob.put_back(taken.unplaced());
    let batch = node.commit(taken).expect("the life goes on");
    bob.synced(&batch.events, now).expect("there is room");
    let mut steps = Vec::new();
    node.apply(&batch, &mut steps);
    for said in sent(bob, now) {
        assert_eq!(ada.receive(peer(2), Box::new(said), now, &mut told), Received::Done);
    }
    assert_eq!(told, []);
    outputs(&steps).into_iter().map(|(_, value)| value).collect()
}

#[test]
fn what_has_no_place_is_sent_again_on_the_same_link_until_it_has_one() {
    let (mut ada, mut bob, mut small) = (courier(1), courier(2), node(1));
    small.deliver_envelope(peer(3), envelope(1, vec![fill("Main/n", 0_u64)]), None).expect("room");
    small.run_until_idle(Nanos::ZERO);
    ada.link_up(peer(2)).expect("there is room");
    bob.link_up(peer(1)).expect("there is room");
    let mut told = Vec::new();
    for seq in 1..=3 {
        let said = envelope(seq, vec![fill("Main/n", seq)]);
        let offered = ada.offer(peer(2), Delivery::Effective, said, Nanos::ZERO, &mut told);
        offered.expect("it is the next");
    }
    for at in 1..500 {
        assert_eq!(turn(&mut ada, (&mut bob, &mut small), millis(at)), []);
    }
    let refused = small.screened();
    assert!(refused.unopened > 5 && refused.gaps > 10, "it was sent again: {refused:?}");
    assert_eq!(small.watermark(&peer(1), 1), None);

    let mut large = node(2);
    large.restore(&small.snapshot().expect("it can be written")).expect("it is of this Node");
    let heard: Vec<_> =
        (500..600).flat_map(|at| turn(&mut ada, (&mut bob, &mut large), millis(at))).collect();
    assert_eq!(heard, [1, 2, 3].map(Value::U64));
    assert!(ada.is_settled(), "and it was acknowledged");
}

#[test]
fn what_was_acknowledged_is_not_put_back() {
    let (mut ada, mut bob, mut node) = (courier(1), courier(2), node(2));
    ada.link_up(peer(2)).expect("there is room");
    bob.link_up(peer(1)).expect("there is room");
    let (said, mut told) = (envelope(1, vec![fill("Main/n", 1_u64)]), Vec::new());
    ada.offer(peer(2), Delivery::Effective, said, Nanos::ZERO, &mut told).expect("it is the next");
    let heard: Vec<_> =
        (1..4).flat_map(|at| turn(&mut ada, (&mut bob, &mut node), millis(at))).collect();
    assert_eq!(heard, [Value::U64(1)]);
    bob.refuse(&peer(1), 1, 1, RefusalReason::Busy);
    let refusals = sent(&mut bob, millis(5)).into_iter().flat_map(|envelope| envelope.refusals);
    assert_eq!(refusals.count(), 0);
}
