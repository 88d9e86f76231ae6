//! What a host has for jobs: clients, pools and sockets, by their types.
//!
//! Law: it is the host's and never part of a Node's state.

use std::{
    any::{Any, TypeId, type_name},
    collections::BTreeMap,
    fmt,
};

use crate::error::{OpError, OpErrorKind};

/// One thing of each type.
///
/// ```
/// use samsara_runtime::job::Resources;
///
/// let mut resources = Resources::default();
/// assert_eq!(resources.insert(7_u64), None);
/// assert_eq!(resources.insert(8_u64), Some(7));
/// assert_eq!(resources.get::<u64>().copied(), Ok(8));
/// assert_eq!(resources.get::<i64>().expect_err("none").to_string(), "the host has no i64");
/// ```
#[derive(Default)]
pub struct Resources {
    by_type: BTreeMap<TypeId, Box<dyn Any + Send + Sync>>,
}

/// The host has none of a type that a job asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host has no {wanted}")]
#[non_exhaustive]
pub struct MissingResource {
    /// The type, as the compiler names it.
    pub wanted: &'static str,
}

impl Resources {
    /// Adds one, and gives back the one of that type that was there.
    pub fn insert<T: Any + Send + Sync>(&mut self, resource: T) -> Option<T> {
        let replaced: Box<dyn Any> = self.by_type.insert(TypeId::of::<T>(), Box::new(resource))?;
        replaced.downcast().ok().map(|replaced| *replaced)
    }

    /// The one of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Result<&T, MissingResource> {
        let found = self.by_type.get(&TypeId::of::<T>());
        let found = found.and_then(|resource| resource.downcast_ref());
        found.ok_or(MissingResource { wanted: type_name::<T>() })
    }
}

impl From<MissingResource> for OpError {
    fn from(missing: MissingResource) -> Self {
        Self::new(OpErrorKind::MissingResource, missing.to_string())
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources").field("count", &self.by_type.len()).finish()
    }
}
