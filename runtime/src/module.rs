//! A module: what was authored, as plain data that every compiler step reads and writes.
//!
//! Law: a body is in dataflow order by construction of its checks, never by luck: nothing here
//! promises it until the compiler has validated it.
//!
//! ```
//! use samsara_runtime::{graph::Graph, module::OpKind};
//!
//! let g = Graph::new("Count");
//! g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
//! let draft = g.build()?;
//! let body = &draft.modules["Count"].body;
//! assert_eq!(body.inputs[0].name, "n");
//! assert!(matches!(&body.ops[0].kind, OpKind::Component { slot, .. } if slot == "counter"));
//! # Ok::<(), samsara_runtime::module::Diagnostics>(())
//! ```

mod check;
mod diagnostic;
mod draft;
mod layout;
mod order;
mod place_problem;
mod problem;
mod tensor;

use std::collections::BTreeMap;

use crate::{schema::PortType, value::Value};

pub use self::{
    check::NAME_BYTES,
    diagnostic::{Diagnostic, Diagnostics, Step},
    draft::{Draft, PortPath},
    layout::{Channel, Layout, MAIN_PLACE, Placement, Reach},
    place_problem::PlaceProblem,
    problem::Problem,
};
pub(crate) use self::{
    check::{CHANNEL, check, check_name, dataflow},
    layout::{numbered_port, part_name, place_of_part, port_names},
    order::order,
    tensor::usual_opset,
};

/// A value's place in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// A named piece of a program: a body, and optionally what must run once before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// Its name, unique in a program.
    pub name: String,
    /// What it does.
    pub body: Body,
    /// What its bootstrap does, if it has one.
    pub bootstrap: Option<Body>,
}

impl Module {
    /// Its body, and its bootstrap if it has one, each with the prefix that names its parts.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (&'static str, &Body)> {
        let bootstrap = self.bootstrap.iter().map(|body| ("bootstrap/", body));
        std::iter::once(("", &self.body)).chain(bootstrap)
    }

    /// The same, to change them.
    pub(crate) fn bodies_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Body)> {
        let bootstrap = self.bootstrap.iter_mut().map(|body| ("bootstrap/", body));
        std::iter::once(("", &mut self.body)).chain(bootstrap)
    }
}

/// Ops and the values that flow between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// What it is given, in order of declaration.
    pub inputs: Vec<Port>,
    /// What it gives, in order of declaration.
    pub outputs: Vec<Port>,
    /// Every value, by [`ValueId`].
    pub values: Vec<ValueInfo>,
    /// Every op, in order of authoring.
    pub ops: Vec<Op>,
}

impl Body {
    /// What is known of a value.
    pub(crate) fn value(&self, id: ValueId) -> Option<&ValueInfo> {
        self.values.get(id.0 as usize)
    }
}

/// A named way into or out of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name, unique among the inputs or among the outputs.
    pub name: String,
    /// The value that enters or leaves here.
    pub value: ValueId,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueInfo {
    /// Its name, unique in its body.
    pub name: String,
    /// Its type: declared for inputs, inferred by the compiler for the rest.
    pub ty: Option<PortType>,
}

/// One op.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Its name, unique in its body.
    pub name: String,
    /// What it does.
    pub kind: OpKind,
    /// What it reads; `None` keeps the position of an optional input that is not given.
    pub inputs: Vec<Option<ValueId>>,
    /// What it writes.
    pub outputs: Vec<ValueId>,
    /// When it fires.
    pub activation: Activation,
    /// Its settings.
    pub attributes: BTreeMap<String, Value>,
}

/// What an op does.
#[derive(Clone, Debug, PartialEq)]
pub enum OpKind {
    /// Calls a component's op.
    Component {
        /// The slot that the component is bound to.
        slot: String,
        /// The op's name in the component.
        op: String,
    },
    /// Runs another module's body in its place.
    Call {
        /// The module.
        module: String,
    },
    /// Asks something of the engine, by the name of the request.
    Syscall(String),
    /// Gives the value of its attribute `value` once, at the start.
    Constant,
    /// A plain ONNX op, for a backend.
    Tensor {
        /// The ONNX domain, empty for the standard one.
        domain: String,
        /// The ONNX op.
        op_type: String,
    },
}

/// When an op fires: once in one execution, as soon as this is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// All given inputs have arrived.
    #[default]
    All,
    /// One of the inputs has arrived.
    Any,
    /// So many of the inputs have arrived.
    Count(u16),
}
