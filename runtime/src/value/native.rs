//! Shared objects of types that their authors registered.
//!
//! Law: a native object always comes with its codec, so that whoever holds one can encode it, and
//! two of them are equal when they encode alike.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::TypeId;

/// A Rust type that can be a [`Value`](super::Value).
///
/// ```
/// use samsara_runtime::value::{NativeCodec, TypeId, Value};
///
/// struct Celsius(i16);
///
/// impl NativeCodec for Celsius {
///     const TYPE_ID: TypeId = TypeId::from_static("celsius@1");
///
///     fn encode(&self, out: &mut Vec<u8>) {
///         out.extend(self.0.to_le_bytes());
///     }
///
///     fn decode(bytes: &[u8]) -> Result<Self, String> {
///         let bytes = bytes.try_into().map_err(|_| format!("wanted 2 bytes, got {}", bytes.len()))?;
///         Ok(Self(i16::from_le_bytes(bytes)))
///     }
///
///     fn byte_size(&self) -> u64 {
///         2
///     }
/// }
///
/// let value = Value::native_of(Celsius(-4));
/// assert_eq!(value.native::<Celsius>().map(|celsius| celsius.0), Some(-4));
/// ```
pub trait NativeCodec: Any + Send + Sync + Sized {
    /// The stable name of the type. A changed encoding is a new version.
    const TYPE_ID: TypeId;

    /// Appends the object's bytes. Equal objects give equal bytes, on every machine.
    fn encode(&self, out: &mut Vec<u8>);

    /// The object of these bytes, all of them, or what is wrong with them. The bytes may come from
    /// anyone: this must not panic, nor take memory because a length claims so.
    fn decode(bytes: &[u8]) -> Result<Self, String>;

    /// Bytes that the object holds, for the budget.
    fn byte_size(&self) -> u64;
}

type Object = Arc<dyn Any + Send + Sync>;

/// What is known of a registered type without naming it.
pub struct NativeType {
    id: TypeId,
    rust_type: fn() -> std::any::TypeId,
    encode: fn(&dyn Any, &mut Vec<u8>),
    decode: fn(&[u8]) -> Result<Object, String>,
    byte_size: fn(&dyn Any) -> u64,
}

impl NativeType {
    /// What is known of `T`.
    pub fn of<T: NativeCodec>() -> &'static Self {
        Described::<T>::TYPE
    }

    /// The stable name of the type.
    pub const fn id(&self) -> &TypeId {
        &self.id
    }

    /// Whether this describes the same Rust type as the other; ids may be equal by mistake.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.rust_type)() == (other.rust_type)()
    }

    /// The object of these bytes.
    pub fn decode(&'static self, bytes: &[u8]) -> Result<Native, String> {
        Ok(Native { object: (self.decode)(bytes)?, native_type: self })
    }
}

impl fmt::Debug for NativeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "native type {}", self.id)
    }
}

struct Described<T>(std::marker::PhantomData<T>);

impl<T: NativeCodec> Described<T> {
    const TYPE: &'static NativeType = &NativeType {
        id: T::TYPE_ID,
        rust_type: std::any::TypeId::of::<T>,
        encode: |object, out| {
            if let Some(object) = object.downcast_ref::<T>() {
                object.encode(out);
            }
        },
        decode: |bytes| Ok(Arc::new(T::decode(bytes)?)),
        byte_size: |object| object.downcast_ref::<T>().map_or(0, T::byte_size),
    };
}

/// A shared object and what is known of its type.
#[derive(Clone)]
pub struct Native {
    object: Object,
    native_type: &'static NativeType,
}

impl Native {
    /// This object, shared from now on.
    pub fn new<T: NativeCodec>(object: T) -> Self {
        Self { object: Arc::new(object), native_type: NativeType::of::<T>() }
    }

    /// What is known of the object's type.
    pub const fn native_type(&self) -> &'static NativeType {
        self.native_type
    }

    /// The object, if it is a `T`.
    pub fn get<T: NativeCodec>(&self) -> Option<&T> {
        self.object.downcast_ref()
    }

    /// A share of the object, if it is a `T`.
    pub fn share<T: NativeCodec>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.object).downcast().ok()
    }

    /// Appends the object's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        (self.native_type.encode)(&*self.object, out);
    }

    /// Bytes that the object holds.
    pub fn byte_size(&self) -> u64 {
        (self.native_type.byte_size)(&*self.object)
    }

    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

impl PartialEq for Native {
    fn eq(&self, other: &Self) -> bool {
        self.native_type.id == other.native_type.id
            && (Arc::ptr_eq(&self.object, &other.object) || self.encoded() == other.encoded())
    }
}

impl Eq for Native {}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} B", self.native_type.id, self.byte_size())
    }
}
