//! Bytes to values. The bytes may come from anyone.
//!
//! Law: no input panics, takes memory for what is only claimed, or is accepted with a byte or a
//! blob left over; whatever is accepted encodes to the same body again.

use std::sync::Arc;

use bytes::Bytes;
use samsara_proto::{Address, AddressError, PeerId, PeerIdError};

use super::tensor_header::{self, TensorHeaderError};
use super::{PortType, TypeTable};
use crate::config::ValueConfig;
use crate::value::{
    Kind, List, Native, NestError, Record, TYPE_ID_BYTES, TypeId, TypeMismatch, Value,
};

/// Why bytes are not a value. Every `at` is a position in the payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The value is not of the port's type.
    #[error(transparent)]
    TypeMismatch(#[from] TypeMismatch),
    /// Nobody registered the type.
    #[error("type {type_id:?} at byte {at} is not registered")]
    UnknownType {
        /// The id that was given, cut to the longest that is legal.
        type_id: String,
        /// Where.
        at: usize,
    },
    /// The payload ends too early.
    #[error("{wanted} bytes were wanted at byte {at}, {left} are left")]
    Truncated {
        /// Bytes that were wanted.
        wanted: u64,
        /// Bytes that are left.
        left: usize,
        /// Where.
        at: usize,
    },
    /// Bytes follow where a body should end.
    #[error("{left} bytes are left over at byte {at}")]
    TrailingBytes {
        /// How many.
        left: usize,
        /// Where they begin.
        at: usize,
    },
    /// Blobs came along that no tensor names.
    #[error("{got} blobs came along, {used} are named")]
    UnusedBlobs {
        /// Blobs that came along.
        got: usize,
        /// Blobs that were named.
        used: usize,
    },
    /// A number is written too long, or in more bytes than it needs.
    #[error("the number at byte {at} is not written in its shortest form")]
    Varint {
        /// Where.
        at: usize,
    },
    /// A truth value is neither 0 nor 1.
    #[error("the bool at byte {at} is {got}")]
    Bool {
        /// The byte that was there.
        got: u8,
        /// Where.
        at: usize,
    },
    /// Text is not UTF-8.
    #[error("the text is not UTF-8 at byte {at}")]
    Text {
        /// Where the first bad character begins.
        at: usize,
    },
    /// A peer id is none.
    #[error("no peer id at byte {at}")]
    Peer {
        /// What is wrong with it.
        source: PeerIdError,
        /// Where.
        at: usize,
    },
    /// An address is none.
    #[error("no address at byte {at}")]
    Address {
        /// What is wrong with it.
        source: AddressError,
        /// Where.
        at: usize,
    },
    /// No kind of value has this tag.
    #[error("tag {got} at byte {at} is unknown")]
    Tag {
        /// The tag that was there.
        got: u8,
        /// Where.
        at: usize,
    },
    /// Lists and records are nested too deep.
    #[error("the value at byte {at} is nested deeper than {cap} levels")]
    TooDeep {
        /// Levels allowed.
        cap: u32,
        /// Where.
        at: usize,
    },
    /// The value holds too many items.
    #[error("{count} more items at byte {at}, {left} of {cap} are left")]
    TooManyItems {
        /// Items that are claimed here.
        count: u64,
        /// Items left of those allowed.
        left: u32,
        /// Items allowed in the whole value.
        cap: u32,
        /// Where.
        at: usize,
    },
    /// More items are claimed than the bytes could hold.
    #[error("{count} items are claimed at byte {at}, {left} bytes are left")]
    CountTooLarge {
        /// Items claimed.
        count: u64,
        /// Bytes left.
        left: usize,
        /// Where.
        at: usize,
    },
    /// Two fields of one record bear one name.
    #[error("the record at byte {at} cannot be")]
    Record {
        /// What is wrong with it.
        source: NestError,
        /// Where.
        at: usize,
    },
    /// A tensor's header is refused.
    #[error("no tensor at byte {at}")]
    Tensor {
        /// What is wrong with it.
        source: TensorHeaderError,
        /// Where.
        at: usize,
    },
    /// A native type's codec refused its bytes.
    #[error("no {type_id} at byte {at}: {reason}")]
    Native {
        /// The type.
        type_id: TypeId,
        /// What its codec says.
        reason: String,
        /// Where.
        at: usize,
    },
}

