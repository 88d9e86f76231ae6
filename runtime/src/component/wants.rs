//! What a component wants beside being called: other components, its timers, events.
//!
//! Law: declared with its ops, and so the same wherever the type is used.

use std::{any::TypeId, collections::BTreeMap, fmt, sync::Arc};

use super::ErasedCallback;
use crate::role::Role;

/// What one type of component declares to want.
#[derive(Default)]
pub(crate) struct Wants {
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) on_timer: Option<Arc<dyn ErasedCallback>>,
    pub(crate) on_event: BTreeMap<&'static str, Arc<dyn ErasedCallback>>,
}

/// Another component that must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dependency {
    pub(crate) slot: &'static str,
    pub(crate) wanted: Wanted,
}

/// What another component must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// Of this type.
    Type { name: &'static str, rust_type: TypeId },
    /// Of a type that claims this role.
    Role(Role),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { name, .. } => f.write_str(name),
            Self::Role(role) => write!(f, "the role {role}"),
        }
    }
}
