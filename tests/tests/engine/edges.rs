//! Settings at their edges: what still fits is taken, and one more is refused with its number.

use samsara_runtime::{
    compiler::Compiler,
    config::{EngineConfig, ExchangeConfig, NodeConfig, PlanConfig, StateConfig, TurnConfig},
    error::OpErrorKind,
    graph::Graph,
    module::Draft,
    node::Node,
    step::Steps,
    time::{Nanos, seconds},
    value::Value,
};

use super::parts::{completion, node_with, outputs};

fn with_state(state: StateConfig) -> NodeConfig {
    NodeConfig { state, ..NodeConfig::default() }
}

/// Delivers each to its input in an execution of its own, and lets the Node do what it can.
fn feed(node: &mut Node, events: impl IntoIterator<Item = (&'static str, u64)>) -> Steps {
    for (input, value) in events {
        node.deliver_event("Main", input, value).expect("it is admitted");
    }
    node.run_until_idle(Nanos::ZERO)
}

fn limits_met(steps: &Steps) -> Vec<&str> {
    let failed = |error: &samsara_runtime::error::OpError| {
        assert_eq!(error.kind(), OpErrorKind::Limit, "{error}");
    };
    steps.failures().inspect(|error| failed(error)).map(|error| error.reason()).collect()
}

#[test]
fn a_turn_takes_its_events_and_leaves_the_next() {
    let turn = TurnConfig { events: 2, ..TurnConfig::default() };
    let mut node = node_with(NodeConfig { turn, ..NodeConfig::default() }, |g| {
        g.emit("n", g.input::<u64>("n"));
    });
    for n in 0..5_u64 {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let taken = [(); 4].map(|()| node.intake(Nanos::ZERO).events.len());
    assert_eq!(taken, [2, 2, 1, 0]);
}

#[test]
fn a_turn_takes_its_bytes_and_one_event_however_large() {
    let turn = TurnConfig { bytes: 20, ..TurnConfig::default() };
    let mut node = node_with(NodeConfig { turn, ..NodeConfig::default() }, |g| {
        g.emit("text", g.input::<String>("text"));
    });
    for length in [10, 10, 10, 50, 1] {
        node.invoke("Main", [("text", "x".repeat(length))]).expect("it is admitted");
    }
    let taken = [(); 4].map(|()| node.intake(Nanos::ZERO).events.len());
    assert_eq!(taken, [2, 1, 1, 1]);
}

#[test]
fn a_node_with_as_many_ready_ops_as_may_be_takes_no_more() {
    let config = NodeConfig {
        cycle_op_budget: 1,
        turn: TurnConfig { events: 1, ..TurnConfig::default() },
        engine: EngineConfig { max_ready_ops: 2, ..EngineConfig::default() },
        ..NodeConfig::default()
    };
    let mut node = node_with(config, |g| {
        let n = g.input::<u64>("n");
        for _ in 0..3 {
            g.emit("n", n);
        }
    });
    for n in [1_u64, 2] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let mut taken = Vec::new();
    for _ in 0..4 {
        let batch = node.intake(Nanos::ZERO);
        taken.push(batch.events.len());
        node.apply(&batch, &mut Vec::new());
    }
    // Of three ops two are left, which is the cap; with one left there is room again.
    assert_eq!(taken, [1, 0, 1, 0]);
}

#[test]
fn the_timer_one_over_the_cap_fails_the_op_that_asks() {
    let state = StateConfig { max_timers: 2, max_component_timers: 2, ..StateConfig::default() };
    let mut node = node_with(with_state(state), |g| {
        g.output("n", g.sleep(g.input::<u64>("n"), seconds(1)));
        let [late, _] = g.deadline(g.sleep(g.input::<u64>("m"), seconds(9)), seconds(1));
        g.output("late", late);
    });
    // Each execution has the timer of its deadline; the sleep is what finds no room.
    let steps = feed(&mut node, [("n", 1)]);
    assert_eq!(limits_met(&steps), [""; 0]);
    let steps = feed(&mut node, [("n", 2)]);
    assert_eq!(limits_met(&steps).len(), 2, "{steps:?}");
    let steps = node.run_until_idle(seconds(1));
    assert_eq!(steps.output("n"), Some(1_u64));
    assert_eq!((node.execution_count(), node.pending_async_count()), (0, 0));
}

#[test]
fn the_oldest_item_of_a_full_queue_makes_room() {
    let state = StateConfig { serialize_capacity: 2, ..StateConfig::default() };
    let mut node = node_with(with_state(state), |g| {
        g.enqueue("line", g.input::<u64>("n"));
        g.output("next", g.dequeue("line", g.input::<u64>("take")));
    });
    let steps = feed(&mut node, [("n", 1), ("n", 2), ("n", 3), ("take", 0), ("take", 0)]);
    assert_eq!(outputs(&steps.0), [("next", Value::U64(2)), ("next", Value::U64(3))]);
}

#[test]
fn a_name_too_many_fails_the_op_that_brings_it() {
    let state = StateConfig { max_names: 1, hold_names: 1, ..StateConfig::default() };
    let exchange = ExchangeConfig { max_gates: 1, ..ExchangeConfig::default() };
    let config = NodeConfig { exchange, ..with_state(state) };
    let mut node = node_with(config, |g| {
        for (place, input) in ["first", "second"].into_iter().enumerate() {
            let n = g.input::<u64>(input);
            let by = g.constant(1_i64);
            let once = g.gate(by, n);
            match place {
                0 => g.incr_metric("counter", once),
                _ => g.incr_metric("other counter", once),
            }
            g.stash(["held", "also held"][place], n);
            g.enqueue(["line", "other line"][place], n);
            g.record_as(["ring", "other ring"][place], n);
            let inside = g.acquire(["door", "other door"][place], 1, n);
            g.output(["done", "also done"][place], g.sleep(inside, seconds(1)));
        }
    });
    let steps = feed(&mut node, [("first", 1)]);
    assert_eq!(limits_met(&steps), [""; 0]);
    let steps = feed(&mut node, [("second", 2)]);
    let mut met = limits_met(&steps);
    met.sort_unstable();
    let full = ["gates", "metrics", "names of held values", "records", "serialize queues"]
        .map(|what| format!("no room for more {what}, the cap is 1"));
    assert_eq!(met, full);
    assert_eq!((node.metric("counter"), node.metric("other counter")), (Some(1), None));
}

#[test]
fn who_would_be_one_too_many_before_a_door_fails() {
    let exchange = ExchangeConfig { max_gate_waiters: 1, ..ExchangeConfig::default() };
    let mut node = node_with(NodeConfig { exchange, ..NodeConfig::default() }, |g| {
        let inside = g.acquire("door", 1, g.input::<u64>("n"));
        g.output("done", g.slot("parts").op("later", [inside]));
    });
    let steps = feed(&mut node, [("n", 601), ("n", 602)]);
    assert_eq!(limits_met(&steps), [""; 0], "one is inside, one waits");
    assert_eq!(limits_met(&feed(&mut node, [("n", 603)])).len(), 1);
    completion(601).complete(1).expect("there is room for an answer");
    node.run_until_idle(Nanos::ZERO);
    completion(602).complete(2).expect("there is room for an answer");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("done"), Some(2_u64));
    assert_eq!(node.execution_count(), 0);
}

/// Eight ops: two calls of two calls of two ops.
fn nested() -> Draft {
    let mut callee = None;
    for name in ["Inner", "Middle", "Main"] {
        let g = Graph::new(name);
        let mut n = g.input::<u64>("n");
        for _ in 0..2 {
            n = match &callee {
                None => g.pass_through(n),
                Some(callee) => {
                    let [n] = g.call(callee, [n]);
                    n
                }
            };
        }
        g.output("n", n);
        callee = Some(g.build().expect("the module is sound"));
    }
    callee.expect("three were made")
}

#[test]
fn a_program_may_be_as_large_and_as_deep_as_its_limits_and_no_more() {
    let compile = |limits| Compiler::new().limits(limits).compile(nested());
    let limits = |max_nodes, max_depth, expansion_steps| PlanConfig {
        max_nodes,
        max_depth,
        expansion_steps,
    };
    // Eight ops under two levels of calls; a step is an op or a call, so 2 + 4 + 8 of them.
    compile(limits(8, 2, 14)).expect("each limit is just met");
    for (limits, told) in [
        (limits(7, 2, 14), "module \"Main\" expands to more than 7 ops"),
        (limits(8, 1, 14), "calls are nested 2 deep, 1 levels are allowed"),
        (limits(8, 2, 13), "module \"Main\" expands to more than 13 steps"),
    ] {
        let refused = compile(limits).expect_err("one limit is passed").to_string();
        assert!(refused.contains(told), "{refused}");
    }
}
