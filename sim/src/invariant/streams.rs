//! What is said reliably is taken once and in order.
//!
//! Law: the numbers of a stream rise by one in what its receiver keeps. A process that ends may have
//! kept what nobody was told of, so that there may be a gap behind its end, and no step back.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Streams {
    /// The last number, and whether all of it was told, by Node, sender and stream.
    taken: BTreeMap<(usize, PeerId, u64), Place>,
    /// The last epoch and number that was let in since any process or Node has begun.
    admitted: BTreeMap<(usize, PeerId, u64), (u64, u64)>,
}

struct Place {
    epoch: u64,
    seq: u64,
    is_sure: bool,
}

impl Invariant for Streams {
    fn name(&self) -> &str {
        "streams are taken once and in order"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Ended { .. } | Fact::Fell { .. } => {
                self.taken.values_mut().for_each(|place| place.is_sure = false);
                self.admitted.clear();
                Ok(())
            }
            Fact::Forgot { node } => {
                self.taken.retain(|(own, ..), _| own != node);
                Ok(())
            }
            Fact::Admitted { node, from, stream, epoch, seq, .. } if *stream != 0 => {
                let place = (*node, *from, *stream);
                match self.admitted.insert(place, (*epoch, *seq)) {
                    Some((last_epoch, last)) if last_epoch == *epoch && *seq != last + 1 => {
                        Err(format!("node {node} let in {seq} of {from} behind {last}"))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            Fact::Taken { node, from, stream, epoch, seq } => {
                let next = Place { epoch: *epoch, seq: *seq, is_sure: true };
                let before = self.taken.insert((*node, *from, *stream), next);
                let Some(Place { epoch: last_epoch, seq: last, is_sure }) = before else {
                    return Ok(());
                };
                let is_next = *epoch > last_epoch
                    || (*epoch == last_epoch && *seq > last && (!is_sure || *seq == last + 1));
                if is_next {
                    return Ok(());
                }
                Err(format!("node {node} took {epoch}:{seq} of {from} behind {last_epoch}:{last}"))
            }
            _ => Ok(()),
        }
    }
}
