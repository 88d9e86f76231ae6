//! What the table of requests cannot say of an op's attributes: times to wait, and names.
//!
//! Law: whatever passes here is read without fail when the program is planned.

use std::collections::BTreeSet;

use crate::{
    graph::{WITHIN, may_wait},
    module::{Op, OpKind, Problem},
    schema::PortType,
    syscall::DEADLINE_ARM,
    value::Value,
};

/// What is wrong with the attributes of this op beside their names and simple types.
pub(super) fn problems(op: &Op) -> impl Iterator<Item = Problem> {
    within(op).into_iter().chain(names(op))
}

fn within(op: &Op) -> Option<Problem> {
    let value = op.attributes.get(WITHIN).filter(|_| may_wait(&op.kind))?;
    let source = PortType::U64.accepts(value).err()?;
    Some(Problem::AttributeType { name: WITHIN.to_owned(), source })
}

/// The arms of a race have a name each, and none that the deadline has.
fn names(op: &Op) -> Option<Problem> {
    let reserved = match &op.kind {
        OpKind::Syscall(name) if name == "Race" => None,
        OpKind::Syscall(name) if name == "DeadlineMatch" => Some(DEADLINE_ARM),
        _ => return None,
    };
    let names = match op.attributes.get("names")? {
        Value::List(list) => list.items(),
        _ => &[],
    };
    let mut taken = BTreeSet::from_iter(reserved);
    let mut all = names.iter();
    let wanted = op.inputs.len();
    if names.len() == wanted
        && all.all(|name| matches!(name, Value::Text(name) if taken.insert(name)))
    {
        return None;
    }
    let reason = match reserved {
        Some(reserved) => format!("wanted {wanted} different names, none of them {reserved:?}"),
        None => format!("wanted {wanted} different names"),
    };
    Some(Problem::BadValue { reason })
}
