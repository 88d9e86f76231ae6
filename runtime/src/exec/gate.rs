//! Ops that wait while a bootstrap touches their component.
//!
//! Law: they wait outside the frontier, in the order in which they became ready, and go on in that
//! order before whatever became ready since.

use std::collections::{BTreeSet, VecDeque};

use super::{OpAt, pool::ExecIndex};
use crate::codec::saved;

/// What stands before components while bootstraps run that touch them.
#[derive(Debug)]
pub(super) struct Gate {
    /// The slots that are kept.
    slots: BTreeSet<u32>,
    /// The execution of the bootstrap itself.
    bootstrap: ExecIndex,
    line: VecDeque<(OpAt, u32)>,
    line_max: usize,
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
    pub(super) fn new(line_max: u32) -> Self {
        let (slots, line) = (BTreeSet::new(), VecDeque::new());
        Self { slots, bootstrap: ExecIndex::MAX, line, line_max: line_max as usize }
    }

    /// Keeps these slots for the bootstrap in this execution, and gives back who waits no more.
    pub(super) fn keep(&mut self, bootstrap: ExecIndex, slots: BTreeSet<u32>) -> Vec<OpAt> {
        self.bootstrap = bootstrap;
        self.slots = slots;
        let mut free = Vec::new();
        self.line.retain(|(at, slot)| {
            let waits = self.slots.contains(slot);
            free.extend((!waits).then_some(*at));
            waits
        });
        free
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
        self.line.push_back((at, slot));
        Passage::Waits
    }

    /// Lets go of the ops of an execution that ends.
    pub(super) fn forget(&mut self, exec: ExecIndex) {
        self.line.retain(|(at, _)| at.exec != exec);
    }

    pub(super) fn len(&self) -> usize {
        self.line.len()
    }
}

impl Gate {
    /// The ops that wait.
    pub(super) fn places(&self) -> impl Iterator<Item = OpAt> {
        self.line.iter().map(|(at, _)| *at)
    }
}

saved! { Gate { slots, bootstrap, line, line_max } }
