//! From modules that call each other to dense plans that call nobody.
//!
//! Law: every problem is reported, each by module and op; and no program, however it calls itself
//! up, takes more steps or makes more ops than the limits allow.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Call, ModulePlan, OpPlan, Plan, PlanError, PlanErrors, PortPlan, Span, Target, TensorOps,
    bootstrap, exports, slots,
};
use crate::{
    component::ComponentType,
    config::PlanConfig,
    context::{CallSite, SlotTable},
    graph::time_to_wait,
    module::{Activation, Body, Module, Op, OpKind, ValueId},
    schema::{PortType, TypeTable},
    syscall::Request,
    time::Nanos,
};

/// A value of an expanded module.
type Flat = usize;

struct FlatOp {
    name: Arc<str>,
    call: Call,
    within: Option<Nanos>,
    activation: Activation,
    inputs: Vec<Option<Flat>>,
    outputs: Vec<Flat>,
}

pub(super) fn plan(
    modules: &BTreeMap<String, Module>,
    slots: &BTreeMap<String, ComponentType>,
    tensor_ops: &TensorOps<'_>,
    limits: &PlanConfig,
) -> Result<Plan, PlanErrors> {
    let table = slots::table(slots);
    let around = Around { modules, slots, tensor_ops, table: &table, limits };
    let (mut errors, mut plans) = (Vec::new(), Vec::new());
    for module in modules.values() {
        plans.extend(expanded(around, &module.name, &module.body, &mut errors));
    }
    let named = plans.len();
    for module in modules.values() {
        let Some(body) = &module.bootstrap else { continue };
        let Some(plan) = expanded(around, &module.name, body, &mut errors) else {
            continue;
        };
        bootstrap::add(&mut plans, named, plan, &mut errors);
    }
    if !errors.is_empty() {
        return Err(PlanErrors { errors });
    }
    bootstrap::sort(modules, &mut plans, named);
    let slots = slots::plan(slots, &table);
    let entrances = exports::entrances(plans.get(..named).unwrap_or_default());
    let (exports, natives) = (Vec::new(), TypeTable::default());
    Ok(Plan { modules: plans, named, slots, exports, entrances, natives })
}

/// What bodies are expanded over.
#[derive(Clone, Copy)]
struct Around<'a> {
    modules: &'a BTreeMap<String, Module>,
    slots: &'a BTreeMap<String, ComponentType>,
    tensor_ops: &'a TensorOps<'a>,
    table: &'a Arc<SlotTable>,
    limits: &'a PlanConfig,
}

/// One body, expanded, or none and what is wrong.
fn expanded(
    around: Around<'_>,
    module: &str,
    body: &Body,
    errors: &mut Vec<PlanError>,
) -> Option<ModulePlan> {
    let Around { modules, slots, tensor_ops, table, limits } = around;
    let mut expansion = Expansion {
        modules,
        slots,
        tensor_ops,
        table,
        limits,
        module,
        ops: Vec::new(),
        same_as: Vec::new(),
        steps: 0,
        errors: Vec::new(),
    };
    let places = expansion.places(body);
    expansion.body(body, &places, "", 0);
    let is_sound = expansion.errors.is_empty();
    errors.append(&mut expansion.errors);
    is_sound.then(|| expansion.finish(module, body, &places))
}

struct Expansion<'a> {
    modules: &'a BTreeMap<String, Module>,
    slots: &'a BTreeMap<String, ComponentType>,
    tensor_ops: &'a TensorOps<'a>,
    table: &'a Arc<SlotTable>,
    limits: &'a PlanConfig,
    module: &'a str,
    ops: Vec<FlatOp>,
    /// For each value, the value that it is another name of, or itself.
    same_as: Vec<Flat>,
    steps: u64,
    errors: Vec<PlanError>,
}

impl<'a> Expansion<'a> {
    /// A fresh value for each of a body.
    fn places(&mut self, body: &Body) -> Vec<Flat> {
        let first = self.same_as.len();
        let places: Vec<_> = (first..first + body.values.len()).collect();
        self.same_as.extend(&places);
        places
    }

