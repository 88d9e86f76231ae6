//! Authoring: a [`Graph`] records a module op by op.
//!
//! Law: recording never fails. Mistakes are kept, each with its module and value, and
//! [`Graph::build`] tells them all.
//!
//! ```
//! use samsara_runtime::graph::Graph;
//!
//! let half = Graph::new("Half");
//! let n = half.input::<u64>("n");
//! half.output("half", half.slot("math").attribute("by", 2_u64).op("divide", [n]));
//! let half = half.build()?;
//!
//! let g = Graph::new("Quarter");
//! let [once] = g.call(&half, [g.input::<u64>("n")]);
//! let [twice] = g.call(&half, [once]);
//! g.emit("seen", once);
//! g.output("quarter", twice);
//! assert_eq!(g.build()?.modules.len(), 2);
//!
//! let g = Graph::new("Broken");
//! g.output("a/b", g.input::<u64>("n"));
//! let mistakes = g.build().expect_err("a slash is no part of a name");
//! assert!(mistakes.to_string().starts_with("validate: Broken/a/b: "));
//! # Ok::<(), samsara_runtime::module::Diagnostics>(())
//! ```

mod channel;
mod gather;
mod net;
mod place;
mod request;
mod role;
mod slot;
pub mod syscalls;
mod wire;
mod within;

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use crate::{
    module::{
        Activation, Body, Diagnostics, Draft, Module, Op, OpKind, Placement, Port, PortPath,
        Problem, Step, ValueId, ValueInfo, check,
    },
    role::Role,
    schema::{PortType, PortTyped},
    value::{IntoValue, Value},
};

pub(crate) use self::within::{may_wait, time_to_wait};
pub use self::{
    channel::{Ahead, Channel, Received},
    gather::Gather,
    place::{PLACES, Place},
    role::{
        AggregatorSlot, BackendSlot, CodecSlot, DataSourceSlot, IndexSlot, ModelSlot,
        PeerSelectorSlot, ProtocolSlot,
    },
    slot::Slot,
    wire::Wire,
    within::WITHIN,
};

/// A module that is being recorded.
pub struct Graph {
    name: String,
    /// What stands before the names of its parts in a report.
    prefix: &'static str,
    recorded: Rc<RefCell<Recorded>>,
    /// The place that this view records at.
    place: Option<Rc<str>>,
    /// The view of the place that was named next.
    next: OnceCell<Box<Self>>,
}

#[derive(Default)]
struct Recorded {
    body: Body,
    value_names: Names,
    op_names: Names,
    bootstrap: Option<Body>,
    placement: Placement,
    /// Modules that are called, and exports.
    around: Draft,
    mistakes: Diagnostics,
}

/// An op before its wires are tied to it.
struct NewOp {
    /// Its name, or what to make one up from.
    name: Result<String, String>,
    kind: OpKind,
    activation: Activation,
    attributes: BTreeMap<String, Value>,
}

impl NewOp {
    fn unnamed(base: impl Into<String>, kind: OpKind) -> Self {
        let (activation, attributes) = (Activation::All, BTreeMap::new());
        Self { name: Err(base.into()), kind, activation, attributes }
    }
}

impl Graph {
    /// A module of this name, empty so far.
    pub fn new(name: impl Into<String>) -> Self {
        Self::view(name.into(), "", Rc::default(), None)
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Declares an input that takes a `T`.
    pub fn input<T: PortTyped>(&self, name: &str) -> Wire<'_> {
        self.input_of(name, T::port_type())
    }

