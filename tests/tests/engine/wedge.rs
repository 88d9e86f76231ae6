//! A Node with as many executions as may be, in a program that never rests.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    config::{EngineConfig, NodeConfig, TurnConfig},
    context::Cx,
    error::OpError,
    graph::Graph,
    node::{Batch, Node, install},
    schema::TypeTable,
    step::EngineStep,
    time::Nanos,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

const EXECUTIONS: u32 = 8;
const OVERLOAD: u64 = 100;

thread_local! {
    static DESK: RefCell<Vec<CompletionHandle<u64>>> = const { RefCell::new(Vec::new()) };
}

/// Tells itself to go on, for ever.
#[derive(Default, Serialize, Deserialize)]
struct Restless;

impl Component for Restless {
    const TYPE_NAME: &'static str = "test.restless@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("spin", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<u64, OpError> {
            cx.publish_bus("spin", n.into()).map_err(|reserved| reserved.to_string())?;
            Ok(n)
        });
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, _: u64| {
            let (handle, promise) = cx.open_completion::<u64>()?;
            DESK.with_borrow_mut(|desk| desk.push(handle));
            Ok::<Promise<u64>, OpError>(promise)
        });
    }
}

/// Three ops fire a turn. Of two that call themselves up one is always left over.
fn node() -> Node {
    let g = Graph::new("Main");
    g.slot("restless").op("spin", [g.pass_through(g.on_event("app.spin"))]);
    g.slot("restless").op("spin", [g.input::<u64>("spin")]);
    g.output("done", g.slot("restless").op("later", [g.input::<u64>("n")]));
    let program = Compiler::new().bind::<Restless>("restless");
    let program = program.compile(g.build().expect("sound")).expect("sound");
    let config = NodeConfig {
        cycle_op_budget: 3,
        turn: TurnConfig { events: 1, ..TurnConfig::default() },
        engine: EngineConfig { max_executions: EXECUTIONS, ..EngineConfig::default() },
        ..NodeConfig::default()
    };
    install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs")
}

#[test]
fn what_waits_is_answered_though_the_program_never_rests() {
    let mut node = node();
    for spinner in [1_u64, 2] {
        node.invoke("Main", [("spin", spinner)]).expect("it is admitted");
    }
    let (mut offered, mut done, mut most) = (0, 0, 0);
    let mut steps = Vec::new();
    for turn in 0..20_000_u64 {
        if offered < OVERLOAD && node.invoke("Main", [("n", offered)]).is_ok() {
            offered += 1;
        }
        steps.clear();
        let taken = node.take(Nanos::new(turn));
        let written = node.encode(&taken).expect("this life reads");
        let batch = node.commit(taken).expect("this life reads");
        let read = Batch::read(&written, &TypeTable::default().into()).expect("just written");
        assert_eq!(read, batch);
        node.apply(&batch, &mut steps);
        most = most.max(node.execution_count());
        done += steps.iter().filter(|step| matches!(step, EngineStep::AppEvent { .. })).count();
        // Answered long after the mailbox has filled up with what there is no room for.
        if turn % 50 == 49 {
            for handle in DESK.with_borrow_mut(std::mem::take) {
                handle.complete(1).expect("there is room for an answer");
            }
        }
    }
    assert_eq!((offered, done), (OVERLOAD, OVERLOAD as usize));
    assert_eq!(node.pending_async_count(), 0);
    assert!(most <= EXECUTIONS as usize + 3, "it takes what there is room for: {most}");
}
