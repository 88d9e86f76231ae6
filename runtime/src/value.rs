//! What flows between ops: one closed enum, cheap to clone.
//!
//! Law: equality is total and the same on every machine (floats and natives compare by their
//! bits), and what is large is shared, never copied by a clone.
//!
//! ```
//! use samsara_runtime::value::Value;
//!
//! let reading = Value::record([("sensor", Value::from("roof")), ("celsius", Value::from(21.5))])?;
//! let Value::Record(record) = &reading else { unreachable!() };
//! assert_eq!(record.field("celsius"), Some(&Value::F64(21.5)));
//! # Ok::<(), samsara_runtime::value::NestError>(())
//! ```

mod convert;
mod native;
mod nested;
mod type_id;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use samsara_proto::{Address, PeerId};

use crate::tensor::Tensor;

pub use self::convert::{FromValue, IntoValue};
pub use self::native::{Native, NativeCodec, NativeType};
pub use self::nested::{List, MAX_DEPTH, NestError, Record};
pub use self::type_id::{TYPE_ID_BYTES, TypeId, TypeIdError, TypeIdProblem};

/// What one list item or record field is charged beside its content, on every machine alike.
pub const ITEM_BYTES: u64 = 40;

/// One value.
#[derive(Clone)]
pub enum Value {
    /// Nothing but that it happened: the trigger.
    Unit,
    /// A truth value.
    Bool(bool),
    /// A signed number.
    I64(i64),
    /// An unsigned number.
    U64(u64),
    /// A floating-point number; compared by its bits.
    F64(f64),
    /// Text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Bytes),
    /// The id of a peer.
    Peer(Arc<PeerId>),
    /// The address of a peer.
    Address(Address),
    /// Values in a row.
    List(List),
    /// Named values.
    Record(Record),
    /// Dense numbers.
    Tensor(Tensor),
    /// An object of a registered type.
    Native(Native),
}

macro_rules! kinds {
    ($($name:ident = $tag:literal, $text:literal;)*) => {
        /// The kinds of value. The number of a kind is its tag inside encoded lists and records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the variant of Value that bears its name")]
        pub enum Kind {
            $($name = $tag,)*
        }

        impl Kind {
            /// All of them, in the order of their tags.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The type id of this kind. That of natives only reserves the name: each native
            /// object bears the id of its own type.
            pub const fn type_id(self) -> TypeId {
                match self {
                    $(Self::$name => const { TypeId::from_static(concat!($text, "@1")) },)*
                }
            }

            /// The kind of values that bear this id, unless they are native.
            pub(crate) fn of_type_id(id: &str) -> Option<Self> {
                match id {
                    $(_ if id == concat!($text, "@1") => Some(Self::$name),)*
                    _ => None,
                }
                .filter(|kind| *kind != Self::Native)
            }

            /// Its short name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The kind of this tag.
            pub const fn from_tag(tag: u8) -> Option<Self> {
                match tag {
                    $($tag => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        impl Value {
            /// The kind of this value.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$name { .. } => Kind::$name,)*
                }
            }
        }
    };
}

kinds! {
    Unit = 0, "unit";
    Bool = 1, "bool";
    I64 = 2, "i64";
    U64 = 3, "u64";
    F64 = 4, "f64";
    Text = 5, "text";
    Bytes = 6, "bytes";
    Peer = 7, "peer";
    Address = 8, "address";
    List = 9, "list";
    Record = 10, "record";
    Tensor = 11, "tensor";
    Native = 12, "native";
}

impl Value {
    /// These values in a row.
    pub fn list(items: Vec<Self>) -> Result<Self, NestError> {
        Ok(Self::List(List::new(items)?))
    }

    /// These fields in this order.
    pub fn record<N: Into<Arc<str>>>(
        fields: impl IntoIterator<Item = (N, Self)>,
    ) -> Result<Self, NestError> {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Ok(Self::Record(Record::new(fields)?))
    }

    /// This object, shared from now on.
    pub fn native_of<T: NativeCodec>(object: T) -> Self {
        Self::Native(Native::new(object))
    }

    /// The object inside, if this is a native `T`.
    pub fn native<T: NativeCodec>(&self) -> Option<&T> {
        let Self::Native(native) = self else { return None };
        native.get()
    }

    /// The type id that this value bears on the wire.
    pub fn type_id(&self) -> TypeId {
        let Self::Native(native) = self else { return self.kind().type_id() };
        native.native_type().id().clone()
    }

    /// Bytes that this value holds, shared or not, for the budget.
    pub fn byte_size(&self) -> u64 {
        let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0, u64::saturating_add);
        match self {
            Self::Unit => 0,
            Self::Bool(_) => 1,
            Self::I64(_) | Self::U64(_) | Self::F64(_) => 8,
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Peer(peer) => peer.encoded_len() as u64,
            Self::Address(address) => address.as_bytes().len() as u64,
            Self::List(list) => {
                let sizes = list.items().iter().map(Self::byte_size);
                sum(&mut sizes.map(|size| size.saturating_add(ITEM_BYTES)))
            }
            Self::Record(record) => {
                let fields = record.fields().iter();
                let sizes = fields.map(|(name, value)| (name.len() as u64, value.byte_size()));
                sum(&mut sizes
                    .map(|(name, value)| name.saturating_add(value).saturating_add(ITEM_BYTES)))
            }
            Self::Tensor(tensor) => tensor.bytes().len() as u64,
            Self::Native(native) => native.byte_size(),
        }
    }

    /// Levels of lists and records.
    pub(crate) fn depth(&self) -> u8 {
        match self {
            Self::List(list) => list.depth(),
            Self::Record(record) => record.depth(),
            _ => 0,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit, Self::Unit) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::I64(left), Self::I64(right)) => left == right,
            (Self::U64(left), Self::U64(right)) => left == right,
            (Self::F64(left), Self::F64(right)) => left.to_bits() == right.to_bits(),
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Peer(left), Self::Peer(right)) => left == right,
            (Self::Address(left), Self::Address(right)) => left == right,
            (Self::List(left), Self::List(right)) => left == right,
            (Self::Record(left), Self::Record(right)) => left == right,
            (Self::Tensor(left), Self::Tensor(right)) => left == right,
            (Self::Native(left), Self::Native(right)) => left == right,
            _ => false,
        }
    }
}

