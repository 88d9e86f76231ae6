//! What a host does beside feeding a Node: announce phases, clear it, poll it, watch it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::{NodeConfig, TurnConfig},
    error::OpErrorKind,
    graph::Graph,
    node::{BootstrapTarget, Node, Wakeup, install},
    step::{Cancelled, EngineStep},
    time::{Nanos, millis, seconds},
    value::Value,
};

use super::parts::{Parts, completion, node, node_with, outputs, program};

const NOW: Nanos = Nanos::ZERO;

/// What was dropped, in order.
fn dropped(steps: &[EngineStep]) -> Vec<&Cancelled> {
    let dropped = |step: &'_ EngineStep| matches!(step, EngineStep::Cancelled(_));
    let found = steps.iter().filter(|step| dropped(step));
    found
        .filter_map(|step| match step {
            EngineStep::Cancelled(what) => Some(what),
            _ => None,
        })
        .collect()
}

#[test]
fn a_phase_triggers_the_ops_that_are_enrolled_in_it_once() {
    let mut node = node(|g| {
        g.output("saved", g.on_lifecycle("Snapshot"));
        g.output("stopped", g.on_lifecycle("Shutdown"));
        g.output(
            "last",
            g.slot("parts").op("add", [g.gate(g.constant(1_u64), g.on_lifecycle("Shutdown"))]),
        );
    });
    node.fire_lifecycle("Shutdown").expect("every node has it");
    let mut steps = Vec::new();
    node.step(NOW, &mut steps);
    let EngineStep::LifecycleFired { phase, ops } = &steps[0] else { panic!("{steps:?}") };
    assert_eq!((&**phase, ops.len()), ("Shutdown", 2));
    assert_eq!(outputs(&steps), [("stopped", Value::Unit), ("last", Value::U64(1))]);
    assert_eq!(node.run_until_idle(NOW).0, []);
}

#[test]
fn a_phase_of_the_programs_own_is_known_and_another_is_refused_by_name() {
    let mut node = node(|g| g.output("drained", g.on_lifecycle("Drain")));
    node.fire_lifecycle("Drain").expect("an op is enrolled");
    assert_eq!(node.run_until_idle(NOW).output::<()>("drained"), Some(()));
    let refused = node.fire_lifecycle("Drian").expect_err("it is misspelt");
    let wanted = "no phase \"Drian\", there are [\"Drain\", \"Shutdown\", \"Snapshot\"]";
    assert_eq!(refused.to_string(), wanted);
    node.fire_lifecycle("Snapshot").expect("every node has it");
    let steps = node.run_until_idle(NOW);
    assert!(matches!(&steps.0[..], [EngineStep::LifecycleFired { ops, .. }] if ops.is_empty()));
}

/// A Node with one of everything under way: parked, asleep, stashed, queued, ticking.
fn busy(number: u64) -> Node {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        g.output("later", g.slot("parts").op("later", [n]));
        g.output("slept", g.sleep(n, seconds(5)));
        g.output("total", g.slot("parts").op("add", [n]));
        g.stash("kept", n);
        g.output("flushed", g.flush("kept", g.input::<()>("flush")));
        g.output("tick", g.interval(seconds(10)));
        g.output("heard", g.on_event("app.news"));
        g.notify("news", g.input::<u64>("told"));
    });
    node.run_until_idle(NOW);
    node.invoke("Main", [("n", number)]).expect("it is admitted");
    node.run_until_idle(NOW);
    node
}

#[test]
fn a_clear_drops_what_is_under_way_and_tells_each_thing_once() {
    let mut node = busy(401);
    assert!(node.ingress().stats().bytes > 0);
    node.clear();
    let steps = node.run_until_idle(NOW);
    let told = dropped(&steps.0);
    let [Cancelled::Op { op: first, .. }, Cancelled::Op { op: second, .. }, execution] = told[..]
    else {
        panic!("two ops and their execution: {told:?}")
    };
    assert_eq!([&**first, &**second], ["parts.later", "Sleep"]);
    assert!(matches!(execution, Cancelled::Execution { .. }));
    assert_eq!((node.execution_count(), node.pending_async_count()), (0, 0));
    let stats = node.ingress().stats();
    assert_eq!((stats.items, stats.bytes), (0, 0), "every charge is back");
    assert_eq!(node.engine_stats().counters.ops_fired, 0);

    // Its interval goes on, its sleeper does not, its component remembers and its stash is empty.
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(10)));
    assert_eq!(outputs(&node.run_until_idle(seconds(10)).0), [("tick", Value::U64(1))]);
    node.deliver_event("Main", "flush", ()).expect("it is admitted");
    assert_eq!(node.run_until_idle(seconds(10)).output::<Vec<u64>>("flushed"), Some(vec![]));
    let exec = node.invoke("Main", [("n", 402_u64)]).expect("it is admitted");
    assert_eq!(exec.get(), 3, "ids are not used again");
    assert_eq!(node.run_until_idle(seconds(10)).output("total"), Some(803_u64));
}

