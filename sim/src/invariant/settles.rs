//! When nothing goes wrong any more, a world comes to rest.
//!
//! Law: all hosts are up and no Node has anything to do at once, within the time there is.

use super::Invariant;
use crate::sight::Sight;

pub(super) struct Settles;

impl Invariant for Settles {
    fn name(&self) -> &str {
        "the world settles"
    }

    fn settled(&mut self, sight: &Sight<'_>) -> Result<(), String> {
        if sight.is_settled() { Ok(()) } else { Err("it did not, 30 s after it was healed".into()) }
    }
}
