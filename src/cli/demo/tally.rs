//! What the Nodes of the demonstration do: they add up, and fall when they are to.
//!
//! Law: a planted fault strikes once and leaves no trace in any state; poison strikes always.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::{cli::Failure, prelude::*};

/// Adding this falls, if a fault is planted.
pub(super) const FAULT: u64 = 0;
/// Adding this falls whenever it is tried.
pub(super) const POISON: u64 = u64::MAX;

static IS_PLANTED: AtomicBool = AtomicBool::new(false);

/// Has the next addition of [`FAULT`] fall.
pub(super) fn plant() {
    IS_PLANTED.store(true, Ordering::Release);
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Tally {
    total: u64,
}

impl Component for Tally {
    const TYPE_NAME: &'static str = "samsara.demo.tally@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |tally: &mut Self, n: u64| {
            assert_ne!(n, POISON, "this is poison");
            assert!(n != FAULT || !IS_PLANTED.swap(false, Ordering::AcqRel), "a planted fault");
            tally.total += n;
            tally.total
        });
    }
}

pub(super) fn program() -> Result<Program, Failure> {
    let g = Graph::new("Tally");
    g.output("total", g.slot("tally").op("add", [g.input::<u64>("n")]));
    Ok(Compiler::new().bind::<Tally>("tally").compile(g.build()?)?)
}

/// Adds, and tells the total.
pub(super) async fn add(node: &NodeRef, n: u64) -> Result<u64, Failure> {
    Ok(node.ask("Tally", [("n", n)]).await?.get("total")?)
}
