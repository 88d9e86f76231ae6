//! What a component wants beside being called: other components, its timers, events.
//!
//! Law: declared with its ops, and so the same wherever the type is used.

use std::{any::TypeId, collections::BTreeMap, sync::Arc};

use super::ErasedCallback;

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
    pub(crate) type_name: &'static str,
    pub(crate) rust_type: TypeId,
}
