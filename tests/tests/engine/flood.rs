//! More than fits, for as long as it lasts: memory stays within what the settings allow.
//!
//! Law: the bound is worked out from the settings and from nothing that was measured; what it
//! grants for each thing stands here by name.

use std::cell::RefCell;

use samsara_ingress::Refusal;
use samsara_proto::{EnvelopeCaps, PeerId};
use samsara_runtime::{
    compiler::Compiler,
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    config::{EngineConfig, NodeConfig, StateConfig, TurnConfig},
    context::Cx,
    error::{DeliveryError, OpError},
    graph::Graph,
    node::{Node, Wakeup, install},
    program::Program,
    rng::Rng,
    step::EngineStep,
    time::Nanos,
};
use samsara_tests::counting::Region;
use serde::{Deserialize, Serialize};

const ITEMS: u64 = 100_000;

/// Bytes that one of each may take beside the payload of its values. Collections that grow hold up
/// to twice what is in them.
const GROWTH: u64 = 2;
const EVENT_BYTES: u64 = 256;
const OP_BYTES: u64 = 40;
const EXECUTION_BYTES: u64 = 256;
const WAIT_BYTES: u64 = 512;
const STEP_BYTES: u64 = 256;
/// What the Node, its names and the test itself take, whatever the settings.
const BASE_BYTES: u64 = 32 * 1024;

thread_local! {
    /// Completions that are open, for the test to answer as it likes.
    static DESK: RefCell<Vec<CompletionHandle<String>>> = const { RefCell::new(Vec::new()) };
}

#[derive(Default, Serialize, Deserialize)]
struct Clerk;

impl Component for Clerk {
    const TYPE_NAME: &'static str = "test.clerk@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("echo", |_: &mut Self, text: String| text);
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, _: String| {
            let (handle, promise) = cx.open_completion::<String>()?;
            DESK.with_borrow_mut(|desk| desk.push(handle));
            Ok::<Promise<String>, OpError>(promise)
        });
    }
}

/// Something of everything that a Node can be made to hold.
fn everything(g: &Graph) {
    let clerk = g.slot("clerk");
    let text = g.input::<String>("text");
    let mut echoed = text;
    for _ in 0..4 {
        echoed = clerk.clone().op("echo", [echoed]);
    }
    g.output("echoed", echoed);
    g.stash("held", g.input::<String>("stash"));
    g.output("held", g.flush("held", g.input::<()>("flush")));
    let item = g.input::<String>("item");
    g.enqueue("line", item);
    g.record_as("seen", item);
    let taken = g.dequeue("line", g.input::<()>("take"));
    g.output("taken", g.within(taken, Nanos::new(50)));
    let asked = g.input::<String>("ask");
    g.output("answer", clerk.clone().within(Nanos::new(90)).op("later", [asked]));
    let inside = g.acquire("door", 2, g.input::<String>("enter"));
    g.output("left", g.sleep(inside, Nanos::new(40)));
    let [answer, late] = g.deadline(clerk.op("later", [g.input::<String>("wait")]), Nanos::new(20));
    g.output("in time", answer);
    g.output("late", late);
}

fn program(record: impl FnOnce(&Graph)) -> Program {
    let g = Graph::new("Main");
    record(&g);
    let modules = g.build().expect("the module is sound");
    Compiler::new().bind::<Clerk>("clerk").compile(modules).expect("the program is sound")
}

fn small() -> NodeConfig {
    NodeConfig {
        cycle_op_budget: 20,
        max_pending_async: 8,
        ingress_capacity: 32,
        ingress_byte_budget: 64 * 1024,
        max_app_event_bytes: 4 * 1024,
        max_invoke_inputs: 3,
        max_invoke_bytes: 6 * 1024,
        max_completion_result_bytes: 4 * 1024,
        max_completion_detail_bytes: 256,
        envelope_caps: EnvelopeCaps {
            envelope_bytes: 1024,
            payload_bytes: 1024,
            path_bytes: 256,
            ..EnvelopeCaps::edge()
        },
        turn: TurnConfig { events: 8, bytes: 16 * 1024 },
        engine: EngineConfig { max_executions: 16, max_ready_ops: 64, ..EngineConfig::default() },
        state: StateConfig {
            max_timers: 16,
            max_component_timers: 16,
            serialize_capacity: 8,
            hold_items: 8,
            record_capacity: 8,
            ..StateConfig::default()
        },
        ..NodeConfig::default()
    }
}

/// What a Node of this program, which keeps values under one name of each kind, may hold at most.
fn allowed(config: &NodeConfig, program: &Program) -> u64 {
    let ops = program.modules()["Main"].body.ops.len() as u64;
    let [events, parked, timers] =
        [config.turn.events, config.max_pending_async, config.state.max_timers].map(u64::from);
    let state = &config.state;
    let kept = [state.serialize_capacity, state.hold_items, state.record_capacity].map(u64::from);
    let kept: u64 = kept.iter().sum();
    // What waits or is under way is charged, what is kept is capped by number and by size; and a
    // turn's answers and outputs are there beside both until the host has seen them.
    let payload = config.ingress_byte_budget
        + kept * config.max_app_event_bytes
        + config.turn.bytes
        + u64::from(config.cycle_op_budget) * config.max_app_event_bytes;
    // A turn is taken whole, so what it begins comes on top; what only waits keeps nobody out.
    let executions = u64::from(config.engine.max_executions) + events + parked + timers;
    let ready = u64::from(config.engine.max_ready_ops) + events * ops;
    let waiting = u64::from(config.ingress_capacity) + 2 * events + parked;
    let things = waiting * EVENT_BYTES
        + executions * (EXECUTION_BYTES + ops * OP_BYTES)
        + ready * OP_BYTES
        + (parked + timers) * WAIT_BYTES
        + u64::from(config.cycle_op_budget) * STEP_BYTES
        + kept * EVENT_BYTES;
    BASE_BYTES + payload + GROWTH * things
}

