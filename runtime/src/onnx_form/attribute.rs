//! Settings of ops as ONNX attributes.
//!
//! Law: integers, floats, texts, tensors and rows of them are what other tools expect. Any other
//! value is its encoding as byte tensors, under a `doc_string` that begins with [`ENCODED`] and
//! ends with its type id.

use bytes::Bytes;
use samsara_proto::onnx::{AttributeProto, TensorProto, attribute_proto::AttributeType};

use super::{OnnxError, tensor, unsupported};
use crate::{
    config::ValueConfig,
    schema::{PortType, TypeTable, decode, encode},
    tensor::{Dtype, Tensor},
    value::Value,
};

/// What stands before the type id of an encoded value.
pub(super) const ENCODED: &str = "samsara value ";

/// The attribute of this name and value.
pub(super) fn write(name: &str, value: &Value) -> AttributeProto {
    let mut proto = native(value).unwrap_or_else(|| {
        let encoded = encode(value);
        let parts = std::iter::once(encoded.payload).chain(encoded.blobs);
        AttributeProto {
            r#type: Some(AttributeType::Tensors.into()),
            doc_string: Some(format!("{ENCODED}{}", encoded.type_id)),
            tensors: parts.map(|part| bytes_tensor(&part)).collect(),
            ..AttributeProto::default()
        }
    });
    proto.name = Some(name.to_owned());
    proto
}

/// The attribute that ONNX has for this value, if it has one.
fn native(value: &Value) -> Option<AttributeProto> {
    let of = |kind: AttributeType| AttributeProto {
        r#type: Some(kind.into()),
        ..AttributeProto::default()
    };
    Some(match value {
        Value::I64(i) => AttributeProto { i: Some(*i), ..of(AttributeType::Int) },
        Value::F64(held) => AttributeProto { f: Some(narrow(*held)?), ..of(AttributeType::Float) },
        Value::Text(text) => AttributeProto {
            s: Some(Bytes::copy_from_slice(text.as_bytes())),
            ..of(AttributeType::String)
        },
        Value::Tensor(tensor) => {
            AttributeProto { t: Some(tensor_proto(tensor)), ..of(AttributeType::Tensor) }
        }
        Value::List(list) => match list.items().first() {
            Some(Value::F64(_)) => AttributeProto {
                floats: each(list.items(), |item| match item {
                    Value::F64(held) => narrow(*held),
                    _ => None,
                })?,
                ..of(AttributeType::Floats)
            },
            Some(Value::Text(_)) => AttributeProto {
                strings: each(list.items(), |item| match item {
                    Value::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
                    _ => None,
                })?,
                ..of(AttributeType::Strings)
            },
            _ => AttributeProto {
                ints: each(list.items(), |item| match item {
                    Value::I64(i) => Some(*i),
                    _ => None,
                })?,
                ..of(AttributeType::Ints)
            },
        },
        _ => return None,
    })
}

fn each<T>(items: &[Value], take: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    items.iter().map(take).collect()
}

/// The number in half the bits, if nothing is lost.
fn narrow(held: f64) -> Option<f32> {
    let narrow = held as f32;
    (f64::from(narrow).to_bits() == held.to_bits()).then_some(narrow)
}

fn bytes_tensor(part: &Bytes) -> TensorProto {
    TensorProto {
        dims: vec![i64::try_from(part.len()).unwrap_or(i64::MAX)],
        data_type: Some(Dtype::U8.onnx()),
        raw_data: Some(part.clone()),
        ..TensorProto::default()
    }
}

fn tensor_proto(tensor: &Tensor) -> TensorProto {
    TensorProto {
        // No shape that a tensor can have holds a length past `i64`: memory ends before.
        dims: tensor.shape().iter().map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect(),
        data_type: Some(tensor.dtype().onnx()),
        raw_data: Some(tensor.bytes().clone()),
        ..TensorProto::default()
    }
}

/// The value of this attribute of the node `of`.
pub(super) fn read(
    of: &str,
    proto: &AttributeProto,
    types: &TypeTable,
) -> Result<Value, OnnxError> {
    let kind = AttributeType::try_from(proto.r#type.unwrap_or_default());
    match kind.unwrap_or(AttributeType::Undefined) {
        AttributeType::Int => Ok(Value::I64(proto.i())),
        AttributeType::Float => Ok(Value::F64(proto.f().into())),
        AttributeType::String => text(of, proto.s()),
        AttributeType::Tensor => {
            let tensor = proto.t.as_ref();
            let tensor = tensor.ok_or_else(|| unsupported(of, "a tensor attribute without one"))?;
            Ok(Value::Tensor(tensor::read(of, tensor)?))
        }
        AttributeType::Ints => list(of, proto.ints.iter().map(|&item| Ok(Value::I64(item)))),
        AttributeType::Floats => {
            list(of, proto.floats.iter().map(|&item| Ok(Value::F64(item.into()))))
        }
        AttributeType::Strings => list(of, proto.strings.iter().map(|item| text(of, item))),
        AttributeType::Tensors => encoded(of, proto, types),
        AttributeType::Graph | AttributeType::Graphs => {
            let name = proto.name();
            Err(unsupported(
                of,
                format!("the attribute {name:?}, a graph: ops have no bodies here"),
            ))
        }
        AttributeType::Undefined
        | AttributeType::SparseTensor
        | AttributeType::TypeProto
        | AttributeType::SparseTensors
        | AttributeType::TypeProtos => {
            Err(unsupported(of, format!("the attribute {:?} of a kind unknown here", proto.name())))
        }
    }
}

fn text(of: &str, bytes: &[u8]) -> Result<Value, OnnxError> {
    let text = std::str::from_utf8(bytes);
    text.map(Value::from).map_err(|_| unsupported(of, "a text attribute that is not UTF-8"))
}

fn list(
    of: &str,
    items: impl Iterator<Item = Result<Value, OnnxError>>,
) -> Result<Value, OnnxError> {
    let items = items.collect::<Result<_, _>>()?;
    Value::list(items).map_err(|error| unsupported(of, error.to_string()))
}

fn encoded(of: &str, proto: &AttributeProto, types: &TypeTable) -> Result<Value, OnnxError> {
    let Some(type_id) = proto.doc_string().strip_prefix(ENCODED) else {
        return Err(unsupported(of, "a row of tensors as an attribute"));
    };
    let part = |tensor: &TensorProto| tensor::read(of, tensor).map(|part| part.bytes().clone());
    let mut parts = proto.tensors.iter().map(part);
    let payload = parts.next().transpose()?.unwrap_or_default();
    let blobs = parts.collect::<Result<Vec<_>, _>>()?;
    let limits = ValueConfig::default();
    decode(&PortType::Any, type_id, payload, &blobs, types, &limits).map_err(|source| {
        let source = Box::new(source);
        OnnxError::Value { of: of.to_owned(), name: proto.name().to_owned(), source }
    })
}
