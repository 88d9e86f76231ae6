//! Calls of a component's ops.

use std::collections::BTreeMap;

use super::{Graph, NewOp, Wire};
use crate::{
    module::{Activation, OpKind, Problem},
    role::Role,
    value::IntoValue,
};

/// The component in a slot, and how its next op is to be called.
///
/// ```
/// use samsara_runtime::graph::{Graph, Wire};
///
/// let g = Graph::new("Train");
/// let batch = g.input::<Vec<f64>>("batch");
/// let model = g.slot("model");
/// let [loss, weights] = model.clone().named("train").attribute("rate", 0.5).op_n("step", [batch]);
/// let seen = model.op("report", [loss, Wire::ABSENT]);
/// g.output("weights", weights);
/// g.output("seen", seen);
/// assert!(g.build().is_ok());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a slot does nothing until one of its ops is called"]
pub struct Slot<'g> {
    graph: &'g Graph,
    slot: String,
    name: Option<String>,
    activation: Activation,
    attributes: BTreeMap<String, crate::value::Value>,
}

impl<'g> Slot<'g> {
    pub(super) fn new(graph: &'g Graph, slot: &str) -> Self {
        let (slot, activation) = (slot.to_owned(), Activation::All);
        Self { graph, slot, name: None, activation, attributes: BTreeMap::new() }
    }

    /// Names the op, as steps and diagnostics will show it.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Lets the op fire when one of its inputs has arrived.
    pub fn any(mut self) -> Self {
        self.activation = Activation::Any;
        self
    }

    /// Lets the op fire when so many of its inputs have arrived.
    pub fn count(mut self, inputs: u16) -> Self {
        self.activation = Activation::Count(inputs);
        self
    }

    /// Sets what the op can read beside its inputs.
    pub fn attribute(mut self, name: impl Into<String>, value: impl IntoValue) -> Self {
        let name = name.into();
        match value.into_value() {
            Ok(value) => {
                self.attributes.insert(name, value);
            }
            Err(error) => {
                self.graph.mistake(&name, Problem::BadValue { reason: error.to_string() });
            }
        }
        self
    }

    /// Notes that this slot is taken for a role.
    pub(super) fn wants(&self, role: Role) {
        self.graph.wants(&self.slot, role);
    }

    /// Calls an op of one output.
    pub fn op(self, op: &str, inputs: impl IntoIterator<Item = Wire<'g>>) -> Wire<'g> {
        let [output] = self.op_n(op, inputs);
        output
    }

    /// Calls an op of `N` outputs, none included.
    pub fn op_n<const N: usize>(
        self,
        op: &str,
        inputs: impl IntoIterator<Item = Wire<'g>>,
    ) -> [Wire<'g>; N] {
        let Self { graph, slot, name, activation, attributes } = self;
        let name = name.ok_or_else(|| format!("{slot}.{op}"));
        let kind = OpKind::Component { slot, op: op.to_owned() };
        graph.record(NewOp { name, kind, activation, attributes }, inputs)
    }
}