#[test]
fn an_answer_that_comes_after_a_clear_is_ignored_and_counted() {
    let mut node = busy(403);
    node.clear();
    node.run_until_idle(NOW);
    completion(403).complete(1).expect("there is room for an answer");
    let steps = node.run_until_idle(NOW);
    assert!(matches!(steps.0[..], [EngineStep::CompletionIgnored { .. }]));
    assert_eq!(node.engine_stats().drops.answers_ignored, 1);
}

#[test]
fn a_clear_discards_what_waited_and_nothing_that_comes_later() {
    let config = NodeConfig {
        turn: TurnConfig { events: 2, ..Default::default() },
        ingress_capacity: 3,
        ..NodeConfig::default()
    };
    let mut node =
        node_with(config, |g| g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")])));
    let waiting = [1_u64, 2, 3].map(|n| node.invoke("Main", [("n", n)]).expect("three fit"));
    node.clear();
    let mut batches = vec![node.intake(NOW)];
    // There is room again, and this one comes after the clear.
    node.invoke("Main", [("n", 40_u64)]).expect("it is admitted");
    let mut steps = Vec::new();
    node.apply(&batches[0], &mut steps);
    while node.next_wakeup() == Wakeup::Now {
        let batch = node.intake(NOW);
        node.apply(&batch, &mut steps);
        batches.push(batch);
    }
    let told: Vec<_> = dropped(&steps).into_iter().cloned().collect();
    assert_eq!(told, waiting.map(|exec| Cancelled::Event { exec }));
    assert_eq!(outputs(&steps), [("total", Value::U64(40))]);
    assert_eq!(batches.iter().map(|batch| batch.discard).collect::<Vec<_>>(), [true, true, false]);

    let mut fresh =
        node_with(config, |g| g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")])));
    let mut replayed = Vec::new();
    batches.iter().for_each(|batch| fresh.replay(batch, &mut replayed));
    assert_eq!(replayed, steps);
}

#[test]
fn a_clear_drops_bootstraps_that_have_not_finished_and_they_may_be_asked_for_again() {
    let g = Graph::new("Main");
    g.bootstrap(|b| b.output("first", b.slot("parts").op("later", [b.constant(404_u64)])));
    g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
    let draft = g.build().expect("it is sound");
    let program = Compiler::new().bind::<Parts>("parts").compile(draft).expect("it compiles");
    let config = NodeConfig::default();
    let mut node = install(PeerId::from(1), [], &program, &["Main"], config).expect("installs");
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    node.run_until_idle(NOW);
    node.clear();
    let steps = node.run_until_idle(NOW);
    assert!(dropped(&steps.0).contains(&&Cancelled::Bootstrap { module: "Main".into() }));
    assert_eq!(node.engine_stats().depths.gated, 0);
    drop(completion(404));

    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(NOW).output("total"), Some(5_u64), "nothing is gated");
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for again");
    completion(404).complete(9).expect("there is room for an answer");
    assert_eq!(node.run_until_idle(NOW).output("first"), Some(9_u64));
}

#[test]
fn events_of_the_bus_are_dropped_with_the_rest() {
    let mut node = node_with(NodeConfig { cycle_op_budget: 1, ..NodeConfig::default() }, |g| {
        g.notify("news", g.input::<u64>("n"));
        g.output("heard", g.on_event("app.news"));
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    node.step(NOW, &mut Vec::new());
    node.clear();
    let steps = node.run_until_idle(NOW);
    assert_eq!(dropped(&steps.0), [&Cancelled::BusEvent { kind: "app.news".into() }]);
    assert_eq!(outputs(&steps.0), []);
}

struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_poll_is_pending_until_a_push_wakes_it_and_then_gives_the_steps() {
    let mut node = node(|g| {
        let answer = g.slot("parts").op("later", [g.input::<u64>("n")]);
        g.output("answer", g.sleep(answer, seconds(1)));
    });
    let bell = Arc::new(Bell(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&bell));
    let mut cx = Context::from_waker(&waker);
    assert!(node.poll(NOW, &mut cx).is_pending());
    node.invoke("Main", [("n", 405_u64)]).expect("it is admitted");
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(matches!(node.poll(NOW, &mut cx), Poll::Ready(steps) if steps.len() == 1));
    assert!(node.poll(NOW, &mut cx).is_pending());

    let answer = std::thread::spawn(|| completion(405).complete(7).is_ok());
    assert!(answer.join().expect("no panic"));
    assert_eq!(bell.0.load(Ordering::SeqCst), 2, "no push is lost");
    assert!(node.poll(NOW, &mut cx).is_ready());
    assert!(node.poll(millis(999), &mut cx).is_pending(), "time is told by next_wakeup alone");
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(1)));
    let Poll::Ready(steps) = node.poll(seconds(1), &mut cx) else { panic!("it is due") };
    assert_eq!(outputs(&steps), [("answer", Value::U64(7))]);
}

#[test]
fn a_tap_sees_every_step_once_and_in_order_and_nothing_of_a_replay() {
    let record = |g: &Graph| {
        g.bootstrap(|b| b.emit("ready", b.constant(1_u64)));
        g.output("half", g.slot("parts").op("even", [g.input::<u64>("n")]));
    };
    let tapped = || {
        let config = NodeConfig::default();
        let node = install(PeerId::from(1), [], &program(record), &["Main"], config);
        let (mut node, seen) = (node.expect("it installs"), Arc::new(Mutex::new(Vec::new())));
        let mine = Arc::clone(&seen);
        node.set_telemetry_tap(Some(Box::new(move |step| {
            mine.lock().expect("no panic").push(step.clone());
        })));
        (node, seen)
    };
    let (mut node, seen) = tapped();
    let mut steps = node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for").0;
    let mut batches = Vec::new();
    for n in [8_u64, 9] {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
        let batch = node.intake(NOW);
        // What is in the buffer already was seen already.
        node.apply(&batch, &mut steps);
        batches.push(batch);
    }
    assert_eq!(*seen.lock().expect("no panic"), steps);
    assert_eq!(steps.len(), 4);
    node.set_telemetry_tap(None);
    node.invoke("Main", [("n", 8_u64)]).expect("it is admitted");
    node.run_until_idle(NOW);
    assert_eq!(seen.lock().expect("no panic").len(), 4);

    let (mut fresh, seen) = tapped();
    batches.iter().for_each(|batch| fresh.replay(batch, &mut Vec::new()));
    assert_eq!(*seen.lock().expect("no panic"), []);
}

#[test]
fn the_figures_tell_depths_counts_and_limits() {
    let mut node = busy(406);
    let stats = node.engine_stats();
    let depths = stats.depths;
    assert_eq!((depths.parked, depths.executions, depths.timers), (2, 1, 2));
    assert_eq!((depths.subscriptions, depths.bus, depths.ready), (1, 0, 0));
    assert_eq!(depths.ingress_bytes, 8);
    assert_eq!(stats.counters.ops_failed, 0);
    assert_eq!(stats.limits.bus_capacity, node.config().bus_capacity);
    node.deliver_event("Main", "told", 1_u64).expect("it is admitted");
    node.run_until_idle(NOW);
    let later = node.engine_stats().counters;
    assert_eq!(later.bus_events, 1);
    assert!(later.turns > stats.counters.turns && later.events == stats.counters.events + 1);
    drop(completion(406));
    node.run_until_idle(NOW);
    assert_eq!(node.engine_stats().counters.ops_failed, 1);
}

#[test]
fn an_execution_is_shown_while_it_is_alive() {
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        g.output("half", g.slot("parts").op("even", [n]));
        g.output("later", g.slot("parts").op("later", [n]));
    });
    let exec = node.invoke("Main", [("n", 407_u64)]).expect("it is admitted");
    assert_eq!(node.execution_state(exec), None, "it has not begun");
    let steps = node.run_until_idle(NOW);
    assert_eq!(steps.failures().next().map(|error| error.kind()), Some(OpErrorKind::Failed));
    let state = node.execution_state(exec).expect("it waits");
    assert_eq!((&*state.module, state.live, state.has_failed), ("Main", 1, true));
    assert!(matches!(&state.parked[..], [parked] if &*parked.op == "parts.later"));
    drop(completion(407));
    node.run_until_idle(NOW);
    assert_eq!(node.execution_state(exec), None, "it has ended");
}

