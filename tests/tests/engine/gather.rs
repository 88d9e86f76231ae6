//! Joins over envelopes: rounds that end by count or by deadline, and what comes beside or after.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::NodeConfig,
    error::OpErrorKind,
    framework::{LatePolicy, OnDeadline},
    graph::{Gather, Graph},
    node::{Installation, Node, Wakeup},
    schema::PortType,
    step::{EngineStep, NotGathered, Steps},
    time::{Nanos, seconds},
    value::Value,
};

use super::parts::Parts;

const SERVER: u64 = 1;

/// A server that gathers numbers by round, and adds a constant to what it got so that a join stands
/// behind the gather.
fn server_with(
    config: NodeConfig,
    round: PortType,
    rule: impl FnOnce(Gather<'_, 2>) -> Gather<'_, 2>,
) -> Node {
    let g = Graph::new("Round");
    let (server, client) = (g.place("server"), g.place("client"));
    let sent = [g.at(client).input_of("round", round), g.at(client).input::<u64>("n")];
    let seen = g.channel("update").from(client).to(server).send(sent);
    let all = rule(g.at(server).gather(seen).by(sent[0])).deadline(seconds(30));
    g.at(server).output("all", g.at(server).gate(all, g.at(server).constant(true)));
    let draft = g.build().expect("the module is sound");
    let program = Compiler::new().bind::<Parts>("parts").compile(draft).expect("sound");
    let server = Installation::new(PeerId::from(SERVER), &program).place("server").config(config);
    server.install().expect("it sends to nobody")
}

fn server(rule: impl FnOnce(Gather<'_, 2>) -> Gather<'_, 2>) -> Node {
    server_with(NodeConfig::default(), PortType::Any, rule)
}

/// The host's own contribution, which counts as the Node's.
fn give(node: &mut Node, round: impl Into<Value>, n: u64, now: Nanos) -> Steps {
    let inputs = [("update:0", round.into()), ("update:1", n.into())];
    node.invoke("Round", inputs).expect("it is admitted");
    node.run_until_idle(now)
}

fn all(steps: &Steps) -> Option<Vec<u64>> {
    steps.output("all")
}

fn refusals(steps: &Steps) -> Vec<(Value, PeerId, NotGathered)> {
    let refused = |step: &EngineStep| match step {
        EngineStep::GatherRefused { round, sender, reason, .. } => {
            Some((round.clone(), *sender, *reason))
        }
        _ => None,
    };
    steps.0.iter().filter_map(refused).collect()
}

#[test]
pub(crate) fn a_whole_round_goes_on_in_the_execution_that_completed_it() {
    let mut node = server(|gather| gather.count(1));
    let steps = give(&mut node, 7_u64, 40, Nanos::ZERO);
    assert_eq!(all(&steps), Some(vec![40]));
    assert_eq!((steps.0.len(), node.execution_count()), (1, 0));
    assert_eq!(node.next_wakeup(), Wakeup::Never, "its timer ended with it");
}

#[test]
fn an_execution_that_waits_for_others_ends_without_a_word() {
    let mut node = server(|gather| gather.count(2));
    let steps = give(&mut node, 7_u64, 40, Nanos::ZERO);
    assert_eq!((steps, node.execution_count()), (Steps::default(), 0));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(30)));
}

#[test]
fn what_the_host_gives_counts_as_the_nodes_own_once_a_round() {
    let mut node = server(|gather| gather.count(2));
    give(&mut node, 7_u64, 40, Nanos::ZERO);
    let steps = give(&mut node, 7_u64, 41, Nanos::ZERO);
    let own = (Value::U64(7), PeerId::from(SERVER), NotGathered::Duplicate);
    assert_eq!(refusals(&steps), [own]);
    assert_eq!(steps.0.len(), 1, "nobody starves of it");
    let steps = node.run_until_idle(seconds(30));
    assert_eq!(all(&steps), Some(vec![40]), "what was sent first stands");
}

#[test]
fn at_the_deadline_those_who_came_are_a_result_in_an_execution_of_its_own() {
    let mut node = server(|gather| gather.count(3));
    give(&mut node, 7_u64, 40, seconds(5));
    give(&mut node, 8_u64, 41, seconds(6));
    assert_eq!(node.run_until_idle(seconds(34)), Steps::default());
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(35)));
    let steps = node.run_until_idle(seconds(35));
    assert_eq!((all(&steps), steps.0.len()), (Some(vec![40]), 1));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(36)));
    assert_eq!(all(&node.run_until_idle(seconds(36))), Some(vec![41]));
    assert_eq!((node.next_wakeup(), node.execution_count()), (Wakeup::Never, 0));
}

