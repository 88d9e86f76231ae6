//! Time as an input: waits, deadlines and intervals, at the moments that they name.

use samsara_runtime::{
    node::Wakeup,
    step::EngineStep,
    time::{millis, seconds},
    value::Value,
};

use super::parts::{completion, node, outputs};

#[test]
fn a_sleep_gives_its_value_on_when_its_time_has_come() {
    let mut node = node(|g| g.output("n", g.sleep(g.input::<u64>("n"), seconds(2))));
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(10));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(12)));
    assert_eq!(outputs(&node.run_until_idle(millis(11_999)).0), []);
    assert_eq!(node.run_until_idle(seconds(12)).output("n"), Some(5_u64));
    assert_eq!((node.next_wakeup(), node.execution_count()), (Wakeup::Never, 0));
}

#[test]
fn a_delay_may_be_a_value() {
    let mut node = node(|g| g.output("n", g.after(g.input::<u64>("n"), g.input::<u64>("delay"))));
    node.invoke("Main", [("n", 5_u64), ("delay", 7)]).expect("it is admitted");
    node.run_until_idle(millis(1));
    assert_eq!(node.next_wakeup(), Wakeup::At(millis(1) + samsara_runtime::time::Nanos::new(7)));
}

#[test]
fn a_deadline_gives_the_value_or_the_trigger_and_never_both() {
    let mut node = node(|g| {
        let answer = g.slot("parts").op("later", [g.input::<u64>("n")]);
        let [in_time, late] = g.deadline(answer, seconds(5));
        g.output("in_time", in_time);
        g.output("late", late);
    });
    node.invoke("Main", [("n", 201_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(0));
    completion(201).complete(1).expect("there is room for an answer");
    let steps = node.run_until_idle(seconds(4));
    assert_eq!(outputs(&steps.0), [("in_time", Value::U64(1))]);
    assert_eq!(node.next_wakeup(), Wakeup::Never, "its timer ended with it");

    node.invoke("Main", [("n", 202_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(10));
    assert_eq!(outputs(&node.run_until_idle(seconds(15)).0), [("late", Value::Unit)]);
    completion(202).complete(1).expect("there is room for an answer");
    assert_eq!(outputs(&node.run_until_idle(seconds(16)).0), [], "the late answer goes nowhere");
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn an_interval_stays_on_its_grid_and_tells_of_missed_ticks() {
    let mut node = node(|g| g.output("ticks", g.interval(seconds(10))));
    node.run_until_idle(seconds(3));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(13)));
    assert_eq!(node.run_until_idle(seconds(13)).output("ticks"), Some(1_u64));
    assert_eq!(node.run_until_idle(seconds(44)).output("ticks"), Some(3_u64));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(53)));
}

#[test]
fn a_pulse_triggers_once() {
    let mut node = node(|g| g.output("started", g.pulse()));
    assert_eq!(outputs(&node.run_until_idle(seconds(0)).0), [("started", Value::Unit)]);
    assert_eq!(outputs(&node.run_until_idle(seconds(1)).0), []);
}

#[test]
fn logical_time_never_goes_backwards() {
    let mut node = node(|g| g.output("now", g.clock(g.input::<u64>("n"))));
    for (given, seen) in [(5, 5), (3, 5), (6, 6)] {
        node.invoke("Main", [("n", 0_u64)]).expect("it is admitted");
        let steps = node.run_until_idle(seconds(given));
        assert_eq!(steps.output("now"), Some(seconds(seen).get()));
    }
}

#[test]
fn chance_is_the_same_for_the_same_peer() {
    let numbers = || {
        let mut node = node(|g| g.output("number", g.rng_u64(g.input::<u64>("n"))));
        [0_u64, 0].map(|n| {
            node.invoke("Main", [("n", n)]).expect("it is admitted");
            node.run_until_idle(seconds(0)).output::<u64>("number")
        })
    };
    let [first, second] = numbers();
    assert_ne!(first, second);
    assert_eq!(numbers(), [first, second]);
}

#[test]
fn a_wait_is_told_as_a_step() {
    let mut node = node(|g| g.output("n", g.sleep(g.input::<u64>("n"), seconds(1))));
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(seconds(0));
    assert!(matches!(steps.0[..], [EngineStep::AsyncSuspended { .. }]));
}
