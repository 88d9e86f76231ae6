//! Graphs and functions of plain models as bodies.
//!
//! Law: every value has one source, whose name is its own; what a node reads is a value of its own
//! graph.

use std::collections::{BTreeMap, BTreeSet};

use samsara_proto::onnx::{
    FunctionProto, GraphProto, NodeProto, TensorProto, ValueInfoProto,
    attribute_proto::AttributeType,
};

use super::{Key, constant};
use crate::{
    graph::Names,
    module::{Activation, Body, Op, OpKind, Port, ValueId, ValueInfo},
    onnx_form::{OnnxError, attribute, bindings::standard, port_type, tensor, unsupported},
    schema::{PortType, TensorType, TypeTable},
    value::Value,
};

/// Bytes kept of a foreign name, so that a number still fits behind it.
const NAME_BYTES: usize = 200;

/// A function as a module that nodes call.
pub(super) struct Callee {
    pub(super) module: String,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

pub(super) type Functions = BTreeMap<Key, Callee>;

/// What a node calls, if there is a function of this name.
pub(super) fn called(node: &NodeProto) -> Key {
    let domain = standard(node.domain()).to_owned();
    (domain, node.op_type().to_owned(), node.overload().to_owned())
}

/// A foreign name without what no name of ours may hold.
pub(super) fn clean(name: &str, otherwise: &str) -> String {
    let is_odd = |letter: char| letter == '/' || letter.is_control();
    let dotted = name.trim_matches(is_odd).replace(is_odd, ".");
    match crate::error::cut_detail(&dotted, NAME_BYTES) {
        "" => otherwise.to_owned(),
        name => name.to_owned(),
    }
}

pub(super) fn of_graph(graph: &GraphProto, functions: &Functions) -> Result<Body, OnnxError> {
    if !graph.sparse_initializer.is_empty() {
        return Err(unsupported(graph.name(), "sparse initialisers"));
    }
    let hints = hints(graph.value_info.iter());
    let mut import = Import { hints, ..Import::new(functions) };
    let held: BTreeSet<&str> = graph.initializer.iter().map(TensorProto::name).collect();
    for info in &graph.input {
        if !held.contains(info.name()) {
            import.input(info.name(), declared(info)?)?;
        }
    }
    for info in &graph.output {
        import.hints.insert(info.name().to_owned(), declared(info)?);
    }
    let read: BTreeSet<&str> = { graph.node.iter() }
        .flat_map(|node| node.input.iter().map(String::as_str))
        .chain(graph.output.iter().map(ValueInfoProto::name))
        .collect();
    for initializer in &graph.initializer {
        let tensor = tensor::read(initializer.name(), initializer)?;
        let value = import.define(initializer.name())?;
        if read.contains(initializer.name()) {
            import.constant(initializer.name(), Value::Tensor(tensor), value);
        }
    }
    import.nodes(&graph.node)?;
    import.outputs(graph.output.iter().map(ValueInfoProto::name))?;
    Ok(import.body)
}

pub(super) fn of_function(
    function: &FunctionProto,
    functions: &Functions,
) -> Result<Body, OnnxError> {
    let hints = hints(function.value_info.iter());
    let mut import = Import { hints, ..Import::new(functions) };
    for name in &function.input {
        let known = import.hints.get(name).cloned();
        import.input(name, known.unwrap_or(PortType::Tensor(TensorType::default())))?;
    }
    import.nodes(&function.node)?;
    import.outputs(function.output.iter().map(String::as_str))?;
    Ok(import.body)
}

/// Types that a model tells of values inside of it; one that is none of ours is no loss.
fn hints<'a>(infos: impl Iterator<Item = &'a ValueInfoProto>) -> BTreeMap<String, PortType> {
    let typed = |info: &ValueInfoProto| Some((info.name().to_owned(), declared(info).ok()?));
    infos.filter_map(typed).collect()
}

fn declared(info: &ValueInfoProto) -> Result<PortType, OnnxError> {
    let lacks = || OnnxError::Lacks { of: info.name().to_owned(), what: "a type" };
    port_type::read(info.name(), info.r#type.as_ref().ok_or_else(lacks)?)
}

/// A body while it is made.
struct Import<'a> {
    functions: &'a Functions,
    hints: BTreeMap<String, PortType>,
    body: Body,
    /// The values by the names that the model gives them.
    by_name: BTreeMap<String, ValueId>,
    value_names: Names,
    op_names: Names,
    port_names: Names,
}

impl<'a> Import<'a> {
    fn new(functions: &'a Functions) -> Self {
        Self {
            functions,
            hints: BTreeMap::new(),
            body: Body::default(),
            by_name: BTreeMap::new(),
            value_names: Names::default(),
            op_names: Names::default(),
            port_names: Names::default(),
        }
    }

    /// A new value of this name in the model.
    fn define(&mut self, name: &str) -> Result<ValueId, OnnxError> {
        let ty = self.hints.get(name).cloned();
        let value = self.value(name, ty);
        match self.by_name.insert(name.to_owned(), value) {
            None => Ok(value),
            Some(_) => Err(OnnxError::Duplicate { what: "value", name: name.to_owned() }),
        }
    }

