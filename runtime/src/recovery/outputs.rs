//! What a Node has given so far, as a number and a hash: how a replay knows that it is one.
//!
//! Law: outputs are never logged. The record of a turn holds the mark of all outputs before it, so
//! that the first turn which gives others is found by the record behind it.

use crate::{
    codec::{Saver, saved},
    step::EngineStep,
};

/// How far the outputs of a Node go.
///
/// ```
/// use samsara_runtime::{id::ExecId, recovery::OutputMark, step::EngineStep};
///
/// let step = EngineStep::Aborted { exec: ExecId::new(1).ok_or("zero")? };
/// let (mark, _) = OutputMark::default().after(&[step]);
/// assert_eq!(mark.count, 1);
/// assert_ne!(mark.hash, OutputMark::default().hash);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputMark {
    /// Steps so far; the last of them bears this number.
    pub count: u64,
    /// The hash over all of them.
    pub hash: [u8; 32],
}

/// What tells the steps of one turn apart, a few bytes each: enough to name the first that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepMarks {
    marks: Vec<u32>,
}

saved! {
    OutputMark { count, hash }
    StepMarks { marks }
}

/// Steps of one turn that are marked: a turn of usual size, at a KiB of journal.
const MARKS_MAX: usize = 256;

impl OutputMark {
    /// The mark after these steps, and what tells them apart.
    pub fn after(&self, steps: &[EngineStep]) -> (Self, StepMarks) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.hash);
        let mut marks = Vec::with_capacity(steps.len().min(MARKS_MAX));
        for step in steps {
            let hash = step_hash(step);
            hasher.update(&hash);
            if marks.len() < MARKS_MAX {
                let [a, b, c, d, ..] = hash;
                marks.push(u32::from_le_bytes([a, b, c, d]));
            }
        }
        let count = self.count.saturating_add(steps.len() as u64);
        let hash = if steps.is_empty() { self.hash } else { *hasher.finalize().as_bytes() };
        (Self { count, hash }, StepMarks { marks })
    }
}

impl StepMarks {
    /// The place of the first step that these others do not have there.
    pub(super) fn first_difference(&self, others: &Self) -> usize {
        let pairs = self.marks.iter().zip(&others.marks);
        pairs.take_while(|(one, other)| one == other).count()
    }
}

fn step_hash(step: &EngineStep) -> [u8; 32] {
    let mut out = Saver::default();
    step.write(&mut out);
    *blake3::hash(&out.into_bytes()).as_bytes()
}
