//! Values to bytes.
//!
//! Law: the same value gives the same bytes, on every machine and however it is shared.

use bytes::Bytes;
use prost::Message as _;

use super::tensor_header;
use crate::value::{TypeId, Value};

/// A value as it travels: the body of its type, and the elements of its tensors beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The type of the body.
    pub type_id: TypeId,
    /// The body.
    pub payload: Bytes,
    /// The elements of each tensor, in the order in which the body names them.
    pub blobs: Vec<Bytes>,
}

/// The encoding of this value. Bytes and tensor elements are shared with it, not copied.
pub fn encode(value: &Value) -> Encoded {
    let mut blobs = Vec::new();
    let payload = match value {
        Value::Bytes(bytes) => bytes.clone(),
        Value::Native(native) => {
            let mut out = Vec::new();
            native.encode(&mut out);
            out.into()
        }
        _ => {
            let mut out = Vec::new();
            body(value, &mut out, &mut blobs);
            out.into()
        }
    };
    Encoded { type_id: value.type_id(), payload, blobs }
}

/// Appends the body of a value, without its type.
fn body(value: &Value, out: &mut Vec<u8>, blobs: &mut Vec<Bytes>) {
    match value {
        Value::Unit => {}
        Value::Bool(held) => out.push(u8::from(*held)),
        Value::I64(held) => out.extend(held.to_le_bytes()),
        Value::U64(held) => out.extend(held.to_le_bytes()),
        Value::F64(held) => out.extend(held.to_bits().to_le_bytes()),
        Value::Text(held) => out.extend(held.as_bytes()),
        Value::Bytes(held) => out.extend(held),
        Value::Peer(held) => out.extend(held.to_bytes()),
        Value::Address(held) => out.extend(held.as_bytes()),
        Value::List(list) => {
            varint(list.items().len() as u64, out);
            for item in list.items() {
                tagged(item, out, blobs);
            }
        }
        Value::Record(record) => {
            varint(record.fields().len() as u64, out);
            for (name, field) in record.fields() {
                varint(name.len() as u64, out);
                out.extend(name.as_bytes());
                tagged(field, out, blobs);
            }
        }
        Value::Tensor(tensor) => {
            let header = tensor_header::header(tensor, blobs.len() as u64);
            out.extend(header.encode_to_vec());
            blobs.push(tensor.bytes().clone());
        }
        Value::Native(native) => {
            let id = native.native_type().id().as_str();
            varint(id.len() as u64, out);
            out.extend(id.as_bytes());
            native.encode(out);
        }
    }
}

/// Appends a value inside another one: its tag, its length, its body.
fn tagged(value: &Value, out: &mut Vec<u8>, blobs: &mut Vec<Bytes>) {
    out.push(value.kind() as u8);
    let start = out.len();
    body(value, out, blobs);
    // The length of the length is known only now: it goes behind the body, and both change places.
    let length = out.len() - start;
    varint(length as u64, out);
    if let Some(turned) = out.get_mut(start..) {
        turned.rotate_left(length);
    }
}

/// Appends a number, seven bits a byte, lowest first.
fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