#[test]
fn a_model_can_be_looked_at_by_its_slot() {
    let mut node = node(|g| g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")])));
    node.invoke("Main", [("n", 6_u64)]).expect("it is admitted");
    node.run_until_idle(NOW);
    assert_eq!(node.model::<Parts>("parts").map(Parts::total), Some(6));
    assert!(node.model::<Parts>("prats").is_none());
}

#[test]
fn at_one_instant_expiry_beats_completion() {
    let mut node = node(|g| {
        let answer = g.slot("parts").op("later", [g.input::<u64>("n")]);
        let [in_time, late] = g.deadline(answer, seconds(5));
        g.output("in_time", in_time);
        g.output("late", late);
    });
    node.invoke("Main", [("n", 408_u64)]).expect("it is admitted");
    node.run_until_idle(NOW);
    completion(408).complete(1).expect("there is room for an answer");
    assert_eq!(outputs(&node.run_until_idle(seconds(5)).0), [("late", Value::Unit)]);
}

#[test]
fn a_clear_discards_also_what_is_left_in_the_hand_of_the_mailbox() {
    let turn = TurnConfig { events: 2, ..TurnConfig::default() };
    let config = NodeConfig { turn, ..NodeConfig::default() };
    let mut node = node_with(config, |g| g.output("n", g.input::<u64>("n")));
    for n in 0..6_u64 {
        node.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let mut steps = Vec::new();
    node.step(Nanos::ZERO, &mut steps);
    assert_eq!(outputs(&steps).len(), 2, "one turn");
    node.clear();
    node.invoke("Main", [("n", 6_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    assert_eq!(outputs(&steps), [("n", Value::U64(6))], "only what came behind the clear");
}
