//! What a program keeps in its Node between executions, and tells the host.

use samsara_runtime::{
    config::{NodeConfig, StateConfig},
    error::OpErrorKind,
    step::EngineStep,
    time::Nanos,
    value::Value,
};

use super::parts::{completion, node, node_with, outputs};

#[test]
fn a_program_tells_the_host_by_topic() {
    let mut node = node(|g| g.emit("news", g.input::<u64>("n")));
    let exec = node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    let told = EngineStep::AppEmitted { exec, topic: "news".into(), value: Value::U64(5) };
    assert_eq!(steps.0, [told]);
}

#[test]
fn a_flush_gives_what_was_stashed_in_order_and_forgets_it() {
    let mut node = node(|g| {
        g.stash("basket", g.input::<u64>("n"));
        g.output("all", g.flush("basket", g.input::<()>("flush")));
    });
    for n in [1_u64, 2, 3] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    node.deliver_event("Main", "flush", ()).expect("it is admitted");
    node.deliver_event("Main", "flush", ()).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    let list = |items: &[u64]| {
        Value::list(items.iter().map(|item| Value::U64(*item)).collect()).expect("it is shallow")
    };
    assert_eq!(outputs(&steps.0), [("all", list(&[1, 2, 3])), ("all", list(&[]))]);
}

#[test]
fn a_full_basket_fails_the_stash_and_keeps_the_rest() {
    let state = StateConfig { hold_items: 2, ..StateConfig::default() };
    let mut node = node_with(NodeConfig { state, ..NodeConfig::default() }, |g| {
        g.stash("basket", g.input::<u64>("n"));
        g.output("all", g.flush("basket", g.input::<()>("flush")));
    });
    for n in [1_u64, 2, 3] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    node.deliver_event("Main", "flush", ()).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(
        steps.failures().map(|error| error.kind()).collect::<Vec<_>>(),
        [OpErrorKind::Limit]
    );
    assert_eq!(steps.output::<Vec<u64>>("all"), Some(vec![1, 2]));
}

#[test]
fn a_queue_gives_its_oldest_now_or_when_there_is_one() {
    let mut node = node(|g| {
        g.enqueue("line", g.input::<u64>("n"));
        g.output("next", g.dequeue("line", g.input::<()>("take")));
    });
    node.deliver_event("Main", "take", ()).expect("it is admitted");
    assert_eq!(outputs(&node.run_until_idle(Nanos::ZERO).0), []);
    for n in [1_u64, 2, 3] {
        node.deliver_event("Main", "n", n).expect("it is admitted");
    }
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(outputs(&steps.0), [("next", Value::U64(1))]);
    node.deliver_event("Main", "take", ()).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("next"), Some(2_u64));
}

#[test]
fn the_host_reads_rings_and_counters() {
    let state = StateConfig { record_capacity: 2, ..StateConfig::default() };
    let mut node = node_with(NodeConfig { state, ..NodeConfig::default() }, |g| {
        let n = g.input::<i64>("n");
        g.record_as("seen", n);
        g.incr_metric("sum", n);
    });
    for n in [5_i64, -7, 3] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    node.run_until_idle(Nanos::ZERO);
    assert_eq!(node.record("seen").cloned().collect::<Vec<_>>(), [Value::I64(-7), Value::I64(3)]);
    assert_eq!((node.metric("sum"), node.metric("other")), (Some(1), None));
}

#[test]
fn a_permit_is_free_again_when_its_execution_ends() {
    let mut node = node(|g| {
        let n = g.acquire("one", 1, g.input::<u64>("n"));
        g.output("done", g.slot("parts").op("later", [n]));
    });
    for n in [301_u64, 302, 303] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    node.run_until_idle(Nanos::ZERO);
    assert_eq!(node.pending_async_count(), 3, "one works, two wait for its permit");
    completion(301).complete(1).expect("there is room for an answer");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("done"), Some(1_u64));
    drop(completion(302));
    node.run_until_idle(Nanos::ZERO);
    completion(303).complete(3).expect("there is room for an answer");
    assert_eq!(
        node.run_until_idle(Nanos::ZERO).output("done"),
        Some(3_u64),
        "a failure frees it too"
    );
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn a_permit_may_be_given_back_early() {
    let mut node = node(|g| {
        let n = g.acquire("one", 1, g.input::<u64>("n"));
        let n = g.release("one", n);
        g.output("done", g.slot("parts").op("later", [n]));
    });
    for n in [304_u64, 305] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    node.run_until_idle(Nanos::ZERO);
    for n in [304, 305] {
        completion(n).complete(n).expect("both work at once");
    }
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("done"), Some(305_u64));
}
