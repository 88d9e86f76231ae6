//! Bodies as ONNX functions.
//!
//! Law: a function lists all values of its body in their order, each with its type if it has one;
//! so the numbers of values survive, those of unused ones too.

use std::collections::BTreeMap;

use samsara_proto::onnx::{FunctionProto, OperatorSetIdProto, ValueInfoProto};

use super::{OnnxError, entry, find, join, node, port_type, split, unsupported};
use crate::{
    module::{Body, Port, ValueId, ValueInfo},
    schema::TypeTable,
};

const INPUTS: &str = "samsara.inputs";
const OUTPUTS: &str = "samsara.outputs";

/// The function of this body of the module `name`.
pub(super) fn write(
    domain: &str,
    name: &str,
    body: &Body,
    opsets: &[OperatorSetIdProto],
) -> FunctionProto {
    let values = |ports: &[Port]| {
        let name = |port: &Port| body.value(port.value).map(|value| value.name.clone());
        ports.iter().map(|port| name(port).unwrap_or_default()).collect()
    };
    let names = |ports: &[Port]| join(ports.iter().map(|port| port.name.as_str()));
    let info = |value: &ValueInfo| ValueInfoProto {
        name: Some(value.name.clone()),
        r#type: value.ty.as_ref().map(port_type::write),
        ..ValueInfoProto::default()
    };
    FunctionProto {
        name: Some(name.to_owned()),
        domain: Some(domain.to_owned()),
        input: values(&body.inputs),
        output: values(&body.outputs),
        node: body.ops.iter().map(|op| node::write(body, op)).collect(),
        opset_import: opsets.to_vec(),
        value_info: body.values.iter().map(info).collect(),
        metadata_props: vec![
            entry(INPUTS, names(&body.inputs)),
            entry(OUTPUTS, names(&body.outputs)),
        ],
        ..FunctionProto::default()
    }
}

/// The body of this function.
pub(super) fn read(proto: &FunctionProto, types: &TypeTable) -> Result<Body, OnnxError> {
    let name = proto.name();
    if !proto.attribute.is_empty() || !proto.attribute_proto.is_empty() {
        return Err(unsupported(name, "attributes of its own"));
    }
    let mut values = Values::default();
    let mut infos = Vec::new();
    for info in &proto.value_info {
        let ty = info.r#type.as_ref().map(|ty| port_type::read(info.name(), ty)).transpose()?;
        values.add(info.name())?;
        infos.push(ValueInfo { name: info.name().to_owned(), ty });
    }
    let ports = |key: &'static str, of: &[String]| {
        let names = find(&proto.metadata_props, key);
        let names = names.ok_or_else(|| OnnxError::Lacks { of: name.to_owned(), what: key })?;
        let names: Vec<_> = split(names).collect();
        if names.len() != of.len() {
            let what = format!("{} names of ports for {} values", names.len(), of.len());
            return Err(unsupported(name, what));
        }
        let port = |(port, value): (&str, &String)| {
            Ok(Port { name: port.to_owned(), value: values.find(name, value)? })
        };
        names.into_iter().zip(of).map(port).collect::<Result<Vec<_>, _>>()
    };
    let (inputs, outputs) = (ports(INPUTS, &proto.input)?, ports(OUTPUTS, &proto.output)?);
    let ops = proto.node.iter().map(|op| node::read(op, &values, types));
    Ok(Body { inputs, outputs, ops: ops.collect::<Result<_, _>>()?, values: infos })
}

/// The values that a function lists, by name.
#[derive(Default)]
pub(super) struct Values {
    by_name: BTreeMap<String, ValueId>,
}

impl Values {
    fn add(&mut self, name: &str) -> Result<(), OnnxError> {
        let id = ValueId(u32::try_from(self.by_name.len()).unwrap_or(u32::MAX));
        match self.by_name.insert(name.to_owned(), id) {
            None => Ok(()),
            Some(_) => Err(OnnxError::Duplicate { what: "value", name: name.to_owned() }),
        }
    }

    /// The value of this name, which the part `of` the function uses.
    pub(super) fn find(&self, of: &str, name: &str) -> Result<ValueId, OnnxError> {
        let unknown = || OnnxError::UnknownValue { of: of.to_owned(), name: name.to_owned() };
        self.by_name.get(name).copied().ok_or_else(unknown)
    }
}
