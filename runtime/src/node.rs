//! The Node: one program, its components and its mailbox, moved by batches alone.
//!
//! Law: [`Node::apply`] is the only way a Node changes, and everything that can influence it is in
//! the batch.

mod batch;
mod cycle;
mod door;
mod install;
mod jobs;
mod peers;
mod screen;
mod slots;

use std::{fmt, sync::Arc};

use samsara_ingress::{Charge, TurnLimits};
use samsara_proto::PeerId;

pub use self::batch::{Batch, Wakeup};
pub use self::door::{PeerDoor, WireDoor};
pub use self::install::{InstallError, install};
pub use self::peers::PeerChangeError;
pub use self::screen::Screened;

use crate::{
    component::AnyComponent,
    config::NodeConfig,
    error::DeliveryError,
    event::{IngressEvent, InputIndex, NodeIngress, NodeIngressHandle, NodeIngressReader},
    exec::Engine,
    id::{ExecId, IdCounter, Incarnation},
    plan::Plan,
    services::Services,
    step::{EngineStep, Steps},
    time::{LogicalClock, Nanos},
    value::{IntoValue, Value},
};

/// A program at work, see the [module](self) page.
pub struct Node {
    plan: Arc<Plan>,
    /// The modules that were asked for; the others are only called.
    targets: Box<[u32]>,
    components: Box<[Option<Box<dyn AnyComponent>>]>,
    queue: NodeIngress,
    handle: NodeIngressHandle,
    reader: NodeIngressReader,
    admissions: IdCounter<ExecId>,
    clock: LogicalClock,
    services: Services,
    /// Made when the Node is first moved: many wait long for their first event.
    engine: Option<Box<Engine>>,
    incarnation: Incarnation,
    /// Bytes of the batch that was taken last.
    held: Option<Charge>,
    batch: Batch,
    screened: Option<Box<Screened>>,
}

impl Node {
    /// The Node's id.
    pub fn peer_id(&self) -> PeerId {
        self.services.peer
    }

    /// Its life.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Its settings.
    pub fn config(&self) -> &NodeConfig {
        &self.services.config
    }

    /// The names of its modules, in order.
    pub fn loaded_modules(&self) -> impl Iterator<Item = &str> {
        let modules = self.targets.iter().filter_map(|at| self.plan.modules.get(*at as usize));
        modules.map(|module| &*module.name)
    }

    /// What the `Record` ops keep under this name, oldest first.
    pub fn record(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.services.kept().into_iter().flat_map(move |stores| stores.records.read(name))
    }

    /// What the `IncrMetric` ops have counted under this name.
    pub fn metric(&self, name: &str) -> Option<i64> {
        self.services.kept()?.metrics.value(name)
    }

