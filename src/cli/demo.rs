//! The demonstration: a flood of events, a reader that keeps dying, and a count that must be exact.
//!
//! Law: it prints only what it counted, and fails if a single event is missing, doubled or late.

use std::{process::ExitCode, thread, time::Instant};

use crate::{
    ingress::{IngressHandle, IngressLimits, IngressQueue, Readiness, TurnLimits, sync::block_on},
    proto::PeerId,
};

const PRODUCERS: u64 = 4;
const EVENTS_EACH: u64 = 500_000;
const CRASHES: u64 = 200;
const WEIGHT: u64 = 64;

type Queue = IngressQueue<(u64, u64), PeerId>;
type Handle = IngressHandle<(u64, u64), PeerId>;

/// Runs the demonstration and tells whether everything was accounted for.
pub(crate) fn run() -> ExitCode {
    let limits = IngressLimits { bytes: 64 * 1024, ..IngressLimits::default() };
    let queue = match Queue::new(limits) {
        Ok(queue) => queue,
        Err(refused) => {
            eprintln!("samsara: {refused}");
            return ExitCode::FAILURE;
        }
    };
    let total = PRODUCERS * EVENTS_EACH;
    println!("{PRODUCERS} peers push {total} events into a mailbox of {} bytes,", limits.bytes);
    println!("whose reader dies {CRASHES} times with events in its hand.\n");
    let started = Instant::now();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let handle = queue.handle();
            thread::spawn(move || flood(producer, &handle))
        })
        .collect();
    let tally = read_and_crash(&queue, total);
    let panicked = producers.into_iter().filter_map(|producer| producer.join().err()).count();
    let seconds = started.elapsed().as_secs_f64();
    let stats = queue.stats();
    println!("\n  read         {:>9}  of {total}", tally.read);
    println!("  out of order {:>9}", tally.out_of_order);
    println!("  lives        {:>9}  each fenced off by the next", stats.life);
    println!("  handed over  {:>9}  events found in a dead reader's hand", tally.handed_over);
    println!("  bytes left   {:>9}", stats.bytes);
    println!("  rate         {:>9.1}  million events a second", total as f64 / seconds / 1e6);
    if tally.read == total && tally.out_of_order == 0 && stats.bytes == 0 && panicked == 0 {
        println!("\nNothing was lost, doubled or reordered.");
        println!("Next: `cargo test` proves it, README.md shows how to use it.");
        ExitCode::SUCCESS
    } else {
        println!("\nThis is a bug in samsara: please report the lines above.");
        ExitCode::FAILURE
    }
}

/// One peer: pushes its numbers in order, waiting for room within its share of the mailbox.
fn flood(producer: u64, handle: &Handle) {
    let Ok(handle) = handle.for_peer(&PeerId::from(producer)) else { return };
    for number in 0..EVENTS_EACH {
        if block_on(handle.push((producer, number), WEIGHT)).is_err() {
            return;
        }
    }
}

#[derive(Default)]
struct Tally {
    read: u64,
    out_of_order: u64,
    handed_over: u64,
}

fn read_and_crash(queue: &Queue, total: u64) -> Tally {
    let mut tally = Tally::default();
    let mut next = [0; PRODUCERS as usize];
    let mut events = Vec::new();
    let mut life = 0;
    while tally.read < total {
        life += 1;
        let Ok(mut reader) = queue.open(life) else { return tally };
        let dies_at = if life <= CRASHES { total / (CRASHES + 1) * life } else { total };
        while tally.read < total {
            if reader.wait() != Ok(Readiness::Events) {
                return tally;
            }
            let Ok(in_hand) = reader.take(TurnLimits::default()) else { return tally };
            if tally.read >= dies_at {
                tally.handed_over += in_hand as u64;
                break;
            }
            let Ok(_charge) = reader.commit(&mut events) else { return tally };
            for (producer, number) in events.drain(..).map(|held| held.event) {
                tally.read += 1;
                let expected = next.get_mut(producer as usize);
                match expected.filter(|expected| **expected == number) {
                    Some(expected) => *expected += 1,
                    None => tally.out_of_order += 1,
                }
            }
        }
        if life.is_multiple_of(CRASHES / 4) {
            println!("  life {life:>3} has died, {:>7} events read", tally.read);
        }
    }
    tally
}
