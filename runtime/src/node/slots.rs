//! What a Node's slots hold.
//!
//! Law: reads only. A component changes in a batch, by its own ops.

use std::any::Any;

use super::Node;
use crate::{
    component::{Component, ComponentType},
    role::Role,
};

impl Node {
    /// Every slot and the kind of component in it, by the names of the slots.
    pub fn slots_iter(&self) -> impl Iterator<Item = (&str, &ComponentType)> {
        self.program.plan().slots.iter().map(|slot| (&*slot.name, &slot.kind))
    }

    /// The names of the component types in use, each once, in order.
    pub fn linked_components(&self) -> impl Iterator<Item = &'static str> {
        let names = self.program.plan().slots.iter().map(|slot| slot.kind.type_name());
        names.collect::<std::collections::BTreeSet<_>>().into_iter()
    }

    /// The component in a slot, if it is a `C`.
    pub fn slot<C: Component>(&self, name: &str) -> Option<&C> {
        let at = self.program.plan().slots.iter().position(|slot| &*slot.name == name)?;
        let component: &dyn Any = &*self.components.get(at)?.as_ref()?.component;
        component.downcast_ref()
    }

    /// The roles that the component in a slot claims; none if there is no such slot.
    pub fn roles_for(&self, slot: &str) -> impl Iterator<Item = Role> {
        let kind = self.slots_iter().find(|(name, _)| *name == slot).map(|(_, kind)| kind);
        kind.into_iter().flat_map(ComponentType::roles)
    }
}
