//! `wire.hostile`: what the worst frame costs the one who receives it.
//!
//! Law: the figure is the worst over all inputs, never a mean; and a frame that panics is counted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bytes::Bytes;
use samsara_fuzz::framing::{Parts, join};
use samsara_fuzz::hostile::HEADERS;
use samsara_fuzz::{Mutator, corpus};
use samsara_proto::{EnvelopeCaps, EnvelopeCodec};
use samsara_tests::counting::{Counts, Region};

use crate::row::{Context, Figure, Group, Promise, Row};

const KIB: usize = 1024;
const MIB: f64 = 1024.0 * 1024.0;
/// Bytes that a frame may cost beyond twice its length.
const ALLOWANCE: u64 = 64 * 1024;
/// Shorter frames count as this long in the time: the fixed cost of a call is no attack.
const TIMED_BYTES_MIN: usize = 64 * KIB;
/// A first time above the promise is taken again so often: only what is slow each time is slow.
const RETRIES: usize = 5;
const MS_PER_MIB_MAX: f64 = 5.0;
const SEED: u64 = 41;

/// All inputs, one run.
pub(crate) const HOSTILE: Group = Group {
    name: "wire.hostile",
    what: "the worst of the hostile corpus: attacks of every kind, and mutated frames",
    rows: &[
        Row {
            name: "wire.hostile.peak",
            unit: "B",
            baseline: "2 x frame + 64 KiB",
            promise: Promise::RatioAtMost(1.0),
        },
        Row {
            name: "wire.hostile.allocated",
            unit: "B",
            baseline: "2 x frame + 64 KiB",
            promise: Promise::Orientation,
        },
        Row {
            name: "wire.hostile.time",
            unit: "ms/MiB",
            baseline: "",
            promise: Promise::ValueAtMost(MS_PER_MIB_MAX),
        },
        Row {
            name: "wire.hostile.panics",
            unit: "",
            baseline: "",
            promise: Promise::ValueAtMost(0.0),
        },
    ],
    run,
};

fn run(context: &Context) -> Result<Vec<Figure>, String> {
    let seeds = corpus("envelope").map_err(|error| format!("no corpus of envelopes: {error}"))?;
    let largest = context.amount(KIB * KIB, 64 * KIB);
    let mut worst = Worst::default();
    for (_, attack) in HEADERS {
        for size in [KIB, 16 * KIB, 64 * KIB, largest] {
            worst.add(&join(&Parts { header: attack(size), segments: Vec::new() }));
        }
    }
    let mut mutator = Mutator::new(SEED, &seeds);
    for _ in 0..context.amount(1_000_000, 2000) {
        worst.add(mutator.next_input());
    }
    if worst.taken == 0 {
        return Err(
            "no input was ever taken: nothing behind the first check was measured".to_owned()
        );
    }
    eprintln!("  {} inputs, {} of them taken as envelopes", worst.inputs, worst.taken);
    Ok(worst.figures())
}

/// The worst of each figure so far.
#[derive(Default)]
struct Worst {
    inputs: u64,
    taken: u64,
    peak: Share,
    allocated: Share,
    ms_per_mib: f64,
    panics: u64,
}

/// Bytes beside what the frame that cost them allows.
#[derive(Clone, Copy, Default)]
struct Share {
    bytes: u64,
    allowed: u64,
}

impl Share {
    fn ratio(self) -> f64 {
        self.bytes as f64 / self.allowed.max(1) as f64
    }

    fn or_worse(self, other: Self) -> Self {
        if other.ratio() > self.ratio() || self.allowed == 0 { other } else { self }
    }

    fn figure(self) -> Figure {
        Figure { value: self.bytes as f64, baseline: Some(self.allowed as f64) }
    }
}

impl Worst {
    fn add(&mut self, input: &[u8]) {
        let allowed = 2 * input.len() as u64 + ALLOWANCE;
        self.inputs += 1;
        let Some(Cost { counts, mut ms_per_mib, taken }) = decoded(input) else {
            self.panics += 1;
            return;
        };
        self.taken += u64::from(taken);
        for _ in 0..RETRIES {
            if ms_per_mib > MS_PER_MIB_MAX {
                let again = decoded(input).map_or(f64::MAX, |cost| cost.ms_per_mib);
                ms_per_mib = ms_per_mib.min(again);
            }
        }
        self.peak = self.peak.or_worse(Share { bytes: counts.peak_live, allowed });
        self.allocated = self.allocated.or_worse(Share { bytes: counts.bytes_allocated, allowed });
        self.ms_per_mib = self.ms_per_mib.max(ms_per_mib);
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            self.peak.figure(),
            self.allocated.figure(),
            Figure { value: self.ms_per_mib, baseline: None },
            Figure { value: self.panics as f64, baseline: None },
        ]
    }
}

/// What one decoding cost.
struct Cost {
    counts: Counts,
    ms_per_mib: f64,
    taken: bool,
}

/// Decodes once; nothing when that panicked.
fn decoded(input: &[u8]) -> Option<Cost> {
    let codec = EnvelopeCodec::new(EnvelopeCaps::default());
    let frame = Bytes::copy_from_slice(input);
    let region = Region::start();
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| codec.decode_capped(frame).is_ok()));
    let seconds = start.elapsed().as_secs_f64();
    let counts = region.stop();
    let ms_per_mib = seconds * 1e3 * MIB / input.len().max(TIMED_BYTES_MIN) as f64;
    Some(Cost { counts, ms_per_mib, taken: outcome.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_gives_way_to_a_worse_one_only() {
        let (mild, bad) = (Share { bytes: 90, allowed: 100 }, Share { bytes: 2, allowed: 1 });
        assert_eq!(Share::default().or_worse(mild).bytes, 90);
        assert_eq!(mild.or_worse(bad).bytes, 2);
        assert_eq!(bad.or_worse(mild).bytes, 2);
    }

    #[test]
    fn the_cost_of_a_decoding_is_all_that_it_allocates() {
        let input = join(&Parts { header: vec![8, 1, 0x7a, 0, 0x7a, 0], segments: Vec::new() });
        let cost = decoded(&input).expect("two empty fills are no reason to panic");
        assert!(cost.taken && cost.counts.allocations > 0, "{:?}", cost.counts);
    }
}
