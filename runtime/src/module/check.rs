//! The form of a module: names, values and ops that hang together.
//!
//! Law: what passes has one source for every value, a name for every part, and no op that waits for
//! itself; so later steps need not ask again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Activation, Body, Diagnostics, Module, Op, OpKind, Port, Problem, Step, ValueId,
    order::{Order, order},
};
use crate::{schema::PortType, tensor::MAX_RANK, value::MAX_DEPTH};

/// What stands in a body for a channel until the body is cut: it reads what is sent at one place
/// and writes what is received at the other.
pub(crate) const CHANNEL: &str = "Channel";

/// Bytes of a name at most: a module, a slash and a port fit into the path of an envelope.
pub const NAME_BYTES: usize = 255;

/// Reports all that is wrong with the form of this module.
pub(crate) fn check(module: &Module, found: &mut Diagnostics) {
    check_name("module", &module.name, |problem| {
        found.report(Step::Validate, &module.name, "", problem);
    });
    for (prefix, body) in module.bodies() {
        let mut form = Form { module: &module.name, prefix, body, found };
        form.ports("input", &body.inputs);
        form.ports("output", &body.outputs);
        form.types();
        form.exits();
        form.values();
        body.ops.iter().for_each(|op| form.op(op));
        form.op_names();
        form.cycle();
    }
    let outcome = module
        .bodies()
        .any(|(_, body)| !body.outputs.is_empty() || body.ops.iter().any(has_effect));
    if !outcome {
        found.report(Step::Validate, &module.name, "", Problem::NoOutcome);
    }
}

/// Reports a name that is none.
pub(crate) fn check_name(of: &'static str, name: &str, report: impl FnOnce(Problem)) {
    let wanted = if name.is_empty() {
        "at least one character"
    } else if name.len() > NAME_BYTES {
        "at most 255 bytes"
    } else if name.contains('/') || name.contains(char::is_control) {
        "no slash and no control character"
    } else {
        return;
    };
    let name = crate::error::cut_detail(name, NAME_BYTES).to_owned();
    report(Problem::Name { of, name, wanted });
}

/// For each op, the ops whose values it reads, put in order.
pub(crate) fn dataflow(body: &Body) -> Order {
    let outputs = |(at, op): (usize, &'_ Op)| {
        let given = op.outputs.iter().filter(|_| !is_ahead(body, op));
        given.map(|output| (*output, at)).collect::<Vec<_>>()
    };
    let source: BTreeMap<ValueId, usize> = body.ops.iter().enumerate().flat_map(outputs).collect();
    let sources = |op: &Op| {
        op.inputs.iter().flatten().filter_map(|input| source.get(input).copied()).collect()
    };
    order(&body.ops.iter().map(sources).collect::<Vec<_>>())
}

/// Whether it is a channel whose values have their types of themselves: who reads those waits for
/// nobody in this body, so that a circle may lead through it.
fn is_ahead(body: &Body, op: &Op) -> bool {
    let is_typed = |id: &ValueId| body.value(*id).is_some_and(|value| value.ty.is_some());
    matches!(&op.kind, OpKind::Syscall(name) if name == CHANNEL) && op.outputs.iter().all(is_typed)
}

/// Whether the op does more than give a value.
fn has_effect(op: &Op) -> bool {
    match &op.kind {
        OpKind::Component { .. } | OpKind::Call { .. } => true,
        OpKind::Syscall(name) => op.outputs.is_empty() || name == CHANNEL || name == "Net.Send",
        OpKind::Constant | OpKind::Tensor { .. } => false,
    }
}

/// One body while it is checked.
struct Form<'a> {
    module: &'a str,
    prefix: &'static str,
    body: &'a Body,
    found: &'a mut Diagnostics,
}

