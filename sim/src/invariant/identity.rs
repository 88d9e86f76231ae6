//! What a Node has said reliably it says again in the same words, and marks it.
//!
//! Law: one place of one stream never has two contents, whatever fell in between, and what was sent
//! before is never sent as new.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Identity {
    /// By Node, receiver, stream, epoch and number.
    said: BTreeMap<(usize, PeerId, u64, u64, u64), [u8; 32]>,
}

impl Invariant for Identity {
    fn name(&self) -> &str {
        "one place of a stream has one content"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        let Fact::Said { node, to, stream, epoch, seq, hash, is_again } = fact else {
            return Ok(());
        };
        match self.said.insert((*node, *to, *stream, *epoch, *seq), *hash) {
            Some(before) if before != *hash => {
                Err(format!("node {node} says number {seq} of stream {stream} to {to} otherwise"))
            }
            Some(_) if !is_again => {
                Err(format!("node {node} says number {seq} of stream {stream} again as new"))
            }
            Some(_) | None => Ok(()),
        }
    }
}