/// The value of these bytes, of this type, for this port. What is large is sliced out of them.
pub fn decode(
    port: &PortType,
    type_id: &str,
    payload: Bytes,
    blobs: &[Bytes],
    types: &TypeTable,
    limits: &ValueConfig,
) -> Result<Value, DecodeError> {
    let kind = Kind::of_type_id(type_id).unwrap_or(Kind::Native);
    if !port.admits(kind, type_id) {
        let got = crate::error::cut_detail(type_id, TYPE_ID_BYTES).to_owned();
        return Err(TypeMismatch::new(port.to_string(), got).into());
    }
    let end = payload.len();
    let mut decoder = Decoder {
        payload: &payload,
        at: 0,
        blobs,
        blobs_used: 0,
        types,
        limits,
        items_left: limits.max_items,
    };
    let value = match kind {
        Kind::Native => Value::Native(decoder.native(type_id, 0, end)?),
        _ => decoder.body(kind, end, 0)?,
    };
    if decoder.blobs_used != blobs.len() {
        return Err(DecodeError::UnusedBlobs { got: blobs.len(), used: decoder.blobs_used });
    }
    port.accepts(&value)?;
    Ok(value)
}

struct Decoder<'a> {
    payload: &'a Bytes,
    at: usize,
    blobs: &'a [Bytes],
    blobs_used: usize,
    types: &'a TypeTable,
    limits: &'a ValueConfig,
    items_left: u32,
}

