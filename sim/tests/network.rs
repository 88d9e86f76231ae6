//! Worlds whose Nodes say things to each other, over links that fail and between hosts that end.
//!
//! Law: the numbers of seeds are those of a short run; `SAMSARA_SEEDS` times as many are run if it is
//! set. Each test also counts that what it is about has happened.

use std::{collections::BTreeMap, process::Command, time::Duration};

use samsara_runtime::time::{Nanos, millis};
use samsara_sim::{Fault, Faults, Injected, Loss, Mutant, Report, World, hunt, stories};

const SECONDS: Duration = Duration::from_secs(3);

fn seeds(count: u64) -> u64 {
    let times = std::env::var("SAMSARA_SEEDS").ok().and_then(|times| times.parse().ok());
    count * times.unwrap_or(1)
}

fn bank(seed: u64) -> World {
    stories::bank(seed).expect("the program is sound")
}

fn run(world: &World) -> Report {
    world.run(SECONDS).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Adds up what runs have seen.
fn sum(reports: impl IntoIterator<Item = Report>) -> Report {
    let mut all = Report::default();
    for report in reports {
        all.faults += report.faults;
        all.acked += report.acked;
        all.lives += report.lives;
        all.taken += report.taken;
        all.links += report.links;
        all.ghosts += report.ghosts;
        all.garbled += report.garbled;
        all.fenced += report.fenced;
        for (point, times) in report.points {
            *all.points.entry(point).or_default() += times;
        }
    }
    all
}

/// D1, D8, D9, D12: every fault at once or some, five accounts that all pay each other through
/// mailboxes that are often full; after each world is healed all of it settles within 30 s.
#[test]
fn accounts_that_pay_each_other_lose_and_gain_no_money_whatever_fails() {
    let all = sum((0..seeds(24)).map(|seed| run(&bank(seed))));
    assert!(all.taken > 1_000 && all.lives > 120 && all.faults > 100, "{all:?}");
    assert!(all.ghosts > 20 && all.garbled > 0 && all.fenced > 0, "{all:?}");
}

#[test]
fn nodes_that_forget_begin_anew_and_everything_settles() {
    let rumours = |seed| stories::rumours(seed).expect("the program is sound");
    let all = sum((0..seeds(24)).map(|seed| run(&rumours(seed))));
    assert!(all.taken > 1_000 && all.lives > 120, "{all:?}");
}

/// D3: a seed is the same run twice, and in another process.
#[test]
fn a_seed_is_the_same_run_in_every_process() {
    let command = |seed: u64| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_samsara-sim"));
        command.args(["--story", "bank", "--seconds", "3", "--seed"]).arg(seed.to_string());
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "seed {seed}");
        String::from_utf8(output.stdout).expect("it is text")
    };
    for seed in 0..seeds(3) {
        let report = run(&bank(seed));
        assert_eq!(report, run(&bank(seed)), "seed {seed}");
        let trace: String = report.trace.iter().map(|byte| format!("{byte:02x}")).collect();
        let told = command(seed);
        assert!(told.contains(&format!("seed {seed}: trace {trace}")), "seed {seed}: {told}");
    }
}

const LOSSES: [Loss; 3] = [Loss::Kept, Loss::Torn, Loss::Lost];

/// A world in which nothing goes wrong but this, again and again.
fn cut(seed: u64, after: u64, again: Option<(u64, Loss)>, loss: Loss) -> World {
    let times = (1..6).map(|at| millis(450).saturating_mul(at));
    let crash = |at: Nanos| {
        let host = usize::try_from((at.get() / 450_000_000 + seed) % 5).unwrap_or(0);
        Injected { at, host, fault: Fault::Crash { after, again, loss } }
    };
    times.fold(bank(seed).faults(Faults::none()), |world, at| world.fault(crash(at)))
}

/// D4, D18: a process that ends at any of its points, with and without what it had not synced.
#[test]
fn a_process_that_ends_anywhere_loses_and_doubles_nothing() {
    let mut points = BTreeMap::new();
    for seed in 0..seeds(1) {
        for after in 0..36 {
            for loss in LOSSES {
                for (point, times) in run(&cut(seed, after, None, loss)).points {
                    *points.entry(point).or_insert(0) += times;
                }
            }
        }
    }
    for point in ["C2", "C3", "C4", "C5", "C6", "C7", "C10", "C11"] {
        assert!(points.get(point).is_some_and(|times| *times >= 3), "{point} in {points:?}");
    }
}

/// D5: one that ends again while it recovers, with another loss.
#[test]
fn a_process_that_ends_again_while_it_recovers_loses_and_doubles_nothing() {
    let mut points = BTreeMap::new();
    for seed in 0..seeds(1) {
        for after in (0..30).step_by(5) {
            for again in (0..30).step_by(2) {
                let (first, second) = (LOSSES[after as usize % 3], LOSSES[again as usize % 3]);
                let world = cut(seed, after, Some((again, second)), first);
                for (point, times) in run(&world).points {
                    *points.entry(point).or_insert(0) += times;
                }
            }
        }
    }
    for point in ["C22", "C24", "C25"] {
        assert!(points.get(point).is_some_and(|times| *times >= 3), "{point} in {points:?}");
    }
}

/// D6: a few of those that `--mutants` looks for, each found in its first seeds.
#[test]
fn planted_bugs_of_the_network_are_found_within_a_few_seeds() {
    let few = [
        Mutant::LostOffer,
        Mutant::SnapshotWithoutCourier,
        Mutant::NoCredit,
        Mutant::NeverByItself,
        Mutant::Unmarked,
        Mutant::NoFence,
        Mutant::UnsyncedTail,
    ];
    for (name, bug) in Mutant::ALL.iter().filter(|(_, bug)| few.contains(bug)) {
        assert!(hunt(name, *bug, 12).found.is_some(), "{name} was not found");
    }
}

/// D7: each kind of fault sets in, often.
#[test]
fn every_kind_of_fault_between_nodes_changes_what_happens() {
    let calm = run(&bank(1).faults(Faults::none()));
    assert_eq!((calm.ghosts, calm.garbled, calm.fenced), (0, 0, 0));
    let at = millis(500);
    let faults = [
        Fault::Part { pick: 3, time: millis(700) },
        Fault::OneWay { pick: 6, time: millis(300) },
        Fault::Delay { pick: 3, time: millis(100) },
        Fault::Slow(millis(900)),
        Fault::Pause(millis(900)),
        Fault::Fall { behind: 1 },
    ];
    for fault in faults {
        let world = bank(1).faults(Faults::none()).fault(Injected { at, host: 0, fault });
        assert_ne!(run(&world).trace, calm.trace, "{fault:?} does nothing");
    }
}
