//! No money comes or goes.
//!
//! Law: when a world of banks has settled, all accounts together have what they were opened with,
//! and every payment that left one was taken by another once.

use std::collections::BTreeMap;

use super::Invariant;
use crate::{
    bank::{Bank, OPENED_WITH},
    sight::Sight,
};

#[derive(Default)]
pub(crate) struct Money;

impl Invariant for Money {
    fn name(&self) -> &str {
        "no money comes or goes"
    }

    fn settled(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        let (mut sum, mut opened) = (0_u64, 0_u64);
        let mut open = BTreeMap::<u64, i64>::new();
        for bank in sight.models::<Bank>(Bank::SLOT) {
            sum = sum.saturating_add(bank.balance());
            opened = opened.saturating_add(OPENED_WITH);
            bank.paid().iter().for_each(|payment| *open.entry(*payment).or_default() += 1);
            bank.received().iter().for_each(|payment| *open.entry(*payment).or_default() -= 1);
        }
        if let Some((payment, left)) = open.iter().find(|(_, left)| **left != 0) {
            return Err(format!("payment {payment} was taken {} times", 1 - left));
        }
        if sum == opened { Ok(()) } else { Err(format!("there is {sum}, and was {opened}")) }
    }
}
