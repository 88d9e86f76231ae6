//! What a Node has acknowledged it remembers.
//!
//! Law: its word about a stream never goes back, and in the end it has taken all that it ever said
//! it had.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::Invariant;
use crate::{fact::Fact, sight::Sight};

#[derive(Default)]
pub(super) struct Promises {
    /// By Node, peer and stream: the epoch and the last number.
    made: BTreeMap<(usize, PeerId, u64), (u64, u64)>,
}

impl Invariant for Promises {
    fn name(&self) -> &str {
        "what was acknowledged is remembered"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Forgot { node } => self.made.retain(|(own, ..), _| own != node),
            Fact::Promised { node, to, stream, epoch, durable } => {
                let promise = (*epoch, *durable);
                let known = self.made.entry((*node, *to, *stream)).or_insert(promise);
                if promise < *known {
                    return Err(format!(
                        "node {node} has {promise:?} of stream {stream} of {to}, and had {known:?}"
                    ));
                }
                *known = promise;
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        let nodes: Vec<_> = sight.nodes().collect();
        for ((node, peer, stream), (epoch, durable)) in &self.made {
            let Some((name, it)) = nodes.get(*node) else { continue };
            let mark = it.watermark(peer, *stream);
            let has = mark.map_or((0, 0), |mark| (mark.epoch, mark.next.saturating_sub(1)));
            if *durable > 0 && has < (*epoch, *durable) {
                return Err(format!("{name} has {has:?} of {peer}, and said {epoch}:{durable}"));
            }
        }
        Ok(())
    }
}
