//! The bus: what is told inside a Node, and who hears it.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{NodeConfig, StateConfig},
    error::{OpError, OpErrorKind},
    graph::Graph,
    node::{InstallError, Node, Wakeup, install},
    step::{EngineStep, Steps},
    time::Nanos,
    value::Value,
};

use serde::{Deserialize, Serialize};

use super::parts::{Parts, node, node_with, outputs, program};

/// What a program emitted under a topic, in order.
fn emitted<'s>(steps: &'s Steps, topic: &str) -> Vec<&'s Value> {
    let emitted = |step: &'s EngineStep| match step {
        EngineStep::AppEmitted { topic: given, value, .. } if **given == *topic => Some(value),
        _ => None,
    };
    steps.0.iter().filter_map(emitted).collect()
}

fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(record) = value else { return None };
    record.field(name)
}

fn run(node: &mut Node) -> Steps {
    node.run_until_idle(Nanos::ZERO)
}

fn refusal(record: impl FnOnce(&Graph)) -> String {
    let g = Graph::new("Main");
    record(&g);
    let draft = g.build().expect("its form is sound");
    let refused = Compiler::new().bind::<Parts>("parts").compile(draft);
    refused.expect_err("it is refused").to_string()
}

#[test]
fn a_value_told_under_a_topic_reaches_every_subscriber_in_the_order_of_the_plan() {
    let mut node = node(|g| {
        g.notify("news", g.input::<u64>("n"));
        g.emit("first", g.on_event("app.news"));
        g.emit("second", g.slot("parts").op("double", [g.on_event("app.news")]));
        g.emit("other", g.on_event("app.olds"));
    });
    let told = node.invoke("Main", [("n", 21_u64)]).expect("it is admitted");
    let steps = run(&mut node);
    assert_eq!(emitted(&steps, "first"), [&Value::U64(21)]);
    assert_eq!(emitted(&steps, "second"), [&Value::U64(42)]);
    assert_eq!(emitted(&steps, "other"), [] as [&Value; 0]);
    let mut execs = Vec::new();
    for step in &steps.0 {
        if let EngineStep::AppEmitted { exec, topic, .. } = step {
            execs.push((*exec, &**topic));
        }
    }
    assert!(matches!(execs[..], [(a, "first"), (b, "second")] if a != b && a != told && b != told));
    assert_eq!((node.execution_count(), node.next_wakeup()), (0, Wakeup::Never));
}

#[test]
fn modules_hear_each_other_and_modules_that_are_not_installed_hear_nothing() {
    let teller = Graph::new("Teller");
    teller.notify("news", teller.input::<u64>("n"));
    let hearer = Graph::new("Hearer");
    hearer.output("heard", hearer.on_event("app.news"));
    let drafts = [teller, hearer].map(|graph| graph.build().expect("it is sound"));
    let program = Compiler::new().compile_all(drafts).expect("it compiles");
    for (targets, heard) in [(vec!["Teller", "Hearer"], Some(5_u64)), (vec!["Teller"], None)] {
        let config = NodeConfig::default();
        let mut node = install(PeerId::from(1), [], &program, &targets, config).expect("installs");
        node.invoke("Teller", [("n", 5_u64)]).expect("it is admitted");
        assert_eq!(run(&mut node).output("heard"), heard);
        assert_eq!(node.engine_stats().depths.bus, 0);
    }
}

#[test]
fn a_failure_is_heard_as_a_record_with_its_kind_and_reason() {
    let mut node = node(|g| {
        g.output("half", g.slot("parts").op("even", [g.input::<u64>("n")]));
        g.output("failure", g.on_event("infra.op_failed"));
    });
    let exec = node.invoke("Main", [("n", 7_u64)]).expect("it is admitted");
    let steps = run(&mut node);
    let [("failure", failure)] = &outputs(&steps.0)[..] else { panic!("one failure: {steps:?}") };
    assert_eq!(field(failure, "execution"), Some(&Value::U64(exec.get())));
    assert_eq!(field(failure, "op"), Some(&Value::from("parts.even")));
    assert_eq!(field(failure, "kind"), Some(&Value::from("failed")));
    assert_eq!(field(failure, "reason"), Some(&Value::from("7 is odd")));
}

#[test]
fn a_subscriber_of_failures_that_fails_is_told_as_a_step_alone() {
    let mut node = node(|g| {
        g.output("half", g.slot("parts").op("even", [g.input::<u64>("n")]));
        // A record is no number, so this fails whenever it hears of a failure.
        g.output("never", g.slot("parts").op("even", [g.pass_through(g.on_event("app.again"))]));
        let failed = g.on_event("infra.op_failed");
        g.notify("again", failed);
    });
    // A later failure is none of its making, and is heard again.
    for n in [7_u64, 9] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
        let mut steps = Vec::new();
        // Turns are counted, since a test that fails by not ending says little.
        (0..9).for_each(|_| node.step(Nanos::ZERO, &mut steps));
        let kinds: Vec<_> = Steps(steps).failures().map(|error| error.kind()).collect();
        assert_eq!(kinds, [OpErrorKind::Failed, OpErrorKind::BadArgument]);
        assert_eq!((node.execution_count(), node.next_wakeup()), (0, Wakeup::Never));
    }
}

