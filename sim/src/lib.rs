//! A simulated world of hosts: the shipped host cycle, journal, snapshots and recovery, under one
//! virtual clock, on disks that tear and fail, with all chance drawn from one seed.
//!
//! Law: no order of its own. What a host does next is what
//! [`HostCycle`](samsara_runtime::recovery::HostCycle) says; a world only decides what goes wrong
//! meanwhile. Equal seeds give equal traces.
//!
//! First faults and calls are mixed for some time; then all is healed, and everything must settle.
//! What every world is held to is in [`Invariant`]s: nothing that was acknowledged is lost or
//! doubled, every call ends in one way, effects are in order, a life that is over does nothing and is
//! not heard, a replay is equal, outputs leave in order and once, streams are taken once and in order
//! and say one thing in one place, promises are kept, bytes are within their budget and none are left,
//! nobody is alarmed, and the world settles. What yours is held to besides you say with
//! [`World::always`] and [`World::at_last`].
//!
//! Nodes of a [linked](World::linked) world say things to each other, in real frames over links that
//! fail. That all this is worth something is shown by bugs: [`hunt`] plants one in the shipped code and
//! looks for the seed that finds it.
//!
//! ```
//! use std::time::Duration;
//!
//! use samsara_runtime::{compiler::Compiler, graph::Graph, recovery::NodeSpec};
//! use samsara_sim::{Call, Faults, Ledger, World};
//!
//! let g = Graph::new("Note");
//! let noted = g.slot(Ledger::SLOT).op("note", [g.input::<u64>("call")]);
//! g.output("noted", noted);
//! let program = Compiler::new().bind::<Ledger>(Ledger::SLOT).compile(g.build()?)?;
//!
//! let report = World::new(7)
//!     .hosts(2, |place| NodeSpec::new(format!("book-{place}"), program.clone()))
//!     .client(Duration::from_millis(50), |draw, call| {
//!         Call::new(format!("book-{}", draw.below(2)), "Note").input("call", call)
//!     })
//!     .faults(Faults::swarm())
//!     .always("books are short", |sight| {
//!         sight.models::<Ledger>(Ledger::SLOT).all(|book| book.noted().len() < 100)
//!     })
//!     .run(Duration::from_secs(1))?;
//! assert_eq!(report.offered, report.refused + report.acked + report.unanswered);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bank;
mod disk;
mod fact;
mod failure;
mod fault;
mod ground;
mod host;
mod hosted;
mod invariant;
mod ledger;
mod mutants;
mod net;
mod points;
mod process;
mod run;
mod shrink;
mod sight;
pub mod stories;
mod trip;
mod world;

pub use self::{
    bank::{Bank, OPENED_WITH},
    disk::{Cut, Disk},
    fact::Fact,
    failure::{Broken, Failure, Report},
    fault::{Fault, Faults, Injected, Loss},
    invariant::Invariant,
    ledger::Ledger,
    mutants::{Hunt, hunt},
    sight::Sight,
    world::{Call, World},
};

pub use samsara_runtime::planted::Bug as Mutant;