    /// Ops that wait for their answer.
    pub fn pending_async_count(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.parked())
    }

    /// Answers that came twice, or too late, and went nowhere.
    pub fn ignored_completion_count(&self) -> u64 {
        self.engine.as_ref().map_or(0, |engine| engine.ignored_completions)
    }

    /// Executions that have begun and not ended.
    pub fn execution_count(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.executions())
    }

    /// A way into the mailbox, from any thread.
    pub fn ingress_handle(&self) -> NodeIngressHandle {
        self.handle.clone()
    }

    /// The mailbox.
    pub fn ingress(&self) -> &NodeIngress {
        &self.queue
    }

    /// Offers several inputs of one module, in one execution.
    pub fn invoke<'n, V: IntoValue>(
        &mut self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<ExecId, DeliveryError> {
        let index = self.module(module)?;
        let mut values = Vec::new();
        let mut bytes = 0_u64;
        for (name, value) in inputs {
            if values.len() >= self.config().max_invoke_inputs as usize {
                let (count, cap) =
                    (values.len() as u64 + 1, self.config().max_invoke_inputs.into());
                return Err(DeliveryError::TooManyInputs { count, cap });
            }
            let (input, value) = self.input(index, module, name, value)?;
            if values.iter().any(|(taken, _)| *taken == input) {
                let (module, input) = (module.to_owned(), name.to_owned());
                return Err(DeliveryError::DuplicateInput { module, input });
            }
            bytes = bytes.saturating_add(value.byte_size());
            values.push((input, value));
        }
        check_size(bytes, self.config().max_invoke_bytes)?;
        self.admit(bytes, |exec| IngressEvent::Invoke { exec, module: index, inputs: values })
    }

    /// Offers one input, in an execution of its own.
    pub fn deliver_event(
        &mut self,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<ExecId, DeliveryError> {
        let index = self.module(module)?;
        let (input, value) = self.input(index, module, input, value)?;
        let bytes = value.byte_size();
        check_size(bytes, self.config().max_app_event_bytes)?;
        let input = InputIndex { module: index, input };
        self.admit(bytes, |exec| IngressEvent::AppEvent { exec, input, value })
    }

    fn ready(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.ready())
    }

    fn module(&self, module: &str) -> Result<u32, DeliveryError> {
        let found = self.plan.module(module).filter(|index| self.targets.contains(index));
        found.ok_or_else(|| DeliveryError::UnknownModule {
            module: module.to_owned(),
            available: self.loaded_modules().map(str::to_owned).collect(),
        })
    }

    fn input(
        &self,
        index: u32,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<(u32, Value), DeliveryError> {
        let plan = self.plan.modules.get(index as usize);
        let found = plan.and_then(|plan| {
            let at = plan.input(input)?;
            Some((at, plan.inputs.get(at as usize)?))
        });
        let Some((at, port)) = found else {
            let ports = plan.map_or(&[][..], |plan| &plan.inputs);
            return Err(DeliveryError::UnknownInput {
                module: module.to_owned(),
                input: input.to_owned(),
                available: ports.iter().map(|port| port.name.as_ref().to_owned()).collect(),
            });
        };
        let mismatch = |expected: String, got: String| DeliveryError::TypeMismatch {
            module: module.to_owned(),
            input: input.to_owned(),
            expected,
            got,
        };
        let value = value
            .into_value()
            .map_err(|nested| mismatch(port.ty.to_string(), nested.to_string()))?;
        match port.ty.accepts(&value) {
            Ok(()) => Ok((at, value)),
            Err(wrong) => Err(mismatch(wrong.expected.into_owned(), wrong.got.into_owned())),
        }
    }

    fn admit(
        &mut self,
        bytes: u64,
        event: impl FnOnce(ExecId) -> IngressEvent,
    ) -> Result<ExecId, DeliveryError> {
        let mut admissions = self.admissions.clone();
        let exec = admissions.mint()?;
        self.handle.try_push(event(exec), bytes).map_err(|refused| refused.refusal)?;
        self.admissions = admissions;
        Ok(exec)
    }

    /// Takes one turn of the mailbox: the batch is all that the next [`apply`](Self::apply) needs.
    pub fn intake(&mut self, now: Nanos) -> Batch {
        let mut batch = Batch { now, ..Batch::default() };
        self.take_turn(&mut batch);
        batch
    }

    fn take_turn(&mut self, batch: &mut Batch) {
        let turn = self.config().turn;
        let limits = TurnLimits { items: turn.events as usize, bytes: turn.bytes };
        batch.now = self.clock.observe(batch.now);
        if self.is_full() || !self.reader.has_events() {
            self.held = None;
            return;
        }
        // This Node opened the reader's life, and a Node whose life has ended takes nothing.
        self.held = self.reader.read(limits, &mut batch.events).ok();
        self.screen(batch);
    }

    /// Whether the mailbox, where waiting is bounded and can be refused, must keep what it has. Only
    /// while ops are ready, which make room by themselves: parked ones may wait for what is in it.
    fn is_full(&self) -> bool {
        let (ready, limits) = (self.ready(), &self.config().engine);
        ready >= limits.max_ready_ops as usize
            || (ready > 0 && self.execution_count() >= limits.max_executions as usize)
    }

    /// When the Node can make progress without a push.
    pub fn next_wakeup(&self) -> Wakeup {
        if self.ready() > 0 || self.reader.has_events() {
            return Wakeup::Now;
        }
        match self.services.next_due() {
            Some(due) if due <= self.clock.last() => Wakeup::Now,
            Some(due) => Wakeup::At(due),
            None => Wakeup::Never,
        }
    }

    /// Takes and applies one turn, for embedders that keep no journal.
    pub fn step(&mut self, now: Nanos, steps: &mut Vec<EngineStep>) {
        let mut batch = std::mem::take(&mut self.batch);
        batch.events.clear();
        batch.now = now;
        self.take_turn(&mut batch);
        self.apply(&batch, steps);
        batch.events.clear();
        self.batch = batch;
    }

    /// Steps until nothing is left that could be done at `now`.
    pub fn run_until_idle(&mut self, now: Nanos) -> Steps {
        let mut steps = Vec::new();
        loop {
            self.step(now, &mut steps);
            if self.next_wakeup() != Wakeup::Now {
                return Steps(steps);
            }
        }
    }
}

fn check_size(byte_count: u64, cap: u64) -> Result<(), DeliveryError> {
    if byte_count > cap { Err(DeliveryError::OversizePayload { byte_count, cap }) } else { Ok(()) }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("incarnation", &self.incarnation)
            .field("modules", &self.loaded_modules().collect::<Vec<_>>())
            .field("executions", &self.execution_count())
            .field("parked", &self.pending_async_count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