#[test]
fn beyond_its_capacity_the_oldest_event_goes_and_is_counted() {
    let config = NodeConfig { bus_capacity: 2, ..NodeConfig::default() };
    let mut node = node_with(config, |g| {
        let n = g.input::<u64>("n");
        g.notify("news", n);
        g.output("heard", g.on_event("app.news"));
    });
    for n in [1_u64, 2, 3] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let steps = run(&mut node);
    assert_eq!(outputs(&steps.0), [("heard", Value::U64(2)), ("heard", Value::U64(3))]);
    assert_eq!(node.engine_stats().drops.bus_overflow, 1);
}

#[test]
fn events_share_the_budget_of_a_turn() {
    let config = NodeConfig { cycle_op_budget: 2, ..NodeConfig::default() };
    let mut node = node_with(config, |g| {
        g.notify("news", g.input::<u64>("n"));
        g.output("heard", g.pass_through(g.on_event("app.news")));
    });
    for n in [1_u64, 2] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let mut steps = Vec::new();
    node.step(Nanos::ZERO, &mut steps);
    assert_eq!(steps, [EngineStep::CycleBudgetExceeded { ready: 0 }]);
    assert_eq!((node.engine_stats().depths.bus, node.next_wakeup()), (2, Wakeup::Now));
    assert_eq!(outputs(&run(&mut node).0), [("heard", Value::U64(1)), ("heard", Value::U64(2))]);
}

