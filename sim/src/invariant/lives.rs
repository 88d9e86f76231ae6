//! Peers hear no life that is over.
//!
//! Law: when a Node has let in an envelope of one life of a peer, it lets in none of an earlier one,
//! and its courier hears none.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Lives {
    heard: BTreeMap<(usize, PeerId), u64>,
    /// By couriers, since any process has ended: one that comes back may have heard more than it
    /// remembers.
    met: BTreeMap<(usize, PeerId), u64>,
}

impl Invariant for Lives {
    fn name(&self) -> &str {
        "peers hear no life that is over"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Ended { .. } | Fact::Fell { .. } => self.met.clear(),
            Fact::Heard { node, from, life } => {
                let known = self.met.entry((*node, *from)).or_default();
                if life < known {
                    return Err(format!("node {node} met life {life} of {from} behind {known}"));
                }
                *known = *life;
            }
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
