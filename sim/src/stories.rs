//! The world that the simulator is run on by itself: books that note what they are told.
//!
//! Law: nothing in it can fail but the hosts.

use std::time::Duration;

use samsara_runtime::{
    compiler::Compiler,
    config::{NodeConfig, SnapshotConfig, TurnConfig},
    graph::Graph,
    program::Program,
    recovery::NodeSpec,
    time::millis,
};

use crate::{
    fault::Faults,
    ledger::Ledger,
    world::{Call, World},
};

/// Hosts of [`books`], with two Nodes each.
const HOSTS: u64 = 2;

/// A world of books, or the reason why their program is none.
///
/// ```
/// let world = samsara_sim::stories::books(1)?;
/// world.run(std::time::Duration::from_millis(300))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn books(seed: u64) -> Result<World, Box<dyn std::error::Error>> {
    let program = program()?;
    let snapshot = SnapshotConfig { every_events: 8, ..SnapshotConfig::default() };
    let turn = TurnConfig { events: 8, ..TurnConfig::default() };
    let config = NodeConfig { snapshot, turn, ..NodeConfig::default() };
    let spec = |name: String| NodeSpec::new(name, program.clone()).config(config);
    let world = (0..HOSTS).fold(World::new(seed), |world, host| {
        world.host([spec(format!("book-{host}-a")), spec(format!("book-{host}-b"))])
    });
    Ok(world
        .client(Duration::from_millis(20), |draw, call| {
            let shelf = if draw.chance(1, 2) { "a" } else { "b" };
            Call::new(format!("book-{}-{shelf}", draw.below(HOSTS)), "Note").input("call", call)
        })
        .faults(Faults::swarm())
        .shown_again_by(format!("cargo run --release -p samsara-sim -- --seed {seed}")))
}

/// Notes a number at once, and tells it once more after a while.
fn program() -> Result<Program, Box<dyn std::error::Error>> {
    let g = Graph::new("Note");
    let call = g.input::<u64>("call");
    g.output("noted", g.slot(Ledger::SLOT).op("note", [call]));
    g.output("again", g.sleep(call, millis(15)));
    Ok(Compiler::new().bind::<Ledger>(Ledger::SLOT).compile(g.build()?)?)
}
