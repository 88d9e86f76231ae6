//! Timers of components: each rings once at its time, in an execution of its own.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops, RegistrationError, Registry},
    config::{NodeConfig, StateConfig},
    context::{ComponentTimerKind, Cx},
    error::{OpError, OpErrorKind},
    graph::Graph,
    node::{Node, Wakeup, install},
    step::{EngineStep, Steps},
    time::{Nanos, seconds},
    value::Value,
};
use serde::{Deserialize, Serialize};

const ONCE: ComponentTimerKind = ComponentTimerKind::new(1);
const AGAIN: ComponentTimerKind = ComponentTimerKind::new(2);
const BROKEN: ComponentTimerKind = ComponentTimerKind::new(3);

#[derive(Default, Serialize, Deserialize)]
struct Bell {
    rung: u64,
}

impl Component for Bell {
    const TYPE_NAME: &'static str = "test.bell@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("set", |_: &mut Self, cx: &mut Cx<'_>, kind: u32, at: u64| {
            cx.time().schedule(ComponentTimerKind::new(kind), Nanos::new(at)).map(|()| at)
        });
        ops.on("cancel", |_: &mut Self, cx: &mut Cx<'_>, kind: u32| {
            cx.time().cancel(ComponentTimerKind::new(kind))
        });
        ops.on("rung", |bell: &mut Self, _: u64| bell.rung);
        ops.on_timer(|bell, cx, kind| {
            bell.rung += 1;
            let (now, exec) = (cx.now(), cx.execution().get());
            cx.syscalls().record("rung", now.get())?;
            cx.syscalls().record("executions", exec)?;
            match kind {
                AGAIN => cx.time().schedule(AGAIN, now),
                BROKEN => Err(OpError::failed("the bell is broken")),
                _ => Ok(()),
            }
        });
        ops.on_event("app.ring", |bell: &mut Self, _, times: u64| bell.rung += times);
    }
}

/// Has timers to set and nobody who would hear them.
#[derive(Default, Serialize, Deserialize)]
struct Deaf {}

impl Component for Deaf {
    const TYPE_NAME: &'static str = "test.deaf@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("set", |_: &mut Self, cx: &mut Cx<'_>, at: u64| {
            cx.time().schedule(ONCE, Nanos::new(at)).map(|()| at)
        });
    }
}

fn node_with(config: NodeConfig) -> Node {
    let g = Graph::new("Main");
    let (kind, at) = (g.input::<u32>("kind"), g.input::<u64>("at"));
    g.output("set", g.slot("bell").op("set", [kind, at]));
    g.output(
        "other",
        g.slot("other").op("set", [g.input::<u32>("other_kind"), g.input::<u64>("other_at")]),
    );
    g.output("cancelled", g.slot("bell").op("cancel", [g.input::<u32>("cancel")]));
    g.output("rung", g.slot("bell").op("rung", [g.input::<u64>("ask")]));
    g.output("deaf", g.slot("deaf").op("set", [g.input::<u64>("deaf_at")]));
    let program = Compiler::new()
        .bind::<Bell>("bell")
        .bind::<Bell>("other")
        .bind::<Deaf>("deaf")
        .compile(g.build().expect("the module is sound"))
        .expect("the program is sound");
    install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs")
}

fn set(node: &mut Node, kind: ComponentTimerKind, at: Nanos, now: Nanos) -> Steps {
    let inputs = [("kind", Value::from(kind.get())), ("at", at.get().into())];
    node.invoke("Main", inputs).expect("it is admitted");
    node.run_until_idle(now)
}

fn rung(node: &Node) -> Vec<Value> {
    node.record("rung").cloned().collect()
}

