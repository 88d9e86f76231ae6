//! What a Node that was taken down does, and does not do, when it is set up again.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::NodeConfig,
    context::{ComponentTimerKind, Cx},
    error::OpError,
    graph::Graph,
    node::{BootstrapStatus, BootstrapTarget, Node, Wakeup, install},
    snapshot::NodeSnapshot,
    step::{EngineStep, Steps},
    time::{Nanos, seconds},
    value::Value,
};
use serde::{Deserialize, Serialize};

use super::parts::{Parts, outputs};

#[derive(Default, Serialize, Deserialize)]
struct Clock;

impl Component for Clock {
    const TYPE_NAME: &'static str = "test.clock@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("set", |_: &mut Self, cx: &mut Cx<'_>, at: u64| -> Result<u64, OpError> {
            cx.time().schedule(ComponentTimerKind::new(1), Nanos::new(at))?;
            Ok(at)
        });
        ops.on_timer(|_, cx, _| {
            let now = cx.now().get();
            cx.syscalls().record("rung", now)
        });
    }
}

fn node(record: impl FnOnce(&Graph)) -> Node {
    let g = Graph::new("Main");
    record(&g);
    let program = Compiler::new().bind::<Parts>("parts").bind::<Clock>("clock");
    let program = program.compile(g.build().expect("it is sound")).expect("it is sound");
    install(PeerId::from(1), [], &program, &["Main"], NodeConfig::default()).expect("it installs")
}

/// A snapshot that went through its bytes.
fn taken(node: &mut Node) -> NodeSnapshot {
    let bytes = node.snapshot().expect("it is written").encode();
    NodeSnapshot::decode(bytes).expect("it was just written")
}

fn bootstraps(steps: &Steps) -> usize {
    let complete = |step: &&EngineStep| matches!(step, EngineStep::BootstrapComplete { .. });
    steps.0.iter().filter(complete).count()
}

#[test]
fn a_finished_bootstrap_never_runs_again_and_one_that_waits_goes_on() {
    let fresh = || {
        node(|g| {
            g.bootstrap(|b| b.output("slept", b.sleep(b.constant(1_u64), seconds(5))));
            g.output("n", g.input::<u64>("n"));
        })
    };
    let mut first = fresh();
    first.run_bootstrap(Nanos::ZERO, BootstrapTarget::All).expect("it is asked for");
    let waiting = taken(&mut first);
    assert_eq!(bootstraps(&first.run_until_idle(seconds(5))), 1);
    let finished = taken(&mut first);

    let mut second = fresh();
    second.restore(&waiting).expect("it is its own");
    assert_eq!(second.bootstrap_status(), BootstrapStatus::WaitingForInput);
    let steps = second.run_until_idle(seconds(5));
    assert_eq!((bootstraps(&steps), steps.output("slept")), (1, Some(1_u64)));

    let mut third = fresh();
    third.restore(&finished).expect("it is its own");
    let asked = third.run_bootstrap(seconds(9), BootstrapTarget::All).expect("it is known");
    assert_eq!((bootstraps(&asked), third.bootstrap_status()), (0, BootstrapStatus::Idle));
}

#[test]
fn a_pulse_triggers_once_for_an_install_and_not_for_a_restore() {
    let fresh = || node(|g| g.output("started", g.pulse()));
    let mut first = fresh();
    assert_eq!(outputs(&first.run_until_idle(Nanos::ZERO).0), [("started", Value::Unit)]);
    let mut second = fresh();
    second.restore(&taken(&mut first)).expect("it is its own");
    assert_eq!(outputs(&second.run_until_idle(seconds(1)).0), []);
}

#[test]
fn a_timer_of_a_component_rings_after_a_restore() {
    let fresh = || node(|g| g.output("set", g.slot("clock").op("set", [g.input::<u64>("at")])));
    let mut first = fresh();
    first.invoke("Main", [("at", seconds(7).get())]).expect("it is admitted");
    first.run_until_idle(Nanos::ZERO);
    let mut second = fresh();
    second.restore(&taken(&mut first)).expect("it is its own");
    assert_eq!(second.next_wakeup(), Wakeup::At(seconds(7)));
    second.run_until_idle(seconds(7));
    assert_eq!(second.record("rung").collect::<Vec<_>>(), [&Value::U64(seconds(7).get())]);
    assert_eq!(second.next_wakeup(), Wakeup::Never);
}

#[test]
fn taking_a_snapshot_is_a_read_and_fires_no_phase() {
    let mut node = node(|g| {
        g.output("saved", g.on_lifecycle("Snapshot"));
        g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
    });
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    let (before, figures) = (taken(&mut node).digest(), node.engine_stats());
    for _ in 0..3 {
        assert_eq!(taken(&mut node).digest(), before);
    }
    assert_eq!(node.engine_stats(), figures);
    assert_eq!((node.next_wakeup(), node.run_until_idle(Nanos::ZERO).0), (Wakeup::Never, vec![]));
    node.fire_lifecycle("Snapshot").expect("every node has it");
    assert_eq!(outputs(&node.run_until_idle(Nanos::ZERO).0), [("saved", Value::Unit)]);
}
