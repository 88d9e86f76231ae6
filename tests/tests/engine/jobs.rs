//! Jobs: work that leaves the turn as plain state and comes back as an event.

use std::panic::{AssertUnwindSafe, catch_unwind};

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{NodeConfig, StateConfig},
    context::Cx,
    error::{OpError, OpErrorKind},
    graph::Graph,
    id::CommandId,
    job::{IdempotencyKey, Job, Resources},
    node::{Batch, Node, Wakeup, install},
    step::{EngineStep, Steps},
    time::Nanos,
    value::Value,
};
use serde::{Deserialize, Serialize};

/// What the host has: a factor.
struct Factor(u64);

#[derive(Serialize, Deserialize)]
struct Multiply {
    n: u64,
    key: IdempotencyKey,
}

#[derive(Default, Serialize, Deserialize)]
struct Worker {
    asked: u64,
}

impl Component for Worker {
    const TYPE_NAME: &'static str = "test.worker@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.job(
            "multiply",
            |worker: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<Multiply, OpError> {
                worker.asked += 1;
                if n == 13 {
                    return Err(OpError::failed("not that number"));
                }
                Ok(Multiply { n, key: cx.call().idempotency_key() })
            },
            |multiply: Multiply, resources: &Resources| -> Result<u64, OpError> {
                assert_ne!(multiply.n, 666, "a number that nobody multiplies");
                let factor = resources.get::<Factor>()?.0;
                multiply.n.checked_mul(factor).ok_or_else(|| "too large".into())
            },
        );
        ops.job(
            "repeat",
            |_: &mut Self, text: String| text,
            |text: String, _: &Resources| (text.repeat(2), text.len() as u64),
        );
        // Half a request: what is written does not read back.
        ops.job(
            "broken",
            |_: &mut Self, n: u64| Lossy { n },
            |lossy: Lossy, _: &Resources| lossy.n,
        );
        ops.on("asked", |worker: &mut Self, _: u64| worker.asked);
        ops.on("answer", |_: &mut Self, cx: &mut Cx<'_>, command: u64, n: u64| {
            let command = CommandId::new(command).ok_or("no command")?;
            cx.complete_command(command, vec![n.into()]);
            Ok::<_, &str>(n)
        });
    }
}

#[derive(Serialize, Deserialize)]
struct Lossy {
    #[serde(skip_serializing)]
    n: u64,
}

fn node_with(config: NodeConfig) -> Node {
    let g = Graph::new("Main");
    g.output("product", g.slot("worker").op("multiply", [g.input::<u64>("n")]));
    let [twice, length] = g.slot("worker").op_n("repeat", [g.input::<String>("text")]);
    g.output("twice", twice);
    g.output("length", length);
    g.output("broken", g.slot("worker").op("broken", [g.input::<u64>("broken")]));
    g.output("asked", g.slot("worker").op("asked", [g.input::<u64>("ask")]));
    g.output(
        "said",
        g.slot("worker").op("answer", [g.input::<u64>("command"), g.input::<u64>("answer")]),
    );
    let draft = g.build().expect("the module is sound");
    let program = Compiler::new().bind::<Worker>("worker").compile(draft);
    let program = program.expect("the program is sound");
    install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs")
}

fn node() -> Node {
    node_with(NodeConfig::default())
}

fn host() -> Resources {
    let mut resources = Resources::default();
    resources.insert(Factor(10));
    resources
}

fn invoke(node: &mut Node, input: &str, value: impl Into<Value>) -> Steps {
    node.invoke("Main", [(input, value.into())]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO)
}

/// Runs what waits and gives the steps that come of it.
fn work(node: &mut Node, resources: &Resources) -> Steps {
    node.run_jobs(resources).expect("there is room for the answers");
    node.run_until_idle(Nanos::ZERO)
}

fn reasons(steps: &Steps) -> Vec<(OpErrorKind, &str)> {
    steps.failures().map(|error| (error.kind(), error.reason())).collect()
}

#[test]
fn a_job_parks_its_op_and_its_answer_completes_it() {
    let mut node = node();
    let steps = invoke(&mut node, "n", 4_u64).0;
    let [EngineStep::AsyncSuspended { command, .. }, started] = &steps[..] else {
        panic!("{steps:?}")
    };
    let EngineStep::JobStarted { exec, op, command: started, key } = started else {
        panic!("{started:?}")
    };
    assert_eq!((exec.get(), &**op, started), (1, "worker.multiply", command));
    let (of, pending) = node.jobs().next().expect("one waits");
    assert_eq!((of, pending.op(), pending.key()), (*command, &**op, *key));
    assert_eq!((node.pending_async_count(), node.next_wakeup()), (1, Wakeup::Never));

    assert_eq!(work(&mut node, &host()).output("product"), Some(40_u64));
    assert_eq!(
        (node.jobs().count(), node.pending_async_count(), node.execution_count()),
        (0, 0, 0)
    );
}

