//! The fifth step: what slots, ops, requests and calls stand for.
//!
//! Law: after this step every name in a body means something that takes and gives as many values as
//! the op does, and no module calls itself up, directly or not.

use std::collections::BTreeMap;

use super::{Surroundings, requests, roles, settings, wants::dependencies};
use crate::{
    component::ComponentType,
    graph::{
        WITHIN, may_wait,
        syscalls::{SYSCALLS, Syscall, syscall},
    },
    module::{Body, Diagnostics, Draft, Module, Op, OpKind, Problem, Step, order},
    role::backend::Backends,
};

/// Names shown beside one that was not found.
const SHOWN_NAMES: usize = 32;

pub(super) fn link(draft: Draft, around: &Surroundings<'_>, found: &mut Diagnostics) -> Draft {
    for (slot, type_name) in &draft.slots {
        if around.registry.find(type_name).is_none() {
            let type_name = type_name.clone();
            found.report(Step::Link, "", slot, Problem::Unregistered { type_name });
        }
    }
    for name in draft.backends.iter().filter(|name| around.registry.backend(name).is_none()) {
        let name = name.clone();
        found.report(Step::Link, "", "", Problem::UnknownBackend { name });
    }
    roles::claims(&draft, around, found);
    let backends = around.backends(&draft);
    dependencies(&draft, around, found);
    for (name, module) in &draft.modules {
        for (prefix, body) in module.bodies() {
            for op in &body.ops {
                let backends = &backends;
                let mut link =
                    Link { draft: &draft, around, backends, body, op, problems: Vec::new() };
                link.op();
                let subject = format!("{prefix}{}", op.name);
                for problem in link.problems {
                    found.report(Step::Link, name, &subject, problem);
                }
            }
        }
    }
    calls(&draft, around.limits.max_depth, found);
    draft
}

/// One op while it is linked.
struct Link<'a> {
    draft: &'a Draft,
    around: &'a Surroundings<'a>,
    backends: &'a Backends,
    body: &'a Body,
    op: &'a Op,
    problems: Vec<Problem>,
}

impl Link<'_> {
    fn op(&mut self) {
        self.problems.extend(settings::problems(self.op));
        match &self.op.kind {
            OpKind::Component { slot, op } => match self.around.component(self.draft, slot) {
                Some(kind) => self.component(slot, kind, op),
                // A type that is not registered is told once, for its slot.
                None if self.draft.slots.contains_key(slot) => {}
                None => {
                    let bound = some(self.draft.slots.keys());
                    self.problems.push(Problem::UnboundSlot { slot: slot.clone(), bound });
                }
            },
            OpKind::Call { module } => match self.draft.modules.get(module) {
                Some(Module { body: Body { inputs, outputs, .. }, .. }) => {
                    self.arity("inputs", inputs.len(), self.op.inputs.len());
                    self.arity("outputs", outputs.len(), self.op.outputs.len());
                }
                None => {
                    let available = some(self.draft.modules.keys());
                    let module = module.clone();
                    self.problems.push(Problem::UnknownModule { module, available });
                }
            },
            OpKind::Syscall(name) => match syscall(name) {
                Some(row) => self.request(row),
                None => self.unknown("the engine", name, SYSCALLS.iter().map(|row| row.name)),
            },
            OpKind::Constant => self.arity("outputs", 1, self.op.outputs.len()),
            OpKind::Tensor { domain, op_type } => self.tensor_op((domain, op_type)),
        }
    }

    fn component(&mut self, slot: &str, kind: &ComponentType, op: &str) {
        match kind.signature(op) {
            Some(signature) => {
                self.arity("inputs", signature.inputs.len(), self.op.inputs.len());
                self.arity("outputs", signature.outputs.len(), self.op.outputs.len());
            }
            None => match roles::lacking(self.draft, slot, kind, op) {
                Some(problem) => self.problems.push(problem),
                None => self.unknown(kind.type_name(), op, kind.op_names()),
            },
        }
    }

    fn tensor_op(&mut self, kind: (&str, &str)) {
        let node = self.body.tensor_node(self.op, kind, &self.draft.opsets);
        if let Err(reasons) = self.backends.claim(&node) {
            self.problems.push(Problem::Unresolved { kind: node.kind(), reasons });
        }
    }

    fn request(&mut self, row: &Syscall) {
        if !row.takes(self.op.inputs.len()) {
            let (what, wanted, got) = ("inputs", row.inputs.len(), self.op.inputs.len());
            self.problems.push(Problem::Arity { what, wanted, got });
        }
        if !row.gives(self.op.outputs.len()) {
            self.arity("outputs", row.outputs.len(), self.op.outputs.len());
        }
        let mut wanted: Vec<_> = row.attributes.iter().map(|(name, _)| *name).collect();
        wanted.sort_unstable();
        let own = |key: &&String| *key != WITHIN || !may_wait(&self.op.kind);
        if !self.op.attributes.keys().filter(own).eq(wanted.iter()) {
            let wanted = wanted.into_iter().map(str::to_owned).collect();
            let got = self.op.attributes.keys().cloned().collect();
            self.problems.push(Problem::Attributes { wanted, got });
        }
        self.problems.extend(requests::problem(self.draft, self.op));
    }

    fn arity(&mut self, what: &'static str, wanted: usize, got: usize) {
        if wanted != got {
            self.problems.push(Problem::Arity { what, wanted, got });
        }
    }

    fn unknown<'n>(&mut self, of: &str, op: &str, there: impl Iterator<Item = &'n str>) {
        let (of, op) = (of.to_owned(), op.to_owned());
        let available = some(there);
        self.problems.push(Problem::UnknownOp { of, op, available });
    }
}