    fn body(&mut self, body: &'a Body, places: &[Flat], path: &str, depth: u32) {
        for op in &body.ops {
            self.steps += 1;
            let steps = self.limits.expansion_steps;
            if self.steps > steps || self.ops.len() >= self.limits.max_nodes as usize {
                let nodes = u64::from(self.limits.max_nodes);
                let over = self.steps > steps;
                let (what, cap) = if over { ("steps", steps) } else { ("ops", nodes) };
                let module = self.module.to_owned();
                let error = PlanError::TooLarge { module, what, cap };
                if self.errors.last() != Some(&error) {
                    self.errors.push(error);
                }
                return;
            }
            let name = format!("{path}{}", op.name);
            let at = |value: &ValueId| places.get(value.0 as usize).copied();
            let inputs: Vec<_> =
                op.inputs.iter().map(|input| input.as_ref().and_then(at)).collect();
            let outputs: Vec<_> = op.outputs.iter().filter_map(at).collect();
            if inputs.len() > usize::from(u16::MAX) {
                let (what, wanted) = ("inputs", u16::MAX.into());
                let got = inputs.len();
                self.errors.push(PlanError::Arity { op: name, what, wanted, got });
                continue;
            }
            match &op.kind {
                OpKind::Call { module } => self.call(module, &name, &inputs, &outputs, depth),
                _ => match self.resolve(body, op, &name) {
                    Ok(call) => self.ops.push(FlatOp {
                        name: name.into(),
                        call,
                        within: time_to_wait(op),
                        activation: op.activation,
                        inputs,
                        outputs,
                    }),
                    Err(error) => self.errors.push(error),
                },
            }
        }
    }

    fn call(
        &mut self,
        module: &str,
        op: &str,
        inputs: &[Option<Flat>],
        outputs: &[Flat],
        depth: u32,
    ) {
        let Some(callee) = self.modules.get(module) else {
            let (op, module) = (op.to_owned(), module.to_owned());
            return self.errors.push(PlanError::UnknownModule { op, module });
        };
        if depth >= self.limits.max_depth {
            let (op, cap) = (op.to_owned(), self.limits.max_depth);
            return self.errors.push(PlanError::TooDeep { op, cap });
        }
        let body = &callee.body;
        for (what, wanted, got) in [
            ("inputs", body.inputs.len(), inputs.len()),
            ("outputs", body.outputs.len(), outputs.len()),
        ] {
            if wanted != got {
                let op = op.to_owned();
                return self.errors.push(PlanError::Arity { op, what, wanted, got });
            }
        }
        let places = self.places(body);
        let at = |value: ValueId| places.get(value.0 as usize).copied();
        for (port, given) in body.inputs.iter().zip(inputs) {
            if let (Some(inside), Some(outside)) = (at(port.value), given) {
                self.unite(inside, *outside);
            }
        }
        for (port, outside) in body.outputs.iter().zip(outputs) {
            if let Some(inside) = at(port.value) {
                self.unite(*outside, inside);
            }
        }
        self.body(body, &places, &format!("{op}/"), depth + 1);
    }

    /// From now on `name` is another name of `value`.
    fn unite(&mut self, name: Flat, value: Flat) {
        let (name, value) = (root(&self.same_as, name), root(&self.same_as, value));
        if let Some(same_as) = self.same_as.get_mut(name) {
            *same_as = value;
        }
    }

    fn resolve(&self, body: &Body, op: &Op, name: &str) -> Result<Call, PlanError> {
        let named = || name.to_owned();
        let arity = |what, wanted, got| match wanted == got {
            true => Ok(()),
            false => Err(PlanError::Arity { op: named(), what, wanted, got }),
        };
        let unresolved = |wanted: &str, of: &str| PlanError::UnresolvedOp {
            op: named(),
            wanted: wanted.to_owned(),
            of: of.to_owned(),
        };
        match &op.kind {
            OpKind::Component { slot, op: wanted } => {
                let Some((index, (_, kind))) =
                    self.slots.iter().enumerate().find(|(_, (name, _))| *name == slot)
                else {
                    return Err(PlanError::UnboundSlot { op: named(), slot: slot.clone() });
                };
                let declared = kind.op(wanted);
                let declared = declared.ok_or_else(|| unresolved(wanted, kind.type_name()))?;
                arity("inputs", declared.signature.inputs.len(), op.inputs.len())?;
                arity("outputs", declared.signature.outputs.len(), op.outputs.len())?;
                let slot = u32::try_from(index).unwrap_or(u32::MAX);
                let (attributes, slots) = (op.attributes.clone(), Arc::clone(self.table));
                let (handler, site) =
                    (Arc::clone(&declared.handler), CallSite { attributes, slots });
                Ok(Call::Component { slot, handler, site })
            }
            OpKind::Constant => {
                arity("outputs", 1, op.outputs.len())?;
                let value = op.attributes.get("value").cloned();
                value.map(Call::Constant).ok_or_else(|| PlanError::NoValue { op: named() })
            }
            OpKind::Syscall(wanted) => {
                let request = Request::read(wanted, &op.attributes);
                request.map(Call::Request).ok_or_else(|| unresolved(wanted, "the engine"))
            }
            OpKind::Tensor { domain, op_type } => {
                let session = self.tensor_ops.session(body, op, (domain, op_type), name)?;
                Ok(Call::Session(session))
            }
            OpKind::Call { module } => Err(unresolved(module, "the engine")),
        }
    }