#[test]
fn two_that_call_each_other_up_for_ever_do_not_hold_the_turn() {
    let mut node = node_with(NodeConfig { cycle_op_budget: 9, ..NodeConfig::default() }, |g| {
        g.notify("ping", g.input::<u64>("n"));
        g.notify("pong", g.on_event("app.ping"));
        g.notify("ping", g.on_event("app.pong"));
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    for _ in 0..20 {
        node.step(Nanos::ZERO, &mut Vec::new());
    }
    let fired = node.engine_stats().counters.ops_fired;
    assert!((10..=180).contains(&fired), "{fired} ops in 20 turns of at most 9");
}

#[test]
fn a_component_publishes_and_the_frameworks_prefixes_are_refused() {
    let mut node = node(|g| {
        g.output("said", g.slot("parts").op("tell", [g.input::<String>("topic")]));
        g.emit("heard", g.on_event("app.news"));
    });
    node.invoke("Main", [("topic", "news")]).expect("it is admitted");
    let steps = run(&mut node);
    assert_eq!(steps.output::<String>("said").as_deref(), Some("told"));
    assert_eq!(emitted(&steps, "heard"), [&Value::from("news")]);
    for reserved in ["infra.op_failed", "wire.timeout", "samsara.x"] {
        node.invoke("Main", [("topic", reserved)]).expect("it is admitted");
        let steps = run(&mut node);
        let reasons: Vec<_> = steps.failures().map(|error| error.reason()).collect();
        assert!(matches!(reasons[..], [reason] if reason.contains("framework's own")));
    }
}

#[test]
fn a_reserved_topic_and_an_unknown_kind_are_refused_when_the_program_is_compiled() {
    let reserved = refusal(|g| g.notify("infra.op_failed", g.input::<u64>("n")));
    assert!(reserved.contains("begins with \"infra.\""), "{reserved}");
    let empty = refusal(|g| g.notify("", g.input::<u64>("n")));
    assert!(empty.contains("attribute \"topic\""), "{empty}");
    for kind in ["infra.op_faild", "app.", "app.infra.op_failed"] {
        let unknown = refusal(|g| g.output("heard", g.on_event(kind)));
        assert!(unknown.contains(&format!("no events {kind:?}")), "{unknown}");
        assert!(unknown.contains("infra.op_failed"), "it names those there are: {unknown}");
    }
}

#[test]
fn a_record_is_not_taken_for_a_number_by_the_compiler() {
    let wrong = refusal(|g| {
        g.output("twice", g.slot("parts").op("double", [g.on_event("infra.op_failed")]));
    });
    assert!(wrong.contains("gives record"), "{wrong}");
}

#[test]
fn more_subscriptions_than_the_cap_are_refused_by_both_numbers() {
    let state = StateConfig { max_subscriptions: 1, ..StateConfig::default() };
    let config = NodeConfig { state, ..NodeConfig::default() };
    let program = program(|g| {
        g.emit("a", g.on_event("app.a"));
        g.emit("b", g.on_event("app.b"));
    });
    let refused = install(PeerId::from(1), [], &program, &["Main"], config);
    let wanted = InstallError::TooManySubscriptions { count: 2, cap: 1 };
    assert_eq!(refused.map(|_| ()), Err(wanted));
}

#[test]
fn refused_calls_are_heard_once_for_each_source_and_kind() {
    let mut node = node(|g| {
        g.output("n", g.pass_through(g.input::<u64>("n")));
        g.output("refused", g.on_event("infra.ingress_error"));
    });
    for _ in 0..3 {
        node.invoke("Mian", [("n", 1_u64)]).expect_err("it is misspelt");
    }
    node.deliver_event("Main", "n", true).expect_err("it takes a number");
    assert_eq!(node.next_wakeup(), Wakeup::Now);
    assert_eq!(node.ingress().stats().items, 0, "they were counted beside the mailbox");
    let batch = node.intake(Nanos::ZERO);
    assert_eq!(batch.events.len(), 2);
    let mut steps = Vec::new();
    node.apply(&batch, &mut steps);
    let told: Vec<_> = outputs(&steps)
        .into_iter()
        .map(|(_, value)| {
            let name = |name| field(&value, name).cloned().expect("it has this field");
            (name("source"), name("kind"), name("count"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("event for Main/n".into(), "type_mismatch".into(), 1_u64.into()),
            ("invoke of Mian with 1 inputs".into(), "unknown_module".into(), 3_u64.into()),
        ]
    );
    assert_eq!(node.engine_stats().drops.refused_calls, 4);
    assert_eq!(node.intake(Nanos::ZERO).events, []);
}

#[test]
fn refusals_of_more_sources_than_the_cap_are_only_counted() {
    let state = StateConfig { max_refusals: 2, ..StateConfig::default() };
    let mut node = node_with(NodeConfig { state, ..NodeConfig::default() }, |g| {
        g.output("refused", g.on_event("infra.ingress_error"));
    });
    for module in ["A", "B", "C", "A"] {
        node.invoke(module, [("n", 1_u64)]).expect_err("there is no such module");
    }
    assert_eq!(outputs(&run(&mut node).0).len(), 2);
    let drops = node.engine_stats().drops;
    assert_eq!((drops.refused_calls, drops.refusals_unlisted), (4, 1));
}

#[test]
fn a_refusal_that_nobody_listens_for_is_only_counted() {
    let mut node = node(|g| g.output("n", g.pass_through(g.input::<u64>("n"))));
    node.invoke("Mian", [("n", 1_u64)]).expect_err("it is misspelt");
    assert_eq!(node.next_wakeup(), Wakeup::Never);
    assert_eq!(node.engine_stats().drops.refused_calls, 1);
}

/// Hears of failures and of a topic, and fails at each failure that it hears of.
#[derive(Default, Serialize, Deserialize)]
struct Ear {
    heard: u64,
}

impl Component for Ear {
    const TYPE_NAME: &'static str = "test.ear@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("even", |_: &mut Self, n: u64| match n % 2 {
            0 => Ok(n),
            _ => Err("odd"),
        });
        ops.on_event("app.news", |ear, _, n: u64| ear.heard += n);
        ops.on_event("infra.op_failed", |ear, _, _: Value| -> Result<(), OpError> {
            ear.heard += 100;
            Err("it will not hear of it".into())
        });
    }
}

#[test]
fn a_component_hears_events_and_its_own_failure_is_told_as_a_step_alone() {
    let g = Graph::new("Main");
    let n = g.input::<u64>("n");
    g.notify("news", n);
    g.output("even", g.slot("ear").op("even", [n]));
    let draft = g.build().expect("it is sound");
    let program = Compiler::new().bind::<Ear>("ear").compile(draft).expect("it compiles");
    let config = NodeConfig::default();
    let mut node = install(PeerId::from(1), [], &program, &["Main"], config).expect("installs");
    node.invoke("Main", [("n", 7_u64)]).expect("it is admitted");
    let mut steps = Vec::new();
    (0..9).for_each(|_| node.step(Nanos::ZERO, &mut steps));
    let reasons = Steps(steps);
    let reasons: Vec<_> = reasons.failures().map(|error| error.reason()).collect();
    assert_eq!(reasons, ["odd", "it will not hear of it"]);
    assert_eq!(node.model::<Ear>("ear").map(|ear| ear.heard), Some(107));
    assert_eq!(node.next_wakeup(), Wakeup::Never);
}

#[test]
fn a_blocked_peer_is_heard_of() {
    let mut node = node(|g| g.output("blocked", g.on_event("infra.peer_blocked")));
    node.block_peer(PeerId::from(7)).expect("there is room");
    let steps = run(&mut node);
    let [("blocked", blocked)] = &outputs(&steps.0)[..] else { panic!("one event: {steps:?}") };
    assert_eq!(field(blocked, "peer"), Some(&Value::from(PeerId::from(7))));
}
