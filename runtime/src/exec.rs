//! The walk: pop a ready op, call it, scatter its outputs.
//!
//! Law: in one execution an op fires once, when its activation becomes true, in the order of
//! becoming ready. A warm walk allocates nothing and looks nothing up by name.

mod alarms;
mod pool;
mod scatter;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use self::{
    pool::{ExecIndex, Pool},
    scatter::Scatter,
};
use crate::{
    completion::Reply,
    component::AnyComponent,
    context::Cx,
    error::{OpError, OpErrorKind},
    id::{CommandId, ExecId},
    plan::{Call, ModulePlan, OpPlan, Plan},
    services::{Answer, Services},
    step::EngineStep,
    syscall::{Fired, Request, Site},
    value::Value,
};

/// An op that is ready, or parked, in its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpAt {
    exec: ExecIndex,
    op: u32,
}

/// Everything that is under way in a Node.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    pool: Pool,
    frontier: VecDeque<OpAt>,
    parked: BTreeMap<CommandId, OpAt>,
    /// Outputs of the op that was called last; kept for its capacity.
    outputs: Vec<Value>,
    /// Executions that began in this batch, with what their event weighed.
    born: Vec<(ExecIndex, ExecId, u64)>,
}

impl Engine {
    pub(crate) fn ready(&self) -> usize {
        self.frontier.len()
    }

    pub(crate) fn parked(&self) -> usize {
        self.parked.len()
    }

    pub(crate) fn executions(&self) -> usize {
        self.pool.live()
    }

    /// Executions of this batch that outlive it, for their share of its charge.
    pub(crate) fn settle_births(
        &mut self,
        mut split: impl FnMut(u64) -> Option<samsara_ingress::Charge>,
    ) {
        for (index, id, weight) in self.born.drain(..) {
            if let Some(execution) = self.pool.at(index)
                && execution.id == id
                && execution.live > 0
            {
                execution.charge = split(weight);
            }
        }
    }
}

/// The engine together with all that a walk may change.
pub(crate) struct Walk<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) engine: &'a mut Engine,
    pub(crate) components: &'a mut [Option<Box<dyn AnyComponent>>],
    pub(crate) services: &'a mut Services,
    pub(crate) steps: &'a mut Vec<EngineStep>,
}

