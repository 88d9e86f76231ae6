//! The walk: pop a ready op, call it, scatter its outputs.
//!
//! Law: in one execution an op fires once, when its activation becomes true, in the order of
//! becoming ready. A warm walk allocates nothing and looks nothing up by name.

mod alarms;
mod asking;
mod bootstrap;
mod callbacks;
mod clear;
mod deferred;
mod gate;
mod gathers;
mod guard;
mod hearing;
mod held;
mod inbound;
mod kept;
mod lives;
mod look;
mod parking;
mod peers;
mod pool;
mod scatter;
mod session;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use self::{
    bootstrap::Bootstraps,
    gate::{Gate, Passage},
    held::Held,
    parking::Parked,
    pool::{ExecIndex, Pool},
    scatter::Scatter,
};
pub use self::{
    clear::Counters,
    guard::{Aborted, Guarded},
};
pub(crate) use self::{
    guard::Guard,
    kept::{Around, EXECUTIONS, Load},
};
use crate::{
    completion::Reply,
    component::Slotted,
    context::{Cx, InboundCtx, Siblings},
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
    parked: BTreeMap<CommandId, Parked>,
    /// Answers that nobody waited for.
    pub(crate) ignored_completions: u64,
    /// Outputs of the op that was called last; kept for its capacity.
    outputs: Vec<Value>,
    /// Inputs of the envelope that was taken in last; likewise.
    inputs: Vec<(u32, Value)>,
    /// Executions that began in this batch, with what their event weighed.
    born: Vec<(ExecIndex, ExecId, u64)>,
    /// Made when the first bootstrap is asked for.
    bootstraps: Option<Box<Bootstraps>>,
    /// There while a bootstrap runs.
    gate: Option<Box<Gate>>,
    /// Callbacks that have waited at it, one for each that is in the frontier.
    held: VecDeque<Held>,
    counters: Counters,
}

impl Engine {
    pub(crate) fn ready(&self) -> usize {
        self.frontier.len()
    }

    /// As [`parked`](Self::parked): no more park than a `u32` counts.
    pub(crate) fn parked_ops(&self) -> u32 {
        u32::try_from(self.parked.len()).unwrap_or(u32::MAX)
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
                (execution.weight, execution.charge) = (weight, split(weight));
            }
        }
        self.settle_inputs(split);
    }
}

/// The engine together with all that a walk may change.
pub(crate) struct Walk<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) engine: &'a mut Engine,
    pub(crate) components: &'a mut [Option<Slotted>],
    pub(crate) services: &'a mut Services,
    pub(crate) steps: &'a mut Vec<EngineStep>,
    /// Only where a batch has brought the Node down before.
    pub(crate) guard: Option<Box<Guard<'a>>>,
}

