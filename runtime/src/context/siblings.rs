//! The other components of a Node, as one of them may see them.
//!
//! Law: to read only, and never oneself: the one that is called is not among them.

use std::any::Any;

/// A component in its slot, whatever its type.
pub(crate) trait AnyComponent: Any + Send {}

/// The components of a Node but the one that is called.
#[derive(Clone, Copy)]
pub struct ComponentsView<'a> {
    /// Those in the slots before it.
    before: &'a [Option<Box<dyn AnyComponent>>],
    /// Those in the slots behind it.
    after: &'a [Option<Box<dyn AnyComponent>>],
}

impl<'a> ComponentsView<'a> {
    /// The component at `slot`, to call, and the others.
    #[inline]
    pub(crate) fn split(
        components: &'a mut [Option<Box<dyn AnyComponent>>],
        slot: usize,
    ) -> Option<(&'a mut dyn AnyComponent, Self)> {
        let (before, rest) = components.split_at_mut_checked(slot)?;
        let (own, after) = rest.split_first_mut()?;
        Some((own.as_deref_mut()?, Self { before, after }))
    }

    /// The component in the slot of this number, if it is another one and a `C`.
    pub fn at<C: 'static>(&self, slot: usize) -> Option<&'a C> {
        let component = match slot.checked_sub(self.before.len()) {
            None => self.before.get(slot)?,
            Some(0) => return None,
            Some(behind) => self.after.get(behind - 1)?,
        };
        let component: &dyn Any = component.as_deref()?;
        component.downcast_ref()
    }
}

impl std::fmt::Debug for ComponentsView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let others = self.before.len() + self.after.len();
        f.debug_struct("ComponentsView").field("others", &others).finish()
    }
}
