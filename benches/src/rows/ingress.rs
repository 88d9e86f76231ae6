//! `ingress.one`, `ingress.two`: pushes a second into the mailbox, and into others' channels.
//!
//! Law: a round ends when the last event was received, and its sum proves that all were.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use super::lanes::{Crossbeam, Flume, Ingress, Lane, Tokio};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
};

const fn row(name: &'static str, baseline: &'static str, promise: Promise) -> Row {
    Row { name, unit: "M/s", baseline, promise }
}

/// One producer.
pub(crate) const ONE: Group = Group {
    name: "ingress.one",
    what: "pushes by one thread, with budget and wake",
    rows: &[
        row("ingress.one.tokio", "tokio mpsc", Promise::RatioAtLeast(1.5)),
        row("ingress.one.crossbeam", "crossbeam", Promise::RatioAtLeast(1.0)),
        row("ingress.one.flume", "flume", Promise::Orientation),
    ],
    run: |context| run(context, 1),
};

/// Two producers.
pub(crate) const TWO: Group = Group {
    name: "ingress.two",
    what: "pushes by two threads, with budget and wake",
    rows: &[
        row("ingress.two.tokio", "tokio mpsc", Promise::RatioAtLeast(1.5)),
        row("ingress.two.crossbeam", "crossbeam", Promise::RatioAtLeast(1.0)),
        row("ingress.two.flume", "flume", Promise::Orientation),
    ],
    run: |context| run(context, 2),
};

/// One round: so many producers, each with so many events.
type Round = fn(u64, u64) -> Result<f64, String>;

/// The subject, then the baselines in the order of the rows.
const LANES: [Round; 4] = [
    millions_a_second::<Ingress>,
    millions_a_second::<Tokio>,
    millions_a_second::<Crossbeam>,
    millions_a_second::<Flume>,
];

fn run(context: &Context, producers: u64) -> Result<Vec<Figure>, String> {
    let count = context.amount(8_000_000, 20_000) as u64 / producers;
    let mut contenders =
        LANES.map(|lane| -> Contender<'_> { Box::new(move || lane(producers, count)) });
    let figures = interleave(context, &mut contenders)?;
    let (value, baselines) = figures.split_first().ok_or("no contender ran")?;
    let beside = |baseline: &f64| Figure { value: *value, baseline: Some(*baseline) };
    Ok(baselines.iter().map(beside).collect())
}

fn millions_a_second<L: Lane>(producers: u64, count: u64) -> Result<f64, String> {
    let (sender, mut receiver) = L::open()?;
    let start = Arc::new(Barrier::new(producers as usize + 1));
    let threads: Vec<_> = (0..producers)
        .map(|_| {
            let (sender, start) = (sender.clone(), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                L::send(&sender, count);
            })
        })
        .collect();
    drop(sender);
    start.wait();
    let begun = Instant::now();
    let sum = L::receive(&mut receiver, count * producers);
    let seconds = begun.elapsed().as_secs_f64();
    for thread in threads {
        thread.join().map_err(|_| "a producer panicked")?;
    }
    let wanted = count * count.saturating_sub(1) / 2 * producers;
    if sum != wanted {
        return Err(format!("events went astray: their numbers add up to {sum}, not {wanted}"));
    }
    Ok((count * producers) as f64 / seconds / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_carries_every_event() {
        for lane in LANES {
            for producers in [1, 2] {
                assert_eq!(lane(producers, 10_000).map(|rate| rate > 0.0), Ok(true));
            }
        }
    }
}
