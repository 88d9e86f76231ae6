//! Snapshots of Nodes of many components, which share what was not called.
//!
//! Law: whatever is shared, a snapshot says what each component is now.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::NodeConfig,
    graph::Graph,
    node::{Node, install},
    snapshot::NodeSnapshot,
    time::Nanos,
};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Count(u64);

impl Component for Count {
    const TYPE_NAME: &'static str = "tests.count@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |count: &mut Self, n: u64| {
            count.0 += n;
            count.0
        });
    }
}

/// More than one block, and a last one that is not full.
const COMPONENTS: usize = 70;

/// A Node of many counts, each with an input of its own.
fn counts() -> Node {
    let g = Graph::new("Main");
    let mut compiler = Compiler::new();
    for number in 0..COMPONENTS {
        let slot = format!("count{number:02}");
        let sum = g.slot(&slot).op("add", [g.input::<u64>(&format!("in{number}"))]);
        g.output(&format!("sum{number}"), sum);
        compiler = compiler.bind::<Count>(&slot);
    }
    let program = compiler.compile(g.build().expect("it is sound")).expect("it compiles");
    install(PeerId::from(1), [], &program, &["Main"], NodeConfig::default()).expect("it is sound")
}

fn add(node: &mut Node, number: usize) -> NodeSnapshot {
    node.invoke("Main", [(&*format!("in{number}"), 1_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
    node.snapshot().expect("they can be written")
}

/// Which components two snapshots say something else of.
fn changed(first: &NodeSnapshot, second: &NodeSnapshot) -> Vec<String> {
    let pairs = first.components().zip(second.components());
    pairs.filter(|(a, b)| a != b).map(|(a, _)| a.slot.clone()).collect()
}

#[test]
fn a_snapshot_says_what_each_of_many_components_is_now() {
    let mut node = counts();
    let mut before = node.snapshot().expect("they can be written");
    for number in [0, 31, 32, 69, 69, 5] {
        let after = add(&mut node, number);
        assert_eq!(changed(&before, &after), [format!("count{number:02}")]);
        assert_eq!(NodeSnapshot::decode(after.encode()).as_ref(), Ok(&after));
        before = after;
    }
}

#[test]
fn a_node_of_many_components_that_is_set_back_is_written_as_it_was() {
    let mut node = counts();
    let first = add(&mut node, 40);
    let second = add(&mut node, 40);
    assert_eq!(changed(&first, &second), ["count40"]);
    node.restore(&first).expect("it is of this Node");
    let again = node.snapshot().expect("they can be written");
    assert_eq!(changed(&first, &again), [""; 0]);
}
