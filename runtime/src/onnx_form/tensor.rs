//! Tensors of models: elements as raw bytes, or as numbers of the widest kind that holds them.
//!
//! Law: elements are in the model itself, never in a file beside it, and are exactly as many as the
//! shape asks for; nothing is taken for what a shape only claims.

use bytes::Bytes;
use samsara_proto::onnx::{TensorProto, tensor_proto::DataLocation};

use super::{OnnxError, unsupported};
use crate::tensor::{Dtype, Tensor};

/// The tensor of this message of the part `of`.
pub(super) fn read(of: &str, proto: &TensorProto) -> Result<Tensor, OnnxError> {
    let is_inside = proto.data_location.is_none_or(|at| at == DataLocation::Default as i32);
    if !is_inside || !proto.external_data.is_empty() {
        return Err(OnnxError::ExternalData { of: of.to_owned() });
    }
    if proto.segment.is_some() {
        return Err(unsupported(of, "a tensor in segments"));
    }
    let dims = proto.dims.iter().map(|&dim| u64::try_from(dim)).collect::<Result<Vec<_>, _>>();
    let dims = dims.map_err(|_| unsupported(of, "a tensor of negative dimensions"))?;
    let unusable = |error: crate::tensor::TensorError| unsupported(of, error.to_string());
    let dtype = Dtype::from_onnx(proto.data_type()).map_err(unusable)?;
    let elements = match &proto.raw_data {
        Some(raw) if has_numbers(proto) => {
            return Err(unsupported(
                of,
                format!("a tensor of {} raw bytes and numbers", raw.len()),
            ));
        }
        Some(raw) => raw.clone(),
        None => numbers(dtype, proto)
            .ok_or_else(|| unsupported(of, format!("a tensor of numbers that are no {dtype}")))?,
    };
    let tensor = Tensor::from_bytes(dtype, &dims, elements);
    tensor.and_then(|tensor| tensor.aligned()).map_err(unusable)
}

fn has_numbers(proto: &TensorProto) -> bool {
    !(proto.float_data.is_empty()
        && proto.double_data.is_empty()
        && proto.int32_data.is_empty()
        && proto.int64_data.is_empty()
        && proto.uint64_data.is_empty()
        && proto.string_data.is_empty())
}

/// The bytes of elements that are written as numbers, if they are all of this type.
fn numbers(dtype: Dtype, proto: &TensorProto) -> Option<Bytes> {
    let mut out = Vec::new();
    let ints = proto.int32_data.iter();
    match dtype {
        Dtype::F32 | Dtype::Complex64 => {
            proto.float_data.iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
        Dtype::F64 | Dtype::Complex128 => {
            proto.double_data.iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
        Dtype::I64 => proto.int64_data.iter().for_each(|number| out.extend(number.to_le_bytes())),
        Dtype::U64 => proto.uint64_data.iter().for_each(|number| out.extend(number.to_le_bytes())),
        Dtype::U32 => {
            for &number in &proto.uint64_data {
                out.extend(u32::try_from(number).ok()?.to_le_bytes());
            }
        }
        Dtype::I32 => ints.for_each(|number| out.extend(number.to_le_bytes())),
        Dtype::I16 => {
            for &number in ints {
                out.extend(i16::try_from(number).ok()?.to_le_bytes());
            }
        }
        Dtype::I8 => {
            for &number in ints {
                out.extend(i8::try_from(number).ok()?.to_le_bytes());
            }
        }
        // Short floats are written as their bits.
        Dtype::U16 | Dtype::F16 | Dtype::Bf16 => {
            for &number in ints {
                out.extend(u16::try_from(number).ok()?.to_le_bytes());
            }
        }
        Dtype::U8 => {
            for &number in ints {
                out.push(u8::try_from(number).ok()?);
            }
        }
        Dtype::Bool => {
            for &number in ints {
                out.push(u8::from(number != 0));
            }
        }
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(dtype: Dtype, dims: &[i64]) -> TensorProto {
        TensorProto { data_type: Some(dtype.onnx()), dims: dims.to_vec(), ..TensorProto::default() }
    }

    #[test]
    fn numbers_and_raw_bytes_are_the_same_tensor() {
        let numbers = TensorProto { int32_data: vec![1, -2], ..proto(Dtype::I8, &[2]) };
        let raw = Bytes::from_static(&[1, 0xFE]);
        let raw = TensorProto { raw_data: Some(raw), ..proto(Dtype::I8, &[2]) };
        assert_eq!(read("t", &numbers), read("t", &raw));
        assert_eq!(read("t", &numbers).expect("sound").as_slice::<i8>(), Ok(&[1, -2][..]));
    }

    #[test]
    fn what_does_not_hang_together_is_refused() {
        let refused = |proto: TensorProto| read("t", &proto).expect_err("it is wrong").to_string();
        let wide = TensorProto { int32_data: vec![300], ..proto(Dtype::U8, &[1]) };
        assert_eq!(refused(wide), "t has a tensor of numbers that are no u8");
        let few = TensorProto { float_data: vec![1.0], ..proto(Dtype::F32, &[2]) };
        assert_eq!(refused(few), "t has f32 of shape [2] is 8 bytes, got 4");
        assert_eq!(refused(proto(Dtype::F32, &[-1])), "t has a tensor of negative dimensions");
        let vast = refused(proto(Dtype::F32, &[i64::MAX, i64::MAX]));
        assert!(vast.ends_with("is more than an address can span"), "{vast}");
        let outside = TensorProto {
            data_location: Some(DataLocation::External as i32),
            ..proto(Dtype::F32, &[0])
        };
        assert_eq!(refused(outside), "t keeps its elements outside of the model");
        let both = TensorProto {
            raw_data: Some(Bytes::from_static(&[0; 4])),
            float_data: vec![0.0],
            ..proto(Dtype::F32, &[1])
        };
        assert_eq!(refused(both), "t has a tensor of 4 raw bytes and numbers");
    }
}
