//! What these Nodes run: a tally of all it was given, told at once and once more after a while.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use samsara_runtime::{
    compiler::Compiler,
    completion::Promise,
    component::{Component, Ops},
    config::{NodeConfig, SnapshotConfig, TurnConfig},
    context::Cx,
    error::OpError,
    graph::Graph,
    program::Program,
    recovery::{Durability, NodeSpec},
    time::millis,
};
use serde::{Deserialize, Serialize};

/// Brings the Node down each time.
pub(super) const POISON: u64 = 666;
/// Brings the Node down after a while, in an execution that has begun before.
pub(super) const SLOW_POISON: u64 = 667;
/// Brings the Node down once, if [`is_armed`](ARMED).
pub(super) const FRAGILE: u64 = 42;

thread_local! {
    /// Whether the next [`FRAGILE`] falls: what no replay repeats.
    pub(super) static ARMED: AtomicBool = const { AtomicBool::new(false) };
    /// What no batch knows of.
    static WHIM: AtomicU64 = const { AtomicU64::new(0) };
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) seen: Vec<u64>,
}

impl Component for Tally {
    const TYPE_NAME: &'static str = "test.tally@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |tally: &mut Self, n: u64| {
            assert_ne!(n, POISON, "planted");
            assert!(n != FRAGILE || !ARMED.with(|armed| armed.swap(false, Ordering::Relaxed)));
            tally.seen.push(n);
            tally.seen.iter().sum::<u64>()
        });
        ops.on("recall", |_: &mut Self, n: u64| {
            assert_ne!(n, SLOW_POISON, "planted");
            n
        });
        ops.on("whim", |_: &mut Self, n: u64| {
            n + WHIM.with(|whim| whim.fetch_add(1, Ordering::Relaxed))
        });
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, _: u64| -> Result<Promise<u64>, OpError> {
            let (handle, promise) = cx.open_completion::<u64>()?;
            // Nobody will ever answer, and nobody says so.
            std::mem::forget(handle);
            Ok(promise)
        });
    }
}

/// A program whose one module is recorded so.
pub(super) fn program(record: impl FnOnce(&Graph)) -> Program {
    let g = Graph::new("Main");
    record(&g);
    let modules = g.build().expect("the module is sound");
    Compiler::new().bind::<Tally>("tally").compile(modules).expect("the program is sound")
}

/// Tells the sum of all numbers at once, and the number once more after a while.
pub(super) fn tally() -> Program {
    program(|g| {
        let n = g.input::<u64>("n");
        g.output("sum", g.slot("tally").op("add", [n]));
        let later = g.sleep(n, millis(5));
        g.output("again", g.slot("tally").op("recall", [later]));
    })
}

pub(super) fn spec(program: Program, durability: Durability) -> NodeSpec {
    let snapshot = SnapshotConfig { every_events: 4, ..SnapshotConfig::default() };
    let turn = TurnConfig { events: 8, ..TurnConfig::default() };
    let config = NodeConfig { snapshot, turn, ..NodeConfig::default() };
    NodeSpec::new("tally", program).config(config).durability(durability)
}
