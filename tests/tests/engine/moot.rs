//! Jobs that nobody waits for any more, and what their answers do when they come.

use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::NodeConfig,
    error::{OpError, OpErrorKind},
    graph::Graph,
    job::Resources,
    node::{BootstrapStatus, BootstrapTarget, Node, Wakeup, install},
    step::{Cancelled, EngineStep},
    time::{Nanos, seconds},
};
use serde::{Deserialize, Serialize};

use super::{parts::outputs, wire::peer};

const NOW: Nanos = Nanos::ZERO;

#[derive(Default, Serialize, Deserialize)]
struct Mill {
    ground: u64,
}

impl Component for Mill {
    const TYPE_NAME: &'static str = "test.mill@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.job("grind", |_: &mut Self, n: u64| n, |n: u64, _: &Resources| n * 10);
        ops.on("add", |mill: &mut Self, n: u64| {
            mill.ground += n;
            mill.ground
        });
    }
}

/// A bootstrap that waits for a job, and an op that does for a second at most.
fn mill(max_pending_async: u32) -> Node {
    let g = Graph::new("Main");
    g.bootstrap(|b| {
        let ground = b.slot("mill").op("grind", [b.constant(4_u64)]);
        b.output("first", b.slot("mill").op("add", [ground]));
    });
    let n = g.input::<u64>("n");
    g.output("ground", g.within(g.slot("mill").op("grind", [n]), seconds(1)));
    let program = Compiler::new().bind::<Mill>("mill");
    let program = program.compile(g.build().expect("the module is sound")).expect("it compiles");
    let config = NodeConfig { max_pending_async, ..NodeConfig::default() };
    install(peer(1), [], &program, &["Main"], config).expect("it installs")
}

fn invoke(node: &mut Node, now: Nanos) -> Vec<EngineStep> {
    node.invoke("Main", [("n", 7_u64)]).expect("it is admitted");
    node.run_until_idle(now).0
}

#[test]
fn a_bootstrap_waits_for_its_job_and_ops_behind_it_for_the_bootstrap() {
    let mut node = mill(8);
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    assert_eq!(node.bootstrap_status(), BootstrapStatus::WaitingForInput);
    invoke(&mut node, NOW);
    assert_eq!((node.jobs().count(), node.engine_stats().depths.gated), (1, 1));
    assert_eq!(node.run_jobs(&Resources::default()).expect("there is room"), 1);
    let steps = node.run_until_idle(NOW);
    assert_eq!((steps.output("first"), steps.output::<u64>("ground")), (Some(40_u64), None));
    assert_eq!(node.run_jobs(&Resources::default()).expect("there is room"), 1);
    assert_eq!(node.run_until_idle(NOW).output("ground"), Some(70_u64));
}

#[test]
fn a_job_that_a_clear_has_dropped_ends_no_later_bootstrap() {
    let mut node = mill(1);
    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for");
    let early = node.take_job().expect("the bootstrap waits for it");
    node.clear();
    let steps = node.run_until_idle(NOW).0;
    let is_bootstrap =
        |step: &EngineStep| matches!(step, EngineStep::Cancelled(Cancelled::Bootstrap { .. }));
    assert_eq!(steps.iter().filter(|step| is_bootstrap(step)).count(), 1, "{steps:?}");
    assert_eq!((node.jobs().count(), node.pending_async_count()), (0, 0));

    // Its answer still has its place, so there is none for another until it is there.
    let steps = node.run_bootstrap(NOW, BootstrapTarget::All).expect("it may be asked for again");
    assert_eq!(steps.failures().map(OpError::kind).collect::<Vec<_>>(), [OpErrorKind::Limit]);
    early.run(&Resources::default()).expect("its answer has its place");
    let steps = node.run_until_idle(NOW).0;
    assert!(matches!(steps[..], [EngineStep::CompletionIgnored { .. }]), "{steps:?}");

    node.run_bootstrap(NOW, BootstrapTarget::All).expect("it may be asked for again");
    node.run_jobs(&Resources::default()).expect("there is room");
    assert_eq!(node.run_until_idle(NOW).output("first"), Some(40_u64));
    assert_eq!(node.bootstrap_status(), BootstrapStatus::Idle);
}

#[test]
fn an_answer_that_a_clear_discards_gives_its_place_back() {
    let mut node = mill(1);
    invoke(&mut node, NOW);
    node.run_jobs(&Resources::default()).expect("there is room");
    node.clear();
    let steps = node.run_until_idle(NOW).0;
    let is_answer =
        |step: &EngineStep| matches!(step, EngineStep::Cancelled(Cancelled::Answer { .. }));
    assert_eq!(steps.iter().filter(|step| is_answer(step)).count(), 1, "{steps:?}");
    invoke(&mut node, NOW);
    node.run_jobs(&Resources::default()).expect("there is room");
    assert_eq!(node.run_until_idle(NOW).output("ground"), Some(70_u64));
}

#[test]
fn a_job_that_comes_too_late_is_ignored_and_one_that_nobody_took_is_not_run() {
    let mut node = mill(1);
    for (is_taken, now) in [(true, seconds(1)), (false, seconds(2))] {
        invoke(&mut node, now - seconds(1));
        let job = is_taken.then(|| node.take_job().expect("it waits"));
        let steps = node.run_until_idle(now);
        assert_eq!(
            steps.failures().map(OpError::kind).collect::<Vec<_>>(),
            [OpErrorKind::TimedOut]
        );
        match job {
            Some(job) => job.run(&Resources::default()).expect("its answer has its place"),
            None => assert_eq!(node.run_jobs(&Resources::default()).expect("no job"), 0),
        }
        let steps = node.run_until_idle(now).0;
        assert!(matches!(steps[..], [EngineStep::CompletionIgnored { .. }]), "{steps:?}");
        assert_eq!((outputs(&steps).len(), node.next_wakeup()), (0, Wakeup::Never));
    }
}
