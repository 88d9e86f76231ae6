//! What a host may look at.
//!
//! Law: looking changes nothing, and needs no batch.

use std::sync::Arc;

use super::Node;
use crate::{
    component::Component,
    id::{CommandId, ExecId},
};

/// How far an execution is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionState {
    /// Its module; a bootstrap bears the name of the module that it is for.
    pub module: Arc<str>,
    /// Ops that are ready or parked, and deadlines that are open.
    pub live: u32,
    /// Those that are parked, in the order of their commands.
    pub parked: Vec<ParkedOp>,
    /// An op of it has failed.
    pub has_failed: bool,
}

/// An op that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedOp {
    /// The op.
    pub op: Arc<str>,
    /// What it waits under.
    pub command: CommandId,
}

impl Node {
    /// How far an execution is; nothing if it has not begun or has ended. It looks through all
    /// executions, so it is for people and not for turns.
    pub fn execution_state(&self, exec: ExecId) -> Option<ExecutionState> {
        let look = self.engine.as_ref()?.look(self.program.plan(), exec)?;
        let parked = look.parked.into_iter().map(|(op, command)| ParkedOp { op, command });
        Some(ExecutionState {
            module: look.module,
            live: look.live,
            parked: parked.collect(),
            has_failed: look.has_failed,
        })
    }

    /// The executions that have begun and not ended, in no particular order.
    pub fn executions(&self) -> impl Iterator<Item = ExecId> {
        self.engine.iter().flat_map(|engine| engine.alive())
    }

    /// The component in this slot, if it is a `C`: a model, to look at what it has learned.
    pub fn model<C: Component>(&self, slot: &str) -> Option<&C> {
        self.slot(slot)
    }
}
