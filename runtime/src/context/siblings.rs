//! The other components of a Node, as one of them may see them.
//!
//! Law: to read only, and never oneself: the one that is called is not among them.

use std::{any::Any, sync::Arc};

use bytes::Bytes;

use super::site::SlotTable;
use crate::error::OpError;

/// A component, whatever its type.
pub(crate) trait AnyComponent: Any + Send {
    /// The bytes of its state, or why it cannot be written.
    fn state(&self) -> Result<Vec<u8>, String>;
}

/// What a component was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedComponentSnapshot {
    /// Its slot.
    pub slot: String,
    /// The name and version of its type.
    pub type_name: String,
    /// Its state.
    pub state_bytes: Bytes,
}

/// A slot and what is in it.
pub(crate) struct Slotted {
    pub(crate) component: Box<dyn AnyComponent>,
    /// Its state as it was written last, unless it was called since.
    pub(crate) written: Option<Arc<NamedComponentSnapshot>>,
}

impl From<Box<dyn AnyComponent>> for Slotted {
    fn from(component: Box<dyn AnyComponent>) -> Self {
        Self { component, written: None }
    }
}

/// The components in the slots around the one that is called.
#[derive(Clone, Copy)]
pub(crate) struct Siblings<'a> {
    /// Those in the slots before it.
    before: &'a [Option<Slotted>],
    /// Those in the slots behind it.
    after: &'a [Option<Slotted>],
}

impl<'a> Siblings<'a> {
    /// The component at `slot`, to call, and the others.
    #[inline]
    pub(crate) fn split(
        components: &'a mut [Option<Slotted>],
        slot: usize,
    ) -> Option<(&'a mut dyn AnyComponent, Self)> {
        let (before, rest) = components.split_at_mut_checked(slot)?;
        let (own, after) = rest.split_first_mut()?;
        let own = own.as_mut()?;
        if own.written.is_some() {
            own.written = None;
        }
        Some((&mut *own.component, Self { before, after }))
    }

    /// The number of the slot that is called.
    pub(super) fn own_slot(&self) -> usize {
        self.before.len()
    }

    fn at(&self, slot: usize) -> Option<&'a dyn Any> {
        let component = match slot.checked_sub(self.before.len()) {
            None => self.before.get(slot)?,
            Some(0) => return None,
            Some(behind) => self.after.get(behind - 1)?,
        };
        Some(&*component.as_ref()?.component)
    }
}

/// The components of a Node but the one that is called, by the names of their slots.
#[derive(Clone, Copy)]
pub struct ComponentsView<'a> {
    pub(super) siblings: Siblings<'a>,
    pub(super) slots: &'a SlotTable,
}

impl<'a> ComponentsView<'a> {
    /// The component in the slot of this name, if it is another one.
    pub fn for_slot(&self, slot: &str) -> Option<&'a dyn Any> {
        self.siblings.at(self.slots.find(slot)?)
    }

    /// The component in the slot of this name, if it is another one and a `C`.
    pub fn for_slot_as<C: 'static>(&self, slot: &str) -> Option<&'a C> {
        self.for_slot(slot)?.downcast_ref()
    }
}

impl std::fmt::Debug for ComponentsView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.slots.0.iter().map(|slot| &slot.name);
        f.debug_tuple("ComponentsView").field(&names.collect::<Vec<_>>()).finish()
    }
}

/// Why a component cannot have another one that it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DependencyError {
    /// The program binds nothing else to the slot.
    #[error("no other component is bound to slot {slot:?}")]
    NotBound {
        /// The slot.
        slot: String,
    },
    /// The slot holds a component of another type.
    #[error("slot {slot:?} holds no {expected}")]
    TypeMismatch {
        /// The slot.
        slot: String,
        /// The type that was asked for.
        expected: &'static str,
    },
}

impl From<DependencyError> for OpError {
    fn from(missing: DependencyError) -> Self {
        Self::failed(missing.to_string())
    }
}
