//! A tensor on the wire: an ONNX `TensorProto` without its elements, which are a blob beside it.
//!
//! Law: external data is a segment of the same envelope, never a file. A header that says anything
//! else, or says more than a header needs, is refused.

use std::mem;

use bytes::Bytes;
use prost::Message as _;
use samsara_proto::onnx::tensor_proto::DataLocation;
use samsara_proto::onnx::{StringStringEntryProto, TensorProto};

use crate::tensor::{Dtype, MAX_RANK, Tensor, TensorError, byte_len};

/// Bytes of a tensor's header at most: all dimensions at full length and the place of the blob.
pub const TENSOR_HEADER_BYTES: usize = 16 * MAX_RANK;

/// Why a tensor's header is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorHeaderError {
    /// It is longer than any header need be.
    #[error("the header is {got} bytes, at most {cap} are allowed")]
    TooLong {
        /// Its bytes.
        got: usize,
        /// Bytes allowed.
        cap: usize,
    },
    /// It is no protobuf message of its kind.
    #[error("the header is no TensorProto")]
    Malformed(#[from] prost::DecodeError),
    /// The elements are not said to be outside of it.
    #[error("data_location is {got:?}, wanted {} for external", DataLocation::External as i32)]
    NotExternal {
        /// What is said instead.
        got: Option<i32>,
    },
    /// The place of the elements has a key that is none of ours, twice the same, or no value.
    #[error("external_data has {key:?}, wanted segment, offset and length, once each")]
    Key {
        /// The key.
        key: String,
    },
    /// The place of the elements lacks a key.
    #[error("external_data lacks {key}")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A part of the place is not a plain decimal number.
    #[error("{key} is {value:?}, wanted a decimal number")]
    Number {
        /// The key.
        key: String,
        /// What stands there.
        value: String,
    },
    /// A dimension is negative.
    #[error("dimension {at} is {got}")]
    NegativeDimension {
        /// Which.
        at: usize,
        /// What stands there.
        got: i64,
    },
    /// It says more than a type, a shape and a place.
    #[error("the header holds more than data_type, dims and external_data")]
    Extra,
    /// Such a tensor cannot be.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// Its place is not within the blobs that came along, or they are used out of order.
    #[error("segment {segment} is out of turn, wanted at most {wanted} of {blobs}")]
    Segment {
        /// The segment that is named.
        segment: u64,
        /// The highest that may be named here.
        wanted: u64,
        /// Blobs that came along.
        blobs: u64,
    },
    /// The range is not within the blob.
    #[error("bytes {offset} and {length} more are not within the {blob} bytes of the segment")]
    Range {
        /// Where the elements begin.
        offset: u64,
        /// How many bytes they are.
        length: u64,
        /// Bytes of the blob.
        blob: u64,
    },
}

/// The header of a tensor whose elements are all of blob `segment`.
pub(super) fn header(tensor: &Tensor, segment: u64) -> TensorProto {
    let place = [("segment", segment), ("offset", 0), ("length", tensor.bytes().len() as u64)];
    TensorProto {
        // No shape that a tensor can have holds a length past `i64`: memory ends before.
        dims: tensor.shape().iter().map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect(),
        data_type: Some(tensor.dtype().onnx()),
        data_location: Some(DataLocation::External as i32),
        external_data: place
            .into_iter()
            .map(|(key, value)| StringStringEntryProto {
                key: Some(key.to_owned()),
                value: Some(value.to_string()),
            })
            .collect(),
        ..TensorProto::default()
    }
}

/// The tensor of this header, over the blob that it names. `used` blobs were named so far; they
/// are named in order, so that none is left over or hidden.
pub(super) fn read(
    bytes: &[u8],
    blobs: &[Bytes],
    used: &mut usize,
) -> Result<Tensor, TensorHeaderError> {
    if bytes.len() > TENSOR_HEADER_BYTES {
        return Err(TensorHeaderError::TooLong { got: bytes.len(), cap: TENSOR_HEADER_BYTES });
    }
    let mut header = TensorProto::decode(bytes)?;
    let external = Some(DataLocation::External as i32);
    let location = header.data_location.take();
    if location != external {
        return Err(TensorHeaderError::NotExternal { got: location });
    }
    let dtype = Dtype::from_onnx(header.data_type.take().unwrap_or_default())?;
    let shape = shape(&mem::take(&mut header.dims))?;
    let place = Place::read(&mem::take(&mut header.external_data))?;
    if header != TensorProto::default() {
        return Err(TensorHeaderError::Extra);
    }
    let wanted = byte_len(dtype, &shape)? as u64;
    if wanted != place.length {
        let got = place.length;
        return Err(TensorError::WrongLength { dtype, shape, wanted, got }.into());
    }
    let blob = place.blob(blobs, *used)?;
    let elements = place.slice(blob)?;
    if place.segment == *used as u64 {
        *used += 1;
    }
    Ok(Tensor::from_bytes(dtype, &shape, elements)?)
}

