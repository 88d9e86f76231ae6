//! How a world has failed: the law, the seed, and the shortest story that was found.
//!
//! Law: what is printed is enough to see it again.

use std::{collections::BTreeMap, fmt};

use samsara_runtime::time::Nanos;

use crate::fault::Injected;

/// Why a run is no success.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The world cannot be: a Node that cannot be installed, or nothing in it.
    #[error("the world is not sound: {0}")]
    Unsound(String),
    /// Something that must hold did not.
    #[error(transparent)]
    Broken(Box<Broken>),
}

/// A law that was broken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub struct Broken {
    /// The seed of the world.
    pub seed: u64,
    /// The law.
    pub law: String,
    /// How it was broken in the shortest story.
    pub how: String,
    /// When.
    pub at: Nanos,
    /// The faults that it takes.
    pub faults: Vec<Injected>,
    /// The calls that it takes, by their numbers.
    pub calls: Vec<u64>,
    /// Faults and calls of the whole run, before it was shrunk.
    pub whole: (usize, usize),
    /// What shows it again.
    pub again: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, law, how, at, faults, calls, whole, again } = self;
        writeln!(f, "seed {seed} breaks the law \"{law}\" at {at}: {how}")?;
        let (all_faults, all_calls) = whole;
        writeln!(
            f,
            "it takes {} of {all_faults} faults and {} of {all_calls} calls, {calls:?}:",
            faults.len(),
            calls.len()
        )?;
        for fault in faults {
            writeln!(f, "  {fault}")?;
        }
        write!(f, "see it again: {again}")
    }
}

/// What a run has seen that broke nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The hash of all facts, in order: equal seeds have equal ones.
    pub trace: [u8; 32],
    /// Facts.
    pub facts: u64,
    /// Faults that set in.
    pub faults: u64,
    /// Calls that were offered.
    pub offered: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Calls that were acknowledged.
    pub acked: u64,
    /// Calls whose process ended before it has answered.
    pub unanswered: u64,
    /// Processes that began.
    pub lives: u64,
    /// Envelopes of streams that were said, again each time that they were sent.
    pub said: u64,
    /// Envelopes of streams that were kept.
    pub taken: u64,
    /// Links that were made.
    pub links: u64,
    /// Frames that came once more on a later link.
    pub ghosts: u64,
    /// Frames that could not be read.
    pub garbled: u64,
    /// Envelopes that were turned away since the life of their sender was over.
    pub fenced: u64,
    /// How often processes were cut at each point, and Nodes fell.
    pub points: BTreeMap<&'static str, u64>,
    /// The time when the world had settled.
    pub settled: Nanos,
}
