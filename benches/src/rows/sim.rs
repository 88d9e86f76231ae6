//! `sim.events`, `sim.hosts`: how fast a simulated world goes.
//!
//! Law: whole worlds, under faults and with every invariant looking on; a world that breaks one gives
//! no figure.

use std::time::{Duration, Instant};

use samsara_runtime::{compiler::Compiler, graph::Graph, program::Program, recovery::NodeSpec};
use samsara_sim::{Call, Ledger, Report, World, stories};

use crate::{
    rounds::interleave,
    row::{Context, Figure, Group, Promise, Row},
};

/// What happens in worlds of books, by the facts that every invariant is told.
pub(crate) const EVENTS: Group = Group {
    name: "sim.events",
    what: "facts of worlds of books under faults, on one core and with all invariants on",
    rows: &[Row {
        name: "sim.events.rate",
        unit: "M/s",
        baseline: "",
        promise: Promise::ValueAtLeast(1.0),
    }],
    run: events,
};

/// A large world.
pub(crate) const HOSTS: Group = Group {
    name: "sim.hosts",
    what: "a thousand hosts, each called about once in ten seconds, for part of an hour",
    rows: &[Row {
        name: "sim.hosts.hour",
        unit: "min/h",
        baseline: "",
        promise: Promise::ValueAtMost(10.0),
    }],
    run: hosts,
};

/// Simulated seconds of each world of books.
const SECONDS: u64 = 5;

fn events(context: &Context) -> Result<Vec<Figure>, String> {
    let worlds = context.amount(20, 1) as u64;
    let mut round = 0;
    let mut run = || {
        let mut facts = 0;
        let start = Instant::now();
        for _ in 0..worlds {
            round += 1;
            let world = stories::books(round).map_err(|error| error.to_string())?;
            facts += ran(world, Duration::from_secs(SECONDS))?.facts;
        }
        Ok(facts as f64 / start.elapsed().as_secs_f64() / 1e6)
    };
    let figures = interleave(context, &mut [Box::new(&mut run)])?;
    let [value] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: None }])
}

fn ran(world: World, time: Duration) -> Result<Report, String> {
    world.run(time).map_err(|failure| failure.to_string())
}

/// One world, timed once: it is long enough to have no need of rounds.
fn hosts(context: &Context) -> Result<Vec<Figure>, String> {
    let (count, seconds) = (context.amount(1_000, 10), context.amount(20, 1) as u64);
    let program = program()?;
    let world = World::new(1)
        .hosts(count, |place| NodeSpec::new(format!("book-{place}"), program.clone()))
        .client(Duration::from_millis(10), move |draw, call| {
            Call::new(format!("book-{}", draw.below(count as u64)), "Note").input("call", call)
        });
    let start = Instant::now();
    ran(world, Duration::from_secs(seconds))?;
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let value = minutes * 3_600.0 / seconds as f64;
    Ok(vec![Figure { value, baseline: None }])
}

fn program() -> Result<Program, String> {
    let g = Graph::new("Note");
    g.output("noted", g.slot(Ledger::SLOT).op("note", [g.input::<u64>("call")]));
    let draft = g.build().map_err(|error| error.to_string())?;
    let program = Compiler::new().bind::<Ledger>(Ledger::SLOT).compile(draft);
    program.map_err(|error| error.to_string())
}
