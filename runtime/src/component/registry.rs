//! Which kinds of components there are, told explicitly.
//!
//! Law: a type name means one Rust type. There is no link-time magic: what is not registered does
//! not exist.

use std::{any::TypeId, collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use super::{
    AnyComponent, Component,
    handler::{DeclaredOp, Ops},
};
use crate::{
    schema::PortType,
    value::{TypeId as TypeName, TypeIdError},
};

/// What an op takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// The types of its inputs, by position.
    pub inputs: Vec<PortType>,
    /// The types of its outputs, by position.
    pub outputs: Vec<PortType>,
}

/// A component type cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// Its name is not a `name@version`.
    #[error("type name {type_name:?} is not usable")]
    BadTypeName {
        /// The name.
        type_name: &'static str,
        /// What is wrong with it.
        source: TypeIdError,
    },
    /// Two Rust types bear one name.
    #[error("two types are named {type_name:?}")]
    DuplicateType {
        /// The name.
        type_name: String,
    },
    /// One type declares two ops of one name.
    #[error("{type_name:?} declares the op {op:?} twice")]
    DuplicateOp {
        /// The type.
        type_name: &'static str,
        /// The op.
        op: &'static str,
    },
    /// It declares no op.
    #[error("{type_name:?} declares no op")]
    NoOps {
        /// The type.
        type_name: &'static str,
    },
}

/// A registered kind of component; a clone is the same kind.
#[derive(Clone)]
pub struct ComponentType {
    inner: Arc<Inner>,
}

struct Inner {
    type_name: &'static str,
    rust_type: TypeId,
    construct: fn() -> Box<dyn AnyComponent>,
    ops: BTreeMap<&'static str, DeclaredOp>,
}

impl ComponentType {
    /// The kind `C`, if what it declares is sound.
    pub fn of<C: Component>() -> Result<Self, RegistrationError> {
        let type_name = C::TYPE_NAME;
        TypeName::new(type_name)
            .map_err(|source| RegistrationError::BadTypeName { type_name, source })?;
        let mut ops = Ops::<C> {
            type_name,
            declared: BTreeMap::new(),
            problem: None,
            component: PhantomData,
        };
        C::ops(&mut ops);
        if let Some(problem) = ops.problem {
            return Err(problem);
        }
        if ops.declared.is_empty() {
            return Err(RegistrationError::NoOps { type_name });
        }
        let inner = Inner {
            type_name,
            rust_type: TypeId::of::<C>(),
            construct: || Box::new(C::default()),
            ops: ops.declared,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Its stable name.
    pub fn type_name(&self) -> &'static str {
        self.inner.type_name
    }

    /// The names of its ops, in order.
    pub fn op_names(&self) -> impl Iterator<Item = &'static str> {
        self.inner.ops.keys().copied()
    }

    /// What an op takes and gives.
    pub fn signature(&self, op: &str) -> Option<&Signature> {
        self.inner.ops.get(op).map(|declared| &declared.signature)
    }

    pub(crate) fn op(&self, op: &str) -> Option<&DeclaredOp> {
        self.inner.ops.get(op)
    }

    pub(crate) fn construct(&self) -> Box<dyn AnyComponent> {
        (self.inner.construct)()
    }

    fn is_same(&self, other: &Self) -> bool {
        self.inner.rust_type == other.inner.rust_type
    }
}

impl fmt::Debug for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ComponentType").field(&self.inner.type_name).finish()
    }
}

/// All kinds of components that a program may be made of.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, ComponentType>,
}

impl Registry {
    /// Makes `C` known. Registering one type twice changes nothing.
    pub fn register<C: Component>(&mut self) -> Result<(), RegistrationError> {
        self.insert(ComponentType::of::<C>()?)
    }

    /// Makes a kind known.
    pub fn insert(&mut self, kind: ComponentType) -> Result<(), RegistrationError> {
        match self.types.get(kind.type_name()) {
            Some(known) if known.is_same(&kind) => Ok(()),
            Some(known) => {
                let type_name = known.type_name().to_owned();
                Err(RegistrationError::DuplicateType { type_name })
            }
            None => {
                self.types.insert(kind.type_name(), kind);
                Ok(())
            }
        }
    }

    /// The kind of this name.
    pub fn find(&self, type_name: &str) -> Option<&ComponentType> {
        self.types.get(type_name)
    }
}
