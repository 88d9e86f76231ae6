//! An answer is held against what its op declares, whoever gives it.

use samsara_runtime::{
    config::NodeConfig,
    error::{OpError, OpErrorKind},
    event::IngressEvent,
    id::CommandId,
    step::{EngineStep, Steps},
    time::Nanos,
    value::Value,
};

use super::parts::{completion, node, node_with};

fn reasons(steps: &Steps) -> Vec<(OpErrorKind, &str)> {
    steps.failures().map(|error| (error.kind(), error.reason())).collect()
}

#[test]
fn an_answer_by_hand_of_another_type_or_number_fails_the_op() {
    let mut node = node(|g| g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")])));
    for (outputs, reason) in [
        (vec![Value::from("seven")], "output 0: expected u64, got text@1"),
        (vec![7_u64.into(), 8_u64.into()], "gave 2 outputs, declares 1"),
        (vec![], "gave 0 outputs, declares 1"),
    ] {
        node.invoke("Main", [("n", 401_u64)]).expect("it is admitted");
        let suspended = node.run_until_idle(Nanos::ZERO).0;
        let [EngineStep::AsyncSuspended { command, .. }] = suspended[..] else {
            panic!("{suspended:?}")
        };
        let event = IngressEvent::Completion { command, outputs };
        node.ingress_handle().try_push(event, 0).expect("there is room");
        let steps = node.run_until_idle(Nanos::ZERO);
        assert_eq!(reasons(&steps), [(OpErrorKind::BadOutput, reason)]);
        drop(completion(401));
        let late = node.run_until_idle(Nanos::ZERO).0;
        assert_eq!(late, [EngineStep::CompletionIgnored { command }]);
    }
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn an_answer_from_another_op_is_held_against_the_op_that_waits() {
    let mut node = node(|g| {
        g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")]));
        g.output(
            "said",
            g.slot("parts").op("say", [g.input::<u64>("command"), g.input::<String>("text")]),
        );
    });
    node.invoke("Main", [("n", 402_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    let command = completion(402).cmd_id();
    let steps = node.run_until_idle(Nanos::ZERO);
    let inputs = [("command", Value::from(command.get())), ("text", "seven".into())];
    node.invoke("Main", inputs).expect("it is admitted");
    let late = node.run_until_idle(Nanos::ZERO);
    assert!(late.0.contains(&EngineStep::CompletionIgnored { command }), "{late:?}");
    let cancelled = (OpErrorKind::Cancelled, "its completion was dropped");
    assert_eq!(reasons(&steps), [cancelled], "the handle was dropped first");

    node.invoke("Main", [("n", 403_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    let handle = completion(403);
    let inputs = [("command", Value::from(handle.cmd_id().get())), ("text", "seven".into())];
    node.invoke("Main", inputs).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    let wrong = (OpErrorKind::BadOutput, "output 0: expected u64, got text@1");
    assert_eq!(reasons(&steps), [wrong]);
}

#[test]
fn an_answer_that_nobody_waits_for_is_only_noted() {
    let mut node = node(|g| g.output("n", g.slot("parts").op("double", [g.input::<u64>("n")])));
    let command = CommandId::new(99).expect("not zero");
    let event = IngressEvent::Completion { command, outputs: vec!["x".into()] };
    node.ingress_handle().try_push(event, 0).expect("there is room");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    assert_eq!(steps, [EngineStep::CompletionIgnored { command }]);
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let config = NodeConfig { max_completion_detail_bytes: 6, ..NodeConfig::default() };
    let mut node =
        node_with(config, |g| g.output("n", g.slot("parts").op("later", [g.input::<u64>("n")])));
    for (given, kept) in [("größe", "größ"), ("four", "four")] {
        node.invoke("Main", [("n", 404_u64)]).expect("it is admitted");
        node.run_until_idle(Nanos::ZERO);
        completion(404).fail(OpError::failed(given)).expect("there is room for an answer");
        let steps = node.run_until_idle(Nanos::ZERO);
        assert_eq!(reasons(&steps), [(OpErrorKind::Failed, kept)]);
    }
}
