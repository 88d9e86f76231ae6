//! The types of ports, and the bytes of values.
//!
//! Law: bytes become a value only under a declared type, within limits, wholly or not at all; and
//! one value has one encoding.
//!
//! ```
//! use samsara_runtime::config::ValueConfig;
//! use samsara_runtime::schema::{PortType, TypeTable, decode, encode};
//! use samsara_runtime::tensor::{Dtype, Tensor};
//! use samsara_runtime::value::Value;
//!
//! let port = PortType::tensor(Dtype::F32, [None, Some(2)]);
//! let value = Value::from(Tensor::from_slice(&[1, 2], &[0.5_f32, 1.5])?);
//! port.accepts(&value)?;
//!
//! let sent = encode(&value);
//! assert_eq!(sent.type_id.as_str(), "tensor@1");
//! let (types, limits) = (TypeTable::default(), ValueConfig::default());
//! let got = decode(&port, sent.type_id.as_str(), sent.payload, &sent.blobs, &types, &limits)?;
//! assert_eq!(got, value);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod encode;
mod tensor_header;
mod type_table;
mod typed;

use std::fmt;

use crate::tensor::{Dtype, Tensor};
use crate::value::{Kind, TypeId, TypeMismatch, Value};

pub use self::decode::{DecodeError, decode};
pub use self::encode::{Encoded, encode};
pub use self::tensor_header::{TENSOR_HEADER_BYTES, TensorHeaderError};
pub use self::type_table::{RegisterError, TypeTable};
pub use self::typed::PortTyped;

/// The declared type of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortType {
    /// Any value.
    Any,
    /// The trigger.
    Unit,
    /// A truth value.
    Bool,
    /// A signed number.
    I64,
    /// An unsigned number.
    U64,
    /// A floating-point number.
    F64,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// The id of a peer.
    Peer,
    /// The address of a peer.
    Address,
    /// A list whose items are of this type.
    List(Box<Self>),
    /// A record of any fields.
    Record,
    /// A tensor within these bounds.
    Tensor(TensorType),
    /// An object of the registered type of this id.
    Native(TypeId),
}

/// Bounds on a tensor: what is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorType {
    /// The element type.
    pub dtype: Option<Dtype>,
    /// The length of each dimension.
    pub shape: Option<Vec<Option<u64>>>,
}

impl PortType {
    /// A list of this type.
    pub fn list(items: Self) -> Self {
        Self::List(Box::new(items))
    }

    /// A tensor of this element type and these dimensions.
    pub fn tensor(dtype: Dtype, shape: impl IntoIterator<Item = Option<u64>>) -> Self {
        let shape = Some(shape.into_iter().collect());
        Self::Tensor(TensorType { dtype: Some(dtype), shape })
    }

    /// Whether this value may enter the port; if not, what was expected and what was there.
    pub fn accepts(&self, value: &Value) -> Result<(), TypeMismatch> {
        let fits = match (self, value) {
            (Self::Any, _) => true,
            (Self::List(items), Value::List(list)) => {
                for (at, item) in list.items().iter().enumerate() {
                    items.accepts(item).map_err(|error| error.within_item(at))?;
                }
                true
            }
            (Self::Tensor(bounds), Value::Tensor(tensor)) => return bounds.accepts(tensor),
            (Self::Native(id), Value::Native(native)) => native.native_type().id() == id,
            _ => self.kind() == Some(value.kind()),
        };
        if fits { Ok(()) } else { Err(self.mismatch(value.type_id())) }
    }