impl Walk<'_> {
    /// Begins an execution and feeds its inputs.
    pub(crate) fn begin<'v>(
        &mut self,
        exec: ExecId,
        module_index: u32,
        weight: u64,
        inputs: impl IntoIterator<Item = (u32, &'v Value)>,
    ) {
        let plan = self.plan;
        let Some(module) = plan.modules.get(module_index as usize) else { return };
        let index = self.engine.pool.begin(exec, module_index, module);
        self.engine.born.push((index, exec, weight));
        self.open_deadlines(module, index, exec);
        let Some(mut scatter) = self.scatter(module, index) else { return };
        for &op in &module.roots {
            scatter.make_ready(op);
        }
        for (input, value) in inputs {
            if let Some(port) = module.inputs.get(input as usize) {
                scatter.value(port.targets, value.clone());
            }
        }
        if scatter.execution.live == 0 {
            self.end(module, index);
        }
    }

    /// Fires ready ops, at most `budget`, and tells how many it fired.
    pub(crate) fn run(&mut self, budget: u32) -> u32 {
        let mut fired = 0;
        self.answer_all();
        while fired < budget {
            let Some(at) = self.engine.frontier.pop_front() else { break };
            fired += 1;
            self.fire(at);
            self.answer_all();
        }
        fired
    }

    fn answer_all(&mut self) {
        while let Some((command, answer)) = self.services.answered.pop_front() {
            self.answer(command, answer);
        }
    }

    fn fire(&mut self, at: OpAt) {
        let plan = self.plan;
        let Some(execution) = self.engine.pool.at(at.exec) else { return };
        let Some(module) = plan.modules.get(execution.module as usize) else { return };
        let Some(op) = module.ops.get(at.op as usize) else { return };
        let exec = execution.id;
        let arguments = execution.operands.get_mut(op.operands.range()).unwrap_or_default();
        let outputs = &mut self.engine.outputs;
        let reply = match &op.call {
            Call::Component { slot, handler, attributes } => {
                match self.components.get_mut(*slot as usize) {
                    Some(Some(component)) => {
                        let mut cx = Cx { exec, attributes, services: self.services };
                        handler.call(&mut **component, &mut cx, arguments, outputs)
                    }
                    _ => Err(OpError::failed("its slot is empty")),
                }
            }
            Call::Constant(value) => {
                outputs.push(value.clone());
                Ok(Reply::Now)
            }
            Call::Request(request) => {
                execution.has_permits |= matches!(request, Request::Acquire { .. });
                let (services, output_count) = (&mut *self.services, op.outputs.len());
                let steps = &mut *self.steps;
                let mut site = Site { exec, services, steps, arguments, outputs, output_count };
                match request.fire(&mut site) {
                    Ok(Fired::All) => Ok(Reply::Now),
                    Ok(Fired::Waits(command)) => Ok(Reply::Later(command)),
                    Ok(Fired::Only(output)) => return self.complete_one(module, op, at, output),
                    Err(error) => Err(error),
                }
            }
        };
        match reply {
            Ok(Reply::Now) => self.complete(module, op, at.exec),
            Ok(Reply::Later(command)) => self.park(op, at, command),
            Err(error) => self.fail(module, op, at.exec, error),
        }
    }

    fn park(&mut self, op: &OpPlan, at: OpAt, command: CommandId) {
        self.engine.outputs.clear();
        self.engine.parked.insert(command, at);
        self.services.parked = self.engine.parked.len();
        if let Some(execution) = self.engine.pool.at(at.exec) {
            let (exec, op) = (execution.id, Arc::clone(&op.name));
            self.steps.push(EngineStep::AsyncSuspended { exec, op, command });
        }
    }

    /// Ends a parked op with its outputs or its error; who comes late is only noted.
    pub(crate) fn answer(&mut self, command: CommandId, answer: Answer) {
        let Some(at) = self.engine.parked.remove(&command) else {
            self.steps.push(EngineStep::CompletionIgnored { command });
            return;
        };
        self.services.parked = self.engine.parked.len();
        let plan = self.plan;
        let Some(execution) = self.engine.pool.at(at.exec) else { return };
        let Some(module) = plan.modules.get(execution.module as usize) else { return };
        let Some(op) = module.ops.get(at.op as usize) else { return };
        match answer {
            Answer::Outputs(outputs) => self.engine.outputs.extend(outputs),
            Answer::ItsInput => {
                let mut operands = execution.operands.iter_mut().skip(op.operands.range().start);
                self.engine.outputs.extend(operands.next().and_then(Option::take));
            }
            Answer::Failed(error) => return self.fail(module, op, at.exec, error),
        }
        self.complete(module, op, at.exec);
    }

    /// Scatters the outputs that were just given.
    #[inline]
    fn complete(&mut self, module: &ModulePlan, op: &OpPlan, exec: ExecIndex) {
        let groups = module.scatter.get(op.outputs.range()).unwrap_or_default();
        let given = self.engine.outputs.len();
        if given != groups.len() {
            let reason = format!("gave {given} outputs, declares {}", groups.len());
            return self.fail(module, op, exec, OpError::new(OpErrorKind::BadOutput, reason));
        }
        let Engine { pool, frontier, outputs, .. } = &mut *self.engine;
        let Some(execution) = pool.at(exec) else { return };
        let mut scatter = Scatter { module, exec, execution, frontier, steps: self.steps };
        if let [targets] = groups {
            // The common case, and the fastest: nothing is moved but the value.
            if let Some(value) = outputs.pop() {
                scatter.value(*targets, value);
            }
        } else {
            for (targets, value) in groups.iter().zip(outputs.drain(..)) {
                scatter.value(*targets, value);
            }
        }
        scatter.execution.live -= 1;
        if scatter.execution.live == 0 {
            self.end(module, exec);
        }
    }

    #[cold]
    fn fail(&mut self, module: &ModulePlan, op: &OpPlan, index: ExecIndex, error: OpError) {
        self.engine.outputs.clear();
        let Some(execution) = self.engine.pool.at(index) else { return };
        execution.has_failed = true;
        execution.live -= 1;
        let is_done = execution.live == 0;
        let (exec, op) = (execution.id, Arc::clone(&op.name));
        self.steps.push(EngineStep::OpFailed { exec, op, error });
        if is_done {
            self.end(module, index);
        }
    }

    fn scatter<'s>(&'s mut self, module: &'s ModulePlan, exec: ExecIndex) -> Option<Scatter<'s>> {
        let Engine { pool, frontier, .. } = &mut *self.engine;
        let execution = pool.at(exec)?;
        Some(Scatter { module, exec, execution, frontier, steps: self.steps })
    }

    /// Ends an execution that has nothing ready and nothing parked.
    fn end(&mut self, module: &ModulePlan, index: ExecIndex) {
        let Some(execution) = self.engine.pool.at(index) else { return };
        if execution.half_fed > 0 && !execution.has_failed {
            let fed = |(at, missing): (usize, &u16)| {
                let awaited = *module.missing.get(at)?;
                let is_half_fed = *missing > 0 && *missing < awaited;
                is_half_fed.then(|| module.ops.get(at).map(|op| Arc::clone(&op.name)))?
            };
            let ops = execution.missing.iter().enumerate().filter_map(fed).collect();
            self.steps.push(EngineStep::Starved { exec: execution.id, ops });
        }
        if execution.has_permits {
            for next in self.services.gates.release_all(execution.id) {
                self.services.answered.push_back((next.command, Answer::ItsInput));
            }
        }
        self.engine.pool.end(index);
    }
}