    fn finish(&mut self, module: &str, body: &Body, places: &[Flat]) -> ModulePlan {
        let same_as = std::mem::take(&mut self.same_as);
        let at = |value: ValueId| places.get(value.0 as usize).map(|flat| root(&same_as, *flat));
        let mut readers: Vec<Vec<Target>> = vec![Vec::new(); same_as.len()];
        let mut read = |value: Option<Flat>, target| {
            if let Some(readers) = value.and_then(|value| readers.get_mut(value)) {
                readers.push(target);
            }
        };
        let mut operands = 0;
        for (op, flat) in (0..).zip(&self.ops) {
            for input in &flat.inputs {
                let value = input.map(|input| root(&same_as, input));
                read(value, Target::Operand { op, operand: operands });
                operands += 1;
            }
        }
        for (output, port) in (0..).zip(&body.outputs) {
            read(at(port.value), Target::Output(output));
        }
        let mut targets = Vec::new();
        let spans: Vec<Span> =
            readers.into_iter().map(|readers| append(&mut targets, readers)).collect();
        let span = |value: Flat| spans.get(root(&same_as, value)).copied().unwrap_or_default();
        let ports = |ports: &[crate::module::Port]| {
            let plan = |port: &crate::module::Port| PortPlan {
                name: port.name.as_str().into(),
                ty: type_of(body, port.value),
                targets: at(port.value).map(span).unwrap_or_default(),
            };
            ports.iter().map(plan).collect()
        };
        let mut plan = ModulePlan {
            name: module.into(),
            inputs: ports(&body.inputs),
            outputs: ports(&body.outputs),
            ops: Vec::new(),
            missing: Vec::new(),
            roots: Vec::new(),
            deadlines: Vec::new(),
            bootstrap: None,
            bootstraps: Vec::new(),
            sources: Vec::new(),
            listeners: Vec::new(),
            operands: operands as usize,
            targets,
            scatter: Vec::new(),
        };
        for flat in std::mem::take(&mut self.ops) {
            plan.add(flat, span);
        }
        plan
    }
}

impl ModulePlan {
    fn add(&mut self, flat: FlatOp, span: impl Fn(Flat) -> Span) {
        let first = self.ops.last().map_or(0, |op| op.operands.end);
        let given = flat.inputs.iter().flatten().count();
        let awaited = match flat.activation {
            Activation::All => given,
            Activation::Any => given.min(1),
            Activation::Count(wanted) => given.min(wanted.into()),
        };
        self.missing.push(u16::try_from(awaited).unwrap_or(u16::MAX));
        let index = count(self.ops.len());
        match &flat.call {
            Call::Request(Request::Pulse | Request::Interval(_)) => self.sources.push(index),
            Call::Request(Request::Deadline(within) | Request::DeadlineMatch { within, .. }) => {
                self.deadlines.push((index, *within));
            }
            Call::Request(Request::EventSource(_) | Request::LifecyclePhase(_)) => {
                self.listeners.push(index);
            }
            _ if awaited == 0 => self.roots.push(index),
            _ => {}
        }
        self.ops.push(OpPlan {
            name: flat.name,
            call: flat.call,
            within: flat.within,
            operands: Span { start: first, end: first + count(flat.inputs.len()) },
            outputs: append(&mut self.scatter, flat.outputs.into_iter().map(span)),
        });
    }
}

/// The value that `value` is a name of.
fn root(same_as: &[Flat], mut value: Flat) -> Flat {
    while let Some(&next) = same_as.get(value)
        && next != value
    {
        value = next;
    }
    value
}

/// Appends a group and tells where it is.
fn append<T>(all: &mut Vec<T>, group: impl IntoIterator<Item = T>) -> Span {
    let start = count(all.len());
    all.extend(group);
    Span { start, end: count(all.len()) }
}

/// A count that the limits on ops keep far below four billion.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn type_of(body: &Body, value: ValueId) -> PortType {
    let info = body.values.get(value.0 as usize);
    info.and_then(|info| info.ty.clone()).unwrap_or(PortType::Any)
}
