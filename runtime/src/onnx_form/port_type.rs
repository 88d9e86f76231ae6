//! Port types as ONNX types.
//!
//! Law: where ONNX has a type that holds the values it is used, so that other tools understand the
//! port; the denotation tells apart what ONNX does not. The rest is opaque under its type id.

use samsara_proto::onnx::{
    TensorShapeProto, TypeProto,
    tensor_proto::DataType,
    tensor_shape_proto,
    tensor_shape_proto::dimension,
    type_proto::{Opaque, Sequence, Tensor, Value},
};

use super::{OnnxError, unsupported};
use crate::{
    schema::{PortType, TensorType},
    tensor::{Dtype, MAX_RANK},
    value::{Kind, MAX_DEPTH, TypeId},
};

const OPAQUE: &str = "samsara";
const ANY: &str = "any";

/// Built-in types that ONNX has no type for.
const OPAQUE_TYPES: &[(Kind, PortType)] = &[
    (Kind::Unit, PortType::Unit),
    (Kind::Peer, PortType::Peer),
    (Kind::Address, PortType::Address),
    (Kind::Record, PortType::Record),
];

/// Built-in types that ONNX holds in a tensor: element type, and whether it is a row of them.
const DENOTED_TYPES: &[(Kind, PortType, i32, bool)] = &[
    (Kind::Bool, PortType::Bool, Dtype::Bool.onnx(), false),
    (Kind::I64, PortType::I64, Dtype::I64.onnx(), false),
    (Kind::U64, PortType::U64, Dtype::U64.onnx(), false),
    (Kind::F64, PortType::F64, Dtype::F64.onnx(), false),
    (Kind::Text, PortType::Text, DataType::String as i32, false),
    (Kind::Bytes, PortType::Bytes, Dtype::U8.onnx(), true),
];

/// The ONNX type of this port type.
pub(super) fn write(ty: &PortType) -> TypeProto {
    let opaque = |name: &str| {
        Value::OpaqueType(Opaque { domain: Some(OPAQUE.into()), name: Some(name.into()) })
    };
    if let Some((kind, _, element, is_row)) = DENOTED_TYPES.iter().find(|row| row.1 == *ty) {
        let dims: &[Option<u64>] = if *is_row { &[None] } else { &[] };
        let value = Value::TensorType(tensor(*element, Some(dims)));
        let denotation = Some(kind.type_id().as_str().to_owned());
        return TypeProto { denotation, value: Some(value) };
    }
    let value = match ty {
        PortType::List(items) => {
            let elem_type = Some(Box::new(write(items)));
            Value::SequenceType(Box::new(Sequence { elem_type }))
        }
        PortType::Tensor(TensorType { dtype, shape }) => {
            let element = dtype.map_or(DataType::Undefined as i32, Dtype::onnx);
            Value::TensorType(tensor(element, shape.as_deref()))
        }
        PortType::Native(id) => opaque(id.as_str()),
        _ => match OPAQUE_TYPES.iter().find(|(_, opaque)| opaque == ty) {
            Some((kind, _)) => opaque(kind.type_id().as_str()),
            None => opaque(ANY),
        },
    };
    TypeProto { denotation: None, value: Some(value) }
}

/// The same for a port of the main graph, where ONNX wants every tensor to have a rank: one of any
/// rank is opaque there.
pub(super) fn write_ranked(ty: &PortType) -> TypeProto {
    match ty {
        PortType::List(items) => {
            let elem_type = Some(Box::new(write_ranked(items)));
            let value = Value::SequenceType(Box::new(Sequence { elem_type }));
            TypeProto { denotation: None, value: Some(value) }
        }
        PortType::Tensor(TensorType { shape: None, .. }) => {
            write(&PortType::Native(Kind::Tensor.type_id()))
        }
        _ => write(ty),
    }
}

fn tensor(element: i32, dims: Option<&[Option<u64>]>) -> Tensor {
    let dimension = |dim: &Option<u64>| tensor_shape_proto::Dimension {
        denotation: None,
        // Validation has refused what does not fit.
        value: dim.map(|dim| dimension::Value::DimValue(i64::try_from(dim).unwrap_or(i64::MAX))),
    };
    let shape = dims.map(|dims| TensorShapeProto { dim: dims.iter().map(dimension).collect() });
    Tensor { elem_type: Some(element), shape }
}

/// The port type of this ONNX type.
pub(super) fn read(of: &str, proto: &TypeProto) -> Result<PortType, OnnxError> {
    read_within(of, proto, MAX_DEPTH)
}

