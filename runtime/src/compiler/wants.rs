//! The part of the link step that proves what components depend on.
//!
//! Law: a component is told of by its slot, with what it wants and where.

use super::Surroundings;
use crate::{
    component::{ComponentType, Wanted},
    module::{Diagnostics, Draft, Problem, Step},
};

/// Looks for every component that another one declares to depend on.
pub(super) fn dependencies(draft: &Draft, around: &Surroundings<'_>, found: &mut Diagnostics) {
    for own in draft.slots.keys() {
        let Some(kind) = around.component(draft, own) else { continue };
        for dependency in &kind.wants().dependencies {
            let (slot, wanted) = (dependency.slot.to_owned(), dependency.wanted.to_string());
            let problem = match draft.slots.get(dependency.slot) {
                None => Problem::UnboundDependency { slot, wanted },
                Some(_) if slot == *own => {
                    Problem::WrongDependency { slot, wanted, got: "the component itself".into() }
                }
                Some(got) => match around.component(draft, &slot) {
                    Some(there) if !is(there, dependency.wanted) => {
                        Problem::WrongDependency { slot, wanted, got: got.clone() }
                    }
                    // One that is not registered is told for its own slot.
                    _ => continue,
                },
            };
            found.report(Step::Link, "", own, problem);
        }
    }
}

fn is(there: &ComponentType, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Type { rust_type, .. } => there.is_of(rust_type),
        Wanted::Role(role) => there.claims(role),
    }
}
