//! `samsara-sim`: runs the world of books over many seeds, or one seed again.
//!
//! Law: it ends with 1 if a law was broken, and says how to see it again; with 2 if it was not
//! understood.

use std::{process::ExitCode, time::Duration};

use samsara_sim::{Mutant, Report, World, hunt, stories};

const USAGE: &str = "usage: samsara-sim [--story books|bank|rumours|relapses] [--seed N | --seeds COUNT] [--seconds S] \
                     [--mutant NAME] | --mutants";

struct Wish {
    story: Story,
    seeds: std::ops::Range<u64>,
    seconds: u64,
    mutant: Option<(String, Mutant)>,
}

fn main() -> ExitCode {
    if std::env::args().skip(1).eq(["--mutants".to_owned()]) {
        return mutants();
    }
    let Some(wish) = wish(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let (first, count) = (wish.seeds.start, wish.seeds.end.saturating_sub(wish.seeds.start));
    let mut all = Report::default();
    for seed in wish.seeds.clone() {
        match run(seed, &wish) {
            Ok(report) => {
                if count == 1 {
                    println!("seed {seed}: trace {}", hex(&report.trace));
                }
                all.faults += report.faults;
                all.offered += report.offered;
                all.acked += report.acked;
                all.lives += report.lives;
                all.facts += report.facts;
                all.said += report.said;
                all.taken += report.taken;
                all.links += report.links;
                all.ghosts += report.ghosts;
                all.garbled += report.garbled;
                all.fenced += report.fenced;
                for (point, times) in report.points {
                    *all.points.entry(point).or_default() += times;
                }
            }
            Err(failure) => {
                println!("{failure}");
                return ExitCode::FAILURE;
            }
        }
        let done = seed.saturating_sub(first).saturating_add(1);
        if done.is_multiple_of(50) && done < count {
            println!("{done} of {count} seeds");
        }
    }
    let Report { faults, offered, acked, lives, .. } = &all;
    println!(
        "{count} seeds of {} s: {faults} faults, {lives} lives, {acked} of {offered} calls \
         acknowledged, no law broken",
        wish.seconds
    );
    let points: Vec<String> =
        all.points.iter().map(|(at, times)| format!("{at}: {times}")).collect();
    println!("cut at {}", points.join(", "));
    if all.links > 0 {
        println!(
            "{} links; {} envelopes said, {} taken; {} frames came again, {} were garbled; {} \
             envelopes of ended lives",
            all.links, all.said, all.taken, all.ghosts, all.garbled, all.fenced
        );
    }
    ExitCode::SUCCESS
}

/// Seeds in which each planted bug must be found.
const MUTANT_SEEDS: u64 = 300;

/// Prints which seed finds which planted bug, and as what.
fn mutants() -> ExitCode {
    let mut is_missed = false;
    for (name, bug) in Mutant::ALL {
        match hunt(name, *bug, MUTANT_SEEDS).found {
            Some((story, seed, law)) => println!("{name:26} {story} {seed:<4} {law}"),
            None => {
                is_missed = true;
                println!("{name:26} not found in {MUTANT_SEEDS} seeds");
            }
        }
    }
    if is_missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(seed: u64, wish: &Wish) -> Result<Report, Box<dyn std::error::Error>> {
    let Story { name, make } = wish.story;
    let mut world = make(seed)?;
    let mut again = format!("cargo run --release -p samsara-sim -- --story {name} --seed {seed}");
    if wish.seconds != SECONDS {
        again.push_str(&format!(" --seconds {}", wish.seconds));
    }
    if let Some((name, mutant)) = &wish.mutant {
        world = world.plant(*mutant);
        again.push_str(&format!(" --mutant {name}"));
    }
    Ok(world.shown_again_by(again).run(Duration::from_secs(wish.seconds))?)
}

/// A world that can be asked for.
#[derive(Clone, Copy)]
struct Story {
    name: &'static str,
    make: fn(u64) -> Result<World, Box<dyn std::error::Error>>,
}

const STORIES: [Story; 4] = [
    Story { name: "books", make: stories::books },
    Story { name: "bank", make: stories::bank },
    Story { name: "rumours", make: stories::rumours },
    Story { name: "relapses", make: stories::relapses },
];

/// Simulated seconds of a seed.
const SECONDS: u64 = 5;

fn wish(mut args: impl Iterator<Item = String>) -> Option<Wish> {
    let [books, ..] = STORIES;
    let mut wish = Wish { story: books, seeds: 0..100, seconds: SECONDS, mutant: None };
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--seed" => {
                let seed: u64 = value.parse().ok()?;
                wish.seeds = seed..seed.checked_add(1)?;
            }
            "--story" => {
                wish.story = STORIES.into_iter().find(|story| story.name == value)?;
            }
            "--seeds" => wish.seeds = 0..value.parse().ok()?,
            "--seconds" => wish.seconds = value.parse().ok()?,
            "--mutant" => {
                let (_, mutant) = Mutant::ALL.iter().copied().find(|(name, _)| *name == value)?;
                wish.mutant = Some((value, mutant));
            }
            _ => return None,
        }
    }
    Some(wish)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
