//! Every fuzz target over its corpus and over inputs that a seed draws from it.

use std::panic;

use samsara_fuzz::{Mutator, TARGETS, Target, corpus};

/// Inputs per target; the environment variable raises it.
const INPUTS: u64 = 20_000;

fn inputs() -> u64 {
    std::env::var("SAMSARA_HOSTILE").ok().and_then(|text| text.parse().ok()).unwrap_or(INPUTS)
}

fn target_and_corpus(name: &str) -> (Target, Vec<Vec<u8>>) {
    let (_, target) = TARGETS.iter().find(|(it, _)| *it == name).expect("a target of that name");
    let corpus = corpus(name).expect("a readable corpus");
    assert!(corpus.len() > 1, "{name} has no corpus to speak of");
    (*target, corpus)
}

fn replay_and_mutate(name: &str) {
    let (target, corpus) = target_and_corpus(name);
    corpus.iter().for_each(|input| target(input));
    // One seed per target: the same inputs on every run and every machine.
    let mut mutator = Mutator::new(0x5a, &corpus);
    for number in 0..inputs() {
        let input = mutator.next_input();
        if let Err(broken) = panic::catch_unwind(|| target(input)) {
            let start = &input[..input.len().min(512)];
            eprintln!("input {number} of {name}, {} bytes: {start:02x?}", input.len());
            panic::resume_unwind(broken);
        }
    }
}

#[test]
fn no_frame_breaks_the_envelope_codec() {
    replay_and_mutate("envelope");
}

#[test]
fn no_header_divides_prescan_and_prost() {
    replay_and_mutate("prescan_versus_prost");
}

#[test]
fn no_bytes_break_peer_ids() {
    replay_and_mutate("peer_id");
}

#[test]
fn no_bytes_break_addresses() {
    replay_and_mutate("address");
}
