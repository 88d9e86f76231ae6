//! Looking at executions, for a host.
//!
//! Law: it changes nothing, and no turn does it.

use std::sync::Arc;

use super::Engine;
use crate::{
    id::{CommandId, ExecId},
    plan::Plan,
};

/// One execution, and the ops of it that are parked.
pub(crate) struct Look {
    pub(crate) module: Arc<str>,
    pub(crate) live: u32,
    pub(crate) parked: Vec<(Arc<str>, CommandId)>,
    pub(crate) has_failed: bool,
}

impl Engine {
    /// The executions that have begun and not ended.
    pub(crate) fn alive(&self) -> impl Iterator<Item = ExecId> {
        self.pool.alive().map(|(_, execution)| execution.id)
    }

    /// How far this execution is, if it has begun and not ended.
    pub(crate) fn look(&self, plan: &Plan, exec: ExecId) -> Option<Look> {
        let (index, execution) = self.pool.alive().find(|(_, execution)| execution.id == exec)?;
        let module = plan.modules.get(execution.module as usize)?;
        let own = self.parked.iter().filter(|(_, parked)| parked.at.exec == index);
        let parked = own.filter_map(|(command, parked)| {
            Some((Arc::clone(&module.ops.get(parked.at.op as usize)?.name), *command))
        });
        Some(Look {
            module: Arc::clone(&module.name),
            live: execution.live,
            parked: parked.collect(),
            has_failed: execution.has_failed,
        })
    }
}
