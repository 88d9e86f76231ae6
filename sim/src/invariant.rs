//! What must hold whatever goes wrong: one invariant a file.
//!
//! Law: an invariant hears facts and looks at Nodes; it moves nothing and asks nothing of a host.

mod budget;
mod calm;
mod conservation;
mod durability;
mod fencing;
mod identity;
mod lives;
pub(crate) mod money;
mod order;
mod outputs;
mod promises;
mod replay;
mod settles;
mod streams;

use crate::{fact::Fact, sight::Sight};

/// Something that must hold in every world.
pub trait Invariant {
    /// What it is called when it is broken.
    fn name(&self) -> &str;

    /// Hears a fact; an error says how it breaks this.
    fn hear(&mut self, _fact: &Fact) -> Result<(), String> {
        Ok(())
    }

    /// Looks at a world between two acts, with all its Nodes up.
    fn look(&mut self, _sight: &Sight<'_>) -> Result<(), String> {
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
        Box::new(identity::Identity::default()),
        Box::new(streams::Streams::default()),
        Box::new(lives::Lives::default()),
        Box::new(promises::Promises::default()),
        Box::new(calm::Calm::default()),
        Box::new(settles::Settles),
        Box::new(budget::Budget),
    ]
}

#[cfg(test)]
mod tests;