impl Form<'_> {
    fn report(&mut self, subject: &str, problem: Problem) {
        let subject = format!("{}{subject}", self.prefix);
        self.found.report(Step::Validate, self.module, subject, problem);
    }

    fn name(&mut self, of: &'static str, name: &str) {
        check_name(of, name, |problem| self.report(name, problem));
    }

    /// Reports each name that several bear, once.
    fn unique<'n>(&mut self, of: &'static str, names: impl Iterator<Item = &'n str>) {
        let mut counts = BTreeMap::<&str, usize>::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            self.report(name, Problem::Duplicate { of, count });
        }
    }

    fn exists(&mut self, subject: &str, value: ValueId) {
        let count = self.body.values.len();
        if value.0 as usize >= count {
            self.report(subject, Problem::UnknownValue { id: value.0, count });
        }
    }

    fn ports(&mut self, of: &'static str, ports: &[Port]) {
        self.unique(of, ports.iter().map(|port| port.name.as_str()));
        for port in ports {
            self.name(of, &port.name);
            self.exists(&port.name, port.value);
        }
    }

    fn types(&mut self) {
        for port in &self.body.inputs {
            if self.body.value(port.value).is_some_and(|value| value.ty.is_none()) {
                self.report(&port.name, Problem::Untyped);
            }
        }
        for value in &self.body.values {
            let Some(ty) = &value.ty else { continue };
            if let Some(what) = unwritable(ty) {
                self.report(&value.name, Problem::BadType { ty: ty.clone(), what });
            }
        }
    }

    fn exits(&mut self) {
        let mut left = BTreeMap::<ValueId, &str>::new();
        for port in &self.body.outputs {
            match left.get(&port.value) {
                // One name twice is reported as that.
                Some(first) if *first != port.name => {
                    let first = (*first).to_owned();
                    self.report(&port.name, Problem::LeavesTwice { first });
                }
                Some(_) => {}
                None => {
                    left.insert(port.value, &port.name);
                }
            }
        }
    }

    /// Every value is named, and what is read is written once.
    fn values(&mut self) {
        let body = self.body;
        self.unique("value", body.values.iter().map(|value| value.name.as_str()));
        let mut written = BTreeMap::<ValueId, usize>::new();
        let results = body.ops.iter().flat_map(|op| op.outputs.iter().copied());
        for value in body.inputs.iter().map(|port| port.value).chain(results) {
            *written.entry(value).or_default() += 1;
        }
        let operands = body.ops.iter().flat_map(|op| op.inputs.iter().flatten().copied());
        let read: BTreeSet<ValueId> =
            operands.chain(body.outputs.iter().map(|port| port.value)).collect();
        for (id, value) in (0..).map(ValueId).zip(&body.values) {
            self.name("value", &value.name);
            match written.get(&id) {
                None if read.contains(&id) => self.report(&value.name, Problem::NeverWritten),
                Some(&times) if times > 1 => {
                    self.report(&value.name, Problem::WrittenTwice { times });
                }
                _ => {}
            }
        }
    }

    fn op_names(&mut self) {
        self.unique("op", self.body.ops.iter().map(|op| op.name.as_str()));
    }

    fn op(&mut self, op: &Op) {
        self.name("op", &op.name);
        op.attributes.keys().for_each(|name| self.name("attribute", name));
        for value in op.inputs.iter().flatten().chain(&op.outputs) {
            self.exists(&op.name, *value);
        }
        if op.inputs.is_empty() && op.outputs.is_empty() {
            self.report(&op.name, Problem::EmptyOp);
        }
        let given = op.inputs.iter().flatten().count();
        let wanted = match op.activation {
            Activation::All => None,
            Activation::Any => Some(1),
            Activation::Count(wanted) => Some(wanted),
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted == 0 || usize::from(*wanted) > given) {
            self.report(&op.name, Problem::BadCount { wanted, given });
        }
        self.kind(op);
    }

    fn kind(&mut self, op: &Op) {
        match &op.kind {
            OpKind::Component { slot, op: called } => {
                check_name("slot", slot, |problem| self.report(&op.name, problem));
                if called.is_empty() {
                    let (of, name) = ("component's op", called.clone());
                    let wanted = "at least one character";
                    self.report(&op.name, Problem::Name { of, name, wanted });
                }
            }
            OpKind::Call { .. } => {
                if op.activation != Activation::All || !op.attributes.is_empty() {
                    self.report(&op.name, Problem::SettingsOnCall);
                }
            }
            OpKind::Constant => {
                if !op.attributes.keys().eq(["value"]) {
                    self.report(&op.name, Problem::NoValue);
                }
            }
            OpKind::Tensor { domain, op_type } => {
                let ours = domain.starts_with("samsara.") || domain == "ai.onnx";
                if ours || op_type.is_empty() {
                    let (domain, op_type) = (domain.clone(), op_type.clone());
                    self.report(&op.name, Problem::BadTensorOp { domain, op_type });
                }
            }
            OpKind::Syscall(_) => {}
        }
    }

    fn cycle(&mut self) {
        let cycle = dataflow(self.body).cycle;
        // Read against the flow: each op reads what the next one gives.
        let round = cycle.iter().chain(cycle.first());
        let ops: Vec<String> =
            round.filter_map(|at| self.body.ops.get(*at)).map(|op| op.name.clone()).collect();
        if let Some(first) = ops.first().cloned() {
            self.report(&first, Problem::Cycle { ops });
        }
    }
}

/// What a declared type has that no file can hold.
fn unwritable(ty: &PortType) -> Option<&'static str> {
    let (mut ty, mut depth) = (ty, 0);
    while let PortType::List(items) = ty {
        (ty, depth) = (items, depth + 1);
        if depth > MAX_DEPTH {
            return Some("more levels than a value can have");
        }
    }
    let PortType::Tensor(bounds) = ty else { return None };
    if bounds.shape.as_ref().is_some_and(|dims| dims.len() > MAX_RANK) {
        return Some("more dimensions than a tensor can have");
    }
    let dims = bounds.shape.iter().flatten().flatten();
    { dims }.any(|dim| i64::try_from(*dim).is_err()).then_some("a dimension past any tensor's")
}

#[cfg(test)]
mod tests;