    /// Declares an input of this type.
    pub fn input_of(&self, name: &str, ty: PortType) -> Wire<'_> {
        let recorded = &mut *self.recorded.borrow_mut();
        let value = recorded.value(name, Some(ty));
        recorded.body.inputs.push(Port { name: name.to_owned(), value });
        self.note(&mut recorded.placement.inputs, name);
        Wire::new(self, value)
    }

    /// Declares an output that gives this value.
    pub fn output(&self, name: &str, wire: Wire<'_>) {
        let Some(mut value) = self.value_of(wire, name) else { return };
        let leaves_already = {
            let body = &self.recorded.borrow().body;
            body.outputs.iter().any(|port| port.value == value && port.name != name)
        };
        if leaves_already {
            // A value leaves by one output, so the second one is another value.
            let Some(same) = self.value_of(self.pass_through(wire), name) else { return };
            value = same;
        }
        let recorded = &mut *self.recorded.borrow_mut();
        recorded.body.outputs.push(Port { name: name.to_owned(), value });
        self.note(&mut recorded.placement.outputs, name);
    }

    /// Lets peers reach an input.
    pub fn export(&self, input: &str) {
        let path = PortPath { module: self.name.clone(), port: input.to_owned() };
        self.recorded.borrow_mut().around.exports.insert(path);
    }

    /// The component in this slot, to call one of its ops.
    pub fn slot(&self, name: &str) -> Slot<'_> {
        Slot::new(self, name)
    }

    /// A value that is there from the start.
    pub fn constant(&self, value: impl IntoValue) -> Wire<'_> {
        let mut op = NewOp::unnamed("constant", OpKind::Constant);
        match value.into_value() {
            Ok(value) => {
                op.attributes.insert("value".to_owned(), value);
            }
            Err(error) => {
                self.mistake("constant", Problem::BadValue { reason: error.to_string() });
                op.attributes.insert("value".to_owned(), Value::Unit);
            }
        }
        let [wire] = self.record(op, []);
        wire
    }

    /// Runs another module in this place. Its outputs come in their order of declaration.
    pub fn call<'g, const N: usize>(
        &'g self,
        module: &Draft,
        inputs: impl IntoIterator<Item = Wire<'g>>,
    ) -> [Wire<'g>; N] {
        let target = module.targets.first().filter(|_| module.targets.len() == 1);
        let name = target.cloned().unwrap_or_default();
        if target.is_none() {
            self.mistake("call", Problem::NotOneTarget { got: module.targets.len() });
        }
        let mut found = Diagnostics::default();
        let by = |_: &str| vec![self.name.clone(), name.clone()];
        self.recorded.borrow_mut().around.absorb(module, by, &mut found);
        self.recorded.borrow_mut().mistakes.append(found);
        let op = NewOp::unnamed(name.clone(), OpKind::Call { module: name });
        self.record(op, inputs)
    }

    /// Records what must run once before the body does.
    pub fn bootstrap(&self, record: impl FnOnce(&Self)) {
        let (name, place) = (self.name.clone(), self.place.clone());
        let nested = Self::view(name, "bootstrap/", Rc::default(), place);
        record(&nested);
        let Recorded { body, bootstrap, placement, around, mistakes, .. } = nested.recorded.take();
        let recorded = &mut *self.recorded.borrow_mut();
        recorded.mistakes.append(mistakes);
        recorded.around.layout.record(format!("bootstrap/{}", self.name), placement);
        let by = |_: &str| vec![self.name.clone(), format!("{}/bootstrap", self.name)];
        recorded.around.absorb(&around, by, &mut recorded.mistakes);
        if bootstrap.is_some() || recorded.bootstrap.replace(body).is_some() {
            let problem = Problem::SecondBootstrap;
            recorded.mistakes.report(Step::Record, &self.name, "bootstrap", problem);
        }
    }

    /// The module and those that it calls, or everything that is wrong with it.
    pub fn build(self) -> Result<Draft, Diagnostics> {
        let Recorded { body, bootstrap, placement, around: mut draft, mut mistakes, .. } =
            self.recorded.take();
        draft.layout.record(self.name.clone(), placement);
        let module = Module { name: self.name.clone(), body, bootstrap };
        check(&module, &mut mistakes);
        let own = Draft { modules: [(self.name.clone(), module)].into(), ..Draft::default() };
        draft.absorb(&own, |_| Vec::new(), &mut mistakes);
        draft.targets = [self.name].into();
        mistakes.or(draft)
    }

    /// Records an op of `N` outputs. Wires of other graphs are reported and left out.
    fn record<'g, const N: usize>(
        &'g self,
        op: NewOp,
        inputs: impl IntoIterator<Item = Wire<'g>>,
    ) -> [Wire<'g>; N] {
        // The caller's iterator may record something itself, so it ends before this op begins.
        let inputs: Vec<_> = inputs.into_iter().collect();
        let name = match &op.name {
            Ok(name) => name.clone(),
            Err(base) => self.recorded.borrow_mut().op_names.fresh(base),
        };
        let absent_or_own = |wire: Wire<'g>| match wire.is_absent() {
            true => None,
            false => self.value_of(wire, &name),
        };
        let inputs = inputs.into_iter().map(absent_or_own).collect();
        let recorded = &mut *self.recorded.borrow_mut();
        let results: [ValueId; N] = std::array::from_fn(|at| match N {
            1 => recorded.value(&name, None),
            _ => recorded.value(&format!("{name}:{at}"), None),
        });
        let outputs = results.to_vec();
        self.push(recorded, name, op, inputs, outputs);
        results.map(|value| Wire::new(self, value))
    }

    fn push(
        &self,
        recorded: &mut Recorded,
        name: String,
        op: NewOp,
        inputs: Vec<Option<ValueId>>,
        outputs: Vec<ValueId>,
    ) {
        self.note(&mut recorded.placement.ops, &name);
        let NewOp { kind, activation, attributes, .. } = op;
        recorded.body.ops.push(Op { name, kind, inputs, outputs, activation, attributes });
    }

    /// The value of a wire; anything else is a mistake of the port or op that wants it.
    fn value_of(&self, wire: Wire<'_>, wanted_by: &str) -> Option<ValueId> {
        let value = wire.value_in(self);
        if value.is_none() {
            let absent = wire.is_absent();
            self.mistake(
                wanted_by,
                if absent { Problem::AbsentWire } else { Problem::ForeignWire },
            );
        }
        value
    }

    /// Notes that a slot is taken for a role.
    fn wants(&self, slot: &str, role: Role) {
        let roles = &mut self.recorded.borrow_mut().around.roles;
        roles.entry(slot.to_owned()).or_default().insert(role);
    }

    fn mistake(&self, subject: &str, problem: Problem) {
        let subject = format!("{}{subject}", self.prefix);
        self.recorded.borrow_mut().mistakes.report(Step::Record, &self.name, subject, problem);
    }
}

impl Recorded {
    /// A new value of this name, or of one made from it if another value has it.
    fn value(&mut self, name: &str, ty: Option<PortType>) -> ValueId {
        let values = &mut self.body.values;
        let id = ValueId(u32::try_from(values.len()).unwrap_or(u32::MAX));
        values.push(ValueInfo { name: self.value_names.fresh(name), ty });
        id
    }
}

/// Names that are taken, each with the number to try next for another like it.
#[derive(Default)]
pub(crate) struct Names(BTreeMap<String, u64>);

impl Names {
    /// The name, or the first free one of `name_2`, `name_3` and so on.
    pub(crate) fn fresh(&mut self, base: &str) -> String {
        let mut name = base.to_owned();
        while self.0.contains_key(&name) {
            let next = self.0.entry(base.to_owned()).or_insert(2);
            name = format!("{base}_{next}");
            *next += 1;
        }
        self.0.insert(name.clone(), 2);
        name
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = &self.recorded.borrow().body;
        let (ops, values) = (body.ops.len(), body.values.len());
        write!(f, "graph {}: {ops} ops, {values} values", self.name)
    }
}

#[cfg(test)]
mod tests;
