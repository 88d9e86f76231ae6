//! Ops as ONNX nodes.
//!
//! Law: domain and op type tell what an op does; nothing is guessed from a bare name.

use std::collections::BTreeMap;

use samsara_proto::onnx::{NodeProto, attribute_proto::AttributeType};

use super::{
    BOOTSTRAP, COMPONENT, MODULE, OnnxError, SYSCALL, attribute, bindings::standard, entry, find,
    function::Values, unsupported,
};
use crate::{
    module::{Activation, Body, Op, OpKind, ValueId},
    schema::TypeTable,
};

const ACTIVATION: &str = "samsara.activation";
const CONSTANT: &str = "Constant";

/// The node of this op of a body.
pub(super) fn write(body: &Body, op: &Op) -> NodeProto {
    let name =
        |value: ValueId| body.value(value).map(|value| value.name.clone()).unwrap_or_default();
    let (domain, op_type) = match &op.kind {
        OpKind::Component { slot, op } => (COMPONENT, format!("{slot}/{op}")),
        OpKind::Call { module } => (MODULE, module.clone()),
        OpKind::Syscall(request) => (SYSCALL, request.clone()),
        OpKind::Constant => (SYSCALL, CONSTANT.to_owned()),
        OpKind::Tensor { domain, op_type } => (domain.as_str(), op_type.clone()),
    };
    let activation = match op.activation {
        Activation::All => None,
        Activation::Any => Some("any".to_owned()),
        Activation::Count(count) => Some(count.to_string()),
    };
    NodeProto {
        name: Some(op.name.clone()),
        domain: Some(domain.to_owned()),
        op_type: Some(op_type),
        input: op.inputs.iter().map(|input| input.map(name).unwrap_or_default()).collect(),
        output: op.outputs.iter().copied().map(name).collect(),
        attribute: op.attributes.iter().map(|(key, held)| attribute::write(key, held)).collect(),
        metadata_props: activation.into_iter().map(|value| entry(ACTIVATION, value)).collect(),
        ..NodeProto::default()
    }
}

/// The op of this node, over the values of its function.
pub(super) fn read(node: &NodeProto, values: &Values, types: &TypeTable) -> Result<Op, OnnxError> {
    let name = node.name();
    let given = |input: &String| match input.as_str() {
        "" => Ok(None),
        input => values.find(name, input).map(Some),
    };
    let inputs = node.input.iter().map(given).collect::<Result<_, _>>()?;
    let outputs = node.output.iter().map(|output| values.find(name, output));
    let activation = match find(&node.metadata_props, ACTIVATION) {
        None => Activation::All,
        Some("any") => Activation::Any,
        Some(count) => Activation::Count(
            count.parse().map_err(|_| unsupported(name, format!("the activation {count:?}")))?,
        ),
    };
    let mut attributes = BTreeMap::new();
    for proto in &node.attribute {
        if proto.ref_attr_name.is_some() || proto.r#type() == AttributeType::Undefined {
            return Err(unsupported(name, format!("the attribute {:?} by name", proto.name())));
        }
        let value = attribute::read(name, proto, types)?;
        if attributes.insert(proto.name().to_owned(), value).is_some() {
            let name = proto.name().to_owned();
            return Err(OnnxError::Duplicate { what: "attribute", name });
        }
    }
    Ok(Op {
        name: name.to_owned(),
        kind: kind(node)?,
        inputs,
        outputs: outputs.collect::<Result<_, _>>()?,
        activation,
        attributes,
    })
}

fn kind(node: &NodeProto) -> Result<OpKind, OnnxError> {
    let op_type = node.op_type().to_owned();
    Ok(match node.domain() {
        MODULE => OpKind::Call { module: op_type },
        SYSCALL if op_type == CONSTANT => OpKind::Constant,
        SYSCALL => OpKind::Syscall(op_type),
        COMPONENT => match op_type.split_once('/') {
            Some((slot, op)) => OpKind::Component { slot: slot.to_owned(), op: op.to_owned() },
            None => {
                let what = "a slash between slot and op";
                return Err(OnnxError::Lacks { of: node.name().to_owned(), what });
            }
        },
        BOOTSTRAP => return Err(unsupported(node.name(), "a call of a bootstrap")),
        domain => OpKind::Tensor { domain: standard(domain).to_owned(), op_type },
    })
}
