//! Ops that may wait for so long and no longer.

use samsara_runtime::{
    compiler::Compiler,
    config::{NodeConfig, StateConfig},
    error::OpErrorKind,
    graph::{Graph, WITHIN},
    node::{Node, Wakeup},
    step::{EngineStep, Steps},
    time::{Nanos, seconds},
    value::Value,
};

use super::parts::{Parts, completion, node, node_with, outputs};

fn later(within: u64) -> Node {
    node(|g| {
        let parts = g.slot("parts").named("ask").within(seconds(within));
        g.output("answer", parts.op("later", [g.input::<u64>("n")]));
    })
}

fn failures(steps: &Steps) -> Vec<(OpErrorKind, &str)> {
    steps.failures().map(|error| (error.kind(), error.reason())).collect()
}

#[test]
fn an_op_that_nobody_answers_in_time_fails_as_timed_out() {
    let mut node = later(5);
    node.invoke("Main", [("n", 501_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(1));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(6)));
    let steps = node.run_until_idle(seconds(6));
    assert_eq!(failures(&steps), [(OpErrorKind::TimedOut, "nobody answered by 6s")]);
    let is_named =
        |step: &EngineStep| matches!(step, EngineStep::OpFailed { op, .. } if &**op == "ask");
    assert!(steps.0.iter().any(is_named));
    let left = (node.pending_async_count(), node.execution_count(), node.next_wakeup());
    assert_eq!(left, (0, 0, Wakeup::Never));

    completion(501).complete(1).expect("there is room for an answer");
    let steps = node.run_until_idle(seconds(7));
    assert!(matches!(steps.0[..], [EngineStep::CompletionIgnored { .. }]), "{steps:?}");
    assert_eq!(node.ignored_completion_count(), 1);
}

