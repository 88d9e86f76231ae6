//! The standard op `Constant`, whose value is one of its attributes.
//!
//! Law: numbers are rank-0 tensors and rows of them rank-1, of the types that ONNX gives them.

use samsara_proto::onnx::NodeProto;

use crate::{
    onnx_form::{OnnxError, tensor, unsupported},
    tensor::{Tensor, TensorError},
    value::Value,
};

/// The value of this node.
pub(super) fn read(of: &str, node: &NodeProto) -> Result<Value, OnnxError> {
    let [proto] = node.attribute.as_slice() else {
        return Err(unsupported(of, format!("{} attributes, wanted one", node.attribute.len())));
    };
    let made = |made: Result<Tensor, TensorError>| {
        made.map_err(|error| unsupported(of, error.to_string()))
    };
    let row = |len: usize| [len as u64];
    let tensor = match (proto.name(), &proto.t) {
        ("value", Some(held)) => tensor::read(of, held)?,
        ("value_float", _) => made(Tensor::scalar(proto.f()))?,
        ("value_int", _) => made(Tensor::scalar(proto.i()))?,
        ("value_floats", _) => made(Tensor::from_slice(&row(proto.floats.len()), &proto.floats))?,
        ("value_ints", _) => made(Tensor::from_slice(&row(proto.ints.len()), &proto.ints))?,
        (name, _) => return Err(unsupported(of, format!("a constant by {name:?}"))),
    };
    Ok(Value::Tensor(tensor))
}
