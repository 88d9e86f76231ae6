//! What a client asks, under a number of its own.
//!
//! Law: the event bears who asks and which request it is; whether it is carried out follows from
//! the Node's state and nothing else.

use super::total_size;
use crate::{framework::ClientId, id::ExecId, value::Value};

/// An invocation that its client may repeat.
#[derive(Clone, Debug, PartialEq)]
pub struct InvokeAs {
    /// Who asks.
    pub client: ClientId,
    /// Which of its requests it is, from 1.
    pub request: u64,
    /// The execution, minted at admission; none begins for a request that was heard before.
    pub exec: ExecId,
    /// The module in the plan.
    pub module: u32,
    /// The inputs in the module, and what goes there.
    pub inputs: Vec<(u32, Value)>,
}

impl InvokeAs {
    /// What it costs of the mailbox's budget.
    pub fn weight(&self) -> u64 {
        total_size(self.inputs.iter().map(|(_, value)| value))
    }
}
