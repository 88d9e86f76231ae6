//! What the requests that listen, tell and dispatch say in their attributes.
//!
//! Law: a name that could never be heard, or that is not the program's to use, is told here and not
//! found out at run time.

use std::collections::BTreeSet;

use super::link::{called, some};
use crate::{
    bus::{APP_PREFIX, check_topic, is_kind, kinds},
    module::{Draft, Op, OpKind, Problem},
    schema::PortType,
    value::Value,
};

/// The text of an attribute; one of another type is told elsewhere.
fn text<'o>(op: &'o Op, name: &str) -> Option<&'o str> {
    match op.attributes.get(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// What the events that this op listens for are given as.
pub(super) fn event_type(op: &Op) -> Option<PortType> {
    let is_app = text(op, "kind")?.starts_with(APP_PREFIX);
    Some(if is_app { PortType::Any } else { PortType::Record })
}

/// What is wrong with the attributes of a request.
pub(super) fn problem(draft: &Draft, op: &Op) -> Option<Problem> {
    let OpKind::Syscall(name) = &op.kind else { return None };
    match name.as_str() {
        "AppNotify" => topic(text(op, "topic")?),
        "EventSource" => kind(text(op, "kind")?),
        "LifecyclePhase" => {
            text(op, "phase")?.is_empty().then_some(Problem::EmptyAttribute { name: "phase" })
        }
        "Bootstrap.Dispatch" => dispatch(draft, text(op, "module")?),
        _ => None,
    }
}

fn topic(topic: &str) -> Option<Problem> {
    if topic.is_empty() {
        return Some(Problem::EmptyAttribute { name: "topic" });
    }
    let reserved = check_topic(topic).err()?;
    Some(Problem::ReservedTopic { topic: reserved.topic, prefix: reserved.prefix })
}

fn kind(kind: &str) -> Option<Problem> {
    let problem = || Problem::UnknownEvent { kind: kind.to_owned(), available: some(kinds()) };
    (!is_kind(kind)).then(problem)
}

fn dispatch(draft: &Draft, name: &str) -> Option<Problem> {
    let found = draft.modules.get(name).filter(|module| module.bootstrap.is_some());
    if found.is_none() {
        let bootstrapped = draft.modules.values().filter(|module| module.bootstrap.is_some());
        let available = some(bootstrapped.map(|module| module.name.as_str()));
        return Some(Problem::NoBootstrap { module: name.to_owned(), available });
    }
    // Those of the modules that it calls run before it, and are given as little.
    let (mut seen, mut open) = (BTreeSet::new(), vec![name]);
    while let Some(name) = open.pop() {
        let Some(module) = draft.modules.get(name).filter(|_| seen.insert(name)) else { continue };
        if module.bootstrap.as_ref().is_some_and(|body| !body.inputs.is_empty()) {
            return Some(Problem::BootstrapTakesInputs { module: name.to_owned() });
        }
        open.extend(called(module));
    }
    None
}
