//! Ops and callbacks that wait while a bootstrap touches their component.
//!
//! Law: they wait outside the frontier, in the order in which they became ready, and go on in that
//! order before whatever became ready since.

use std::collections::{BTreeSet, VecDeque};

use super::{OpAt, held::Held, pool::ExecIndex};
use crate::{
    codec::{saved, saved_enum},
    framework::TimerId,
};

/// What stands before components while bootstraps run that touch them.
#[derive(Debug)]
pub(super) struct Gate {
    /// The slots that are kept.
    slots: BTreeSet<u32>,
    /// The execution of the bootstrap itself.
    bootstrap: ExecIndex,
    /// Timers set since are of the bootstrap.
    since: TimerId,
    line: VecDeque<Waiting>,
    line_max: usize,
}

/// What waits.
#[derive(Debug)]
pub(super) enum Waiting {
    Op { at: OpAt, slot: u32 },
    Call(Held),
}

impl Waiting {
    fn slot(&self) -> u32 {
        match self {
            Self::Op { slot, .. } => *slot,
            Self::Call(held) => held.slot,
        }
    }
}

/// Whether an op may go on.
pub(super) enum Passage {
    Free,
    /// It stands in line.
    Waits,
    /// The line has no room for it.
    Full,
}

impl Gate {
    pub(super) fn new(line_max: u32, since: TimerId) -> Self {
        let (slots, line) = (BTreeSet::new(), VecDeque::new());
        Self { slots, bootstrap: ExecIndex::MAX, since, line, line_max: line_max as usize }
    }

    /// Takes all timers that are set from here on for those of the bootstrap that begins.
    pub(super) fn mark(&mut self, since: TimerId) {
        self.since = since;
    }

    /// Keeps these slots for the bootstrap in this execution, and gives back who waits no more.
    pub(super) fn keep(&mut self, bootstrap: ExecIndex, slots: BTreeSet<u32>) -> Vec<Waiting> {
        self.bootstrap = bootstrap;
        self.slots = slots;
        let waits = |waiting: &Waiting| self.slots.contains(&waiting.slot());
        let (line, free) = std::mem::take(&mut self.line).into_iter().partition(waits);
        self.line = line;
        VecDeque::into(free)
    }

    /// Whether what touches this slot waits.
    pub(super) fn keeps(&self, slot: u32) -> bool {
        self.slots.contains(&slot)
    }

    /// Whether the bootstrap that runs has set this timer.
    pub(super) fn is_of_bootstrap(&self, timer: TimerId) -> bool {
        timer > self.since
    }

    /// Has a callback wait, or gives it back where the line is full.
    pub(super) fn hold(&mut self, held: Held) -> Result<(), Held> {
        if self.line.len() >= self.line_max {
            return Err(held);
        }
        self.line.push_back(Waiting::Call(held));
        Ok(())
    }

    /// Whether an op that touches this slot may go on now; if not it waits here.
    #[cold]
    #[inline(never)]
    pub(super) fn pass(&mut self, at: OpAt, slot: u32) -> Passage {
        if at.exec == self.bootstrap || !self.slots.contains(&slot) {
            return Passage::Free;
        }
        if self.line.len() >= self.line_max {
            return Passage::Full;
        }
        self.line.push_back(Waiting::Op { at, slot });
        Passage::Waits
    }

    /// Lets go of the ops of an execution that ends.
    pub(super) fn forget(&mut self, exec: ExecIndex) {
        self.line.retain(|waiting| !matches!(waiting, Waiting::Op { at, .. } if at.exec == exec));
    }

    pub(super) fn len(&self) -> usize {
        self.line.len()
    }
}

impl Gate {
    /// The ops that wait.
    pub(super) fn places(&self) -> impl Iterator<Item = OpAt> {
        let op = |waiting: &Waiting| match waiting {
            Waiting::Op { at, .. } => Some(*at),
            Waiting::Call(_) => None,
        };
        self.line.iter().filter_map(op)
    }

    /// The callbacks that wait, taken out.
    pub(super) fn into_held(self) -> impl Iterator<Item = Held> {
        self.line.into_iter().filter_map(|waiting| match waiting {
            Waiting::Op { .. } => None,
            Waiting::Call(held) => Some(held),
        })
    }
}

saved! { Gate { slots, bootstrap, since, line, line_max } }
saved_enum! { Waiting: "what waits for a bootstrap" { 0 = Op { at, slot }, 1 = Call(held) } }