impl<'a> Decoder<'a> {
    /// The value of this kind whose body is all bytes up to `end`.
    fn body(&mut self, kind: Kind, end: usize, depth: u32) -> Result<Value, DecodeError> {
        let at = self.at;
        let value = match kind {
            Kind::Unit => Value::Unit,
            Kind::Bool => match self.array(end)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [got] => return Err(DecodeError::Bool { got, at }),
            },
            Kind::I64 => Value::I64(i64::from_le_bytes(self.array(end)?)),
            Kind::U64 => Value::U64(u64::from_le_bytes(self.array(end)?)),
            Kind::F64 => Value::F64(f64::from_bits(u64::from_le_bytes(self.array(end)?))),
            Kind::Text => Value::Text(self.text(end)?.into()),
            Kind::Bytes => {
                self.rest(end);
                Value::Bytes(self.payload.slice(at..end))
            }
            Kind::Peer => {
                let peer = PeerId::from_bytes(self.rest(end));
                Value::from(peer.map_err(|source| DecodeError::Peer { source, at })?)
            }
            Kind::Address => {
                let address = Address::from_bytes(self.rest(end));
                Value::from(address.map_err(|source| DecodeError::Address { source, at })?)
            }
            Kind::List => Value::List(self.list(end, depth)?),
            Kind::Record => Value::Record(self.record(end, depth)?),
            Kind::Tensor => {
                let header = self.rest(end);
                let tensor = tensor_header::read(header, self.blobs, &mut self.blobs_used);
                Value::Tensor(tensor.map_err(|source| DecodeError::Tensor { source, at })?)
            }
            Kind::Native => {
                let length = self.varint(end)?;
                let id_end = self.end_of(length, end)?;
                let id_at = self.at;
                let id = self.text(id_end)?;
                Value::Native(self.native(id, id_at, end)?)
            }
        };
        match end.saturating_sub(self.at) {
            0 => Ok(value),
            left => Err(DecodeError::TrailingBytes { left, at: self.at }),
        }
    }

    fn list(&mut self, end: usize, depth: u32) -> Result<List, DecodeError> {
        let at = self.at;
        // A tag and a length: no item is shorter.
        let count = self.count(end, depth, 2)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.tagged(end, depth)?);
        }
        List::new(items).map_err(|source| DecodeError::Record { source, at })
    }

    fn record(&mut self, end: usize, depth: u32) -> Result<Record, DecodeError> {
        let at = self.at;
        let count = self.count(end, depth, 3)?;
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            let length = self.varint(end)?;
            let name_end = self.end_of(length, end)?;
            let name: Arc<str> = self.text(name_end)?.into();
            fields.push((name, self.tagged(end, depth)?));
        }
        Record::new(fields).map_err(|source| DecodeError::Record { source, at })
    }

    /// A value inside another one.
    fn tagged(&mut self, end: usize, depth: u32) -> Result<Value, DecodeError> {
        let at = self.at;
        let [got] = self.array(end)?;
        let kind = Kind::from_tag(got).ok_or(DecodeError::Tag { got, at })?;
        let length = self.varint(end)?;
        let body_end = self.end_of(length, end)?;
        self.body(kind, body_end, depth + 1)
    }

    fn native(&mut self, id: &str, id_at: usize, end: usize) -> Result<Native, DecodeError> {
        let Some(native_type) = self.types.find(id) else {
            let type_id = crate::error::cut_detail(id, TYPE_ID_BYTES).to_owned();
            return Err(DecodeError::UnknownType { type_id, at: id_at });
        };
        let at = self.at;
        let native = native_type.decode(self.rest(end));
        native.map_err(|reason| DecodeError::Native {
            type_id: native_type.id().clone(),
            reason,
            at,
        })
    }

    /// How many items follow, of at least `least` bytes each. What passes may be allocated for.
    fn count(&mut self, end: usize, depth: u32, least: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        if depth >= self.limits.max_depth {
            return Err(DecodeError::TooDeep { cap: self.limits.max_depth, at });
        }
        let count = self.varint(end)?;
        let left = end.saturating_sub(self.at);
        let Some(claimed) = usize::try_from(count).ok().filter(|&claimed| claimed <= left / least)
        else {
            return Err(DecodeError::CountTooLarge { count, left, at });
        };
        let items = u32::try_from(count).ok().and_then(|items| self.items_left.checked_sub(items));
        self.items_left = items.ok_or(DecodeError::TooManyItems {
            count,
            left: self.items_left,
            cap: self.limits.max_items,
            at,
        })?;
        Ok(claimed)
    }

    fn varint(&mut self, end: usize) -> Result<u64, DecodeError> {
        let at = self.at;
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array(end)?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            // The tenth byte holds one bit, and only the first byte may be a lone zero.
            let is_lost = shift == 63 && bits > 1;
            let is_padding = byte == 0 && shift > 0;
            if is_lost || is_padding {
                return Err(DecodeError::Varint { at });
            }
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(DecodeError::Varint { at })
    }

    /// Where a part of this length ends, which is not past the `end` of the whole.
    fn end_of(&self, length: u64, end: usize) -> Result<usize, DecodeError> {
        let part = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        part.filter(|&part| part <= end).ok_or_else(|| self.truncated(length, end))
    }

    fn array<const N: usize>(&mut self, end: usize) -> Result<[u8; N], DecodeError> {
        let part = self.slice(end).first_chunk::<N>();
        let part = *part.ok_or_else(|| self.truncated(N as u64, end))?;
        self.at += N;
        Ok(part)
    }

    fn text(&mut self, end: usize) -> Result<&'a str, DecodeError> {
        let at = self.at;
        std::str::from_utf8(self.rest(end))
            .map_err(|error| DecodeError::Text { at: at + error.valid_up_to() })
    }

    /// All bytes up to `end`.
    fn rest(&mut self, end: usize) -> &'a [u8] {
        let rest = self.slice(end);
        self.at += rest.len();
        rest
    }

    fn slice(&self, end: usize) -> &'a [u8] {
        self.payload.get(self.at..end).unwrap_or_default()
    }

    fn truncated(&self, wanted: u64, end: usize) -> DecodeError {
        DecodeError::Truncated { wanted, left: end.saturating_sub(self.at), at: self.at }
    }
}

#[cfg(test)]
mod tests;