fn shape(dims: &[i64]) -> Result<Vec<u64>, TensorHeaderError> {
    let dims = dims.iter().enumerate();
    dims.map(|(at, &got)| {
        u64::try_from(got).map_err(|_| TensorHeaderError::NegativeDimension { at, got })
    })
    .collect()
}

/// Where a tensor's elements are.
struct Place {
    segment: u64,
    offset: u64,
    length: u64,
}

impl Place {
    fn read(entries: &[StringStringEntryProto]) -> Result<Self, TensorHeaderError> {
        let (mut segment, mut offset, mut length) = (None, None, None);
        for entry in entries {
            let (key, value) = (entry.key.as_deref(), entry.value.as_deref());
            let part = match key {
                Some("segment") => &mut segment,
                Some("offset") => &mut offset,
                Some("length") => &mut length,
                _ => return Err(bad_key(key)),
            };
            let (None, Some(value)) = (&part, value) else { return Err(bad_key(key)) };
            *part = Some(number(value).ok_or_else(|| TensorHeaderError::Number {
                key: key.unwrap_or_default().to_owned(),
                value: value.to_owned(),
            })?);
        }
        let need = |part: Option<u64>, key| part.ok_or(TensorHeaderError::MissingKey { key });
        Ok(Self {
            segment: need(segment, "segment")?,
            offset: need(offset, "offset")?,
            length: need(length, "length")?,
        })
    }

    fn blob<'a>(&self, blobs: &'a [Bytes], used: usize) -> Result<&'a Bytes, TensorHeaderError> {
        let at = usize::try_from(self.segment).ok().filter(|&at| at <= used);
        at.and_then(|at| blobs.get(at)).ok_or(TensorHeaderError::Segment {
            segment: self.segment,
            wanted: used as u64,
            blobs: blobs.len() as u64,
        })
    }

    fn slice(&self, blob: &Bytes) -> Result<Bytes, TensorHeaderError> {
        let start = usize::try_from(self.offset).ok();
        let end = self.offset.checked_add(self.length).and_then(|end| usize::try_from(end).ok());
        match (start, end) {
            (Some(start), Some(end)) if end <= blob.len() => Ok(blob.slice(start..end)),
            _ => Err(TensorHeaderError::Range {
                offset: self.offset,
                length: self.length,
                blob: blob.len() as u64,
            }),
        }
    }
}

fn bad_key(key: Option<&str>) -> TensorHeaderError {
    TensorHeaderError::Key { key: key.unwrap_or_default().to_owned() }
}