#[test]
fn rounds_that_run_out_at_once_all_end() {
    let mut node = server(|gather| gather.count(2));
    for round in 0..5_u64 {
        give(&mut node, round, round, Nanos::ZERO);
    }
    let steps = node.run_until_idle(seconds(60));
    let ended: Vec<_> =
        steps.0.iter().filter(|step| matches!(step, EngineStep::AppEvent { .. })).collect();
    assert_eq!((ended.len(), node.next_wakeup()), (5, Wakeup::Never));
}

#[test]
fn where_a_deadline_is_a_failure_a_step_says_who_had_come() {
    let mut node = server(|gather| gather.count(2).on_deadline(OnDeadline::Fail));
    give(&mut node, "monday", 40, Nanos::ZERO);
    let steps = node.run_until_idle(seconds(30));
    let (op, round) = ("gather.update".into(), Value::from("monday"));
    let senders = vec![PeerId::from(SERVER)];
    assert_eq!(steps.0, [EngineStep::GatherTimedOut { op, round, senders }]);
}

#[test]
fn what_is_late_is_told_and_counts_in_the_next_open_round_if_the_policy_says_so() {
    for policy in [LatePolicy::Drop, LatePolicy::Count] {
        let mut node = server(|gather| gather.count(1).late(policy));
        give(&mut node, 7_u64, 40, Nanos::ZERO);
        let steps = give(&mut node, 7_u64, 41, Nanos::ZERO);
        let late = (Value::U64(7), PeerId::from(SERVER), NotGathered::Late);
        assert_eq!((refusals(&steps), steps.0.len()), (vec![late], 1));
    }
}

#[test]
fn rounds_are_told_apart_by_values_of_any_type() {
    let list = |n| Value::list(vec![Value::U64(n), Value::from("a")]).expect("shallow");
    let rounds = [
        Value::Unit,
        Value::U64(1),
        Value::I64(1),
        Value::F64(1.0),
        Value::Bool(true),
        Value::from("1"),
        Value::from(bytes::Bytes::from_static(b"1")),
        list(1),
        list(2),
    ];
    let mut node = server(|gather| gather.count(2));
    for round in &rounds {
        assert_eq!(give(&mut node, round.clone(), 1, Nanos::ZERO), Steps::default());
    }
    for round in rounds {
        let steps = give(&mut node, round.clone(), 2, Nanos::ZERO);
        let own = (round, PeerId::from(SERVER), NotGathered::Duplicate);
        assert_eq!(refusals(&steps), [own]);
    }
}

#[test]
fn the_round_one_over_the_cap_is_refused_until_one_ends() {
    let mut config = NodeConfig::default();
    config.state.gather_rounds = 2;
    let mut node = server_with(config, PortType::U64, |gather| gather.count(2));
    for round in [1_u64, 2] {
        assert_eq!(give(&mut node, round, 1, Nanos::ZERO), Steps::default());
    }
    let limit = |steps: &Steps| steps.failures().map(|error| error.kind()).collect::<Vec<_>>();
    let steps = give(&mut node, 3_u64, 1, Nanos::ZERO);
    assert_eq!(limit(&steps), [OpErrorKind::Limit]);
    node.run_until_idle(seconds(30));
    assert_eq!(give(&mut node, 3_u64, 1, seconds(30)), Steps::default());
}

#[test]
fn a_round_value_and_a_count_are_held_to_their_caps() {
    let mut config = NodeConfig::default();
    config.state.gather_senders = 2;
    config.state.gather_round_bytes = 4;
    let reasons =
        |steps: Steps| steps.failures().map(|error| error.reason().to_owned()).collect::<Vec<_>>();
    let mut node = server_with(config, PortType::Text, |gather| gather.count(2));
    assert_eq!(reasons(give(&mut node, "four", 1, Nanos::ZERO)), [""; 0]);
    assert_eq!(
        reasons(give(&mut node, "fifth", 1, Nanos::ZERO)),
        ["the round value has 5 bytes, wanted at most 4"]
    );
    let mut node = server_with(config, PortType::Text, |gather| gather.count(3));
    assert_eq!(
        reasons(give(&mut node, "four", 1, Nanos::ZERO)),
        ["the gather waits for 3 senders, wanted at most 2"]
    );
}

#[test]
fn without_a_timer_left_no_round_is_opened() {
    let mut config = NodeConfig::default();
    config.state.max_timers = 1;
    config.state.max_component_timers = 1;
    let mut node = server_with(config, PortType::U64, |gather| gather.count(2));
    // One timer serves all rounds, however many are open.
    for round in [1_u64, 2, 3] {
        assert_eq!(give(&mut node, round, 1, seconds(round)), Steps::default());
    }
    assert_eq!(all(&node.run_until_idle(seconds(31))), Some(vec![1]));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(32)));
}
