//! `samsara-sim`: runs the world of books over many seeds, or one seed again.
//!
//! Law: it ends with 1 if a law was broken, and says how to see it again; with 2 if it was not
//! understood.

use std::{process::ExitCode, time::Duration};

use samsara_sim::{Mutant, Report, stories};

const USAGE: &str = "usage: samsara-sim [--seed N | --seeds COUNT] [--seconds S] [--mutant NAME]";

struct Wish {
    seeds: std::ops::Range<u64>,
    seconds: u64,
    mutant: Option<(String, Mutant)>,
}

fn main() -> ExitCode {
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
    let Report { faults, offered, acked, lives, .. } = all;
    println!(
        "{count} seeds of {} s: {faults} faults, {lives} lives, {acked} of {offered} calls \
         acknowledged, no law broken",
        wish.seconds
    );
    ExitCode::SUCCESS
}

fn run(seed: u64, wish: &Wish) -> Result<Report, Box<dyn std::error::Error>> {
    let mut world = stories::books(seed)?;
    let mut again = format!("cargo run --release -p samsara-sim -- --seed {seed}");
    if wish.seconds != SECONDS {
        again.push_str(&format!(" --seconds {}", wish.seconds));
    }
    if let Some((name, mutant)) = &wish.mutant {
        world = world.plant(*mutant);
        again.push_str(&format!(" --mutant {name}"));
    }
    Ok(world.shown_again_by(again).run(Duration::from_secs(wish.seconds))?)
}

/// Simulated seconds of a seed.
const SECONDS: u64 = 5;

fn wish(mut args: impl Iterator<Item = String>) -> Option<Wish> {
    let mut wish = Wish { seeds: 0..100, seconds: SECONDS, mutant: None };
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--seed" => {
                let seed: u64 = value.parse().ok()?;
                wish.seeds = seed..seed.checked_add(1)?;
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
