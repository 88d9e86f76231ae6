//! Bootstraps: each once, one after the other, before the ops that need what they prepare.
//!
//! Law: a bootstrap that has finished never runs again; one that failed takes those with it that
//! were queued behind it and need it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use samsara_ingress::Charge;

use super::{Engine, OpAt, Walk, gate::Gate, pool::ExecIndex};
use crate::{
    codec::{Loader, Saved, Saver, Unreadable, saved},
    error::{OpError, OpErrorKind},
    event::BootstrapInputs,
    id::ExecId,
    plan::{ModulePlan, OpPlan},
    step::EngineStep,
    value::Value,
};

/// How far the bootstraps of a Node are.
#[derive(Debug, Default)]
pub(super) struct Bootstraps {
    queue: VecDeque<Queued>,
    running: Option<Running>,
    /// The modules whose bootstraps have finished.
    done: BTreeSet<u32>,
    /// The loop that starts the next one is at work.
    is_starting: bool,
}

#[derive(Debug)]
struct Queued {
    module: u32,
    inputs: Vec<(u32, Value)>,
    weight: u64,
    /// What the inputs weigh, once they have outlived their batch.
    charge: Option<Charge>,
}

#[derive(Debug)]
struct Running {
    module: u32,
    exec: ExecId,
    index: ExecIndex,
    /// It was told that it waits.
    is_waiting: bool,
}

impl Bootstraps {
    fn is_queued(&self, module: u32) -> bool {
        self.running.as_ref().is_some_and(|running| running.module == module)
            || self.queue.iter().any(|queued| queued.module == module)
    }
}

impl Engine {
    /// Whether the bootstrap of this module has finished, runs, or will.
    pub(crate) fn has_bootstrap(&self, module: u32) -> bool {
        let bootstraps = self.bootstraps.as_ref();
        bootstraps.is_some_and(|all| all.done.contains(&module) || all.is_queued(module))
    }

    /// Whether a bootstrap runs, and if so whether it can go on now.
    pub(crate) fn bootstrap_can_go_on(&self) -> Option<bool> {
        let running = self.bootstraps.as_ref()?.running.as_ref()?;
        Some(self.frontier.iter().any(|at| at.exec == running.index))
    }

    /// Ops that wait for a bootstrap to end.
    pub(crate) fn gated(&self) -> usize {
        self.gate.as_ref().map_or(0, |gate| gate.len())
    }

    /// Gives inputs that outlive their batch their share of its charge.
    pub(super) fn settle_inputs(&mut self, mut split: impl FnMut(u64) -> Option<Charge>) {
        let queue = self.bootstraps.iter_mut().flat_map(|bootstraps| &mut bootstraps.queue);
        for queued in queue.filter(|queued| queued.charge.is_none() && queued.weight > 0) {
            queued.charge = split(queued.weight);
        }
    }

    /// Takes what waits for its turn, and keeps only which bootstraps have finished.
    pub(super) fn clear_bootstraps(&mut self) -> (Option<Box<Bootstraps>>, Vec<u32>) {
        let Some(mut bootstraps) = self.bootstraps.take() else { return (None, Vec::new()) };
        let running = bootstraps.running.take().map(|running| running.module);
        let queued = bootstraps.queue.drain(..).map(|queued| queued.module);
        let dropped = running.into_iter().chain(queued).collect();
        (Some(bootstraps), dropped)
    }
}