/// Names that a report shows instead of the one that was not found; many of them help nobody, and
/// all of them for each mistake would be more than the program is.
pub(super) fn some<T: Into<String>>(names: impl Iterator<Item = T>) -> Vec<String> {
    names.take(SHOWN_NAMES).map(Into::into).collect()
}

/// The modules of a draft by whom they call.
pub(super) struct CallOrder {
    /// Each behind those that it calls, where that can be.
    pub(super) sorted: Vec<String>,
    /// Some that call each other in a circle.
    pub(super) cycle: Vec<String>,
}

pub(super) fn call_order(draft: &Draft) -> CallOrder {
    let names: Vec<&String> = draft.modules.keys().collect();
    let index: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let callees = |module: &Module| {
        called(module).filter_map(|name| index.get(name).copied()).collect::<Vec<_>>()
    };
    let order = order(&draft.modules.values().map(callees).collect::<Vec<_>>());
    let named = |places: &[usize]| {
        places.iter().filter_map(|at| names.get(*at)).map(|name| (*name).clone()).collect()
    };
    CallOrder { sorted: named(&order.sorted), cycle: named(&order.cycle) }
}

/// The names that a module's body calls. A bootstrap's calls count too: they are expanded alike.
pub(super) fn called(module: &Module) -> impl Iterator<Item = &str> {
    module.bodies().flat_map(|(_, body)| &body.ops).filter_map(|op| match &op.kind {
        OpKind::Call { module } => Some(module.as_str()),
        _ => None,
    })
}

/// Calls must end, and within the limit.
fn calls(draft: &Draft, cap: u32, found: &mut Diagnostics) {
    let CallOrder { sorted, cycle } = call_order(draft);
    if let Some(first) = cycle.first() {
        let modules = cycle.iter().chain([first]).cloned().collect();
        found.report(Step::Link, first, "", Problem::Recursion { modules });
        return;
    }
    let mut depths = BTreeMap::<&str, u32>::new();
    for name in &sorted {
        let Some(module) = draft.modules.get(name) else { continue };
        let below = called(module).filter_map(|callee| depths.get(callee)).max();
        let depth = match called(module).next() {
            Some(_) => below.copied().unwrap_or(0).saturating_add(1),
            None => 0,
        };
        if depth > cap {
            found.report(Step::Link, name, "", Problem::TooDeep { depth, cap });
        }
        depths.insert(name, depth);
    }
}