    fn value(&mut self, name: &str, ty: Option<PortType>) -> ValueId {
        let id = ValueId(u32::try_from(self.body.values.len()).unwrap_or(u32::MAX));
        let name = self.value_names.fresh(&clean(name, "value"));
        self.body.values.push(ValueInfo { name, ty });
        id
    }

    fn find(&self, of: &str, name: &str) -> Result<ValueId, OnnxError> {
        let unknown = || OnnxError::UnknownValue { of: of.to_owned(), name: name.to_owned() };
        self.by_name.get(name).copied().ok_or_else(unknown)
    }

    fn input(&mut self, name: &str, ty: PortType) -> Result<(), OnnxError> {
        self.hints.insert(name.to_owned(), ty);
        let value = self.define(name)?;
        let name = self.port_names.fresh(&clean(name, "input"));
        self.body.inputs.push(Port { name, value });
        Ok(())
    }

    fn outputs<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Result<(), OnnxError> {
        let (mut ports, mut taken) = (Names::default(), BTreeSet::new());
        for name in names {
            let value = self.find("an output", name)?;
            if !taken.insert(value) {
                let name = name.to_owned();
                return Err(OnnxError::Duplicate { what: "output", name });
            }
            let name = ports.fresh(&clean(name, "output"));
            self.body.outputs.push(Port { name, value });
        }
        Ok(())
    }

    fn constant(&mut self, name: &str, held: Value, value: ValueId) {
        let name = self.op_names.fresh(&clean(name, "constant"));
        let attributes = [("value".to_owned(), held)].into();
        let (inputs, outputs) = (Vec::new(), vec![value]);
        let (kind, activation) = (OpKind::Constant, Activation::All);
        self.body.ops.push(Op { name, kind, inputs, outputs, activation, attributes });
    }

    /// The nodes, in whatever order they stand: what one reads may be given by a later one.
    fn nodes(&mut self, nodes: &[NodeProto]) -> Result<(), OnnxError> {
        let mut outputs = Vec::new();
        for node in nodes {
            outputs.push(self.results(node)?);
        }
        for (node, outputs) in nodes.iter().zip(outputs) {
            self.node(node, outputs)?;
        }
        Ok(())
    }

    /// The values that a node gives. One that the model leaves out in the middle is nobody's.
    fn results(&mut self, node: &NodeProto) -> Result<Vec<ValueId>, OnnxError> {
        let wanted = node.output.iter().rposition(|name| !name.is_empty());
        let wanted = wanted.map_or(0, |last| last + 1);
        let mut outputs = Vec::new();
        for name in node.output.iter().take(wanted) {
            outputs.push(match name.as_str() {
                "" => self.value("unused", None),
                name => self.define(name)?,
            });
        }
        let called = self.functions.get(&called(node)).map_or(0, |callee| callee.outputs);
        while outputs.len() < called {
            outputs.push(self.value("unused", None));
        }
        Ok(outputs)
    }

    fn node(&mut self, node: &NodeProto, outputs: Vec<ValueId>) -> Result<(), OnnxError> {
        let of = if node.name().is_empty() { node.op_type() } else { node.name() };
        let inputs_max = usize::from(u16::MAX);
        if node.input.len() > inputs_max {
            let what = format!("{} inputs, at most {inputs_max} are allowed", node.input.len());
            return Err(unsupported(of, what));
        }
        let callee = self.functions.get(&called(node));
        let is_standard = standard(node.domain()).is_empty();
        if let ("Constant", true, None, [value]) = (node.op_type(), is_standard, callee, &*outputs)
        {
            let held = constant::read(of, node)?;
            self.constant(of, held, *value);
            return Ok(());
        }
        let given = |name: &String| match name.as_str() {
            "" => Ok(None),
            name => self.find(of, name).map(Some),
        };
        let mut inputs = node.input.iter().map(given).collect::<Result<Vec<_>, _>>()?;
        let kind = match callee {
            Some(callee) => {
                if inputs.len() != callee.inputs || inputs.contains(&None) {
                    let what = format!("a call of {} without all inputs", callee.module);
                    return Err(unsupported(of, what));
                }
                if !node.attribute.is_empty() {
                    return Err(unsupported(of, "a call with attributes"));
                }
                OpKind::Call { module: callee.module.clone() }
            }
            None => OpKind::Tensor {
                domain: standard(node.domain()).to_owned(),
                op_type: node.op_type().to_owned(),
            },
        };
        // What is left out at the end is left out.
        while let Some(None) = inputs.last() {
            inputs.pop();
        }
        let name = self.op_names.fresh(&clean(of, "node"));
        let (activation, attributes) = (Activation::All, attributes(of, node)?);
        self.body.ops.push(Op { name, kind, inputs, outputs, activation, attributes });
        Ok(())
    }
}

fn attributes(of: &str, node: &NodeProto) -> Result<BTreeMap<String, Value>, OnnxError> {
    let mut attributes = BTreeMap::new();
    for proto in &node.attribute {
        if proto.ref_attr_name.is_some() || proto.r#type() == AttributeType::Undefined {
            return Err(unsupported(of, format!("the attribute {:?} by name", proto.name())));
        }
        let value = attribute::read(of, proto, &TypeTable::default())?;
        if attributes.insert(proto.name().to_owned(), value).is_some() {
            let name = proto.name().to_owned();
            return Err(OnnxError::Duplicate { what: "attribute", name });
        }
    }
    Ok(attributes)
}