    /// Whether a value that bears this type id can fit at all; asked before any of it is decoded.
    fn admits(&self, kind: Kind, type_id: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Native(id) => kind == Kind::Native && id.as_str() == type_id,
            _ => self.kind() == Some(kind),
        }
    }

    fn mismatch(&self, got: TypeId) -> TypeMismatch {
        TypeMismatch::new(self.to_string(), got.to_string())
    }

    /// The one kind of value that may enter, unless any may.
    const fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Any => return None,
            Self::Unit => Kind::Unit,
            Self::Bool => Kind::Bool,
            Self::I64 => Kind::I64,
            Self::U64 => Kind::U64,
            Self::F64 => Kind::F64,
            Self::Text => Kind::Text,
            Self::Bytes => Kind::Bytes,
            Self::Peer => Kind::Peer,
            Self::Address => Kind::Address,
            Self::List(_) => Kind::List,
            Self::Record => Kind::Record,
            Self::Tensor(_) => Kind::Tensor,
            Self::Native(_) => Kind::Native,
        })
    }
}

impl TensorType {
    fn accepts(&self, tensor: &Tensor) -> Result<(), TypeMismatch> {
        let dtype_fits = self.dtype.is_none_or(|dtype| dtype == tensor.dtype());
        let shape_fits = self.shape.as_deref().is_none_or(|dims| {
            let pairs = dims.iter().zip(tensor.shape());
            let each = |(bound, dim): (&Option<u64>, &u64)| bound.is_none_or(|bound| bound == *dim);
            dims.len() == tensor.shape().len() && { pairs }.all(each)
        });
        if dtype_fits && shape_fits {
            return Ok(());
        }
        Err(TypeMismatch::new(self.to_string(), format!("tensor {tensor:?}")))
    }
}

impl fmt::Display for PortType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::List(items) => write!(f, "list of {items}"),
            Self::Tensor(bounds) => write!(f, "{bounds}"),
            Self::Native(id) => write!(f, "{id}"),
            Self::Unit
            | Self::Bool
            | Self::I64
            | Self::U64
            | Self::F64
            | Self::Text
            | Self::Bytes
            | Self::Peer
            | Self::Address
            | Self::Record => f.write_str(self.kind().map_or("", Kind::name)),
        }
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tensor {}", self.dtype.map_or("of any type", Dtype::name))?;
        let Some(dims) = &self.shape else { return Ok(()) };
        let dims = dims.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string()));
        write!(f, "[{}]", dims.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_port_takes_its_kind_only() {
        let ports = [PortType::Unit, PortType::Bool, PortType::I64, PortType::U64, PortType::F64];
        let values =
            [Value::Unit, Value::Bool(true), Value::I64(1), Value::U64(1), Value::F64(1.0)];
        for (at, port) in ports.iter().enumerate() {
            for (other, value) in values.iter().enumerate() {
                assert_eq!(port.accepts(value).is_ok(), at == other, "{port} and {value:?}");
                assert_eq!(PortType::Any.accepts(value), Ok(()));
            }
        }
    }

    #[test]
    fn a_tensor_outside_its_bounds_is_refused_naming_both() {
        let tensor = Value::from(Tensor::zeros(Dtype::F32, &[3, 2]).expect("it is small"));
        assert_eq!(PortType::tensor(Dtype::F32, [None, Some(2)]).accepts(&tensor), Ok(()));
        assert_eq!(PortType::Tensor(TensorType::default()).accepts(&tensor), Ok(()));
        for (port, text) in [
            (PortType::tensor(Dtype::F32, [None, Some(3)]), "tensor f32[?, 3]"),
            (PortType::tensor(Dtype::F32, [None]), "tensor f32[?]"),
            (PortType::tensor(Dtype::F64, [None, None]), "tensor f64[?, ?]"),
        ] {
            let error = port.accepts(&tensor).expect_err(text);
            assert_eq!(error.to_string(), format!("expected {text}, got tensor f32[3, 2]"));
        }
    }

    #[test]
    fn a_list_is_refused_for_its_first_wrong_item() {
        let port = PortType::list(PortType::list(PortType::U64));
        let inner = Value::list(vec![Value::U64(1), Value::Bool(true)]).expect("shallow");
        let good = Value::list(vec![]).expect("shallow");
        let error = port.accepts(&Value::list(vec![good, inner]).expect("shallow"));
        assert_eq!(
            error.expect_err("a bool").to_string(),
            "expected u64 in item 1 in item 1, got bool@1"
        );
    }
}