#[test]
fn an_answer_in_time_ends_the_deadline_with_the_op() {
    let mut node = later(5);
    node.invoke("Main", [("n", 502_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(0));
    completion(502).complete(1).expect("there is room for an answer");
    assert_eq!(node.run_until_idle(seconds(4)).output("answer"), Some(1_u64));
    assert_eq!(node.next_wakeup(), Wakeup::Never);
}

#[test]
fn at_the_same_instant_the_deadline_wins() {
    let mut node = later(5);
    node.invoke("Main", [("n", 503_u64)]).expect("it is admitted");
    node.run_until_idle(seconds(0));
    completion(503).complete(1).expect("there is room for an answer");
    let steps = node.run_until_idle(seconds(5));
    assert_eq!(failures(&steps), [(OpErrorKind::TimedOut, "nobody answered by 5s")]);
    assert_eq!((outputs(&steps.0), node.ignored_completion_count()), (vec![], 1), "it is late");
}

#[test]
fn a_sleep_that_ends_before_its_deadline_is_in_time_however_late_the_turn() {
    for (time, in_time) in [(1, true), (2, false), (3, false)] {
        let mut node = node(|g| {
            g.output("n", g.within(g.sleep(g.input::<u64>("n"), seconds(time)), seconds(2)));
        });
        node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
        node.run_until_idle(seconds(0));
        let steps = node.run_until_idle(seconds(9));
        assert_eq!(steps.output("n"), in_time.then_some(5_u64), "a sleep of {time} s");
        assert_eq!(node.next_wakeup(), Wakeup::Never, "its timer ended with it");
    }
}

#[test]
fn an_item_goes_past_those_whose_time_is_up() {
    let mut node = node(|g| {
        g.enqueue("line", g.input::<u64>("n"));
        let hasty = g.dequeue("line", g.input::<()>("hasty"));
        g.output("hasty", g.within(hasty, seconds(1)));
        g.output("patient", g.dequeue("line", g.input::<()>("patient")));
    });
    node.deliver_event("Main", "hasty", ()).expect("it is admitted");
    node.deliver_event("Main", "patient", ()).expect("it is admitted");
    node.run_until_idle(seconds(0));
    node.deliver_event("Main", "n", 5_u64).expect("it is admitted");
    let steps = node.run_until_idle(seconds(1));
    assert_eq!(outputs(&steps.0), [("patient", Value::U64(5))]);
    assert_eq!(failures(&steps), [(OpErrorKind::TimedOut, "nobody answered by 1s")]);
}

#[test]
fn an_item_that_all_come_too_late_for_waits_for_the_next() {
    let mut node = node(|g| {
        g.enqueue("line", g.input::<u64>("n"));
        g.output("next", g.within(g.dequeue("line", g.input::<()>("take")), seconds(1)));
    });
    node.deliver_event("Main", "take", ()).expect("it is admitted");
    node.run_until_idle(seconds(0));
    node.deliver_event("Main", "n", 5_u64).expect("it is admitted");
    assert_eq!(outputs(&node.run_until_idle(seconds(1)).0), []);
    node.deliver_event("Main", "take", ()).expect("it is admitted");
    assert_eq!(node.run_until_idle(seconds(2)).output("next"), Some(5_u64));
}

#[test]
fn a_permit_goes_past_those_whose_time_is_up() {
    let mut node = node(|g| {
        let held = g.acquire("door", 1, g.input::<u64>("first"));
        g.output("first", g.slot("parts").op("later", [held]));
        // It goes on for long after its permit did not come.
        let hasty = g.input::<u64>("hasty");
        g.output("hasty", g.within(g.acquire("door", 1, hasty), seconds(1)));
        g.output("rested", g.sleep(hasty, seconds(100)));
        g.output("patient", g.acquire("door", 1, g.input::<u64>("patient")));
    });
    for (input, n) in [("first", 504_u64), ("hasty", 2), ("patient", 3)] {
        node.deliver_event("Main", input, n).expect("it is admitted");
    }
    node.run_until_idle(seconds(0));
    completion(504).complete(1).expect("there is room for an answer");
    let steps = node.run_until_idle(seconds(1));
    assert_eq!(outputs(&steps.0), [("first", Value::U64(1)), ("patient", Value::U64(3))]);
    assert_eq!(failures(&steps), [(OpErrorKind::TimedOut, "nobody answered by 1s")]);
}

#[test]
fn a_sleeper_that_a_stranger_answers_takes_its_timer_along() {
    let config = NodeConfig {
        state: StateConfig { max_timers: 1, max_component_timers: 1, ..StateConfig::default() },
        ..NodeConfig::default()
    };
    let mut node = node_with(config, |g| {
        g.output("slept", g.sleep(g.input::<u64>("n"), seconds(100)));
        let poked = g.slot("parts").op("poke", [g.input::<u64>("command")]);
        g.output("poked", poked);
    });
    for command in [1_u64, 2] {
        node.deliver_event("Main", "n", 5_u64).expect("it is admitted");
        let steps = node.run_until_idle(seconds(0));
        assert_eq!(failures(&steps), [], "the one timer is free");
        node.deliver_event("Main", "command", command).expect("it is admitted");
        assert_eq!(node.run_until_idle(seconds(0)).output("slept"), Some(7_u64));
        assert_eq!(node.next_wakeup(), Wakeup::Never);
    }
}

#[test]
fn a_second_op_under_one_command_fails_and_the_first_waits_on() {
    let mut node = node(|g| {
        let parts = g.slot("parts");
        let first = parts.clone().named("first").op("claim", [g.input::<u64>("n")]);
        g.output("first", first);
        g.output("second", parts.clone().named("second").op("claim", [g.input::<u64>("m")]));
        g.output("poked", g.slot("parts").op("poke", [g.input::<u64>("command")]));
        g.output("given", parts.named("given").op("echo", [g.input::<u64>("give")]));
    });
    // The command 1 is given, and free again at once.
    for input in ["give", "n", "m"] {
        node.deliver_event("Main", input, 1_u64).expect("it is admitted");
    }
    let steps = node.run_until_idle(seconds(0));
    let reason = "another op waits under command 1 already";
    assert_eq!(failures(&steps), [(OpErrorKind::BadOutput, reason)]);
    node.deliver_event("Main", "command", 1_u64).expect("it is admitted");
    assert_eq!(node.run_until_idle(seconds(0)).output("first"), Some(7_u64));
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn ops_under_commands_that_they_took_meet_the_cap_too() {
    let config = NodeConfig { max_pending_async: 2, ..NodeConfig::default() };
    let mut node = node_with(config, |g| {
        g.output("n", g.slot("parts").op("claim", [g.input::<u64>("n")]));
        g.output("given", g.slot("parts").op("echo", [g.input::<u64>("give")]));
    });
    for n in 1..=3_u64 {
        node.invoke("Main", [("give", n)]).expect("it is admitted");
    }
    for n in 1..=3_u64 {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let steps = node.run_until_idle(seconds(0));
    assert_eq!(failures(&steps), [(OpErrorKind::Limit, "2 ops wait already")]);
    assert_eq!((node.pending_async_count(), node.execution_count()), (2, 2));
}

#[test]
fn a_time_to_wait_is_refused_where_nothing_waits_and_when_it_is_no_time() {
    let g = Graph::new("Main");
    let n = g.input::<u64>("n");
    g.output("n", g.within(n, seconds(1)));
    g.output("passed", g.within(g.pass_through(n), seconds(1)));
    let mistakes = g.build().expect_err("nothing waits").to_string();
    let told = "nothing waits here, so it cannot be within a time";
    assert!(mistakes.contains(&format!("Main/n: {told}")), "{mistakes}");
    assert!(mistakes.contains(&format!("Main/PassThrough: {told}")), "{mistakes}");

    let g = Graph::new("Main");
    let answer = g.slot("parts").attribute(WITHIN, "soon").op("later", [g.input::<u64>("n")]);
    g.output("answer", answer);
    let modules = g.build().expect("the form is sound");
    let refused = Compiler::new().bind::<Parts>("parts").compile(modules);
    let refused = refused.expect_err("soon is no time").to_string();
    assert!(
        refused.contains("attribute \"samsara.within\": expected u64, got text@1"),
        "{refused}"
    );
}

#[test]
fn arms_of_a_race_that_share_a_name_are_refused() {
    let compile = |record: fn(&Graph)| {
        let g = Graph::new("Main");
        record(&g);
        let modules = g.build().expect("the form is sound");
        Compiler::new().compile(modules).expect_err("the names are no good").to_string()
    };
    let refused = compile(|g| {
        let n = g.input::<u64>("n");
        g.output("first", g.race([("a", n), ("a", n)]).0);
    });
    assert!(refused.contains("wanted 2 different names"), "{refused}");
    let refused = compile(|g| {
        let n = g.input::<u64>("n");
        g.output("first", g.deadline_match([("deadline", n)], Nanos::new(1)).0);
    });
    assert!(refused.contains("wanted 1 different names, none of them \"deadline\""), "{refused}");
}
