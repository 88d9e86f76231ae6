//! How long an op may wait for its answer.
//!
//! Law: the time is one attribute of the op, under a name that is reserved for it; whoever waits
//! longer fails as timed out, and an answer of that very instant comes too late.
//!
//! ```
//! use samsara_runtime::graph::Graph;
//! use samsara_runtime::time::{millis, seconds};
//!
//! let g = Graph::new("Ask");
//! let question = g.input::<String>("question");
//! let answer = g.slot("oracle").within(seconds(5)).op("ask", [question]);
//! g.output("answer", answer);
//! g.output("next", g.within(g.dequeue("line", question), millis(20)));
//! assert!(g.build().is_ok());
//! ```

use super::{Graph, Recorded, Slot, Wire, syscalls};
use crate::{
    module::{Op, OpKind, Problem, ValueId},
    time::Nanos,
    value::Value,
};

/// The attribute that says how many nanoseconds an op may wait.
pub const WITHIN: &str = "samsara.within";

/// Whether an op of this kind may have to wait for its answer.
pub(crate) fn may_wait(kind: &OpKind) -> bool {
    match kind {
        OpKind::Component { .. } => true,
        OpKind::Syscall(name) => syscalls::WAITING.contains(&name.as_str()),
        OpKind::Call { .. } | OpKind::Constant | OpKind::Tensor { .. } => false,
    }
}

/// How long this op may wait, if it was told.
pub(crate) fn time_to_wait(op: &Op) -> Option<Nanos> {
    match op.attributes.get(WITHIN) {
        Some(Value::U64(nanos)) if may_wait(&op.kind) => Some(Nanos::new(*nanos)),
        _ => None,
    }
}

impl Graph {
    /// Lets the op that gives this value wait for so long; then it fails as timed out.
    pub fn within<'g>(&'g self, value: Wire<'g>, time: Nanos) -> Wire<'g> {
        let Some(id) = self.value_of(value, "within") else { return value };
        let marked = self.recorded.borrow_mut().wait_within(id, time);
        if let Err(name) = marked {
            self.mistake(&name, Problem::NeverWaits);
        }
        value
    }
}

impl Recorded {
    /// Marks the op that gives this value; the value's name if nothing waits there.
    fn wait_within(&mut self, id: ValueId, time: Nanos) -> Result<(), String> {
        let giver = self.body.ops.iter_mut().rev().find(|op| op.outputs.contains(&id));
        match giver.filter(|op| may_wait(&op.kind)) {
            Some(op) => {
                op.attributes.insert(WITHIN.to_owned(), Value::U64(time.get()));
                Ok(())
            }
            None => Err(self.body.value(id).map(|value| value.name.clone()).unwrap_or_default()),
        }
    }
}

impl Slot<'_> {
    /// Lets the op wait for its answer for so long; then it fails as timed out.
    pub fn within(self, time: Nanos) -> Self {
        self.attribute(WITHIN, time.get())
    }
}
