//! How values flow: through ops, calls and joins, each op once.

use samsara_runtime::{
    config::NodeConfig,
    graph::{Graph, Wire},
    step::EngineStep,
    time::Nanos,
    value::Value,
};

use super::parts::{node, node_with, outputs};

#[test]
fn a_component_keeps_its_state_between_executions() {
    let mut node = node(|g| g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")])));
    for (n, total) in [(5_u64, 5_u64), (7, 12), (0, 12)] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
        assert_eq!(node.run_until_idle(Nanos::ZERO).output("total"), Some(total));
    }
}

#[test]
fn a_value_read_twice_reaches_both_and_they_join() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        let twice = g.slot("parts").op("double", [n]);
        g.output("sum", g.slot("parts").op("plus", [n, twice]));
        g.output("twice", twice);
    });
    node.invoke("Main", [("n", 4_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("twice", Value::U64(8)), ("sum", Value::U64(12))]);
}

#[test]
fn a_module_may_be_called_any_number_of_times() {
    let double = Graph::new("Double");
    double.output("twice", double.slot("parts").op("double", [double.input::<u64>("n")]));
    let double = double.build().expect("the module is sound");
    let mut node = node(|g| {
        let [once] = g.call(&double, [g.input::<u64>("n")]);
        let [twice] = g.call(&double, [once]);
        let [thrice] = g.call(&double, [twice]);
        g.output("eightfold", thrice);
    });
    node.invoke("Main", [("n", 3_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("eightfold"), Some(24_u64));
    let refused = node.invoke("Double", [("n", 3_u64)]).expect_err("it is only called");
    assert_eq!(refused.to_string(), "no module \"Double\", there are [\"Main\"]");
}

#[test]
fn an_op_of_several_outputs_gives_each_to_its_readers() {
    let mut node = node(|g| {
        let [one, two] = g.slot("parts").op_n("both", [g.input::<u64>("n")]);
        g.output("one", one);
        g.output("two", two);
    });
    node.invoke("Main", [("n", 10_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("one", Value::U64(11)), ("two", Value::U64(12))]);
}

#[test]
fn an_optional_input_that_is_absent_keeps_its_position() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        g.output("right", g.slot("parts").op("or", [Wire::ABSENT, n]));
        g.output("left", g.slot("parts").op("or", [n, Wire::ABSENT]));
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("right", Value::U64(101)), ("left", Value::U64(1_001))]);
}

#[test]
fn a_race_fires_once_and_names_its_winner() {
    let mut node = node(|g| {
        let (a, b) = (g.input::<u64>("a"), g.input::<u64>("b"));
        let slow = g.slot("parts").op("double", [g.slot("parts").op("double", [a])]);
        let (first, winner) = g.race([("slow", slow), ("b", b)]);
        g.output("first", first);
        g.output("winner", winner);
    });
    node.invoke("Main", [("a", 1_u64), ("b", 2)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("first", Value::U64(2)), ("winner", Value::from("b"))]);
}

#[test]
fn a_count_fires_with_the_first_so_many() {
    let mut node = node(|g| {
        let inputs = [g.input::<u64>("a"), g.input::<u64>("b")];
        g.output("sum", g.slot("parts").count(1).op("or", inputs));
    });
    node.invoke("Main", [("b", 1_u64), ("a", 1)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("sum", Value::U64(101))], "once, and without the late one");
}

#[test]
fn a_constant_is_there_from_the_start_of_each_execution() {
    let mut node = node(|g| {
        let sum = g.slot("parts").op("plus", [g.input::<u64>("n"), g.constant(40_u64)]);
        g.output("sum", sum);
    });
    for n in [2_u64, 3] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
        assert_eq!(node.run_until_idle(Nanos::ZERO).output("sum"), Some(40 + n));
    }
}

#[test]
fn what_depends_on_a_failed_op_does_not_fire_and_the_rest_does() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        let even = g.slot("parts").named("check").op("even", [n]);
        g.output("after", g.slot("parts").op("double", [even]));
        g.output("beside", g.slot("parts").op("double", [n]));
    });
    node.invoke("Main", [("n", 3_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("beside", Value::U64(6))]);
    assert_eq!(steps.failures().map(|error| error.reason()).collect::<Vec<_>>(), ["3 is odd"]);
    let named =
        |step: &EngineStep| matches!(step, EngineStep::OpFailed { op, .. } if &**op == "check");
    assert!(steps.0.iter().any(named));
    assert_eq!(node.execution_count(), 0, "a failed execution is freed");
}

#[test]
fn an_execution_that_ends_half_fed_says_so() {
    let mut node = node(|g| {
        let (a, b) = (g.input::<u64>("a"), g.input::<u64>("b"));
        g.output("sum", g.slot("parts").named("join").op("plus", [a, b]));
    });
    let exec = node.invoke("Main", [("a", 3_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(steps.0, [EngineStep::Starved { exec, ops: vec!["join".into()] }]);
    assert_eq!(node.execution_count(), 0);
    node.invoke("Main", [("a", 3_u64), ("b", 4)]).expect("it is admitted");
    assert_eq!(
        node.run_until_idle(Nanos::ZERO).output("sum"),
        Some(7_u64),
        "nothing was left over"
    );
}

#[test]
fn a_poll_stops_at_its_budget_and_says_what_is_left() {
    let config = NodeConfig { cycle_op_budget: 3, ..NodeConfig::default() };
    let mut node = node_with(config, |g| {
        let mut wire = g.input::<u64>("n");
        for _ in 0..4 {
            wire = g.slot("parts").op("double", [wire]);
        }
        g.output("n", wire);
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    let mut steps = Vec::new();
    node.step(Nanos::ZERO, &mut steps);
    assert_eq!(steps, [EngineStep::CycleBudgetExceeded { ready: 1 }]);
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("n"), Some(16_u64));
}

#[test]
fn a_thousand_fold_fan_comes_together_again() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        let doubled = (0..1_000).map(|_| g.slot("parts").op("double", [n]));
        let sum = doubled.reduce(|sum, next| g.slot("parts").op("plus", [sum, next]));
        g.output("sum", sum.expect("there are a thousand"));
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("sum"), Some(2_000_u64));
}

#[test]
fn an_op_reads_what_it_was_given_when_it_was_authored() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        g.output("scaled", g.slot("parts").attribute("by", 3_u64).op("scale", [n]));
    });
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("scaled"), Some(15_u64));
}
