//! What must hold whatever goes wrong: one invariant a file.
//!
//! Law: an invariant hears facts and looks at Nodes; it moves nothing and asks nothing of a host.

mod conservation;
mod durability;
mod fencing;
mod order;
mod outputs;
mod replay;
mod settles;

use crate::{fact::Fact, sight::Sight};

/// Something that must hold in every world.
pub trait Invariant {
    /// What it is called when it is broken.
    fn name(&self) -> &str;

    /// Hears a fact; an error says how it breaks this.
    fn hear(&mut self, _fact: &Fact) -> Result<(), String> {
        Ok(())
    }

    /// Looks at a world that has settled, with all its Nodes up.
    fn settled(&mut self, _sight: &Sight<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// Those that every world is held to.
pub(crate) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(durability::Durability::default()),
        Box::new(conservation::Conservation::default()),
        Box::new(order::Order),
        Box::new(fencing::Fencing::default()),
        Box::new(replay::ReplayEquality::default()),
        Box::new(outputs::Outputs::default()),
        Box::new(settles::Settles),
    ]
}

#[cfg(test)]
mod tests;
