//! The part of linking that is about roles.
//!
//! Law: a slot that a program takes for a role holds a type that claims it, and what the program
//! calls by the role is there.

use super::{Surroundings, link::some};
use crate::{
    component::ComponentType,
    module::{Diagnostics, Draft, Problem, Step},
    role::Role,
};

/// Reports each slot whose type does not claim what the slot is taken for.
pub(super) fn claims(draft: &Draft, around: &Surroundings<'_>, found: &mut Diagnostics) {
    for (slot, roles) in &draft.roles {
        // A slot without a known type is told elsewhere.
        let Some(kind) = around.component(draft, slot) else { continue };
        for role in roles.iter().filter(|role| !kind.claims(**role)) {
            let (type_name, role) = (kind.type_name().to_owned(), *role);
            found.report(Step::Link, "", slot, Problem::Unclaimed { type_name, role });
        }
    }
}

/// What is wrong with a call of an op that the type does not have, if it is an op of a role.
pub(super) fn lacking(
    draft: &Draft,
    slot: &str,
    kind: &ComponentType,
    op: &str,
) -> Option<Problem> {
    let wanted = draft.roles.get(slot).into_iter().flatten().copied();
    let role = wanted.chain(kind.roles()).find(|role: &Role| role.op(op).is_some())?;
    let (type_name, op) = (kind.type_name().to_owned(), op.to_owned());
    let available = some(kind.op_names());
    Some(Problem::RoleOpMissing { type_name, role, op, available })
}