#[test]
fn a_job_may_give_several_outputs() {
    let mut node = node();
    invoke(&mut node, "text", "ab");
    let steps = work(&mut node, &host());
    assert_eq!(steps.output::<String>("twice").as_deref(), Some("abab"));
    assert_eq!(steps.output("length"), Some(2_u64));
}

#[test]
fn jobs_run_on_any_thread_and_in_any_order() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let mut node = node();
    for n in 1..=3_u64 {
        invoke(&mut node, "n", n);
    }
    let jobs: Vec<Job> = sent(node.take_jobs());
    assert_eq!(jobs.len(), 3);
    assert_eq!(node.take_jobs().len(), 0, "each is handed out once");
    assert_eq!(node.jobs().count(), 3, "and waited for until it is answered");
    let worker = std::thread::spawn(move || {
        let resources = host();
        jobs.into_iter().rev().all(|job| job.run(&resources).is_ok())
    });
    assert!(worker.join().expect("no panic"));
    let steps = node.run_until_idle(Nanos::ZERO);
    let products: Vec<_> = super::parts::outputs(&steps.0);
    assert_eq!(products, [30_u64, 20, 10].map(|product| ("product", product.into())));
}

#[test]
fn a_dropped_job_fails_its_op_as_cancelled() {
    let mut node = node();
    invoke(&mut node, "n", 4_u64);
    drop(node.take_jobs());
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(reasons(&steps), [(OpErrorKind::Cancelled, "its completion was dropped")]);
    assert_eq!((node.jobs().count(), node.execution_count()), (0, 0));
}