/// One random thing that the outside does; tells whether it was taken.
fn offer(node: &mut Node, rng: &mut Rng) -> Result<(), DeliveryError> {
    let text = "x".repeat(rng.below(6 * 1024) as usize);
    let input = rng.pick(&["text", "stash", "item", "ask", "enter", "wait"]);
    let input = input.copied().expect("there are six");
    match rng.below(12) {
        0 => node.deliver_event("Nobody", "text", text).map(drop),
        1 => node.deliver_event("Main", "nothing", text).map(drop),
        2 => node.deliver_event("Main", input, rng.next_u64()).map(drop),
        3 => node.invoke("Main", [("text", text.clone()), ("text", text)]).map(drop),
        4 => {
            node.invoke("Main", ["text", "stash", "item", "ask"].map(|name| (name, "x"))).map(drop)
        }
        5 => node.invoke("Main", [("text", text.clone()), ("item", text)]).map(drop),
        // Seldom, so that what is held stands at its cap.
        6 if rng.chance(1, 400) => node.deliver_event("Main", "flush", ()).map(drop),
        7 => node.deliver_event("Main", "take", ()).map(drop),
        _ => node.deliver_event("Main", input, text).map(drop),
    }
}

fn answer(rng: &mut Rng) {
    let handle = DESK.with_borrow_mut(|desk| {
        let last = desk.len().checked_sub(1)?;
        Some(desk.swap_remove(rng.between(0..=last as u64) as usize))
    });
    let Some(handle) = handle else { return };
    // A result over its cap, or a budget that is used up: both are answers of their own kind.
    let outcome = match rng.below(3) {
        0 => handle
            .complete("x".repeat(rng.below(6 * 1024) as usize))
            .map_err(|refused| refused.refusal),
        1 => handle.fail("y".repeat(rng.below(1024) as usize)).map_err(|refused| refused.refusal),
        _ => {
            drop(handle);
            Ok(())
        }
    };
    if let Err(refused) = outcome {
        assert!(matches!(refused, Refusal::OverBudget { .. }), "{refused:?}");
    }
}

/// Answers everything and lets time pass until nothing is left.
fn settle(node: &mut Node, steps: &mut Vec<EngineStep>, mut now: Nanos) {
    for _ in 0..10_000 {
        if node.execution_count() == 0 && node.next_wakeup() == Wakeup::Never {
            return;
        }
        DESK.take();
        now = now + Nanos::new(10);
        node.step(now, steps);
        steps.clear();
    }
    panic!("it never comes to rest: {node:?}");
}

fn is_at_rest(node: &Node) {
    let stats = node.ingress().stats();
    assert_eq!((stats.items, stats.bytes), (0, 0));
    assert_eq!((node.execution_count(), node.pending_async_count()), (0, 0));
    assert_eq!(node.next_wakeup(), Wakeup::Never);
}

#[test]
fn random_input_takes_no_more_memory_than_the_settings_allow() {
    let (config, program) = (small(), program(everything));
    let allowed = allowed(&config, &program);
    let mut node = install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs");
    let (mut rng, mut steps, mut now) = (Rng::from_seed(4), Vec::new(), Nanos::ZERO);
    let (mut taken, mut refused) = (0_u64, 0_u64);
    let region = Region::start();
    for _ in 0..ITEMS {
        match offer(&mut node, &mut rng) {
            Ok(()) => taken += 1,
            Err(_) => refused += 1,
        }
        // Now the Node keeps up, now it is flooded.
        let is_slow = now.get() / 1_000 % 2 == 0;
        if rng.chance(1, if is_slow { 20 } else { 3 }) {
            now = now + Nanos::new(rng.below(20));
            node.step(now, &mut steps);
            steps.clear();
            answer(&mut rng);
        }
        assert!(node.pending_async_count() <= 8);
    }
    settle(&mut node, &mut steps, now);
    let peak = region.stop().peak_live;
    is_at_rest(&node);
    assert!(taken > ITEMS / 20 && refused > ITEMS / 20, "{taken} taken, {refused} refused");
    assert!(peak <= allowed, "{peak} bytes were held, the settings allow {allowed}");
    assert!(allowed < ITEMS * 8, "a bound that all items fit into would show nothing: {allowed}");
    println!("held {peak} of {allowed}");
}

/// Twice what a poll can serve, poll after poll, under the settings that nobody changed.
#[test]
fn an_overloaded_node_of_default_settings_stays_small() {
    const OPS: usize = 100;
    let program = program(|g| {
        let chain =
            (0..OPS).fold(g.input::<String>("text"), |text, _| g.slot("clerk").op("echo", [text]));
        g.output("text", chain);
    });
    for (config, most) in
        [(NodeConfig::default(), 16 * 1024 * 1024), (NodeConfig::edge(), 1024 * 1024)]
    {
        let mut node =
            install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs");
        let (mut steps, mut refused) = (Vec::new(), 0_u64);
        let region = Region::start();
        for _ in 0..300 {
            for _ in 0..2 * config.turn.events {
                refused += u64::from(node.invoke("Main", [("text", "hello")]).is_err());
            }
            node.step(Nanos::ZERO, &mut steps);
            steps.clear();
        }
        let peak = region.stop().peak_live;
        assert!(refused > 0, "nothing was refused, so nothing was overloaded");
        println!("{peak} bytes, {} executions", node.execution_count());
        assert!(peak <= most, "{peak} bytes were held, wanted at most {most}");
        settle(&mut node, &mut steps, Nanos::ZERO);
        is_at_rest(&node);
    }
}