impl Walk<'_> {
    /// Begins an execution and feeds its inputs.
    pub(crate) fn begin(
        &mut self,
        exec: ExecId,
        module_index: u32,
        weight: u64,
        inputs: impl IntoIterator<Item = (u32, Value)>,
    ) {
        self.begin_behind(exec, module_index, weight, None, inputs);
    }

    /// The same behind an envelope.
    fn begin_behind(
        &mut self,
        exec: ExecId,
        module_index: u32,
        weight: u64,
        inbound: Option<InboundCtx>,
        inputs: impl IntoIterator<Item = (u32, Value)>,
    ) {
        let plan = self.plan;
        let Some(module) = plan.modules.get(module_index as usize) else { return };
        if self.is_given_up(exec) {
            return;
        }
        let index = self.engine.pool.begin(exec, module_index, module);
        if let (Some(execution), true) = (self.engine.pool.at(index), inbound.is_some()) {
            execution.inbound = inbound;
        }
        self.engine.born.push((index, exec, weight));
        self.feed(module, index, exec, inputs);
    }

    /// Feeds an execution that was just begun.
    fn feed(
        &mut self,
        module: &ModulePlan,
        index: ExecIndex,
        exec: ExecId,
        inputs: impl IntoIterator<Item = (u32, Value)>,
    ) {
        self.open_deadlines(module, index, exec);
        let Some(mut scatter) = self.scatter(module, index) else { return };
        for &op in &module.roots {
            scatter.make_ready(op);
        }
        for (input, value) in inputs {
            if let Some(port) = module.inputs.get(input as usize) {
                scatter.value(port.targets, value);
            }
        }
        if scatter.execution.live == 0 {
            self.end(module, index);
        }
    }

    /// Fires ready ops, at most `budget`, and tells how many it fired.
    pub(crate) fn run(&mut self, budget: u32) -> u32 {
        if self.guard.is_some() {
            return self.run_guarded(budget);
        }
        let mut fired = 0;
        self.do_deferred();
        while fired < budget {
            let Some(at) = self.engine.frontier.pop_front() else { break };
            fired += 1;
            self.fire(at);
            if !self.services.deferred.is_empty() {
                self.do_deferred();
            }
        }
        self.engine.counters.ops_fired += u64::from(fired);
        fired
    }

    /// The way that nearly every op goes: nothing is looked up twice, and all else is elsewhere.
    #[inline]
    fn fire(&mut self, at: OpAt) {
        let plan = self.plan;
        let Engine { pool, frontier, outputs, gate, .. } = &mut *self.engine;
        let Some(execution) = pool.at(at.exec) else { return self.call_held() };
        let Some(module) = plan.modules.get(execution.module as usize) else { return };
        let Some(op) = module.ops.get(at.op as usize) else { return };
        let exec = execution.id;
        let Call::Component { slot, handler, site } = &op.call else {
            return self.fire_own(module, op, at);
        };
        if let Some(gate) = gate {
            match gate.pass(at, *slot) {
                Passage::Free => {}
                Passage::Waits => return,
                Passage::Full => return self.refuse_gated(module, op, at),
            }
        }
        let split = Siblings::split(self.components, *slot as usize);
        let Some((component, siblings)) = split else {
            return self.fail(module, op, at.exec, OpError::failed("its slot is empty"));
        };
        let arguments = execution.operands.get_mut(op.operands.range()).unwrap_or_default();
        let inbound = execution.inbound.as_ref();
        let (op_name, services) = (&op.name, &mut *self.services);
        let mut cx = Cx { exec, op: op_name, site, inbound, siblings, services };
        match handler.call(component, &mut cx, arguments, outputs) {
            Ok(Reply::Now) => {}
            Ok(Reply::Later(command)) => return self.park(module, op, at, (command, None)),
            Err(error) => return self.fail(module, op, at.exec, error),
        }
        let groups = module.scatter.get(op.outputs.range()).unwrap_or_default();
        let ([targets], [_]) = (groups, &outputs[..]) else {
            return self.complete(module, op, at.exec);
        };
        let mut scatter = Scatter { module, exec: at.exec, execution, frontier, steps: self.steps };
        if let Some(value) = outputs.pop() {
            scatter.value_of_op(*targets, value);
        }
        scatter.execution.live -= 1;
        if scatter.execution.live == 0 {
            self.end(module, at.exec);
        }
    }

    /// Fires an op that is the engine's own.
    #[inline(never)]
    fn fire_own(&mut self, module: &ModulePlan, op: &OpPlan, at: OpAt) {
        let Engine { pool, outputs, .. } = &mut *self.engine;
        let Some(execution) = pool.at(at.exec) else { return };
        let request = match &op.call {
            Call::Request(request) => request,
            Call::Constant(value) => {
                outputs.push(value.clone());
                return self.complete(module, op, at.exec);
            }
            Call::Session(session) => {
                let fuel = self.services.config.engine.run_fuel;
                let inputs = execution.operands.get_mut(op.operands.range()).unwrap_or_default();
                return match session::run(&**session, inputs, outputs, fuel) {
                    Ok(()) => self.complete(module, op, at.exec),
                    Err(error) => self.fail(module, op, at.exec, error),
                };
            }
            Call::Component { .. } => return,
        };
        execution.has_permits |= matches!(request, Request::Acquire { .. });
        let (exec, output_count) = (execution.id, op.outputs.len());
        let (module_index, op_name) = (execution.module, &op.name);
        let arguments = execution.operands.get_mut(op.operands.range()).unwrap_or_default();
        let (services, steps) = (&mut *self.services, &mut *self.steps);
        let inbound = execution.inbound.as_ref();
        let mut site = Site {
            exec,
            module: module_index,
            op: at.op,
            op_name,
            inbound,
            services,
            steps,
            arguments,
            outputs,
            output_count,
        };
        match request.fire(&mut site) {
            Ok(Fired::All) => self.complete(module, op, at.exec),
            Ok(Fired::InTime) => {
                self.close_deadline(at);
                self.complete(module, op, at.exec);
            }
            Ok(Fired::Waits(command)) => self.park(module, op, at, (command, None)),
            Ok(Fired::Sleeps(command, timer)) => self.park(module, op, at, (command, Some(timer))),
            Ok(Fired::Bootstrap) => {
                self.complete(module, op, at.exec);
                if let Request::Dispatch(module) = request {
                    self.dispatch_bootstrap(module);
                }
            }
            Ok(Fired::Only(output)) => self.complete_one(module, op, at, output),
            Ok(Fired::Nothing) => self.end_part(module, at.exec),
            Err(error) => self.fail(module, op, at.exec, error),
        }
    }

    /// Scatters the outputs that were just given.
    #[inline(never)]
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
        for (targets, value) in groups.iter().zip(outputs.drain(..)) {
            scatter.value(*targets, value);
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
        self.tell_failure(exec, op, error);
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
    #[inline(never)]
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
            for next in self.services.stores().gates.release_all(execution.id) {
                self.services.answer_later(next.command, Answer::ItsInput);
            }
        }
        if let Some(stores) = self.services.kept_mut() {
            stores.latches.end(execution.id);
        }
        let watched = execution.is_watched.then_some((execution.id, execution.has_failed));
        self.engine.pool.end(index);
        if let Some((exec, has_failed)) = watched {
            self.note_end(exec, has_failed);
        }
    }
}
