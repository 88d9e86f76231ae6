//! Which kinds of components there are, told explicitly.
//!
//! Law: a type name means one Rust type. There is no link-time magic: what is not registered does
//! not exist.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    sync::Arc,
};

use super::{
    AnyComponent, Component, Wants,
    config::{Configured, Constructors},
    handler::{DeclaredOp, Ops},
};
use crate::{
    codec::{Unreadable, read_state},
    role::{Role, RoleOp, backend::Backend},
    schema::{PortType, RegisterError, TypeTable},
    value::{NativeCodec, TypeId as TypeName, TypeIdError},
};

/// What an op takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// The types of its inputs, by position.
    pub inputs: Vec<PortType>,
    /// The types of its outputs, by position.
    pub outputs: Vec<PortType>,
}

/// A component type or a backend cannot be registered.
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
    /// Two Rust types, or two backends, bear one name.
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
    /// It claims a role and declares an op of the role in another form.
    #[error("{type_name:?} claims {role}: wanted {wanted}, got {got}")]
    RoleSignature {
        /// The type.
        type_name: &'static str,
        /// The role.
        role: Role,
        /// The op as the role has it.
        wanted: Box<RoleOp>,
        /// The op as the type has it.
        got: Box<RoleOp>,
    },
    /// It claims a role and declares none of its ops.
    #[error("{type_name:?} claims {role} and declares no op of it")]
    EmptyClaim {
        /// The type.
        type_name: &'static str,
        /// The role.
        role: Role,
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
    pub(super) constructors: Constructors,
}

type LoadComponent = fn(&[u8]) -> Result<Box<dyn AnyComponent>, Unreadable>;

struct Inner {
    type_name: &'static str,
    rust_type: TypeId,
    claims: BTreeSet<Role>,
    load: LoadComponent,
    ops: BTreeMap<&'static str, DeclaredOp>,
    wants: Wants,
}

impl ComponentType {
    /// The kind `C`, if what it declares is sound.
    pub fn of<C: Component + Default>() -> Result<Self, RegistrationError> {
        Self::declared::<C>(Constructors::plain::<C>())
    }

    /// The kind `C`, which is made with settings, if what it declares is sound.
    pub fn configured<C: Configured>() -> Result<Self, RegistrationError> {
        Self::declared::<C>(Constructors::configured::<C>())
    }

    fn declared<C: Component>(constructors: Constructors) -> Result<Self, RegistrationError> {
        let type_name = C::TYPE_NAME;
        TypeName::new(type_name)
            .map_err(|source| RegistrationError::BadTypeName { type_name, source })?;
        let mut ops = Ops::<C> {
            type_name,
            declared: BTreeMap::new(),
            wants: Wants::default(),
            problem: None,
            claims: BTreeSet::new(),
            component: PhantomData,
        };
        C::ops(&mut ops);
        if let Some(problem) = ops.problem {
            return Err(problem);
        }
        if ops.declared.is_empty() {
            return Err(RegistrationError::NoOps { type_name });
        }
        ops.check_claims()?;
        let inner = Inner {
            type_name,
            rust_type: TypeId::of::<C>(),
            claims: ops.claims,
            load: |state| Ok(Box::new(read_state::<C>(state)?)),
            ops: ops.declared,
            wants: ops.wants,
        };
        Ok(Self { inner: Arc::new(inner), constructors })
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

    /// Whether it claims a role.
    pub fn claims(&self, role: Role) -> bool {
        self.inner.claims.contains(&role)
    }

    /// The roles that it claims.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.inner.claims.iter().copied()
    }

    pub(crate) fn op(&self, op: &str) -> Option<&DeclaredOp> {
        self.inner.ops.get(op)
    }

    pub(crate) fn wants(&self) -> &Wants {
        &self.inner.wants
    }

    /// The component of this state.
    pub(crate) fn load(&self, state: &[u8]) -> Result<Box<dyn AnyComponent>, Unreadable> {
        (self.inner.load)(state)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.is_of(other.inner.rust_type)
    }

    pub(crate) fn is_of(&self, rust_type: TypeId) -> bool {
        self.inner.rust_type == rust_type
    }
}

impl fmt::Debug for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ComponentType").field(&self.inner.type_name).finish()
    }
}

/// All that a program may be made of: kinds of components, native types and backends.
#[derive(Clone, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, ComponentType>,
    natives: TypeTable,
    backends: BTreeMap<&'static str, Arc<dyn Backend>>,
}

impl Registry {
    /// Makes `C` known. Registering one type twice changes nothing.
    pub fn register<C: Component + Default>(&mut self) -> Result<(), RegistrationError> {
        self.insert(ComponentType::of::<C>()?)
    }

    /// Makes `C` known, which is made with settings. A type that is registered without settings
    /// too may be bound either way.
    pub fn register_configured<C: Configured>(&mut self) -> Result<(), RegistrationError> {
        self.insert(ComponentType::configured::<C>()?)
    }

    /// Makes a native type known, so that its values can be constants and attributes.
    pub fn register_native<T: NativeCodec>(&mut self) -> Result<(), RegisterError> {
        self.natives.register::<T>()
    }

    /// Makes a backend known.
    pub fn register_backend(&mut self, backend: impl Backend) -> Result<(), RegistrationError> {
        let name = backend.name();
        TypeName::new(name)
            .map_err(|source| RegistrationError::BadTypeName { type_name: name, source })?;
        if self.backends.contains_key(name) {
            return Err(RegistrationError::DuplicateType { type_name: name.to_owned() });
        }
        self.backends.insert(name, Arc::new(backend));
        Ok(())
    }

    /// Makes a kind known.
    pub fn insert(&mut self, kind: ComponentType) -> Result<(), RegistrationError> {
        match self.types.get_mut(kind.type_name()) {
            Some(known) if known.is_same(&kind) => {
                known.constructors.add(kind.constructors);
                Ok(())
            }
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

    /// The backend of this name.
    pub fn backend(&self, name: &str) -> Option<&Arc<dyn Backend>> {
        self.backends.get(name)
    }

    /// The native types.
    pub fn natives(&self) -> &TypeTable {
        &self.natives
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("types", &self.types.keys())
            .field("natives", &self.natives)
            .field("backends", &self.backends.keys())
            .finish()
    }
}
