//! Bootstraps, as a host asks for them.
//!
//! Law: nothing runs that was not asked for or is needed by what was. A request is taken as a whole
//! or refused as a whole, and comes by an event in a batch like any other.
//!
//! ```
//! use samsara_runtime::{
//!     compiler::Compiler,
//!     config::NodeConfig,
//!     graph::Graph,
//!     node::{BootstrapStatus, BootstrapTarget, install},
//!     step::EngineStep,
//!     time::Nanos,
//! };
//!
//! let g = Graph::new("Greet");
//! g.bootstrap(|b| b.emit("ready", b.constant(true)));
//! g.output("said", g.pass_through(g.input::<String>("name")));
//! let program = Compiler::new().compile(g.build()?)?;
//! let mut node = install(1.into(), [], &program, &["Greet"], NodeConfig::default())?;
//!
//! let steps = node.run_bootstrap(Nanos::ZERO, BootstrapTarget::All)?;
//! assert!(matches!(steps.0.last(), Some(EngineStep::BootstrapComplete { .. })));
//! assert_eq!(node.bootstrap_status(), BootstrapStatus::Idle);
//! assert_eq!(node.run_bootstrap(Nanos::ZERO, BootstrapTarget::All)?.0, []);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;

use super::{Node, Wakeup};
use crate::{
    error::DeliveryError,
    event::{BootstrapInputs, Control, IngressEvent},
    plan::ModulePlan,
    reserve::{AllocFailReason, Reserve},
    services::check_size,
    step::Steps,
    time::Nanos,
    value::Value,
};

/// Which bootstraps are to run. Those of modules that a module calls run before its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BootstrapTarget {
    /// Those of all modules.
    All,
    /// Those of these modules, in this order.
    ModuleNames(Vec<String>),
    /// Those of these modules, in this order, with inputs.
    ModuleRequests(Vec<BootstrapRequest>),
    /// Those that touch one of these slots.
    Slots(Vec<String>),
}

/// A module whose bootstrap is to run, and what it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct BootstrapRequest {
    /// The module.
    pub target: String,
    /// The inputs of its bootstrap, and what goes there.
    pub inputs: Vec<(String, Value)>,
}

/// How far the bootstraps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootstrapStatus {
    /// None runs.
    Idle,
    /// One runs and can go on at once.
    Running,
    /// One runs and goes on when an answer or a time comes.
    WaitingForInput,
}

