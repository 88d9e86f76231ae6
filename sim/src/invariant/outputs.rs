//! Outputs leave in order, and again only where nobody can know that they have.
//!
//! Law: numbers have no gap and each has one content, over all lives. What its host has, durably,
//! and what left before the last turn, does not leave once more.

use std::collections::BTreeMap;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Outputs {
    nodes: BTreeMap<usize, Known>,
}

#[derive(Default)]
struct Known {
    hashes: BTreeMap<u64, [u8; 32]>,
    /// The first output of the last turn that was seen to leave.
    last_turn: u64,
    told: u64,
}

impl Invariant for Outputs {
    fn name(&self) -> &str {
        "outputs leave in order and once"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Forgot { node } => {
                self.nodes.remove(node);
                Ok(())
            }
            Fact::Told { node, up_to } => {
                let known = self.nodes.entry(*node).or_default();
                known.told = known.told.max(*up_to);
                Ok(())
            }
            Fact::Left { node, number, turn, hash } => {
                let known = self.nodes.entry(*node).or_default();
                known.leave(*number, *turn, *hash).map_err(|what| format!("node {node}: {what}"))
            }
            _ => Ok(()),
        }
    }
}

impl Known {
    fn leave(&mut self, number: u64, turn: Option<u64>, hash: [u8; 32]) -> Result<(), String> {
        let next = self.hashes.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        if number > next {
            return Err(format!("output {number} left, wanted {next}"));
        }
        if turn.is_none() && number <= self.told && number < self.last_turn {
            return Err(format!("output {number} left again, which its host has"));
        }
        if turn.is_some() && number < next {
            return Err(format!("output {number} is of a new turn, wanted {next}"));
        }
        match self.hashes.insert(number, hash) {
            Some(before) if before != hash => {
                return Err(format!("output {number} is another one than before"));
            }
            Some(_) | None => {}
        }
        self.last_turn = self.last_turn.max(turn.unwrap_or(0));
        Ok(())
    }
}
