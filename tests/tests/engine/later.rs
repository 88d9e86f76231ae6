//! Answers that come later: each op ends once, however it is answered.

use samsara_runtime::{
    config::NodeConfig,
    error::OpErrorKind,
    node::Wakeup,
    step::{EngineStep, Steps},
    time::Nanos,
};

use super::parts::{completion, node, node_with};

fn kinds(steps: &Steps) -> Vec<OpErrorKind> {
    steps.failures().map(|error| error.kind()).collect()
}

#[test]
fn an_op_is_answered_from_another_thread() {
    let mut node = node(|g| g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")])));
    node.invoke("Main", [("n", 101_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert!(matches!(steps.0[..], [EngineStep::AsyncSuspended { .. }]));
    assert_eq!((node.pending_async_count(), node.next_wakeup()), (1, Wakeup::Never));

    let answer = std::thread::spawn(|| completion(101).complete(7).is_ok());
    assert!(answer.join().expect("no panic"));
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("n"), Some(7_u64));
    assert_eq!((node.pending_async_count(), node.execution_count()), (0, 0));
}

#[test]
fn a_dropped_completion_fails_its_op_as_cancelled() {
    let mut node = node(|g| g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")])));
    node.invoke("Main", [("n", 102_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    drop(completion(102));
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(kinds(&steps), [OpErrorKind::Cancelled]);
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn a_failed_completion_brings_its_reason() {
    let mut node = node(|g| g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")])));
    node.invoke("Main", [("n", 103_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    completion(103).fail("the line is dead").expect("there is room for an answer");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(
        steps.failures().map(|error| error.reason()).collect::<Vec<_>>(),
        ["the line is dead"]
    );
}

#[test]
fn an_answer_given_during_the_call_counts_when_the_call_returns() {
    let mut node = node(|g| {
        let echoed = g.slot("parts").op("echo", [g.input::<u64>("n")]);
        g.output("twice", g.slot("parts").op("double", [echoed]));
    });
    node.invoke("Main", [("n", 4_u64)]).expect("it is admitted");
    let mut steps = Vec::new();
    node.step(Nanos::ZERO, &mut steps);
    assert_eq!(Steps(steps).output("twice"), Some(8_u64), "in the same poll");
}

#[test]
fn at_the_cap_a_new_op_fails_and_synchronous_ones_run() {
    let config = NodeConfig { max_pending_async: 1, ..NodeConfig::default() };
    let mut node = node_with(config, |g| {
        let n = g.input::<u64>("n");
        g.output("later", g.slot("parts").op("later", [n]));
        g.output("now", g.slot("parts").op("double", [n]));
    });
    node.invoke("Main", [("n", 104_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("now"), Some(208_u64));
    node.invoke("Main", [("n", 105_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(kinds(&steps), [OpErrorKind::Limit]);
    assert_eq!(steps.output("now"), Some(210_u64));

    completion(104).complete(1).expect("there is room for an answer");
    node.run_until_idle(Nanos::ZERO);
    node.invoke("Main", [("n", 106_u64)]).expect("it is admitted");
    assert_eq!(kinds(&node.run_until_idle(Nanos::ZERO)), []);
}

#[test]
fn a_result_over_its_cap_fails_the_op_with_both_numbers() {
    let config = NodeConfig {
        max_completion_result_bytes: 7,
        max_completion_detail_bytes: 7,
        ..NodeConfig::default()
    };
    let mut node =
        node_with(config, |g| g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")])));
    node.invoke("Main", [("n", 107_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    completion(107).complete(1).expect("the refusal is an answer too");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(
        steps.failures().map(|error| error.reason()).collect::<Vec<_>>(),
        ["its result has 8 bytes, the cap is 7"]
    );
}

#[test]
fn a_parked_execution_holds_its_bytes_until_it_ends() {
    let mut node = node(|g| {
        let text = g.input::<String>("text");
        let answer = g.slot("parts").op("later", [g.input::<u64>("n")]);
        g.output("text", g.gate(text, answer));
    });
    let inputs =
        [("text", samsara_runtime::value::Value::from("0123456789")), ("n", 108_u64.into())];
    node.invoke("Main", inputs.map(|(name, value)| (name, value))).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    assert_eq!(node.ingress().stats().bytes, 18);
    completion(108).complete(1).expect("there is room for an answer");
    assert_eq!(
        node.run_until_idle(Nanos::ZERO).output::<String>("text").as_deref(),
        Some("0123456789")
    );
    assert_eq!(node.ingress().stats().bytes, 0);
}
