//! Whom a Node knows and talks to: what its host and its program change, and what is told.

use samsara_proto::{Address, PeerId};
use samsara_runtime::{
    config::{NodeConfig, PeerConfig},
    event::SendFailure,
    framework::{AddressBookError, Origin},
    graph::Graph,
    node::{Batch, Node, PeerChangeError, install},
    step::EngineStep,
    time::{Nanos, seconds},
    value::Value,
};

use super::{
    parts::{outputs, program},
    wire::{carry, node, node_with, peer, sent},
};

fn at(port: u16) -> Address {
    format!("/ip4/10.0.0.1/tcp/{port}").parse().expect("it is an address")
}

fn idle(node: &mut Node) -> Vec<EngineStep> {
    node.run_until_idle(Nanos::ZERO).0
}

fn known(node: &Node, of: PeerId) -> Vec<Address> {
    node.resolve_peer_addresses(&of).into_iter().map(|known| known.address.clone()).collect()
}

fn reports(g: &Graph) {
    g.net_out_best_effort("Main/n", g.constant(peer(2)), g.input::<u64>("n"));
}

#[test]
fn own_addresses_come_and_go_and_an_idle_node_has_those_it_was_installed_with() {
    let program = program(|g| g.emit("n", g.input::<u64>("n")));
    let installed = install(peer(1), [at(1)], &program, &["Main"], NodeConfig::default());
    let mut node = installed.expect("it installs");
    let own = |node: &Node| node.local_addresses().cloned().collect::<Vec<_>>();
    assert_eq!(own(&node), [at(1)]);
    for _ in 0..2 {
        node.add_local_address(at(2)).expect("there is room");
        idle(&mut node);
        assert_eq!(own(&node), [at(1), at(2)]);
    }
    assert_eq!(node.peer_address(&peer(1)), Some(&at(1)));
    node.forget_local_address(at(9)).expect("one that is not there changes nothing");
    node.forget_local_address(at(1)).expect("it is there");
    node.forget_local_address(at(2)).expect("it is there");
    idle(&mut node);
    assert_eq!(own(&node), []);
    node.forget_local_address(at(2)).expect("the entry stays, be it empty");

    let installed = install(peer(1), [], &program, &["Main"], NodeConfig::default());
    let mut bare = installed.expect("it installs");
    let refused = bare.forget_local_address(at(1));
    let unknown = AddressBookError::UnknownPeer { peer: peer(1) };
    assert!(matches!(refused, Err(PeerChangeError::Book(why)) if why == unknown));
    assert_eq!(bare.peer_address(&peer(1)), None);
}

#[test]
fn more_addresses_than_a_peer_may_have_are_refused_where_they_are_given() {
    let program = program(|g| g.emit("n", g.input::<u64>("n")));
    let peers = PeerConfig { max_addresses: 2, ..PeerConfig::default() };
    let config = NodeConfig { peers, ..NodeConfig::default() };
    let refused = install(peer(1), [at(1), at(2), at(3)], &program, &["Main"], config);
    assert_eq!(refused.map(drop).expect_err("three").to_string(), "3 addresses, the cap is 2");
    let mut node = install(peer(1), [at(1), at(2)], &program, &["Main"], config).expect("two");
    assert!(node.add_local_address(at(3)).is_err());
    assert!(node.add_peer(peer(2), [at(1), at(2), at(3)]).is_err());
    assert_eq!(node.ingress().stats().items, 0);
}

#[test]
fn a_peer_is_known_as_long_as_it_has_an_owner() {
    let mut node = node(1, reports);
    let friend = peer(7);
    assert!(matches!(
        node.add_peer(friend, []),
        Err(PeerChangeError::Book(AddressBookError::EmptyAddressList { .. }))
    ));
    assert!(node.drop_peer(friend).is_err() && node.register_address(friend, at(1)).is_err());
    assert!(node.forget_address(friend, at(1)).is_err());
    node.add_peer(friend, [at(1)]).expect("there is room");
    idle(&mut node);
    node.add_peer(friend, [at(2)]).expect("there is room");
    node.register_address(friend, at(3)).expect("it has an owner");
    idle(&mut node);
    assert_eq!(known(&node, friend), [at(1), at(2), at(3)]);
    assert_eq!(node.resolve_peer_addresses(&friend)[0].origin, Origin::Owned);
    node.forget_address(friend, at(1)).expect("it is there");
    node.drop_peer(friend).expect("it has two owners");
    idle(&mut node);
    assert_eq!(known(&node, friend), [at(2), at(3)]);
    node.drop_peer(friend).expect("it has one");
    idle(&mut node);
    assert_eq!(known(&node, friend), []);
}

