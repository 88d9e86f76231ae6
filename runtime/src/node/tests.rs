//! What a Node takes from its mailbox when it has enough to do.

use super::{Node, install};
use crate::{
    compiler::Compiler,
    config::{EngineConfig, NodeConfig, TurnConfig},
    graph::Graph,
    time::{Nanos, seconds},
};

/// A Node that fires one op, takes one event a turn and has one execution at once.
fn narrow(record: impl FnOnce(&Graph)) -> Node {
    let g = Graph::new("Main");
    record(&g);
    let modules = g.build().expect("the module is sound");
    let program = Compiler::new().compile(modules).expect("the program is sound");
    let config = NodeConfig {
        cycle_op_budget: 1,
        turn: TurnConfig { events: 1, ..TurnConfig::default() },
        engine: EngineConfig { max_executions: 1, ..EngineConfig::default() },
        ..NodeConfig::default()
    };
    install(1.into(), [], &program, &["Main"], config).expect("it installs")
}

#[test]
fn a_node_with_as_many_executions_as_may_be_takes_no_more() {
    let mut node = narrow(|g| {
        let passed = g.pass_through(g.input::<u64>("n"));
        g.output("n", g.pass_through(passed));
    });
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    node.invoke("Main", [("n", 2_u64)]).expect("it is admitted");
    let mut steps = Vec::new();
    node.step(Nanos::ZERO, &mut steps);
    let batch = node.intake(Nanos::ZERO);
    assert_eq!((node.execution_count(), batch.events.len()), (1, 0));
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("n"), Some(2_u64));
}

#[test]
fn executions_that_only_wait_keep_nobody_out() {
    let mut node = narrow(|g| g.output("n", g.sleep(g.input::<u64>("n"), seconds(1))));
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    node.invoke("Main", [("n", 2_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    assert_eq!((node.execution_count(), node.pending_async_count()), (2, 2));
}
