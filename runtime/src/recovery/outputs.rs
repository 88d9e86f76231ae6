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
        let count = self.counting(steps).count;
        if steps.is_empty() {
            return (*self, StepMarks::default());
        }
        let (mut out, mut hasher) = (Saver::default(), blake3::Hasher::new());
        hasher.update(&self.hash);
        let mut marks = Vec::with_capacity(steps.len().min(MARKS_MAX));
        for step in steps {
            out.clear();
            step.write(&mut out);
            // What is looked for is chance and not malice, and a hash of each would cost a turn.
            let mark = crc32fast::hash(out.written());
            hasher.update(&mark.to_le_bytes());
            if marks.len() < MARKS_MAX {
                marks.push(mark);
            }
        }
        (Self { count, hash: *hasher.finalize().as_bytes() }, StepMarks { marks })
    }

    /// The mark after these steps of a Node that keeps no history, whose outputs nobody compares.
    pub(super) fn counting(&self, steps: &[EngineStep]) -> Self {
        Self { count: self.count.saturating_add(steps.len() as u64), ..*self }
    }
}

impl StepMarks {
    /// About its bytes, and those of a mark.
    pub(super) fn encoded_len(&self) -> usize {
        self.marks.len().saturating_mul(4).saturating_add(64)
    }

    /// The place of the first step that these others do not have there.
    pub(super) fn first_difference(&self, others: &Self) -> usize {
        let pairs = self.marks.iter().zip(&others.marks);
        pairs.take_while(|(one, other)| one == other).count()
    }
}
