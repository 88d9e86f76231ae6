//! What was acknowledged has its effect once, and nothing has it twice.
//!
//! Law: an acknowledged call is in the ledger of its Node once, or it is a dead letter; a call that
//! was not acknowledged may be there once or not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::Invariant;
use crate::{fact::Fact, ledger::Ledger, sight::Sight};

#[derive(Default)]
pub(super) struct Durability {
    acked: BTreeSet<(usize, u64)>,
    lettered: BTreeSet<(usize, u64)>,
}

impl Invariant for Durability {
    fn name(&self) -> &str {
        "what was acknowledged has its effect once"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Acked { node, call, .. } => {
                self.acked.insert((*node, *call));
            }
            Fact::Forgot { node } => self.acked.retain(|(own, _)| own != node),
            Fact::Lettered { node, call } => {
                self.lettered.insert((*node, *call));
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        for (node, (name, it)) in sight.nodes().enumerate() {
            let Some(ledger) = it.model::<Ledger>(Ledger::SLOT) else { continue };
            let mut effects = BTreeMap::<u64, u64>::new();
            for call in ledger.noted() {
                *effects.entry(*call).or_default() += 1;
            }
            if let Some((call, times)) = effects.iter().find(|(_, times)| **times > 1) {
                return Err(format!("call {call} had its effect {times} times at {name}"));
            }
            for (_, call) in self.acked.range((node, 0)..=(node, u64::MAX)) {
                let is_dead = self.lettered.contains(&(node, *call));
                match (effects.contains_key(call), is_dead) {
                    (true, false) | (false, true) => {}
                    (false, false) => {
                        return Err(format!("call {call} was acknowledged by {name} and is lost"));
                    }
                    (true, true) => {
                        return Err(format!("call {call} had its effect at {name} and is dead"));
                    }
                }
            }
        }
        Ok(())
    }
}
