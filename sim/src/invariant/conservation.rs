//! Every call ends in one way.
//!
//! Law: a call that was offered is refused, or acknowledged, or was not answered because its process
//! ended; one of them, and once. No two are one execution.

use std::collections::{BTreeMap, BTreeSet};

use samsara_runtime::id::ExecId;

use super::Invariant;
use crate::{fact::Fact, sight::Sight};

#[derive(Default)]
pub(super) struct Conservation {
    open: BTreeSet<(usize, u64)>,
    /// Which call an execution is of.
    execs: BTreeMap<(usize, ExecId), u64>,
}

impl Invariant for Conservation {
    fn name(&self) -> &str {
        "every call ends in one way"
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), String> {
        if let Fact::Acked { node, call, exec } = fact
            && let Some(other) = self.execs.insert((*node, *exec), *call)
        {
            return Err(format!("calls {other} and {call} of node {node} are both {exec:?}"));
        }
        match fact {
            Fact::Forgot { node } => {
                self.execs.retain(|(own, _), _| own != node);
                Ok(())
            }
            Fact::Offered { node, call } => {
                self.open.insert((*node, *call));
                Ok(())
            }
            Fact::Refused { node, call }
            | Fact::Acked { node, call, .. }
            | Fact::Unanswered { node, call } => {
                if self.open.remove(&(*node, *call)) {
                    Ok(())
                } else {
                    Err(format!("call {call} ended once more: {fact:?}"))
                }
            }
            _ => Ok(()),
        }
    }

    fn settled(&mut self, _: &Sight<'_>) -> Result<(), String> {
        match self.open.first() {
            None => Ok(()),
            Some((node, call)) => Err(format!("call {call} of node {node} never ended")),
        }
    }
}
