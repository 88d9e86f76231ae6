//! The program of these suites: a tally that adds up, and falls when it is told to.

use std::{sync::LazyLock, time::Duration};

use samsara_actors::{NodeRef, System, SystemBuilder};
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{HostConfig, JournalConfig},
    error::OpError,
    graph::Graph,
    job::Resources,
    program::Program,
    time::Nanos,
};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    total: u64,
}

/// Adding this brings the Node down.
pub(crate) const FATAL: u64 = 13;

#[derive(Serialize, Deserialize)]
struct Doubling {
    n: u64,
}

impl Component for Tally {
    const TYPE_NAME: &'static str = "test.tally@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |tally: &mut Self, n: u64| {
            tally.total += n;
            assert_ne!(n, FATAL, "it was fed what it cannot take");
            tally.total
        });
        ops.on("refuse", |_: &mut Self, _: u64| -> Result<u64, OpError> {
            Err(OpError::failed("as it was told"))
        });
        ops.job(
            "double",
            |_: &mut Self, n: u64| Doubling { n },
            |job: Doubling, _: &Resources| -> Result<u64, OpError> { Ok(job.n * 2) },
        );
    }
}

/// One program for all tests: `Add`, `Refuse`, `Double` and `Later`, each with the input `n`.
pub(crate) fn program() -> Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
        let g = Graph::new("Tally");
        for op in ["add", "refuse", "double"] {
            let done = g.slot("tally").op(op, [g.input::<u64>(op)]);
            g.output(&format!("{op}ed"), done);
        }
        g.output("late", g.sleep(g.input::<u64>("later"), Nanos::from_millis(1)));
        let draft = g.build().expect("the module is sound");
        Compiler::new().bind::<Tally>("tally").compile(draft).expect("the program is sound")
    });
    PROGRAM.clone()
}

/// Restarts that do not make a test wait, and segments that do not fill the disk.
pub(crate) fn limits() -> HostConfig {
    let mut limits = HostConfig::default();
    limits.supervision.backoff_base = Nanos::from_millis(1);
    limits.supervision.backoff_cap = Nanos::from_millis(2);
    limits.journal = JournalConfig {
        segment_bytes: 1 << 20,
        max_record_bytes: 1 << 19,
        ..JournalConfig::edge()
    };
    limits
}

pub(crate) fn builder() -> SystemBuilder {
    System::builder().limits(limits())
}

/// Adds, and tells the total; a Node between two lives is asked until it lives.
pub(crate) async fn add(node: &NodeRef, n: u64) -> u64 {
    let reply = node.ask("Tally", [("add", n)]).await.expect("it answers");
    reply.get("added").expect("it adds up")
}

/// Waits until this holds, and fails if it never does.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}
