//! Promises of the engine that no other page here shows: each by the public door.

use std::{cell::Cell, error::Error};

use samsara_ingress::Refusal;
use samsara_proto::PeerId;
use samsara_runtime::{
    config::{ExchangeConfig, NodeConfig},
    error::{OpError, OpErrorKind},
    node::{Node, Wakeup},
    step::EngineStep,
    time::{Nanos, seconds},
    value::Value,
};
use samsara_tests::counting::Region;

use super::{
    parts::{completion, node, outputs},
    wire::{self, envelope, fill, peer, sent},
};

const NOW: Nanos = Nanos::ZERO;

fn run(node: &mut Node, input: &str, value: impl Into<Value>) -> Vec<EngineStep> {
    node.invoke("Main", [(input, value.into())]).expect("it is admitted");
    node.run_until_idle(NOW).0
}

#[test]
fn an_output_surfaces_with_its_execution_also_if_it_is_read_inside() {
    let mut node = node(|g| {
        let doubled = g.slot("parts").op("double", [g.input::<u64>("n")]);
        g.output("doubled", doubled);
        g.output("again", g.slot("parts").op("double", [doubled]));
        g.output("same", doubled);
    });
    let exec = node.invoke("Main", [("n", 3_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(NOW).0;
    let wanted = [("doubled", 6_u64), ("again", 12), ("same", 6)];
    assert_eq!(outputs(&steps), wanted.map(|(port, n)| (port, Value::U64(n))));
    let of_it = |step: &EngineStep| match step {
        EngineStep::AppEvent { exec: of, module, .. } => *of == exec && **module == *"Main",
        _ => false,
    };
    assert!(steps.iter().all(of_it), "{steps:?}");
}

#[test]
fn ops_fire_in_the_order_in_which_they_become_ready_across_executions() {
    let mut node = node(|g| {
        let first = g.pass_through(g.input::<u64>("n"));
        g.emit("first", first);
        g.emit("second", g.pass_through(first));
    });
    for n in [1_u64, 2] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let tell = |step| match step {
        EngineStep::AppEmitted { topic, value, .. } => (topic.to_string(), value),
        other => panic!("{other:?}"),
    };
    let told: Vec<_> = node.run_until_idle(NOW).0.into_iter().map(tell).collect();
    let wanted = [("first", 1_u64), ("first", 2), ("second", 1), ("second", 2)];
    assert_eq!(told, wanted.map(|(topic, n)| (topic.to_owned(), Value::U64(n))));
}

#[test]
fn a_node_goes_to_another_thread_and_shows_none_of_its_values() {
    let mut node = node(|g| {
        g.output("slept", g.sleep(g.input::<String>("secret"), seconds(1)));
        g.stash("basket", g.input::<String>("kept"));
    });
    run(&mut node, "secret", "hunter2");
    run(&mut node, "kept", "hunter2");
    node.invoke("Main", [("secret", "hunter2")]).expect("it waits in the mailbox");
    let shown = format!("{node:?}");
    assert!(shown.contains("Main") && shown.contains("executions: 1"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("basket"), "{shown}");
    let steps = std::thread::spawn(move || node.run_until_idle(seconds(1)));
    assert!(steps.join().expect("it does not panic").output::<String>("slept").is_some());
}

#[test]
fn a_warm_turn_into_a_buffer_that_is_used_again_allocates_nothing() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        let added = g.slot("parts").op("add", [n]);
        g.output("total", g.slot("parts").op("plus", [added, g.pass_through(n)]));
    });
    let mut steps = Vec::new();
    let mut turn = |node: &mut Node| {
        steps.clear();
        node.deliver_event("Main", "n", 1_u64).expect("it is admitted");
        let region = Region::start();
        node.step(NOW, &mut steps);
        region.stop().allocations
    };
    let counts: Vec<_> = (0..16).map(|_| turn(&mut node)).collect();
    assert_eq!(counts.last(), Some(&0), "{counts:?}");
}

#[test]
fn an_answer_of_an_earlier_life_is_refused() {
    let mut node = node(|g| {
        g.output("later", g.slot("parts").op("later", [g.input::<u64>("n")]));
    });
    run(&mut node, "n", 801_u64);
    let early = completion(801);
    let snapshot = node.snapshot().expect("nothing in it cannot be written");
    node.restore(&snapshot).expect("it is of this Node");
    let refused = early.complete(5).expect_err("its life is over");
    assert!(matches!(refused.refusal, Refusal::Fenced { .. }), "{refused}");
    assert_eq!(outputs(&node.run_until_idle(NOW).0), []);
}

#[test]
fn an_envelope_of_another_version_is_refused_at_the_door_and_leaves_nothing() {
    let mut node = wire::node(1, |g| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
    });
    for schema in [0, 2, u32::MAX] {
        let mut strange = envelope(1, vec![fill("Main/n", 1_u64)]);
        strange.schema = schema;
        let refused = node.deliver_envelope(peer(2), strange, None).expect_err("it is strange");
        let cause = refused.source().map(ToString::to_string);
        assert_eq!(cause, Some(format!("schema version {schema}, wanted 1")));
    }
    assert_eq!((node.ingress().stats().bytes, node.next_wakeup()), (0, Wakeup::Never));
}

