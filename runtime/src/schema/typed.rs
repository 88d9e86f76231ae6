//! The port type of a Rust type, so that authors and handlers declare it once.
//!
//! Law: what the port accepts is what [`FromValue`](crate::value::FromValue) can take.

use std::sync::Arc;

use bytes::Bytes;
use samsara_proto::{Address, PeerId};

use super::{PortType, TensorType};
use crate::{tensor::Tensor, value::Value};

/// A Rust type that a port may have.
///
/// ```
/// use samsara_runtime::schema::{PortType, PortTyped};
///
/// assert_eq!(Vec::<u64>::port_type(), PortType::list(PortType::U64));
/// ```
pub trait PortTyped {
    /// The type of a port that carries it.
    fn port_type() -> PortType;
}

macro_rules! typed {
    ($($rust:ty => $port:expr;)*) => {
        $(impl PortTyped for $rust {
            fn port_type() -> PortType {
                $port
            }
        })*
    };
}

typed! {
    Value => PortType::Any;
    () => PortType::Unit;
    bool => PortType::Bool;
    i32 => PortType::I64;
    i64 => PortType::I64;
    u32 => PortType::U64;
    u64 => PortType::U64;
    f64 => PortType::F64;
    String => PortType::Text;
    Arc<str> => PortType::Text;
    Bytes => PortType::Bytes;
    PeerId => PortType::Peer;
    Address => PortType::Address;
    Tensor => PortType::Tensor(TensorType::default());
}

impl<T: PortTyped> PortTyped for Vec<T> {
    fn port_type() -> PortType {
        PortType::list(T::port_type())
    }
}