#[test]
fn a_change_that_finds_another_book_than_it_was_asked_of_is_told() {
    let mut node = node(1, reports);
    node.add_peer(peer(7), [at(1)]).expect("there is room");
    idle(&mut node);
    for _ in 0..2 {
        node.drop_peer(peer(7)).expect("it has an owner");
    }
    let reason = AddressBookError::UnknownPeer { peer: peer(7) };
    assert_eq!(idle(&mut node), [EngineStep::AddressBookUnchanged { reason }]);

    let peers = PeerConfig { max_listed: 1, ..PeerConfig::default() };
    let mut node = node_with(1, NodeConfig { peers, ..NodeConfig::default() }, reports);
    for other in [5, 6] {
        node.block_peer(peer(other)).expect("there is room");
    }
    let steps = idle(&mut node);
    assert!(
        matches!(steps[..], [EngineStep::PeerBlocked { .. }, EngineStep::PeerListUnchanged { .. }]),
        "{steps:?}"
    );
    assert!(matches!(node.block_peer(peer(6)), Err(PeerChangeError::List(_))));
    let two = Some([peer(5), peer(6)].into());
    assert!(matches!(node.set_allowlist(two), Err(PeerChangeError::List(_))));
}

#[test]
fn a_block_is_told_once() {
    let mut node = node(1, reports);
    for blocked in [1, 0] {
        node.block_peer(peer(2)).expect("there is room");
        let told = vec![EngineStep::PeerBlocked { peer: peer(2) }; blocked];
        assert_eq!(idle(&mut node), told);
    }
}

#[test]
fn a_peer_that_fails_too_often_is_down_once_and_up_once() {
    let mut node = node(1, reports);
    let mut now = seconds(1);
    let fail = |node: &mut Node, now| {
        let failed = node.note_send_result(peer(2), None, Err(SendFailure::Unreachable));
        failed.expect("there is room");
        node.run_until_idle(now).0
    };
    for failure in 1..=7 {
        let told = vec![EngineStep::PeerDown { peer: peer(2) }; usize::from(failure == 5)];
        assert_eq!(fail(&mut node, now), told, "failure {failure}");
    }
    assert!(node.peer_health(&peer(2)).is_some_and(|health| health.down));
    let send = |node: &mut Node, now| {
        node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
        let steps = node.run_until_idle(now).0;
        (sent(&steps).len(), steps.len())
    };
    assert_eq!(send(&mut node, now), (0, 1), "it is left alone");
    now = now + seconds(61);
    assert_eq!(send(&mut node, now), (1, 1), "one attempt is let through");
    assert_eq!(send(&mut node, now), (0, 1), "and no second one");
    for up in [1, 0] {
        node.note_send_result(peer(2), None, Ok(())).expect("there is room");
        let told = vec![EngineStep::PeerUp { peer: peer(2) }; up];
        assert_eq!(node.run_until_idle(now).0, told);
    }
    assert_eq!(send(&mut node, now), (1, 1));
}

#[test]
fn a_reliable_send_is_kept_for_a_peer_that_is_down() {
    let mut node = node(1, |g| g.net_out("Main/n", g.constant(peer(2)), g.input::<u64>("n")));
    for _ in 0..5 {
        let failed = node.note_send_result(peer(2), None, Err(SendFailure::LinkLost));
        failed.expect("there is room");
    }
    idle(&mut node);
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    assert_eq!(sent(&idle(&mut node)).len(), 1);
}

#[test]
fn a_program_inserts_looks_up_and_blocks_peers() {
    let mut node = node(1, |g| {
        let who = g.input::<PeerId>("who");
        g.peers_insert(who, g.input::<Vec<Address>>("addresses"));
        g.output("found", g.peers_lookup(g.input::<PeerId>("sought")));
        g.peers_block(g.input::<PeerId>("foe"));
        g.peers_unblock(g.input::<PeerId>("friend"));
    });
    let addresses = Value::list(vec![at(1).into(), at(2).into()]).expect("shallow");
    node.invoke("Main", [("who", peer(8).into()), ("addresses", addresses)]).expect("admitted");
    idle(&mut node);
    node.invoke("Main", [("sought", peer(8))]).expect("admitted");
    let found = node.run_until_idle(Nanos::ZERO).output::<Vec<Address>>("found");
    assert_eq!(found, Some(vec![at(1), at(2)]));
    node.invoke("Main", [("foe", peer(8))]).expect("admitted");
    assert_eq!(idle(&mut node), [EngineStep::PeerBlocked { peer: peer(8) }]);
    assert!(node.deliver_inbound(peer(8), "").is_err());
    node.invoke("Main", [("friend", peer(8))]).expect("admitted");
    assert_eq!(idle(&mut node), []);
    let refused = node.deliver_inbound(peer(8), "").expect_err("no frame");
    assert!(!refused.to_string().contains("blocked"), "{refused}");
}

