//! The fourth step: where each op runs.
//!
//! Law: there is one place, and every op is in it. Stages that move ops stand behind this step.

use super::Surroundings;
use crate::module::{Diagnostics, Draft};

pub(super) fn place(draft: Draft, _: &Surroundings<'_>, _: &mut Diagnostics) -> Draft {
    draft
}
