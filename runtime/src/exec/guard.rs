//! Walking with a guard: over executions that may bring the Node down, and past those that did.
//!
//! Law: nothing of an execution that was given up is called. It ends where it lives, its permits go
//! on, and its end is told once.

use std::{collections::BTreeSet, fmt};

use super::{OpAt, Walk, held::CALLBACK, parking::Parked, pool::ExecIndex};
use crate::{
    framework::Waiter,
    id::{CommandId, ExecId},
    plan::Plan,
    step::EngineStep,
};

/// An execution that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aborted {
    /// The execution.
    pub exec: ExecId,
    /// The place in the batch of the event that would have begun it; nothing if it lived before, or
    /// no event has begun it.
    pub event: Option<usize>,
}

/// How a batch is applied that has brought its Node down before.
pub struct Guarded<'g> {
    /// Executions that were given up at this batch.
    pub aborted: &'g BTreeSet<ExecId>,
    /// Told of each execution before code of a component runs in it.
    pub about_to_run: &'g mut dyn FnMut(ExecId),
}

impl fmt::Debug for Guarded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("aborted", &self.aborted).finish_non_exhaustive()
    }
}

/// What is watched, and what is past.
pub(crate) struct Guard<'g> {
    guarded: Guarded<'g>,
    /// The place of the event at work.
    pub(crate) event: Option<usize>,
    ended: Vec<Aborted>,
}

impl<'g> Guard<'g> {
    #[cold]
    pub(crate) fn of(guarded: Guarded<'g>) -> Box<Self> {
        Box::new(Self { guarded, event: None, ended: Vec::new() })
    }

    pub(crate) fn into_aborted(self) -> Vec<Aborted> {
        self.ended
    }

    /// Whether this execution was met and ended.
    pub(super) fn has_ended(&self, exec: ExecId) -> bool {
        self.ended.iter().any(|ended| ended.exec == exec)
    }
}

impl Walk<'_> {
    /// Whether this execution was given up, noted as ended if so.
    #[inline]
    pub(super) fn is_given_up(&mut self, exec: ExecId) -> bool {
        let Some(guard) = &mut self.guard else { return false };
        if !guard.guarded.aborted.contains(&exec) {
            return false;
        }
        guard.ended.push(Aborted { exec, event: guard.event });
        self.steps.push(EngineStep::Aborted { exec });
        true
    }

    /// Whether a component may be called in this execution.
    pub(super) fn may_call(&mut self, exec: ExecId) -> bool {
        if self.is_given_up(exec) {
            return false;
        }
        if let Some(guard) = &mut self.guard {
            (guard.guarded.about_to_run)(exec);
        }
        true
    }

    /// As [`run`](Self::run), with an eye on each op.
    #[cold]
    #[inline(never)]
    pub(super) fn run_guarded(&mut self, budget: u32) -> u32 {
        let mut fired = 0;
        self.do_deferred();
        while fired < budget {
            let Some(at) = self.engine.frontier.pop_front() else { break };
            fired += 1;
            if at == CALLBACK {
                self.call_held();
                self.do_deferred();
                continue;
            }
            let Some(exec) = self.engine.pool.at(at.exec).map(|execution| execution.id) else {
                continue;
            };
            if self.may_call(exec) {
                self.fire(at);
            } else {
                self.give_up(at.exec);
            }
            self.do_deferred();
        }
        self.engine.counters.ops_fired += u64::from(fired);
        fired
    }

    /// Ends an execution with all that is ready or waits in it.
    fn give_up(&mut self, index: ExecIndex) {
        let plan = self.plan;
        self.engine.frontier.retain(|at| at.exec != index);
        self.engine.gate.iter_mut().for_each(|gate| gate.forget(index));
        let own = self.engine.parked.iter().filter(|(_, parked)| parked.at.exec == index);
        let parked: Vec<(CommandId, Parked)> = own.map(|(at, parked)| (*at, *parked)).collect();
        for (command, parked) in parked {
            self.engine.parked.remove(&command);
            self.give_up_wait(plan, command, parked);
        }
        self.services.parked = self.engine.parked_ops();
        let Some(execution) = self.engine.pool.at(index) else { return };
        for (_, timer) in execution.deadlines.drain(..) {
            self.services.timers.cancel(timer);
        }
        execution.has_failed = true;
        execution.live = 0;
        let Some(module) = plan.modules.get(execution.module as usize) else { return };
        self.end(module, index);
    }

    fn give_up_wait(&mut self, plan: &Plan, command: CommandId, parked: Parked) {
        self.services.expiries.clear(command);
        parked.timer.map(|timer| self.services.timers.cancel(timer));
        let OpAt { exec, op } = parked.at;
        let Some(execution) = self.engine.pool.at(exec) else { return };
        let module = plan.modules.get(execution.module as usize);
        let Some(op) = module.and_then(|module| module.ops.get(op as usize)) else { return };
        let waiter = Waiter { exec: execution.id, command };
        self.leave_lines(&op.call, waiter);
    }
}
