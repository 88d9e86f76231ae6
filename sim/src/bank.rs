//! An account that pays and is paid, for worlds in which money must not come or go.
//!
//! Law: it pays no more than it has, and writes down whatever it is paid, as often as it is.

use samsara_runtime::component::{Component, Ops};
use serde::{Deserialize, Serialize};

use crate::trip;

/// What an account has when it is opened.
pub const OPENED_WITH: u64 = 1_000;
/// A payment is the number of its call times this, and its amount.
const AMOUNTS: u64 = 1_000;

/// The account of a Node, in the slot [`Bank::SLOT`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bank {
    balance: u64,
    /// Payments that came in, by the numbers of their calls.
    received: Vec<u64>,
    /// Payments that went out.
    paid: Vec<u64>,
}

impl Default for Bank {
    fn default() -> Self {
        Self { balance: OPENED_WITH, received: Vec::new(), paid: Vec::new() }
    }
}

impl Bank {
    /// Where a Node has its account.
    pub const SLOT: &'static str = "bank";

    /// What it has.
    pub fn balance(&self) -> u64 {
        self.balance
    }

    /// The payments that came in.
    pub fn received(&self) -> &[u64] {
        &self.received
    }

    /// The payments that went out.
    pub fn paid(&self) -> &[u64] {
        &self.paid
    }
}

impl Component for Bank {
    const TYPE_NAME: &'static str = "samsara.sim.bank@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("pay", |bank: &mut Self, call: u64, wanted: u64| {
            let amount = wanted.min(bank.balance).min(AMOUNTS - 1);
            bank.balance -= amount;
            let payment = call.saturating_mul(AMOUNTS).saturating_add(amount);
            bank.paid.push(payment);
            payment
        });
        ops.on("take", |bank: &mut Self, payment: u64| {
            trip::step();
            bank.balance = bank.balance.saturating_add(payment % AMOUNTS);
            bank.received.push(payment);
            payment
        });
    }
}
