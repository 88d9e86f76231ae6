//! What gathers do to a walk: parts of executions that end at them, and rounds that run out.
//!
//! Law: what a round comes to by its deadline goes on in an execution of its own, as none of those
//! that brought its values is there any more.

use std::sync::Arc;

use super::{Walk, pool::ExecIndex};
use crate::{framework::GatherOutcome, plan::ModulePlan, step::EngineStep, syscall, value::Value};

impl Walk<'_> {
    /// Ends an op that gives nothing, and with it all that only waits for it.
    #[cold]
    pub(super) fn end_part(&mut self, module: &ModulePlan, index: ExecIndex) {
        self.engine.outputs.clear();
        let Some(execution) = self.engine.pool.at(index) else { return };
        execution.has_failed = true;
        execution.live -= 1;
        if execution.live == 0 {
            self.end(module, index);
        }
    }

    /// Ends the round whose time is up.
    #[cold]
    pub(super) fn end_round(&mut self) {
        let Some(round) = self.services.pop_round() else { return };
        let at = round.channel;
        let module = self.plan.modules.get(at.module as usize);
        let Some(op) = module.and_then(|module| module.ops.get(at.op as usize)) else { return };
        if round.outcome == GatherOutcome::TimedOut {
            let first = round.values.first().map(|(_, sent)| sent.round.clone());
            let op = Arc::clone(&op.name);
            let senders = round.values.iter().map(|(sender, _)| *sender).collect();
            let round = first.unwrap_or(Value::Unit);
            self.steps.push(EngineStep::GatherTimedOut { op, round, senders });
            return;
        }
        // Each value was seen to fit into a list when it came.
        if let Ok(list) = syscall::gathered(round) {
            self.begin_from(at.module, at.op, list, false);
        }
    }
}
