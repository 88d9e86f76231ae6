//! What time does to a walk: waits that end, deadlines that pass, intervals that tick.
//!
//! Law: of a deadline op exactly one output fires, and its timer ends with it.

use std::sync::Arc;

use super::{Engine, OpAt, Walk, pool::ExecIndex, scatter::Scatter};
use crate::{
    error::{OpError, OpErrorKind},
    id::{CommandId, ExecId},
    plan::{Call, ModulePlan, OpPlan},
    services::{Alarm, Answer},
    syscall::{DEADLINE_ARM, Request},
    time::Nanos,
    value::Value,
};

impl Walk<'_> {
    pub(super) fn open_deadlines(&mut self, module: &ModulePlan, index: ExecIndex, exec: ExecId) {
        for &(op, within) in &module.deadlines {
            let alarm = Alarm::Deadline { exec, index, op };
            let due = self.services.now + within;
            let Some(execution) = self.engine.pool.at(index) else { return };
            match self.services.timers.schedule(due, alarm) {
                Ok(timer) => {
                    execution.deadlines.push((op, timer));
                    execution.live += 1;
                }
                Err(full) => {
                    execution.has_failed = true;
                    let op = module.ops.get(op as usize).map(|op| Arc::clone(&op.name));
                    let error = OpError::new(OpErrorKind::Limit, full.to_string());
                    self.tell_failure(exec, op.unwrap_or_default(), error);
                }
            }
        }
    }

    /// Does what is due, at most `budget` of it, and tells how much that was.
    pub(crate) fn ring(&mut self, budget: u32) -> u32 {
        let mut rung = 0;
        while rung < budget {
            if let Some((at, command)) = self.expired() {
                rung += 1;
                self.time_out(command, at);
                self.do_deferred();
                continue;
            }
            let Some(due) = self.services.timers.pop_due(self.services.now) else { break };
            rung += 1;
            match due.payload {
                // What rings before the op's own deadline is in time, however late the turn.
                Alarm::Resume(command) => self.go_on(command, Answer::ItsInput),
                Alarm::Gather => self.end_round(),
                Alarm::Deadline { exec, index, op } => self.pass_deadline(exec, index, op),
                Alarm::Component { slot, kind } => self.ring_component(slot, kind, due.id),
                Alarm::Tick { module, op } => {
                    self.begin_from(module, op, Value::U64(due.ticks), false);
                }
            }
            self.do_deferred();
        }
        rung + self.expire_requests(budget - rung)
    }

    /// The parked op whose time was up before anything else that is due, or at the same instant.
    fn expired(&self) -> Option<(Nanos, CommandId)> {
        let (at, command) = self.services.expiries.first()?;
        let is_next = self.services.timers.next_deadline().is_none_or(|due| at <= due);
        (is_next && at <= self.services.now).then_some((at, command))
    }

    fn pass_deadline(&mut self, exec: ExecId, index: ExecIndex, op_index: u32) {
        let plan = self.plan;
        let Some(execution) = self.engine.pool.at(index) else { return };
        let Some(module) = plan.modules.get(execution.module as usize) else { return };
        let Some(op) = module.ops.get(op_index as usize) else { return };
        if execution.id != exec {
            return;
        }
        let Some(missing) = execution.missing.get_mut(op_index as usize) else { return };
        if *missing == 0 {
            // Its value came first: it is ready, and closes its deadline when it fires.
            return;
        }
        *missing = 0;
        execution.deadlines.retain(|(op, _)| *op != op_index);
        self.engine.outputs.push(Value::Unit);
        match &op.call {
            Call::Request(Request::DeadlineMatch { .. }) => {
                self.engine.outputs.push(DEADLINE_ARM.into());
                self.complete(module, op, index);
            }
            _ => self.complete_one(module, op, OpAt { exec: index, op: op_index }, 1),
        }
    }

    /// Begins the executions of a module's sources.
    pub(crate) fn start(&mut self, module_index: u32) {
        let plan = self.plan;
        let Some(module) = plan.modules.get(module_index as usize) else { return };
        for &op in &module.sources {
            match module.ops.get(op as usize).map(|op| &op.call) {
                Some(Call::Request(Request::Interval(period))) => {
                    let alarm = Alarm::Tick { module: module_index, op };
                    let first = self.services.now + *period;
                    let timer = self.services.timers.schedule_every(first, *period, alarm);
                    if let Err(error) = timer {
                        let Ok(exec) = self.services.inner_execs.mint() else { return };
                        let error = OpError::new(OpErrorKind::Limit, error.to_string());
                        let op = module.ops.get(op as usize).map(|op| Arc::clone(&op.name));
                        self.tell_failure(exec, op.unwrap_or_default(), error);
                    }
                }
                _ => self.begin_from(module_index, op, Value::Unit, false),
            }
        }
    }

    /// Begins an execution in which this op has just given this value.
    pub(super) fn begin_from(&mut self, module_index: u32, op: u32, value: Value, is_echo: bool) {
        let plan = self.plan;
        let Some(module) = plan.modules.get(module_index as usize) else { return };
        let Some(op) = module.ops.get(op as usize) else { return };
        let Ok(exec) = self.services.inner_execs.mint() else { return };
        let index = self.engine.pool.begin(exec, module_index, module);
        if let (true, Some(bus)) = (is_echo, &mut self.services.bus) {
            bus.note_echo(exec);
            self.engine.pool.at(index).into_iter().for_each(|echo| echo.is_watched = true);
        }
        self.open_deadlines(module, index, exec);
        let Some(mut scatter) = self.scatter(module, index) else { return };
        for &root in &module.roots {
            scatter.make_ready(root);
        }
        // The op itself counts as live until its output is given.
        scatter.execution.live += 1;
        self.engine.outputs.push(value);
        self.complete(module, op, index);
    }

    /// Ends the timer of an op whose value came in time.
    pub(super) fn close_deadline(&mut self, at: OpAt) {
        let Some(execution) = self.engine.pool.at(at.exec) else { return };
        if let Some(place) = execution.deadlines.iter().position(|(op, _)| *op == at.op) {
            let (_, timer) = execution.deadlines.swap_remove(place);
            self.services.timers.cancel(timer);
            execution.live -= 1;
        }
    }

    /// Gives the one value there is by this output alone, and closes the op's deadline.
    pub(super) fn complete_one(
        &mut self,
        module: &ModulePlan,
        op: &OpPlan,
        at: OpAt,
        output: usize,
    ) {
        let groups = module.scatter.get(op.outputs.range()).unwrap_or_default();
        self.close_deadline(at);
        let Engine { pool, frontier, outputs, .. } = &mut *self.engine;
        let Some(execution) = pool.at(at.exec) else { return };
        let exec = at.exec;
        let mut scatter = Scatter { module, exec, execution, frontier, steps: self.steps };
        if let (Some(targets), Some(value)) = (groups.get(output), outputs.pop()) {
            scatter.value(*targets, value);
        }
        scatter.execution.live -= 1;
        if scatter.execution.live == 0 {
            self.end(module, exec);
        }
    }
}
