//! Calls of a Node have their effects in the order in which they were made.
//!
//! Law: in a ledger no call stands behind a later one.

use super::Invariant;
use crate::{ledger::Ledger, sight::Sight};

pub(super) struct Order;

impl Invariant for Order {
    fn name(&self) -> &str {
        "calls have their effects in order"
    }

    fn settled(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        for (name, node) in sight.nodes() {
            let Some(ledger) = node.model::<Ledger>(Ledger::SLOT) else { continue };
            let noted = ledger.noted();
            let mut pairs = noted.iter().zip(noted.iter().skip(1));
            if let Some((one, next)) = pairs.find(|(one, next)| one > next) {
                return Err(format!("call {next} had its effect behind {one} at {name}"));
            }
        }
        Ok(())
    }
}
