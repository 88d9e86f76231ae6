//! The plan: an installed program as dense arrays, shared by every Node that runs it.
//!
//! Law: immutable, and without names on the way of a value. Whatever a fired op needs is one index
//! away: its handler, its operands, and whom its outputs go to.

mod bootstrap;
mod error;
mod expand;
mod exports;
mod session;
mod slots;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::{
    component::{ComponentType, ErasedHandler, Signature},
    config::PlanConfig,
    context::CallSite,
    module::Module,
    role::backend::Session,
    schema::{PortType, TypeTable},
    services::Entrances,
    syscall::Request,
    time::Nanos,
    value::Value,
};

pub use self::error::{PlanError, PlanErrors};
pub(crate) use self::exports::{Export, Reached};
pub use self::session::SessionError;
pub(crate) use self::session::TensorOps;

/// An installed program.
pub struct Plan {
    /// The modules in the order of their names, then their bootstraps.
    pub(crate) modules: Vec<ModulePlan>,
    /// How many of them are modules.
    pub(crate) named: usize,
    pub(crate) slots: Vec<SlotPlan>,
    /// What peers may reach, in the order of the paths.
    pub(crate) exports: Vec<Export>,
    /// What hosts and ops may reach.
    pub(crate) entrances: Arc<Entrances>,
    /// The native types that peers may send.
    pub(crate) natives: TypeTable,
}

/// A slot and the kind of component that it is bound to.
pub(crate) struct SlotPlan {
    pub(crate) name: Arc<str>,
    pub(crate) kind: ComponentType,
    /// What a failed timer of it is told as.
    pub(crate) on_timer: Arc<str>,
    /// What a failed event of it is told as.
    pub(crate) on_event: Arc<str>,
    /// Where its callbacks are called.
    pub(crate) site: CallSite,
}

/// A module with all its calls expanded.
pub(crate) struct ModulePlan {
    pub(crate) name: Arc<str>,
    pub(crate) inputs: Vec<PortPlan>,
    pub(crate) outputs: Vec<PortPlan>,
    pub(crate) ops: Vec<OpPlan>,
    /// For each op, how many arrivals it waits for.
    pub(crate) missing: Vec<u16>,
    /// Ops that wait for nothing.
    pub(crate) roots: Vec<u32>,
    /// Ops that count from the start of their execution.
    pub(crate) deadlines: Vec<(u32, Nanos)>,
    /// What its bootstrap is, if it has one.
    pub(crate) bootstrap: Option<BootstrapPlan>,
    /// The modules whose bootstraps must have run before its body, each behind those that it needs,
    /// its own last.
    pub(crate) bootstraps: Vec<u32>,
    /// Ops that begin executions of themselves.
    pub(crate) sources: Vec<u32>,
    /// Ops that begin executions when something is told: events of the bus, phases.
    pub(crate) listeners: Vec<u32>,
    /// How many operands all ops have together.
    pub(crate) operands: usize,
    /// Whom values go to, grouped by value.
    pub(crate) targets: Vec<Target>,
    /// The group in `targets` of each output of each op, grouped by op.
    pub(crate) scatter: Vec<Span>,
}

/// What must run once for a module.
pub(crate) struct BootstrapPlan {
    /// Its ops, among the modules of the plan.
    pub(crate) body: u32,
    /// The slots that they touch, in order.
    pub(crate) slots: Vec<u32>,
}

/// A range of indices, half the size of a [`Range`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// A way into or out of a module.
pub(crate) struct PortPlan {
    pub(crate) name: Arc<str>,
    pub(crate) ty: PortType,
    /// For an input, whom its value goes to.
    pub(crate) targets: Span,
}

/// Whom a value goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An op's operand.
    Operand {
        /// The op.
        op: u32,
        /// The place among all operands of the module.
        operand: u32,
    },
    /// A module output.
    Output(u32),
}

/// One op.
pub(crate) struct OpPlan {
    pub(crate) name: Arc<str>,
    pub(crate) call: Call,
    pub(crate) operands: Span,
    /// How long it may wait for its answer.
    pub(crate) within: Option<Nanos>,
    /// Its outputs' groups in `scatter`.
    pub(crate) outputs: Span,
}

/// What a fired op does.
pub(crate) enum Call {
    /// Calls a component.
    Component { slot: u32, handler: Arc<dyn ErasedHandler>, site: CallSite },
    /// Gives this value.
    Constant(Value),
    /// Asks the engine.
    Request(Request),
    /// Runs a tensor op.
    Session(Arc<dyn Session>),
}

impl Plan {
    /// Expands `modules` over the components bound to `slots`.
    pub(crate) fn build(
        modules: &BTreeMap<String, Module>,
        slots: &BTreeMap<String, ComponentType>,
        tensor_ops: &TensorOps<'_>,
        limits: &PlanConfig,
    ) -> Result<Self, PlanErrors> {
        expand::plan(modules, slots, tensor_ops, limits)
    }

    /// The names of its modules, in order.
    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.named().iter().map(|module| &*module.name)
    }

    /// What a module takes and gives.
    pub fn signature(&self, module: &str) -> Option<Signature> {
        let module = self.modules.get(self.module(module)? as usize)?;
        let types = |ports: &[PortPlan]| ports.iter().map(|port| port.ty.clone()).collect();
        Some(Signature { inputs: types(&module.inputs), outputs: types(&module.outputs) })
    }

    /// The modules that have names, which bootstraps do not.
    pub(crate) fn named(&self) -> &[ModulePlan] {
        self.modules.get(..self.named).unwrap_or_default()
    }

    pub(crate) fn module(&self, name: &str) -> Option<u32> {
        let found = self.named().binary_search_by(|module| (*module.name).cmp(name)).ok()?;
        u32::try_from(found).ok()
    }
}

impl ModulePlan {
    pub(crate) fn input(&self, name: &str) -> Option<u32> {
        let found = self.inputs.iter().position(|port| &*port.name == name)?;
        u32::try_from(found).ok()
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ops: usize = self.modules.iter().map(|module| module.ops.len()).sum();
        let slots = self.slots.iter().map(|slot| (&slot.name, &slot.kind)).collect::<Vec<_>>();
        f.debug_struct("Plan")
            .field("modules", &self.module_names().collect::<Vec<_>>())
            .field("slots", &slots)
            .field("ops", &ops)
            .finish()
    }
}
