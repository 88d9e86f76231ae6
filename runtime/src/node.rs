//! The Node: one program, its components and its mailbox, moved by batches alone.
//!
//! Law: [`Node::apply`] is the only way a Node changes, and everything that can influence it is in
//! the batch.

mod again;
mod asking;
mod batch;
mod beside;
mod bootstrap;
mod clear;
mod cycle;
mod door;
mod entry;
mod guarded;
mod install;
mod installation;
mod jobs;
mod life;
mod lifecycle;
mod peers;
mod poll;
mod reads;
mod refused;
mod screen;
mod slots;
mod snapshot;
mod stats;
mod take;
mod tap;

use std::fmt;

use samsara_proto::PeerId;

pub use self::again::OfferAgainError;
pub(crate) use self::batch::journal_types;
pub use self::batch::{Batch, Wakeup};
pub use self::bootstrap::{BootstrapError, BootstrapRequest, BootstrapStatus, BootstrapTarget};
pub use self::door::{PeerDoor, WireDoor};
pub use self::guarded::{Aborted, Guarded};
pub use self::install::{InstallError, install};
pub use self::installation::Installation;
pub use self::life::Mailbox;
pub use self::lifecycle::{LifecycleError, PHASES};
pub use self::peers::PeerChangeError;
pub use self::reads::{ExecutionState, ParkedOp};
pub use self::screen::Screened;
pub use self::stats::{Counters, Depths, Drops, EngineStats, Limits};
pub use self::take::Taken;
pub use self::tap::Tap;

use self::beside::Beside;

use crate::{
    component::Slotted,
    config::NodeConfig,
    event::{NodeIngress, NodeIngressHandle, NodeIngressReader},
    exec::Engine,
    id::{ExecId, IdCounter, Incarnation},
    program::Program,
    services::Services,
    step::{EngineStep, Steps},
    time::{LogicalClock, Nanos},
    value::Value,
};

/// A program at work, see the [module](self) page.
pub struct Node {
    program: Program,
    /// The modules that were asked for; the others are only called.
    targets: Box<[u32]>,
    components: Box<[Option<Slotted>]>,
    queue: NodeIngress,
    handle: NodeIngressHandle,
    reader: NodeIngressReader,
    admissions: IdCounter<ExecId>,
    clock: LogicalClock,
    services: Services,
    /// Made when the Node is first moved: many wait long for their first event.
    engine: Option<Box<Engine>>,
    incarnation: Incarnation,
    /// The next turn is the first of this life.
    is_beginning: bool,
    /// The turn behind it begins what the modules begin of themselves.
    is_starting: bool,
    /// Made when the host first needs it.
    beside: Option<Box<Beside>>,
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
        let modules =
            self.targets.iter().filter_map(|at| self.program.plan().modules.get(*at as usize));
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

    /// Whether events of the bus wait.
    fn has_bus_events(&self) -> bool {
        self.services.bus.as_ref().is_some_and(|bus| bus.depth().0 > 0)
    }

    fn ready(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.ready())
    }

    /// What the mailbox, where waiting is bounded and can be refused, may give now. Less than all only
    /// while ops are ready, which make room by themselves: parked ones may wait for what is in it.
    fn room(&self) -> Room {
        let (ready, limits) = (self.ready(), &self.config().engine);
        if ready >= limits.max_ready_ops as usize {
            Room::Nothing
        } else if ready > 0 && self.execution_count() >= limits.max_executions as usize {
            Room::Answers
        } else {
            Room::Anything
        }
    }

    /// When the Node can make progress without a push.
    pub fn next_wakeup(&self) -> Wakeup {
        let tells = self.is_clearing() || self.tells_refusals() || self.has_bus_events();
        let tells = tells || self.is_beginning || self.is_starting;
        if self.ready() > 0 || tells || self.reader.has_events() {
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
        let mut batch = std::mem::take(&mut self.beside().batch);
        let taken = self.take(now);
        self.commit_into(taken, &mut batch);
        self.apply(&batch, steps);
        batch.events.clear();
        self.beside().batch = batch;
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

/// What a Node has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Anything,
    /// What begins no execution: without it, those that wait might hold their places for ever.
    Answers,
    Nothing,
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
