//! Requests to peers that somebody else answers: they have ended for all who keep them.

use samsara_proto::{PeerId, WireEnvelope, wire::Correlation};
use samsara_runtime::{
    config::NodeConfig,
    graph::Graph,
    node::{Node, Wakeup},
    step::{EngineStep, WireRefusal},
    time::{Nanos, seconds},
    value::Value,
};

use super::{
    parts::outputs,
    wire::{envelope, fill, node_with, peer, sent},
};

/// Asks a peer, and may answer that itself: `poke` completes the command of this number.
fn client(g: &Graph) {
    g.output("answer", g.request("Main/n", g.input::<PeerId>("server"), g.input::<u64>("n")));
    g.output("poked", g.slot("parts").op("poke", [g.input::<u64>("command")]));
}

/// A client that has asked, the command that its op waits under, and what it has sent.
fn asking(max_requests: u32) -> (Node, u64, WireEnvelope) {
    let mut config = NodeConfig::default();
    config.exchange.max_requests = max_requests;
    let mut node = node_with(1, config, client);
    let steps = ask(&mut node);
    let command = steps.iter().find_map(|step| match step {
        EngineStep::AsyncSuspended { command, .. } => Some(command.get()),
        _ => None,
    });
    let [(_, _, request)] = &sent(&steps)[..] else { panic!("one envelope goes out") };
    (node, command.expect("it waits"), request.clone())
}

fn ask(node: &mut Node) -> Vec<EngineStep> {
    let inputs = [("server", Value::from(peer(2))), ("n", Value::U64(5))];
    node.invoke("Main", inputs).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO).0
}

#[test]
fn a_request_that_a_component_answers_has_ended() {
    let (mut node, command, request) = asking(1);
    assert!(matches!(node.next_wakeup(), Wakeup::At(_)), "its time would be up");
    node.invoke("Main", [("command", command)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(steps.output("answer"), Some(7_u64));
    assert_eq!(node.next_wakeup(), Wakeup::Never, "nobody waits for the peer any more");

    let late = WireEnvelope {
        correlation: Correlation::Response.into(),
        request_id: request.request_id,
        ..envelope(1, vec![fill("Main/n", 10_u64)])
    };
    node.deliver_envelope(peer(2), late, None).expect("it is let in");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    let (peer, fill, reason) = (peer(2), None, WireRefusal::NotAwaited);
    assert_eq!(steps, [EngineStep::WireReceiveFailed { peer, fill, reason }]);
    assert_eq!(node.run_until_idle(seconds(3_600)).0, [], "and it is not missed later");
}

#[test]
fn an_answered_request_makes_room_for_the_next() {
    let (mut node, command, _) = asking(1);
    let refused = ask(&mut node);
    assert!(refused.iter().any(|step| matches!(step, EngineStep::OpFailed { .. })));
    node.invoke("Main", [("command", command)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    let steps = ask(&mut node);
    assert_eq!((sent(&steps).len(), outputs(&steps)), (1, vec![]));
}
