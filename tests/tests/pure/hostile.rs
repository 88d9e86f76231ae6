//! Every fuzz target over its corpus and over inputs that a seed draws from it, and what the worst
//! of them make the decoder allocate.

use std::panic;

use bytes::Bytes;
use samsara_fuzz::framing::{Parts, join, split};
use samsara_fuzz::hostile::HEADERS;
use samsara_fuzz::{Mutator, TARGETS, Target, corpus};
use samsara_proto::{EnvelopeCaps, EnvelopeCodec};
use samsara_tests::counting::{Counts, Region};

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

/// Bytes that a frame may cost beyond twice its length.
const ALLOWANCE: u64 = 64 * 1024;

fn counted<T>(act: impl FnOnce() -> T) -> (T, Counts) {
    let region = Region::start();
    let outcome = act();
    (outcome, region.stop())
}

/// Decodes a frame, and tells whether it was taken.
fn assert_bounded(name: &str, input: &[u8]) -> bool {
    let codec = EnvelopeCodec::new(EnvelopeCaps::default());
    let frame = Bytes::copy_from_slice(input);
    let (outcome, counts) = counted(|| codec.decode_capped(frame));
    let allowed = 2 * input.len() as u64 + ALLOWANCE;
    assert!(
        counts.peak_live <= allowed,
        "{name}: {} bytes make the decoder hold {}, {allowed} are allowed",
        input.len(),
        counts.peak_live
    );
    if let Some(Parts { header, segments }) = split(input) {
        let (scanned, counts) = counted(|| codec.prescan(&header, segments.len()));
        assert_eq!(counts.allocations, 0, "{name}: the prescan allocates, and says {scanned:?}");
    }
    outcome.is_ok()
}

#[test]
fn no_attack_makes_the_decoder_hold_more_than_its_bound() {
    for (name, attack) in HEADERS {
        for size in [1 << 10, 1 << 14, 1 << 16, 1 << 18] {
            let header = attack(size);
            assert_bounded(name, &join(&Parts { header, segments: Vec::new() }));
        }
    }
}

#[test]
fn no_mutated_frame_makes_the_decoder_hold_more_than_its_bound() {
    let (_, corpus) = target_and_corpus("envelope");
    let mut taken = corpus.iter().filter(|input| assert_bounded("corpus", input)).count();
    let mut mutator = Mutator::new(0x5b, &corpus);
    for _ in 0..inputs() {
        taken += usize::from(assert_bounded("mutated", mutator.next_input()));
    }
    assert!(taken > 0, "every input was refused at once: nothing was measured");
}
