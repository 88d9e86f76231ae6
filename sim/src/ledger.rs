//! A component that writes down what has its effect, for invariants to read.
//!
//! Law: it notes whatever it is told, as often as it is told, in the order that it is told.

use samsara_runtime::component::{Component, Ops};
use serde::{Deserialize, Serialize};

use crate::trip;

/// The ledger of a Node. A module that has one in the slot [`Ledger::SLOT`] and notes the number of
/// each call there, before it does anything else, is held to it: an acknowledged call is noted
/// once, no call twice, and none after a later one.
///
/// ```
/// use samsara_runtime::{compiler::Compiler, graph::Graph};
/// use samsara_sim::Ledger;
///
/// let g = Graph::new("Note");
/// let noted = g.slot(Ledger::SLOT).op("note", [g.input::<u64>("call")]);
/// g.output("noted", noted);
/// Compiler::new().bind::<Ledger>(Ledger::SLOT).compile(g.build()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    noted: Vec<u64>,
}

impl Ledger {
    /// The slot that invariants look into.
    pub const SLOT: &'static str = "ledger";

    /// What was noted, oldest first.
    pub fn noted(&self) -> &[u64] {
        &self.noted
    }
}

impl Component for Ledger {
    const TYPE_NAME: &'static str = "samsara.sim.ledger@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("note", |ledger: &mut Self, call: u64| {
            trip::step();
            ledger.noted.push(call);
            call
        });
    }
}