#[test]
fn a_refused_envelope_is_heard_of_inside_the_node_once_for_each_peer_and_kind() {
    let mut node = wire::node(1, |g| g.output("refused", g.on_event("infra.ingress_error")));
    for _ in 0..3 {
        assert!(node.deliver_inbound(peer(2), "these bytes are no frame").is_err());
    }
    let strange = envelope(0, vec![fill("Main/n", 1_u64); 257]);
    assert!(node.deliver_envelope(peer(3), strange, None).is_err());
    let steps = node.run_until_idle(NOW).0;
    let told: Vec<_> = outputs(&steps)
        .into_iter()
        .map(|(_, value)| match value {
            Value::Record(record) => {
                ["source", "kind", "count"].map(|field| record.field(field).cloned())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let of = |from: u64, count: u64| {
        let source = Value::from(format!("envelope of {}", peer(from)));
        [source, "invalid_envelope".into(), count.into()].map(Some)
    };
    assert_eq!(told, [of(2, 3), of(3, 1)]);
    assert_eq!(node.engine_stats().drops.refused_calls, 4);
}

fn asking(exchange: ExchangeConfig) -> Node {
    wire::node_with(1, NodeConfig { exchange, ..NodeConfig::default() }, |g| {
        g.output("answer", g.request("Main/n", g.input::<PeerId>("whom"), g.constant(1_u64)));
        g.net_out("Main/n", g.input::<PeerId>("tell"), g.constant(1_u64));
    })
}

fn limits(steps: &[EngineStep]) -> Vec<String> {
    let told = |step: &EngineStep| match step {
        EngineStep::OpFailed { error, .. } => Some(error.to_string()),
        EngineStep::OutboundDropped { reason, .. } => Some(reason.to_string()),
        _ => None,
    };
    steps.iter().filter_map(told).collect()
}

#[test]
fn the_request_one_over_the_cap_fails_before_it_is_sent_until_one_is_answered() {
    let mut node = asking(ExchangeConfig { max_requests: 1, ..ExchangeConfig::default() });
    let asked = sent(&run(&mut node, "whom", peer(2))).remove(0).2;
    let steps = run(&mut node, "whom", peer(3));
    assert_eq!(sent(&steps).len(), 0, "{steps:?}");
    let full = OpError::new(OpErrorKind::Limit, "no room for more open requests, the cap is 1");
    assert_eq!(limits(&steps), [full.to_string()]);
    let mut answer = envelope(1, vec![fill("Main/n", 7_u64)]);
    answer.set_correlation(samsara_proto::wire::Correlation::Response);
    answer.request_id = asked.request_id;
    node.deliver_envelope(peer(2), answer, None).expect("it is admitted");
    node.run_until_idle(NOW);
    let again = sent(&run(&mut node, "whom", peer(3)));
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].2.seq, 1, "the one that failed took no number of the stream");
}

#[test]
fn the_receiver_one_over_the_cap_is_told_as_dropped_and_the_others_are_sent_to() {
    let mut node = asking(ExchangeConfig { max_streams: 2, ..ExchangeConfig::default() });
    let counts = [2, 3, 4, 2].map(|to| sent(&run(&mut node, "tell", peer(to))).len());
    assert_eq!(counts, [1, 1, 0, 1]);
    let dropped = limits(&run(&mut node, "tell", peer(4)));
    assert_eq!(dropped, ["no room for more outbound streams, the cap is 2"]);
}

#[test]
fn a_tap_sees_a_failure_with_its_kind_and_reason() {
    thread_local! {
        static SEEN: Cell<usize> = const { Cell::new(0) };
    }
    let mut node = node(|g| {
        g.output("half", g.slot("parts").op("even", [g.input::<u64>("n")]));
    });
    node.set_telemetry_tap(Some(Box::new(|step| {
        if let EngineStep::OpFailed { op, error, .. } = step {
            assert_eq!((&**op, error.kind()), ("parts.even", OpErrorKind::Failed));
            assert_eq!(error.reason(), "7 is odd");
            SEEN.set(SEEN.get() + 1);
        }
    })));
    run(&mut node, "n", 7_u64);
    assert_eq!(SEEN.get(), 1);
}
