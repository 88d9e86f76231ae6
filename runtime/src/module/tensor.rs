//! Tensor ops as backends see them.
//!
//! Law: a tensor op is meant by one release of its domain, which the program bears.

use std::collections::BTreeMap;

use super::{Body, Op};
use crate::{role::backend::TensorNode, schema::PortType};

/// The release of the standard ops that is meant where a program says nothing else.
const STANDARD_OPSET: u64 = 21;

/// The release of a domain's ops that is meant where a program says nothing else.
pub(crate) fn usual_opset(domain: &str) -> u64 {
    if domain.is_empty() { STANDARD_OPSET } else { 1 }
}

impl Body {
    /// This op of an ONNX domain as a region of its own sees it: each of its inputs is another value
    /// of the region, then each of its outputs.
    pub(crate) fn tensor_node(
        &self,
        op: &Op,
        (domain, op_type): (&str, &str),
        opsets: &BTreeMap<String, u64>,
    ) -> TensorNode {
        let ty = |value| -> Option<PortType> { self.value(value)?.ty.clone() };
        let given = |(at, input): (usize, &Option<_>)| input.map(|_| at);
        let first_output = op.inputs.len();
        TensorNode {
            name: op.name.clone(),
            domain: domain.to_owned(),
            op_type: op_type.to_owned(),
            opset: opsets.get(domain).copied().unwrap_or_else(|| usual_opset(domain)),
            attributes: op.attributes.clone(),
            inputs: op.inputs.iter().enumerate().map(given).collect(),
            outputs: (first_output..first_output + op.outputs.len()).collect(),
            input_types: op.inputs.iter().map(|input| ty((*input)?)).collect(),
            output_types: op.outputs.iter().map(|output| ty(*output)).collect(),
        }
    }
}
