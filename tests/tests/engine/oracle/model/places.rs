//! Where ops stand, and who reads a value: by walking the modules as they were authored.
//!
//! Law: the order of a program is that of its text, a called module in the place of its call.

use std::{collections::BTreeMap, sync::Arc};

use samsara_runtime::{
    module::{Body, Module, Op, OpKind, ValueId},
    time::Nanos,
    value::Value,
};

/// An op's place: the calls that lead to its body, and its position there.
pub(super) type Path = Vec<usize>;

type Modules = BTreeMap<String, Module>;

/// Who reads a value, in the order in which it is given to them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reader {
    /// An op, by this operand.
    Operand(Path, usize),
    /// An output of the module that runs.
    Output(usize),
}

/// The body at a place: that of the module which runs, or of the one that is called there.
fn body<'p>(modules: &'p Modules, place: &[usize]) -> &'p Body {
    let mut body = &modules["Main"].body;
    for at in place {
        let OpKind::Call { module } = &body.ops[*at].kind else { panic!("only calls have a body") };
        body = &modules[module].body;
    }
    body
}

pub(super) fn op<'p>(modules: &'p Modules, path: &[usize]) -> &'p Op {
    let (at, place) = path.split_last().expect("an op stands in a body");
    &body(modules, place).ops[*at]
}

/// The name of an op, behind the names of the calls that lead to it.
pub(super) fn title(modules: &Modules, path: &[usize]) -> Arc<str> {
    let names = (1..=path.len()).map(|end| op(modules, &path[..end]).name.as_str());
    names.collect::<Vec<_>>().join("/").into()
}

/// Every op that does something itself, in order.
pub(super) fn ops(modules: &Modules) -> Vec<(Path, &Op)> {
    let mut found = Vec::new();
    collect(modules, &[], &mut found);
    found
}

fn collect<'p>(modules: &'p Modules, place: &[usize], found: &mut Vec<(Path, &'p Op)>) {
    for (at, op) in body(modules, place).ops.iter().enumerate() {
        let path = [place, &[at]].concat();
        match &op.kind {
            OpKind::Call { .. } => collect(modules, &path, found),
            _ => found.push((path, op)),
        }
    }
}

pub(super) fn readers(modules: &Modules, place: &[usize], id: ValueId) -> Vec<Reader> {
    let mut found = Vec::new();
    follow(modules, place, id, &mut found);
    found.sort();
    found
}

/// Follows a value into the modules that are called with it, and out of those that give it on.
fn follow(modules: &Modules, place: &[usize], id: ValueId, found: &mut Vec<Reader>) {
    let here = body(modules, place);
    for (at, op) in here.ops.iter().enumerate() {
        let operands = op.inputs.iter().enumerate().filter(|(_, input)| **input == Some(id));
        for (operand, _) in operands {
            let path = [place, &[at]].concat();
            match &op.kind {
                OpKind::Call { module } => {
                    let inside = modules[module].body.inputs[operand].value;
                    follow(modules, &path, inside, found);
                }
                _ => found.push(Reader::Operand(path, operand)),
            }
        }
    }
    for (port, _) in here.outputs.iter().enumerate().filter(|(_, port)| port.value == id) {
        match place.split_last() {
            None => found.push(Reader::Output(port)),
            Some((_, outer)) => {
                follow(modules, outer, op(modules, place).outputs[port], found);
            }
        }
    }
}

/// The time of a deadline op.
pub(super) fn deadline(op: &Op) -> Option<Nanos> {
    match &op.kind {
        OpKind::Syscall(name) if name == "Deadline" || name == "DeadlineMatch" => Some(nanos(op)),
        _ => None,
    }
}

/// Whether an op asks the engine for this.
pub(super) fn is_named(modules: &Modules, path: &[usize], request: &str) -> bool {
    matches!(&op(modules, path).kind, OpKind::Syscall(name) if name == request)
}

/// How long an op may wait.
pub(super) fn within(op: &Op) -> Option<Nanos> {
    match op.attributes.get("samsara.within") {
        Some(Value::U64(nanos)) => Some(Nanos::new(*nanos)),
        _ => None,
    }
}

/// The time that an op was given when it was authored.
pub(super) fn nanos(op: &Op) -> Nanos {
    match op.attributes["nanos"] {
        Value::U64(nanos) => Nanos::new(nanos),
        _ => panic!("a time is a number"),
    }
}
