//! The worlds that the simulator is run on by itself: books that note what they are told, and banks
//! that pay each other.
//!
//! Law: nothing in them can fail but hosts and links.

use std::time::Duration;

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::{NodeConfig, SnapshotConfig, TurnConfig},
    graph::Graph,
    program::Program,
    recovery::{Durability, NodeSpec},
    rng::Rng,
    time::millis,
};

use crate::{
    bank::Bank,
    fault::{Fault, Faults, Injected, Loss},
    invariant::money::Money,
    ledger::Ledger,
    run::host_id,
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
    let spec = |name: String| NodeSpec::new(name, program.clone()).config(small());
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

/// Small turns and few events between two snapshots, so that there are many of both.
fn small() -> NodeConfig {
    let snapshot = SnapshotConfig { every_events: 8, ..SnapshotConfig::default() };
    let turn = TurnConfig { events: 8, ..TurnConfig::default() };
    NodeConfig { snapshot, turn, ..NodeConfig::default() }
}

/// Notes a number at once, and tells it once more after a while.
fn program() -> Result<Program, Box<dyn std::error::Error>> {
    let g = Graph::new("Note");
    let call = g.input::<u64>("call");
    g.output("noted", g.slot(Ledger::SLOT).op("note", [call]));
    g.output("again", g.sleep(call, millis(15)));
    Ok(Compiler::new().bind::<Ledger>(Ledger::SLOT).compile(g.build()?)?)
}

/// A world of banks: accounts on hosts of their own that pay each other, all money in it counted.
///
/// ```
/// let report = samsara_sim::stories::bank(1)?.run(std::time::Duration::from_millis(500))?;
/// assert!(report.taken > 0, "nobody was paid");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bank(seed: u64) -> Result<World, Box<dyn std::error::Error>> {
    let program = payments()?;
    let names = accounts();
    let world = names.iter().fold(World::new(seed), |world, name| {
        // A mailbox that is often full, so that it also refuses what peers send.
        let config = NodeConfig { ingress_capacity: 16, ..small() };
        world.host([NodeSpec::new(name, program.clone()).config(config)])
    });
    Ok(paying(world, &names).invariant(Money::default).shown_again_by(format!(
        "cargo run --release -p samsara-sim -- --story bank --seed {seed}"
    )))
}

/// A world of relapses: as [`bank`], with processes that end again as soon as they are back. The
/// first time the machine goes on, and then it loses what was not synced.
///
/// ```
/// let report = samsara_sim::stories::relapses(1)?.run(std::time::Duration::from_millis(900))?;
/// assert!(report.lives > 5, "none came back");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn relapses(seed: u64) -> Result<World, Box<dyn std::error::Error>> {
    let mut draw = Rng::from_seed(seed).fork("relapses");
    let again = format!("cargo run --release -p samsara-sim -- --story relapses --seed {seed}");
    let world = bank(seed)?.faults(Faults::none()).shown_again_by(again);
    Ok((1..40).fold(world, |world, at| {
        let again = Some((draw.between(4..=14), Loss::Lost));
        let fault = Fault::Crash { after: draw.below(24), again, loss: Loss::Kept };
        let host = usize::try_from(draw.below(ACCOUNTS)).unwrap_or(0);
        world.fault(Injected { at: millis(120).saturating_mul(at), host, fault })
    }))
}

/// A world of rumours: as [`bank`], with accounts that outlive different things, so that money may
/// be lost, and streams begin anew.
///
/// ```
/// let report = samsara_sim::stories::rumours(1)?.run(std::time::Duration::from_millis(500))?;
/// assert!(report.taken > 0, "nobody was told");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn rumours(seed: u64) -> Result<World, Box<dyn std::error::Error>> {
    let program = payments()?;
    let outlive = [Durability::Durable, Durability::Memory, Durability::Volatile];
    let names = accounts();
    let nodes = names.iter().zip(outlive.into_iter().cycle());
    let world = nodes.fold(World::new(seed), |world, (name, outlives)| {
        let spec = NodeSpec::new(name, program.clone()).config(small());
        world.mixed_host([spec.durability(outlives)])
    });
    Ok(paying(world, &names).shown_again_by(format!(
        "cargo run --release -p samsara-sim -- --story rumours --seed {seed}"
    )))
}

/// Accounts of [`bank`].
const ACCOUNTS: u64 = 5;

fn accounts() -> Vec<String> {
    (0..ACCOUNTS).map(|place| format!("account-{place}")).collect()
}

/// Lets the accounts of these names, each on a host of its own, pay each other.
fn paying(world: World, names: &[String]) -> World {
    let peers: Vec<PeerId> =
        (0..).zip(names).map(|(place, name)| host_id(place).derive(name)).collect();
    world
        .linked()
        .client(Duration::from_millis(25), move |draw, number| {
            let from = draw.below(ACCOUNTS);
            let to = from.saturating_add(draw.between(1..=ACCOUNTS - 1)) % ACCOUNTS;
            let to = usize::try_from(to).ok().and_then(|to| peers.get(to)).copied();
            let to = to.unwrap_or(PeerId::from(0));
            let call = Call::new(format!("account-{from}"), "Pay").input("call", number);
            call.input("to", to).input("amount", draw.below(200))
        })
        .faults(Faults::swarm())
}

/// Pays, and takes payments.
fn payments() -> Result<Program, Box<dyn std::error::Error>> {
    let pay = Graph::new("Pay");
    let call = pay.slot(Ledger::SLOT).op("note", [pay.input::<u64>("call")]);
    let payment = pay.slot(Bank::SLOT).op("pay", [call, pay.input::<u64>("amount")]);
    pay.net_out("Take/payment", pay.input::<PeerId>("to"), payment);
    pay.output("paid", payment);
    let take = Graph::new("Take");
    take.output("taken", take.slot(Bank::SLOT).op("take", [take.input::<u64>("payment")]));
    take.export("payment");
    let compiler = Compiler::new().bind::<Ledger>(Ledger::SLOT).bind::<Bank>(Bank::SLOT);
    Ok(compiler.compile_all([pay.build()?, take.build()?])?)
}