#[test]
fn a_job_that_panics_fails_its_op_as_cancelled() {
    let mut node = node();
    invoke(&mut node, "n", 666_u64);
    let job = node.take_job().expect("one waits");
    let ran = catch_unwind(AssertUnwindSafe(|| job.run(&host()).is_ok()));
    assert!(ran.is_err(), "the panic is the host's to see");
    assert_eq!(node.run_until_idle(Nanos::ZERO).failures().count(), 1);
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn a_job_fails_with_the_reason_of_its_half() {
    let mut node = node();
    let unprepared = invoke(&mut node, "n", 13_u64);
    assert_eq!(reasons(&unprepared), [(OpErrorKind::Failed, "not that number")]);
    assert_eq!(node.jobs().count(), 0);
    invoke(&mut node, "n", u64::MAX);
    assert_eq!(reasons(&work(&mut node, &host())), [(OpErrorKind::Failed, "too large")]);
    invoke(&mut node, "n", 4_u64);
    let missing = work(&mut node, &Resources::default());
    assert_eq!(
        missing.failures().map(OpError::kind).collect::<Vec<_>>(),
        [OpErrorKind::MissingResource]
    );
    invoke(&mut node, "broken", 4_u64);
    let unread = work(&mut node, &host());
    assert_eq!(unread.failures().map(OpError::kind).collect::<Vec<_>>(), [OpErrorKind::BadRequest]);
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn a_request_or_result_over_its_cap_fails_the_op_with_both_numbers() {
    let state = StateConfig { max_job_request_bytes: 12, ..StateConfig::default() };
    let config = NodeConfig {
        state,
        max_completion_result_bytes: 15,
        max_completion_detail_bytes: 15,
        ..NodeConfig::default()
    };
    let mut node = node_with(config);
    let large = invoke(&mut node, "text", "abcde");
    let request = "its request has 13 bytes, the cap is 12";
    assert_eq!(reasons(&large), [(OpErrorKind::Limit, request)]);
    invoke(&mut node, "text", "abcd");
    let large = work(&mut node, &host());
    let result = "its result has 16 bytes, the cap is 15";
    assert_eq!(reasons(&large), [(OpErrorKind::Limit, result)]);
}

#[test]
fn a_job_over_the_cap_fails_before_it_is_prepared_and_a_failed_one_keeps_no_place() {
    let mut node = node_with(NodeConfig { max_pending_async: 1, ..NodeConfig::default() });
    for _ in 0..3 {
        let unprepared = invoke(&mut node, "n", 13_u64);
        assert_eq!(reasons(&unprepared), [(OpErrorKind::Failed, "not that number")]);
    }
    invoke(&mut node, "n", 4_u64);
    let over = invoke(&mut node, "n", 5_u64);
    assert_eq!(reasons(&over), [(OpErrorKind::Limit, "1 answers are awaited already")]);
    assert_eq!(invoke(&mut node, "ask", 0_u64).output("asked"), Some(4_u64));
    assert_eq!(work(&mut node, &host()).output("product"), Some(40_u64));
    invoke(&mut node, "n", 6_u64);
    assert_eq!(work(&mut node, &host()).output("product"), Some(60_u64));
}

#[test]
fn a_request_that_finds_no_room_beside_the_others_fails_its_op() {
    let state =
        StateConfig { max_job_request_bytes: 20, max_job_bytes: 24, ..StateConfig::default() };
    let mut node = node_with(NodeConfig { state, ..NodeConfig::default() });
    for _ in 0..2 {
        // Eight bytes of length stand before each text.
        assert_eq!(invoke(&mut node, "text", "abcd").failures().count(), 0);
        assert_eq!(invoke(&mut node, "text", "abcd").failures().count(), 0);
        let over = invoke(&mut node, "text", "");
        let reason = "no room for more requests of jobs, the cap is 24 bytes";
        assert_eq!(reasons(&over), [(OpErrorKind::Limit, reason)]);
        assert_eq!(super::parts::outputs(&work(&mut node, &host()).0).len(), 4);
    }
}

#[test]
fn a_job_that_was_answered_otherwise_is_not_run_and_gives_its_place_back() {
    let mut node = node_with(NodeConfig { max_pending_async: 1, ..NodeConfig::default() });
    for round in 1..=3_u64 {
        invoke(&mut node, "n", 4_u64);
        let (command, _) = node.jobs().next().expect("one waits");
        let inputs = [("command", command.get()), ("answer", round)];
        node.invoke("Main", inputs).expect("it is admitted");
        let steps = node.run_until_idle(Nanos::ZERO);
        assert_eq!(steps.output("product"), Some(round));
        assert_eq!(node.jobs().count(), 0, "nobody waits for it");
        assert!(node.take_job().is_none());
        let late = node.run_until_idle(Nanos::ZERO).0;
        assert_eq!(late, [EngineStep::CompletionIgnored { command }]);
    }
}

#[test]
fn an_answer_that_finds_no_room_comes_back_and_the_jobs_behind_it_wait() {
    let config = NodeConfig {
        ingress_byte_budget: 32,
        max_app_event_bytes: 32,
        max_invoke_bytes: 32,
        max_completion_result_bytes: 32,
        max_completion_detail_bytes: 32,
        envelope_caps: samsara_proto::EnvelopeCaps {
            envelope_bytes: 8,
            payload_bytes: 8,
            path_bytes: 8,
            ..samsara_proto::EnvelopeCaps::default()
        },
        ..NodeConfig::default()
    };
    let mut node = node_with(config);
    invoke(&mut node, "n", 4_u64);
    invoke(&mut node, "n", 5_u64);
    node.invoke("Main", [("ask", 0_u64)]).expect("it is admitted");
    node.invoke("Main", [("ask", 0_u64)]).expect("it is admitted");
    let refused = node.run_jobs(&host()).expect_err("the budget is used up");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("product"), None::<u64>);
    refused.retry().expect("there is room now");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("product"), Some(40_u64));
    assert_eq!(work(&mut node, &host()).output("product"), Some(50_u64));
}

/// Moves a Node by one turn and keeps its batch.
fn turn(node: &mut Node, history: &mut Vec<Batch>) -> Vec<EngineStep> {
    let (batch, mut steps) = (node.intake(Nanos::ZERO), Vec::new());
    node.apply(&batch, &mut steps);
    history.push(batch);
    steps
}

#[test]
fn a_node_that_comes_back_runs_what_was_not_answered_under_the_same_key() {
    let (mut history, mut first) = (Vec::new(), node());
    for n in [4_u64, 5, 6] {
        first.invoke("Main", [("n", n)]).expect("it is admitted");
    }
    let mut seen = turn(&mut first, &mut history);
    let mut jobs = first.take_jobs();
    assert_eq!(jobs.len(), 3);
    let keys: Vec<_> = jobs.iter().map(Job::key).collect();
    jobs.remove(1).run(&host()).expect("there is room for the answer");
    seen.extend(turn(&mut first, &mut history));
    // The first life ends here, with two jobs under way.
    drop((first, jobs));

    let (mut second, mut steps) = (node(), Vec::new());
    history.iter().for_each(|batch| second.replay(batch, &mut steps));
    assert_eq!(steps, seen);
    let jobs = second.take_jobs();
    let again: Vec<_> = jobs.iter().map(Job::key).collect();
    assert_eq!(again, [keys[0], keys[2]]);
    for job in jobs {
        job.run(&host()).expect("there is room for the answer");
    }
    let steps = second.run_until_idle(Nanos::ZERO);
    let products = super::parts::outputs(&steps.0);
    assert_eq!(products, [40_u64, 60].map(|product| ("product", product.into())));
}