/// Everything that moves a Node here: sends, requests, answers, failures, changes and time.
fn busy_history() -> (Vec<Batch>, Vec<EngineStep>, impl Fn() -> Node) {
    let make = || {
        let config = NodeConfig::default();
        let g = Graph::new("Main");
        let n = g.input::<u64>("n");
        let answer = g.request("Main/asked", g.constant(peer(2)), n);
        g.output("answer", answer);
        g.net_out_best_effort("Main/heard", g.constant(peer(2)), answer);
        g.reply(g.input::<u64>("asked"));
        g.export("asked");
        g.output("heard", g.input::<u64>("heard"));
        g.export("heard");
        super::wire::node_of(1, config, vec![g])
    };
    let mut node = make();
    let (mut batches, mut all) = (Vec::new(), Vec::new());
    let mut turn = |node: &mut Node, now: Nanos| {
        let batch = node.intake(now);
        let mut steps = Vec::new();
        node.apply(&batch, &mut steps);
        batches.push(batch);
        all.extend(steps.clone());
        steps
    };
    node.add_peer(peer(2), [at(1)]).expect("there is room");
    turn(&mut node, Nanos::ZERO);
    for round in 1..20 {
        let now = seconds(round);
        node.invoke("Main", [("n", round)]).expect("it is admitted");
        let envelopes = sent(&turn(&mut node, now));
        for (.., mut envelope) in envelopes {
            match round % 4 {
                0 => {
                    let id = samsara_runtime::id::RequestId::new(envelope.request_id);
                    let failed = node.note_send_result(peer(2), id, Err(SendFailure::LinkLost));
                    failed.expect("there is room");
                }
                1 => {}
                _ => {
                    envelope.set_correlation(samsara_proto::wire::Correlation::Response);
                    // Not all are answered, which would be a gap of a reliable stream.
                    (envelope.stream, envelope.stream_epoch) = (0, 0);
                    node.deliver_envelope(peer(2), envelope, None).expect("it is admitted");
                }
            }
        }
        turn(&mut node, now + Nanos::new(round * 1_000));
        if round == 10 {
            node.block_peer(peer(2)).expect("there is room");
        }
        if round == 12 {
            node.unblock_peer(peer(2)).expect("there is room");
        }
    }
    turn(&mut node, seconds(100));
    (batches, all, make)
}

#[test]
fn envelopes_requests_and_peers_replay_from_the_batches_alone() {
    let (batches, steps, make) = busy_history();
    let seen = |wanted: fn(&EngineStep) -> bool| steps.iter().any(wanted);
    assert!(seen(|step| matches!(step, EngineStep::WireTimeout { .. })), "{steps:?}");
    assert!(seen(|step| matches!(step, EngineStep::OutboundDropped { .. })));
    assert!(seen(|step| matches!(step, EngineStep::PeerBlocked { .. })));
    assert!(!outputs(&steps).is_empty());
    let mut replayed = make();
    let mut again = Vec::new();
    for batch in &batches {
        replayed.replay(batch, &mut again);
    }
    assert_eq!(again, steps);
}

#[test]
fn two_nodes_ask_each_other() {
    let both = |g: &Graph| {
        g.reply(g.slot("parts").op("double", [g.input::<u64>("asked")]));
        g.export("asked");
        g.output("answer", g.request("Main/asked", g.input::<PeerId>("whom"), g.input::<u64>("n")));
    };
    let (mut a, mut b) = (node(1, both), node(2, both));
    for (asking, asked, n) in [(1, 2, 5_u64), (2, 1, 6)] {
        let node = if asking == 1 { &mut a } else { &mut b };
        node.invoke("Main", [("whom", peer(asked).into()), ("n", Value::from(n))]).expect("ok");
    }
    let [by_a, by_b] = carry(&mut a, &mut b, Nanos::ZERO);
    assert_eq!(outputs(&by_a), [("answer", Value::U64(10))]);
    assert_eq!(outputs(&by_b), [("answer", Value::U64(12))]);
}
