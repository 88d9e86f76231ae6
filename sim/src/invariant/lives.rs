//! Peers hear no life that is over.
//!
//! Law: when a Node has let in an envelope of one life of a peer, it lets in none of an earlier one.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Lives {
    heard: BTreeMap<(usize, PeerId), u64>,
}

impl Invariant for Lives {
    fn name(&self) -> &str {
        "peers hear no life that is over"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Forgot { node } => self.heard.retain(|(own, _), _| own != node),
            Fact::Admitted { node, from, life, .. } => {
                let known = self.heard.entry((*node, *from)).or_default();
                if life < known {
                    return Err(format!("node {node} heard life {life} of {from} behind {known}"));
                }
                *known = *life;
            }
            _ => {}
        }
        Ok(())
    }
}