/// Only the one way to write a number: `+1` and `01` would be second encodings.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> (TensorProto, Vec<Bytes>) {
        let tensor = Tensor::from_slice(&[2], &[1_u16, 2]).expect("it fits");
        (header(&tensor, 0), vec![tensor.bytes().clone()])
    }

    /// What becomes of a sound header after a change.
    fn changed(change: impl FnOnce(&mut TensorProto)) -> Result<Tensor, TensorHeaderError> {
        let (mut proto, blobs) = sound();
        change(&mut proto);
        read(&proto.encode_to_vec(), &blobs, &mut 0)
    }

    fn entry(key: &str, value: &str) -> StringStringEntryProto {
        StringStringEntryProto { key: Some(key.to_owned()), value: Some(value.to_owned()) }
    }

    #[test]
    fn a_sound_header_gives_the_blob_without_a_copy() {
        let (proto, blobs) = sound();
        let mut used = 0;
        let tensor = read(&proto.encode_to_vec(), &blobs, &mut used).expect("it is sound");
        assert_eq!(tensor.bytes().as_ptr(), blobs[0].as_ptr());
        assert_eq!((tensor.shape(), used), (&[2][..], 1));
    }

    #[test]
    fn a_file_is_refused() {
        let key = "location".to_owned();
        let refused = changed(|proto| proto.external_data.push(entry("location", "weights.bin")));
        assert_eq!(refused, Err(TensorHeaderError::Key { key }));
    }

    #[test]
    fn a_place_that_is_doubled_missing_or_odd_is_refused() {
        let key = "offset".to_owned();
        let refused = changed(|proto| proto.external_data.push(entry("offset", "0")));
        assert_eq!(refused, Err(TensorHeaderError::Key { key }));
        let refused = changed(|proto| drop(proto.external_data.pop()));
        assert_eq!(refused, Err(TensorHeaderError::MissingKey { key: "length" }));
        for odd in ["", "+0", "00", "-0", "0x0", "18446744073709551616"] {
            let refused = changed(|proto| proto.external_data[1] = entry("offset", odd));
            let (key, value) = ("offset".to_owned(), odd.to_owned());
            assert_eq!(refused, Err(TensorHeaderError::Number { key, value }));
        }
    }

    #[test]
    fn a_place_outside_the_blobs_is_refused() {
        let refused = changed(|proto| proto.external_data[0] = entry("segment", "1"));
        assert_eq!(refused, Err(TensorHeaderError::Segment { segment: 1, wanted: 0, blobs: 1 }));
        for offset in [1, u64::MAX] {
            let text = offset.to_string();
            let refused = changed(|proto| proto.external_data[1] = entry("offset", &text));
            assert_eq!(refused, Err(TensorHeaderError::Range { offset, length: 4, blob: 4 }));
        }
    }

    #[test]
    fn blobs_are_named_in_order_and_may_be_named_again() {
        let (mut proto, blobs) = sound();
        let blobs = [blobs[0].clone(), blobs[0].clone()];
        proto.external_data[0] = entry("segment", "1");
        let second = proto.encode_to_vec();
        let skipped = Err(TensorHeaderError::Segment { segment: 1, wanted: 0, blobs: 2 });
        assert_eq!(read(&second, &blobs, &mut 0), skipped);
        let mut used = 1;
        read(&second, &blobs, &mut used).expect("it is its turn");
        read(&second, &blobs, &mut used).expect("it was named before");
        assert_eq!(used, 2);
    }

    #[test]
    fn elements_inside_the_header_are_refused() {
        let refused = changed(|proto| proto.raw_data = Some(Bytes::from_static(&[1, 0, 2, 0])));
        assert_eq!(refused, Err(TensorHeaderError::Extra));
        let refused = changed(|proto| proto.data_location = None);
        assert_eq!(refused, Err(TensorHeaderError::NotExternal { got: None }));
    }

    #[test]
    fn a_shape_that_cannot_be_is_refused() {
        let refused = changed(|proto| proto.dims = vec![-2]);
        assert_eq!(refused, Err(TensorHeaderError::NegativeDimension { at: 0, got: -2 }));
        let refused = changed(|proto| proto.dims = vec![i64::MAX, i64::MAX]);
        assert!(matches!(refused, Err(TensorHeaderError::Tensor(TensorError::Overflow { .. }))));
        let refused = changed(|proto| proto.dims = vec![3]);
        assert!(matches!(
            refused,
            Err(TensorHeaderError::Tensor(TensorError::WrongLength { wanted: 6, got: 4, .. }))
        ));
        let refused = changed(|proto| proto.data_type = Some(8));
        let strings = TensorError::UnsupportedDtype { number: 8 };
        assert_eq!(refused, Err(TensorHeaderError::Tensor(strings)));
    }

    #[test]
    fn a_header_longer_than_any_need_be_is_refused_and_the_longest_legal_one_is_not() {
        let refused = changed(|proto| proto.name = Some("x".repeat(TENSOR_HEADER_BYTES)));
        assert!(matches!(refused, Err(TensorHeaderError::TooLong { .. })));
        let mut shape = vec![i64::MAX.unsigned_abs(); MAX_RANK];
        shape[0] = 0;
        shape[2..].fill(1);
        let tensor = Tensor::zeros(Dtype::U8, &shape).expect("it is empty");
        assert!(header(&tensor, u64::MAX).encoded_len() <= TENSOR_HEADER_BYTES);
    }
}