impl Eq for Value {}

/// A value is not of the type that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got}")]
#[non_exhaustive]
pub struct TypeMismatch {
    /// The type that was expected, and where if not at the top.
    pub expected: Cow<'static, str>,
    /// The type that was there.
    pub got: Cow<'static, str>,
}

impl TypeMismatch {
    /// This was expected and that was there.
    pub fn new(expected: impl Into<Cow<'static, str>>, got: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: expected.into(), got: got.into() }
    }

    /// A kind was expected and another value was there.
    pub(crate) fn kinds(expected: Kind, got: &Value) -> Self {
        let got = if let Value::Native(native) = got {
            native.native_type().id().to_string().into()
        } else {
            got.kind().name().into()
        };
        Self { expected: expected.name().into(), got }
    }

    /// The same, seen from the list around it.
    pub(crate) fn within_item(self, at: usize) -> Self {
        Self { expected: format!("{} in item {at}", self.expected).into(), got: self.got }
    }
}

/// Items of a list or record that debug output shows, and characters of a text.
const SHOWN_ITEMS: usize = 4;
const SHOWN_TEXT: usize = 32;

/// Kinds and sizes. Text and nested values are cut, bytes are never shown: output stays bounded.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("unit"),
            Self::Bool(held) => write!(f, "{held}"),
            Self::I64(held) => write!(f, "{held}_i64"),
            Self::U64(held) => write!(f, "{held}_u64"),
            Self::F64(held) => write!(f, "{held:?}_f64"),
            Self::Text(text) if text.len() <= SHOWN_TEXT => write!(f, "{text:?}"),
            Self::Text(text) => {
                let start = crate::error::cut_detail(text, SHOWN_TEXT);
                write!(f, "{start:?} and on, text of {} B", text.len())
            }
            Self::Bytes(bytes) => write!(f, "bytes of {} B", bytes.len()),
            Self::Peer(peer) => write!(f, "peer {peer}"),
            Self::Address(address) => write!(f, "address {address}"),
            // Only the outermost two levels are opened: width to the power of depth is not bounded.
            Self::List(list) => {
                write!(f, "list of {}", list.items().len())?;
                if f.alternate() || list.items().is_empty() {
                    return Ok(());
                }
                let shown = list.items().iter().take(SHOWN_ITEMS);
                shown.enumerate().try_for_each(|(at, item)| {
                    write!(f, "{}{item:#?}", if at == 0 { ": " } else { ", " })
                })
            }
            Self::Record(record) => {
                write!(f, "record of {}", record.fields().len())?;
                if f.alternate() || record.fields().is_empty() {
                    return Ok(());
                }
                let shown = record.fields().iter().take(SHOWN_ITEMS);
                shown.enumerate().try_for_each(|(at, (name, value))| {
                    let name = crate::error::cut_detail(name, SHOWN_TEXT);
                    write!(f, "{}{name} = {value:#?}", if at == 0 { ": " } else { ", " })
                })
            }
            Self::Tensor(tensor) => write!(f, "tensor {tensor:?}"),
            Self::Native(native) => write!(f, "native {native:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_small() {
        assert!(size_of::<Value>() <= 40, "{}", size_of::<Value>());
    }

    #[test]
    fn floats_are_equal_by_their_bits() {
        assert_eq!(Value::F64(f64::NAN), Value::F64(f64::NAN));
        assert_ne!(Value::F64(0.0), Value::F64(-0.0));
        assert_ne!(Value::U64(1), Value::I64(1));
    }

    #[test]
    fn depth_ends_where_the_law_says() {
        let mut value = Value::Unit;
        for _ in 0..MAX_DEPTH {
            value = Value::list(vec![Value::Unit, value]).expect("within the cap");
        }
        let too_deep = NestError::TooDeep { cap: MAX_DEPTH };
        assert_eq!(Value::list(vec![value.clone()]), Err(too_deep.clone()));
        assert_eq!(Value::record([("in", value)]), Err(too_deep));
    }

    #[test]
    fn a_record_with_two_fields_of_one_name_is_refused() {
        let fields = [("a", Value::Unit), ("b", Value::Unit), ("a", Value::Bool(true))];
        assert_eq!(Value::record(fields), Err(NestError::DuplicateField { name: "a".into() }));
    }

    #[test]
    fn debug_output_is_bounded_however_large_the_value() {
        let mut value = Value::from("é".repeat(100_000));
        for _ in 0..MAX_DEPTH {
            value = Value::list(vec![value; 1_000]).expect("within the cap");
        }
        assert!(format!("{value:?}").len() < 1_000);
        let bytes = Value::from(Bytes::from_static(b"secret"));
        assert_eq!(format!("{bytes:?}"), "bytes of 6 B");
    }

    #[test]
    fn size_counts_content_and_places() {
        let inner = Value::list(vec![Value::from("abc"), Value::U64(1)]).expect("shallow");
        assert_eq!(inner.byte_size(), 3 + 8 + 2 * ITEM_BYTES);
        let outer = Value::record([("ab", inner)]).expect("shallow");
        assert_eq!(outer.byte_size(), 2 + 11 + 3 * ITEM_BYTES);
    }
}