/// The same for a type that has at most so many levels of lists.
fn read_within(of: &str, proto: &TypeProto, levels: u8) -> Result<PortType, OnnxError> {
    let lacks = |what| OnnxError::Lacks { of: of.to_owned(), what };
    match proto.value.as_ref().ok_or_else(|| lacks("a kind of type"))? {
        Value::SequenceType(sequence) => {
            let items = sequence.elem_type.as_deref().ok_or_else(|| lacks("a type of items"))?;
            let deep = || unsupported(of, format!("a list type of more than {MAX_DEPTH} levels"));
            let levels = levels.checked_sub(1).ok_or_else(deep)?;
            Ok(PortType::list(read_within(of, items, levels)?))
        }
        Value::OpaqueType(opaque) => read_opaque(of, opaque),
        Value::TensorType(tensor) => {
            let denoted = proto.denotation.as_deref();
            let of_kind = |kind: &Kind| Some(kind.type_id().as_str()) == denoted;
            match DENOTED_TYPES.iter().find(|(kind, ..)| of_kind(kind)) {
                Some((_, ty, element, _)) if tensor.elem_type() == *element => Ok(ty.clone()),
                Some((kind, ..)) => {
                    Err(unsupported(of, format!("a type that is denoted {}", kind.name())))
                }
                None => read_tensor(of, tensor),
            }
        }
        Value::MapType(_) | Value::OptionalType(_) | Value::SparseTensorType(_) => {
            Err(unsupported(of, "a map, optional or sparse type"))
        }
    }
}

fn read_opaque(of: &str, opaque: &Opaque) -> Result<PortType, OnnxError> {
    let name = opaque.name();
    if opaque.domain() != OPAQUE {
        return Err(unsupported(of, format!("an opaque type of {:?}", opaque.domain())));
    }
    if name == ANY {
        return Ok(PortType::Any);
    }
    match OPAQUE_TYPES.iter().find(|(kind, _)| kind.type_id().as_str() == name) {
        Some((_, ty)) => Ok(ty.clone()),
        None => {
            let id = TypeId::new(name).map_err(|error| unsupported(of, error.to_string()))?;
            Ok(PortType::Native(id))
        }
    }
}

fn read_tensor(of: &str, tensor: &Tensor) -> Result<PortType, OnnxError> {
    let dtype = match tensor.elem_type() {
        0 => None,
        number => {
            Some(Dtype::from_onnx(number).map_err(|error| unsupported(of, error.to_string()))?)
        }
    };
    let dim = |dim: &tensor_shape_proto::Dimension| match dim.value {
        Some(dimension::Value::DimValue(length)) => u64::try_from(length)
            .map(Some)
            .map_err(|_| unsupported(of, format!("a dimension of {length}"))),
        // A named dimension may be any, as far as ports are concerned.
        Some(dimension::Value::DimParam(_)) | None => Ok(None),
    };
    let rank = tensor.shape.as_ref().map_or(0, |shape| shape.dim.len());
    if rank > MAX_RANK {
        return Err(unsupported(of, format!("a tensor type of {rank} dimensions")));
    }
    let shape = tensor.shape.as_ref().map(|shape| shape.dim.iter().map(dim).collect());
    Ok(PortType::Tensor(TensorType { dtype, shape: shape.transpose()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_and_no_two_are_written_alike() {
        let bounds = [
            TensorType::default(),
            TensorType { dtype: Some(Dtype::F64), shape: None },
            TensorType { dtype: None, shape: Some(vec![Some(2), None]) },
            // The very tensors that numbers and bytes are written as.
            TensorType { dtype: Some(Dtype::F64), shape: Some(vec![]) },
            TensorType { dtype: Some(Dtype::U8), shape: Some(vec![None]) },
        ];
        let mut types: Vec<_> = bounds.map(PortType::Tensor).into();
        types.extend(DENOTED_TYPES.iter().map(|row| row.1.clone()));
        types.extend(OPAQUE_TYPES.iter().map(|row| row.1.clone()));
        types.extend([PortType::Any, PortType::Native(TypeId::from_static("acme.matrix@2"))]);
        types.extend(types.clone().into_iter().map(PortType::list));
        let written: Vec<_> = types.iter().map(write).collect();
        for (at, (ty, proto)) in types.iter().zip(&written).enumerate() {
            assert_eq!(read("x", proto).as_ref(), Ok(ty));
            assert!(written.iter().take(at).all(|other| other != proto), "{ty}");
        }
    }

    #[test]
    fn a_list_type_is_read_up_to_the_depth_of_values() {
        let nested = |levels| (0..levels).fold(PortType::U64, |ty, _| PortType::list(ty));
        let deepest = nested(MAX_DEPTH);
        assert_eq!(read("x", &write(&deepest)), Ok(deepest));
        let error = read("x", &write(&nested(MAX_DEPTH + 1))).expect_err("no value is so deep");
        assert_eq!(error.to_string(), "x has a list type of more than 16 levels");
    }

    #[test]
    fn a_type_that_lies_about_itself_is_refused() {
        let mut lie = write(&PortType::U64);
        lie.denotation = Some("text@1".into());
        let error = read("x", &lie).expect_err("a text is no tensor of numbers");
        assert_eq!(error.to_string(), "x has a type that is denoted text");
    }
}
