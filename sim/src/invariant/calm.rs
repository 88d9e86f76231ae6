//! Where all Nodes remember, no courier needs anybody's eyes, and nothing reliable is given up.
//!
//! Law: alarms and lost envelopes are of worlds in which something has forgotten; a frame that was
//! not written as it came is never read.

use super::Invariant;
use crate::fact::Fact;

#[derive(Default)]
pub(super) struct Calm {
    has_forgotten: bool,
}

impl Invariant for Calm {
    fn name(&self) -> &str {
        "nothing is doubted or given up without a reason"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Forgot { .. } => self.has_forgotten = true,
            Fact::Spoiled { node, how } => return Err(format!("node {node}: {how}")),
            Fact::Alarmed { node, peer, what } if !self.has_forgotten => {
                return Err(format!("node {node} is alarmed about {peer}: {what}"));
            }
            Fact::Undelivered { node, to, stream, count, reason, .. }
                if !self.has_forgotten && *stream != 0 =>
            {
                return Err(format!("node {node} has given up {count} for {to}: {reason}"));
            }
            _ => {}
        }
        Ok(())
    }
}
