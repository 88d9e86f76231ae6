//! What is counted of a run.
//!
//! Law: counting changes nothing.

use super::Run;
use crate::fact::Fact;

impl Run<'_> {
    /// Counts a fact, and notes which calls are open.
    pub(super) fn note(&mut self, fact: &Fact) {
        let report = &mut self.report;
        report.facts += 1;
        match fact {
            Fact::Faulted(_) => report.faults += 1,
            Fact::CutAt { point, .. } => *report.points.entry(point).or_default() += 1,
            Fact::Began { .. } => report.lives += 1,
            Fact::Said { .. } => report.said += 1,
            Fact::Taken { .. } => report.taken += 1,
            Fact::Linked { .. } => report.links += 1,
            Fact::Haunted { .. } => report.ghosts += 1,
            Fact::Garbled { .. } => report.garbled += 1,
            Fact::FencedOff { .. } => report.fenced += 1,
            Fact::Offered { node, call } => {
                report.offered += 1;
                self.open.insert((*node, *call));
            }
            Fact::Refused { node, call } => {
                report.refused += 1;
                self.open.remove(&(*node, *call));
            }
            Fact::Unanswered { node, call } => {
                report.unanswered += 1;
                self.open.remove(&(*node, *call));
            }
            Fact::Acked { node, call, exec } => {
                report.acked += 1;
                self.open.remove(&(*node, *call));
                self.acked.insert((*node, *exec), *call);
            }
            _ => {}
        }
    }
}