/// Why bootstraps were not asked for. None of them was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// No module or slot bears this name.
    #[error("no {target_name:?} to bootstrap, there are {available:?}")]
    UnknownTarget {
        /// The name.
        target_name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// One request asks for it twice: by name, or because a module before it needs it.
    #[error("the bootstrap of {target_name:?} is asked for already")]
    AlreadyTransitivelyQueued {
        /// The module.
        target_name: String,
    },
    /// The bootstrap has no such input.
    #[error("the bootstrap of {target_name:?} has no input {input:?}, it has {available:?}")]
    UnknownInput {
        /// The module.
        target_name: String,
        /// The input.
        input: String,
        /// The inputs there are.
        available: Vec<String>,
    },
    /// One request names an input twice.
    #[error("input {input:?} of the bootstrap of {target_name:?} is given twice")]
    DuplicateInput {
        /// The module.
        target_name: String,
        /// The input.
        input: String,
    },
    /// The bootstrap is not given one of its inputs.
    #[error("the bootstrap of {target_name:?} is not given its input {input:?}")]
    MissingInput {
        /// The module.
        target_name: String,
        /// The input.
        input: String,
    },
    /// The value is not of the input's type.
    #[error("input {input:?} of the bootstrap of {target_name:?} takes {expected}, got {got}")]
    TypeMismatch {
        /// The module.
        target_name: String,
        /// The input.
        input: String,
        /// The declared type.
        expected: String,
        /// What was given.
        got: String,
    },
    /// There was no memory for the inputs.
    #[error("no memory to take the inputs")]
    AllocationFailed(#[from] AllocFailReason),
    /// The mailbox did not take the event.
    #[error(transparent)]
    Refused(#[from] DeliveryError),
}

impl Node {
    /// Runs bootstraps, and gives all steps until they are complete or wait; what is in the mailbox
    /// before them happens before them. Of those that have finished nothing runs again.
    pub fn run_bootstrap(
        &mut self,
        now: Nanos,
        target: BootstrapTarget,
    ) -> Result<Steps, BootstrapError> {
        let asked = self.ask_bootstrap(target)?;
        let mut steps = Vec::new();
        let mut is_taken = asked.is_none();
        while !is_taken || self.bootstrap_status() == BootstrapStatus::Running {
            if !is_taken && self.next_wakeup() != Wakeup::Now {
                // Another life reads the mailbox by now.
                break;
            }
            let batch = self.intake(now);
            is_taken |= batch.events.iter().any(|taken| Some(&taken.event) == asked.as_ref());
            self.apply(&batch, &mut steps);
        }
        Ok(Steps(steps))
    }

    /// Asks for bootstraps; the next turns run them. For hosts that take turns themselves.
    pub fn request_bootstrap(&mut self, target: BootstrapTarget) -> Result<(), BootstrapError> {
        self.ask_bootstrap(target).map(|_| ())
    }

    /// How far the bootstraps are.
    pub fn bootstrap_status(&self) -> BootstrapStatus {
        match self.engine.as_ref().and_then(|engine| engine.bootstrap_can_go_on()) {
            None => BootstrapStatus::Idle,
            Some(true) => BootstrapStatus::Running,
            Some(false) => BootstrapStatus::WaitingForInput,
        }
    }

    /// Pushes the event that asks, if there is anything to ask for.
    fn ask_bootstrap(
        &mut self,
        target: BootstrapTarget,
    ) -> Result<Option<IngressEvent>, BootstrapError> {
        let mut memory = std::mem::take(self.reserve());
        let asked = self.resolve_bootstrap(target, &mut memory);
        *self.reserve() = memory;
        let asked = asked?;
        if asked.is_empty() {
            return Ok(None);
        }
        let event = IngressEvent::Control(Control::Bootstrap(asked));
        let weight = event.weight();
        check_size(weight, self.config().max_invoke_bytes)?;
        let pushed = self.handle.try_push(event.clone(), weight);
        pushed.map_err(|refused| DeliveryError::from(refused.refusal))?;
        Ok(Some(event))
    }

    /// The bootstraps that this asks for and that have neither run nor been asked for, in order.
    fn resolve_bootstrap(
        &self,
        target: BootstrapTarget,
        memory: &mut Reserve,
    ) -> Result<Vec<BootstrapInputs>, BootstrapError> {
        let mut order = Order { node: self, memory, named: BTreeSet::new(), asked: Vec::new() };
        match target {
            BootstrapTarget::All => {
                self.targets.iter().try_for_each(|module| order.add(*module, Vec::new()))?;
            }
            BootstrapTarget::ModuleNames(names) => {
                for name in names {
                    order.add_named(name, Vec::new())?;
                }
            }
            BootstrapTarget::ModuleRequests(requests) => {
                for BootstrapRequest { target, inputs } in requests {
                    order.add_named(target, inputs)?;
                }
            }
            BootstrapTarget::Slots(names) => {
                let slots = names.into_iter().map(|name| self.slot_index(name));
                let slots = slots.collect::<Result<BTreeSet<u32>, _>>()?;
                for module in self.bootstrappable() {
                    let plan = self.program.plan().modules.get(module as usize);
                    let bootstrap = plan.and_then(|plan| plan.bootstrap.as_ref());
                    if bootstrap.is_some_and(|own| own.slots.iter().any(|at| slots.contains(at))) {
                        order.add(module, Vec::new())?;
                    }
                }
            }
        }
        Ok(order.asked)
    }

    fn slot_index(&self, name: String) -> Result<u32, BootstrapError> {
        let mut slots = (0..).zip(&self.program.plan().slots);
        let found = slots.find(|(_, slot)| *slot.name == *name).map(|(at, _)| at);
        found.ok_or_else(|| BootstrapError::UnknownTarget {
            target_name: name,
            available: self.slots_iter().map(|(name, _)| name.to_owned()).collect(),
        })
    }

    /// The modules that have a bootstrap: those that were asked for, and those that they call.
    fn bootstrappable(&self) -> BTreeSet<u32> {
        let modules =
            self.targets.iter().filter_map(|at| self.program.plan().modules.get(*at as usize));
        modules.flat_map(|module| &module.bootstraps).copied().collect()
    }
}

/// Bootstraps in the order in which they are to run.
struct Order<'a> {
    node: &'a Node,
    memory: &'a mut Reserve,
    /// The modules that the request has named, or brought with it.
    named: BTreeSet<u32>,
    asked: Vec<BootstrapInputs>,
}

impl Order<'_> {
    fn add_named(
        &mut self,
        name: String,
        inputs: Vec<(String, Value)>,
    ) -> Result<(), BootstrapError> {
        let node = self.node;
        let may = |at| node.targets.contains(&at) || node.bootstrappable().contains(&at);
        let Some(module) = node.services.find_module(&name, may) else {
            let known = node.targets.iter().copied().chain(node.bootstrappable());
            let known: BTreeSet<u32> = known.collect();
            let names = known.iter().filter_map(|at| node.program.plan().modules.get(*at as usize));
            let available = names.map(|module| module.name.as_ref().to_owned()).collect();
            return Err(BootstrapError::UnknownTarget { target_name: name, available });
        };
        if self.named.contains(&module) {
            return Err(BootstrapError::AlreadyTransitivelyQueued { target_name: name });
        }
        self.add(module, inputs)
    }

    fn add(&mut self, module: u32, inputs: Vec<(String, Value)>) -> Result<(), BootstrapError> {
        let node = self.node;
        let Some(plan) = node.program.plan().modules.get(module as usize) else { return Ok(()) };
        let mut inputs = self.inputs(plan, inputs)?;
        for &before in &plan.bootstraps {
            let is_new = self.named.insert(before) || before == module;
            let engine = node.engine.as_ref();
            let is_known = engine.is_some_and(|engine| engine.has_bootstrap(before));
            if !is_new || is_known || self.asked.iter().any(|asked| asked.module == before) {
                continue;
            }
            let own = match before == module {
                true => std::mem::take(&mut inputs),
                false => Vec::new(),
            };
            self.expect_all(before, &own)?;
            self.asked.push(BootstrapInputs { module: before, inputs: own });
        }
        self.named.insert(module);
        Ok(())
    }

    /// The inputs of the bootstrap of this module by their indices, each of its type.
    fn inputs(
        &mut self,
        module: &ModulePlan,
        given: Vec<(String, Value)>,
    ) -> Result<Vec<(u32, Value)>, BootstrapError> {
        let body = module.bootstrap.as_ref();
        let body = body.and_then(|own| self.node.program.plan().modules.get(own.body as usize));
        let target_name = || module.name.as_ref().to_owned();
        let mut inputs: Vec<(u32, Value)> = self.memory.vec(given.len())?;
        for (input, value) in given {
            let found = body.and_then(|body| {
                let at = body.input(&input)?;
                Some((at, body.inputs.get(at as usize)?))
            });
            let Some((at, port)) = found else {
                let ports = body.into_iter().flat_map(|body| &body.inputs);
                let available = ports.map(|port| port.name.as_ref().to_owned()).collect();
                let target_name = target_name();
                return Err(BootstrapError::UnknownInput { target_name, input, available });
            };
            if inputs.iter().any(|(taken, _)| *taken == at) {
                return Err(BootstrapError::DuplicateInput { target_name: target_name(), input });
            }
            port.ty.accepts(&value).map_err(|wrong| BootstrapError::TypeMismatch {
                target_name: target_name(),
                input,
                expected: wrong.expected.into_owned(),
                got: wrong.got.into_owned(),
            })?;
            inputs.push((at, value));
        }
        Ok(inputs)
    }

    fn expect_all(&self, module: u32, given: &[(u32, Value)]) -> Result<(), BootstrapError> {
        let plan = &self.node.program.plan();
        let Some(module) = plan.modules.get(module as usize) else { return Ok(()) };
        let body = module.bootstrap.as_ref().and_then(|own| plan.modules.get(own.body as usize));
        let ports = body.into_iter().flat_map(|body| &body.inputs);
        let is_missing = |at: u32| given.iter().all(|(input, _)| *input != at);
        match (0..).zip(ports).find(|(at, _)| is_missing(*at)) {
            None => Ok(()),
            Some((_, port)) => Err(BootstrapError::MissingInput {
                target_name: module.name.as_ref().to_owned(),
                input: port.name.as_ref().to_owned(),
            }),
        }
    }
}
