//! Values from Rust types and back, so that handlers can take and give what they mean.
//!
//! Law: a conversion keeps the value or fails; nothing is rounded, wrapped or parsed.

use std::sync::Arc;

use bytes::Bytes;
use samsara_proto::{Address, PeerId};

use super::{Kind, List, NestError, TypeMismatch, Value};
use crate::tensor::Tensor;

/// A Rust type that becomes a value.
///
/// ```
/// use samsara_runtime::value::{FromValue, IntoValue};
///
/// let value = vec![1_u64, 2].into_value()?;
/// assert_eq!(Vec::<u64>::from_value(value)?, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait IntoValue {
    /// The value; it fails only where values would be nested too deep.
    fn into_value(self) -> Result<Value, NestError>;
}

/// A Rust type that a value may be.
pub trait FromValue: Sized {
    /// What the value holds, if it is of this type.
    fn from_value(value: Value) -> Result<Self, TypeMismatch>;
}

macro_rules! convert {
    ($($rust:ty, $kind:ident($held:ident) => $from:expr, $into:expr;)*) => {
        $(
            impl From<$rust> for Value {
                fn from($held: $rust) -> Self {
                    Self::$kind($into)
                }
            }

            impl IntoValue for $rust {
                fn into_value(self) -> Result<Value, NestError> {
                    Ok(self.into())
                }
            }

            impl FromValue for $rust {
                fn from_value(value: Value) -> Result<Self, TypeMismatch> {
                    match value {
                        Value::$kind($held) => Ok($from),
                        other => Err(TypeMismatch::kinds(Kind::$kind, &other)),
                    }
                }
            }
        )*
    };
}

convert! {
    bool, Bool(held) => held, held;
    i64, I64(held) => held, held;
    u64, U64(held) => held, held;
    f64, F64(held) => held, held;
    Arc<str>, Text(held) => held, held;
    String, Text(held) => held.as_ref().to_owned(), held.into();
    Bytes, Bytes(held) => held, held;
    PeerId, Peer(held) => *held, Arc::new(held);
    Address, Address(held) => held, held;
    Tensor, Tensor(held) => held, held;
}

macro_rules! narrow {
    ($($rust:ty, $kind:ident($wide:ty);)*) => {
        $(
            impl From<$rust> for Value {
                fn from(held: $rust) -> Self {
                    Self::$kind(<$wide>::from(held))
                }
            }

            impl IntoValue for $rust {
                fn into_value(self) -> Result<Value, NestError> {
                    Ok(self.into())
                }
            }

            impl FromValue for $rust {
                fn from_value(value: Value) -> Result<Self, TypeMismatch> {
                    let wide = <$wide>::from_value(value)?;
                    Self::try_from(wide).map_err(|_| TypeMismatch {
                        expected: concat!(stringify!($kind), " that fits in ", stringify!($rust)).into(),
                        got: wide.to_string().into(),
                    })
                }
            }
        )*
    };
}

narrow! {
    u32, U64(u64);
    i32, I64(i64);
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Unit
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Result<Value, NestError> {
        Ok(self.into())
    }
}

impl IntoValue for () {
    fn into_value(self) -> Result<Value, NestError> {
        Ok(Value::Unit)
    }
}

impl FromValue for () {
    fn from_value(value: Value) -> Result<Self, TypeMismatch> {
        match value {
            Value::Unit => Ok(()),
            other => Err(TypeMismatch::kinds(Kind::Unit, &other)),
        }
    }
}

impl IntoValue for Value {
    fn into_value(self) -> Result<Value, NestError> {
        Ok(self)
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, TypeMismatch> {
        Ok(value)
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Result<Value, NestError> {
        let items = self.into_iter().map(T::into_value).collect::<Result<_, _>>()?;
        Ok(Value::List(List::new(items)?))
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, TypeMismatch> {
        let Value::List(list) = value else {
            return Err(TypeMismatch::kinds(Kind::List, &value));
        };
        let items = list.items().iter().cloned().enumerate();
        items.map(|(at, item)| T::from_value(item).map_err(|error| error.within_item(at))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_refused_naming_both() {
        let error = u64::from_value(Value::from("seven")).expect_err("it is text");
        assert_eq!(error.to_string(), "expected u64, got text");
        let mixed = Value::list(vec![Value::U64(1), Value::Unit]).expect("shallow");
        let error = Vec::<u64>::from_value(mixed).expect_err("the second is no number");
        assert_eq!(error.to_string(), "expected u64 in item 1, got unit");
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        assert_eq!(u32::from_value(Value::U64(u64::from(u32::MAX))), Ok(u32::MAX));
        u32::from_value(Value::U64(1 << 32)).expect_err("one too many");
        i32::from_value(Value::I64(i64::MIN)).expect_err("far too few");
    }

    #[test]
    fn what_became_a_value_comes_back() {
        assert_eq!(f64::from_value(Value::from(0.5)), Ok(0.5));
        assert_eq!(String::from_value(Value::from("é")), Ok("é".to_owned()));
        assert_eq!(PeerId::from_value(Value::from(PeerId::from(12))), Ok(PeerId::from(12)));
        assert_eq!(<()>::from_value(Value::from(())), Ok(()));
        let nested = vec![vec![true], vec![]];
        let value = nested.clone().into_value().expect("shallow");
        assert_eq!(Vec::<Vec<bool>>::from_value(value), Ok(nested));
    }
}