impl Walk<'_> {
    /// Queues these bootstraps, those that have neither finished nor been queued, and starts.
    pub(crate) fn bootstrap(&mut self, asked: &[BootstrapInputs]) {
        let bootstraps = self.engine.bootstraps.get_or_insert_default();
        for BootstrapInputs { module, inputs } in asked {
            if bootstraps.done.contains(module) || bootstraps.is_queued(*module) {
                continue;
            }
            let weight = crate::event::total_size(inputs.iter().map(|(_, value)| value));
            let (module, inputs) = (*module, inputs.clone());
            bootstraps.queue.push_back(Queued { module, inputs, weight, charge: None });
        }
        self.start_bootstraps();
    }

    /// Queues the bootstrap of this module, behind those that it needs.
    pub(super) fn dispatch_bootstrap(&mut self, name: &str) {
        let plan = self.plan;
        let module = plan.module(name).and_then(|at| plan.modules.get(at as usize));
        let order = module.into_iter().flat_map(|module| &module.bootstraps);
        let asked = order.map(|at| BootstrapInputs { module: *at, inputs: Vec::new() });
        self.bootstrap(&asked.collect::<Vec<_>>());
    }

    /// Starts the next bootstrap unless one runs, and goes on until one does.
    fn start_bootstraps(&mut self) {
        let Some(bootstraps) = &mut self.engine.bootstraps else { return };
        if bootstraps.is_starting {
            return;
        }
        bootstraps.is_starting = true;
        while let Some(bootstraps) = &mut self.engine.bootstraps
            && bootstraps.running.is_none()
        {
            let Some(next) = bootstraps.queue.pop_front() else { break };
            self.start_bootstrap(next);
        }
        if let Some(bootstraps) = &mut self.engine.bootstraps {
            bootstraps.is_starting = false;
        }
        self.set_gate();
    }

    fn start_bootstrap(&mut self, next: Queued) {
        let plan = self.plan;
        let Queued { module, inputs, weight, charge } = next;
        let body = plan.modules.get(module as usize).and_then(|module| module.bootstrap.as_ref());
        let Some(body) = body.map(|bootstrap| bootstrap.body) else { return };
        let Some(body_plan) = plan.modules.get(body as usize) else { return };
        let Ok(exec) = self.services.inner_execs.mint() else { return };
        let index = self.engine.pool.begin(exec, body, body_plan);
        if charge.is_none() {
            self.engine.born.push((index, exec, weight));
        }
        if let Some(execution) = self.engine.pool.at(index) {
            execution.is_watched = true;
            (execution.weight, execution.charge) = (weight, charge);
        }
        if let Some(bootstraps) = &mut self.engine.bootstraps {
            bootstraps.running = Some(Running { module, exec, index, is_waiting: false });
        }
        self.set_gate();
        let since = self.services.timers.last();
        self.engine.gate.iter_mut().for_each(|gate| gate.mark(since));
        self.feed(body_plan, index, exec, inputs);
    }

    /// Keeps the slots of all bootstraps that run or will, and lets the others go on.
    fn set_gate(&mut self) {
        let plan = self.plan;
        let Some(bootstraps) = &self.engine.bootstraps else { return };
        let slots = |module: u32| {
            let plan = plan.modules.get(module as usize)?;
            Some(&plan.bootstrap.as_ref()?.slots)
        };
        let running = bootstraps.running.iter().map(|running| running.module);
        let asked = running.chain(bootstraps.queue.iter().map(|queued| queued.module));
        let kept: BTreeSet<u32> = asked.filter_map(slots).flatten().copied().collect();
        let index = bootstraps.running.as_ref().map(|running| running.index);
        let line_max = self.services.config.engine.max_ready_ops;
        let since = self.services.timers.last();
        let new = || Box::new(Gate::new(line_max, since));
        let gate = self.engine.gate.get_or_insert_with(new);
        let free = gate.keep(index.unwrap_or(ExecIndex::MAX), kept);
        self.let_pass(free);
        if index.is_none() {
            self.engine.gate = None;
        }
    }

    /// Fails an op that may not go on and finds no room to wait.
    #[cold]
    #[inline(never)]
    pub(super) fn refuse_gated(&mut self, module: &ModulePlan, op: &OpPlan, at: OpAt) {
        let reason = "no room for more ops that wait for a bootstrap";
        self.fail(module, op, at.exec, OpError::new(OpErrorKind::Limit, reason));
    }

    /// Notes that an execution has ended which may have been a bootstrap's.
    pub(super) fn note_bootstrap_end(&mut self, exec: ExecId, has_failed: bool) {
        let Some(bootstraps) = &mut self.engine.bootstraps else { return };
        let Some(running) = bootstraps.running.take_if(|running| running.exec == exec) else {
            return;
        };
        if has_failed {
            self.fail_bootstrap(running.module);
        } else {
            bootstraps.done.insert(running.module);
            let module = name(self.plan.modules.get(running.module as usize));
            self.steps.push(EngineStep::BootstrapComplete { module });
        }
        self.start_bootstraps();
    }

    fn fail_bootstrap(&mut self, failed: u32) {
        let plan = self.plan;
        let plan_of = |module: u32| plan.modules.get(module as usize);
        let Some(bootstraps) = &mut self.engine.bootstraps else { return };
        self.steps.push(EngineStep::BootstrapFailed { module: name(plan_of(failed)) });
        bootstraps.queue.retain(|queued| {
            let module = plan_of(queued.module);
            let needs_it = module.is_some_and(|module| module.bootstraps.contains(&failed));
            if needs_it {
                self.steps.push(EngineStep::BootstrapFailed { module: name(module) });
            }
            !needs_it
        });
    }

    /// Tells once that the bootstrap that runs has begun to wait.
    pub(crate) fn tell_waiting_bootstrap(&mut self) {
        let Some(can_go_on) = self.engine.bootstrap_can_go_on() else { return };
        let bootstraps = self.engine.bootstraps.as_mut();
        let Some(running) = bootstraps.and_then(|all| all.running.as_mut()) else { return };
        let was_waiting = std::mem::replace(&mut running.is_waiting, !can_go_on);
        if !can_go_on && !was_waiting {
            let module = name(self.plan.modules.get(running.module as usize));
            self.steps.push(EngineStep::WaitingOnBootstrap { module });
        }
    }
}

fn name(module: Option<&ModulePlan>) -> Arc<str> {
    module.map(|module| Arc::clone(&module.name)).unwrap_or_default()
}

saved! {
    Bootstraps { queue, running, done, is_starting }
    Running { module, exec, index, is_waiting }
}

impl Saved for Queued {
    fn save(&self, out: &mut Saver) {
        self.module.save(out);
        self.inputs.save(out);
        self.weight.save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let (module, inputs, weight) = Saved::load(from)?;
        Ok(Self { module, inputs, weight, charge: None })
    }
}

impl Engine {
    /// Charges inputs that wait again, as they were before they were written down.
    pub(super) fn charge_inputs(&mut self, charge: impl FnMut(u64) -> Option<Charge>) {
        self.settle_inputs(charge);
    }
}