#[test]
fn a_timer_rings_once_at_its_time_in_an_execution_of_its_own() {
    let mut node = node_with(NodeConfig::default());
    set(&mut node, ONCE, seconds(2), seconds(0));
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(2)));
    assert_eq!(node.run_until_idle(seconds(1)).0, []);
    assert_eq!(node.run_until_idle(seconds(3)).0, [], "it gives nothing");
    assert_eq!((rung(&node), node.next_wakeup()), (vec![seconds(3).get().into()], Wakeup::Never));
    let execution = node.record("executions").next().expect("it rang").clone();
    assert_eq!(execution, Value::U64((1 << 63) + 1), "not one that was admitted");
    node.invoke("Main", [("ask", 0_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(seconds(4)).output("rung"), Some(1_u64));
}

#[test]
fn a_timer_that_is_set_again_is_replaced_and_one_of_another_kind_or_slot_is_not() {
    let mut node = node_with(NodeConfig::default());
    set(&mut node, ONCE, seconds(2), seconds(0));
    set(&mut node, ONCE, seconds(5), seconds(0));
    set(&mut node, ComponentTimerKind::new(7), seconds(3), seconds(0));
    let inputs = [("other_kind", Value::from(1_u32)), ("other_at", seconds(4).get().into())];
    node.invoke("Main", inputs).expect("it is admitted");
    (0..9).for_each(|second| drop(node.run_until_idle(seconds(second))));
    assert_eq!(rung(&node), [3, 4, 5].map(|at| Value::U64(seconds(at).get())));
}

#[test]
fn a_cancelled_timer_never_rings() {
    let mut node = node_with(NodeConfig::default());
    set(&mut node, ONCE, seconds(2), seconds(0));
    for wanted in [true, false] {
        node.invoke("Main", [("cancel", 1_u32)]).expect("it is admitted");
        assert_eq!(node.run_until_idle(seconds(1)).output("cancelled"), Some(wanted));
    }
    assert_eq!(node.next_wakeup(), Wakeup::Never);
    node.run_until_idle(seconds(9));
    assert_eq!(rung(&node), []);
}

#[test]
fn a_timer_never_rings_in_the_turn_that_sets_it() {
    let mut node = node_with(NodeConfig::default());
    let inputs = [("kind", Value::from(AGAIN.get())), ("at", 0_u64.into())];
    node.invoke("Main", inputs).expect("it is admitted");
    // Turn by turn: a Node that rang itself for ever would never be idle.
    let mut steps = Vec::new();
    node.step(seconds(1), &mut steps);
    assert_eq!(node.next_wakeup(), Wakeup::At(seconds(1) + Nanos::new(1)));
    node.step(seconds(2), &mut steps);
    node.step(seconds(3), &mut steps);
    assert_eq!(rung(&node), [2, 3].map(|at| Value::U64(seconds(at).get())), "once a turn");
}

#[test]
fn a_timer_that_fails_is_a_failed_step_of_its_slot() {
    let mut node = node_with(NodeConfig::default());
    set(&mut node, BROKEN, seconds(1), seconds(0));
    let steps = node.run_until_idle(seconds(1)).0;
    let [EngineStep::OpFailed { exec, op, error }] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!((&**op, error.reason()), ("bell.on_timer", "the bell is broken"));
    assert_eq!(exec.get(), (1 << 63) + 1);
}

#[test]
fn the_timer_one_over_the_cap_of_a_component_fails_its_op_and_replacing_still_works() {
    let config = NodeConfig {
        state: StateConfig { max_component_timers: 1, ..StateConfig::default() },
        ..NodeConfig::default()
    };
    let mut node = node_with(config);
    set(&mut node, ONCE, seconds(2), seconds(0));
    let refused = set(&mut node, AGAIN, seconds(2), seconds(0));
    assert_eq!(refused.failures().map(OpError::kind).collect::<Vec<_>>(), [OpErrorKind::Limit]);
    assert_eq!(set(&mut node, ONCE, seconds(3), seconds(0)).failures().count(), 0);
    let inputs = [("other_kind", Value::from(1_u32)), ("other_at", seconds(3).get().into())];
    node.invoke("Main", inputs).expect("it is admitted");
    assert_eq!(node.run_until_idle(seconds(0)).failures().count(), 0, "another's cap is its own");
    node.run_until_idle(seconds(3));
    assert_eq!(rung(&node).len(), 2);
    assert_eq!(set(&mut node, AGAIN, seconds(9), seconds(4)).failures().count(), 0, "it has rung");
}

#[test]
fn a_timer_over_the_cap_of_the_node_fails_its_op() {
    let state = StateConfig { max_component_timers: 1, max_timers: 1, ..StateConfig::default() };
    let mut node = node_with(NodeConfig { state, ..NodeConfig::default() });
    set(&mut node, ONCE, seconds(2), seconds(0));
    let inputs = [("other_kind", Value::from(1_u32)), ("other_at", 3_u64.into())];
    node.invoke("Main", inputs).expect("it is admitted");
    let refused = node.run_until_idle(seconds(0));
    let reasons: Vec<_> = refused.failures().map(OpError::reason).collect();
    assert_eq!(reasons, ["no room for more timers, the cap is 1"]);
}

#[test]
fn a_component_without_the_callback_can_set_no_timer() {
    let mut node = node_with(NodeConfig::default());
    node.invoke("Main", [("deaf_at", 5_u64)]).expect("it is admitted");
    let refused = node.run_until_idle(Nanos::ZERO);
    let reasons: Vec<_> = refused.failures().map(OpError::reason).collect();
    assert_eq!(reasons, ["the component declares no callback for timers"]);
    assert_eq!(node.next_wakeup(), Wakeup::Never);
}

#[test]
fn a_callback_is_declared_once() {
    #[derive(Default, Serialize, Deserialize)]
    struct Twice {}

    impl Component for Twice {
        const TYPE_NAME: &'static str = "test.twice@1";

        fn ops(ops: &mut Ops<Self>) {
            ops.on("op", |_: &mut Self, n: u64| n);
            ops.on_timer(|_, _, _| ()).on_timer(|_, _, _| ());
        }
    }

    let refused = Registry::default().register::<Twice>();
    let (type_name, op) = ("test.twice@1", "on_timer");
    assert_eq!(refused, Err(RegistrationError::DuplicateOp { type_name, op }));
}
