//! A replay makes of a Node what its history had made of it.
//!
//! Law: after the same batch the Node is in the same state, whether the batch was new, or replayed
//! on whatever snapshot.

use std::collections::BTreeMap;

use samsara_runtime::recovery::Lsn;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct ReplayEquality {
    applied: BTreeMap<(usize, Lsn), [u8; 32]>,
}

impl Invariant for ReplayEquality {
    fn name(&self) -> &str {
        "a replay is equal"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Forgot { node } => {
                self.applied.retain(|(own, _), _| own != node);
                Ok(())
            }
            Fact::Applied { node, batch, digest } => {
                self.applied.insert((*node, *batch), *digest);
                Ok(())
            }
            Fact::Replayed { node, batch, digest } => match self.applied.get(&(*node, *batch)) {
                Some(live) if live != digest => {
                    Err(format!("node {node} is another one after batch {batch} than it was"))
                }
                Some(_) | None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
