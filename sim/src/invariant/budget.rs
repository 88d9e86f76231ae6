//! Bytes on their way are within their budget, and none are left in the end.
//!
//! Law: a mailbox holds no more than its Node's budget, and a world that has settled holds nothing.

use super::Invariant;
use crate::sight::Sight;

pub(super) struct Budget;

impl Invariant for Budget {
    fn name(&self) -> &str {
        "bytes are within their budget, and none are left"
    }

    fn look(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        for (name, node) in sight.nodes() {
            let (held, budget) = (node.ingress().stats().bytes, node.config().ingress_byte_budget);
            if held > budget {
                return Err(format!("the mailbox of {name} holds {held} bytes of {budget}"));
            }
        }
        Ok(())
    }

    fn settled(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        for (name, node) in sight.nodes() {
            let stats = node.ingress().stats();
            if (stats.bytes, stats.items) != (0, 0) {
                return Err(format!("{name} holds {} bytes in the end", stats.bytes));
            }
        }
        match sight.unsent() {
            0 => Ok(()),
            bytes => Err(format!("{bytes} bytes wait for their receivers in the end")),
        }
    }
}
