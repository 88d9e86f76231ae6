//! Where values go: into operands, which makes ops ready, and out of the module.
//!
//! Law: a value is cloned for every reader but the last, which gets the value itself.

use std::{collections::VecDeque, sync::Arc};

use super::{
    OpAt,
    pool::{ExecIndex, Execution},
};
use crate::{
    plan::{ModulePlan, Span, Target},
    step::EngineStep,
    value::Value,
};

/// One execution and where the values go that are given in it.
pub(super) struct Scatter<'a> {
    pub(super) module: &'a ModulePlan,
    pub(super) exec: ExecIndex,
    pub(super) execution: &'a mut Execution,
    pub(super) frontier: &'a mut VecDeque<OpAt>,
    pub(super) steps: &'a mut Vec<EngineStep>,
}

impl Scatter<'_> {
    /// As [`value`](Self::value), on the way that nearly every op goes.
    // Always inlined: a call would copy the value once more, and a walk is mostly such copies.
    #[inline(always)]
    pub(super) fn value_of_op(&mut self, targets: Span, value: Value) {
        match self.module.targets.get(targets.range()).unwrap_or_default() {
            [Target::Operand { op, operand }] => self.operand(*op, *operand, value),
            targets => self.share(targets, value),
        }
    }

    /// Gives a value to all who read it; the last one gets the value itself.
    pub(super) fn value(&mut self, targets: Span, value: Value) {
        let targets = self.module.targets.get(targets.range()).unwrap_or_default();
        self.share(targets, value);
    }

    #[inline(never)]
    fn share(&mut self, targets: &[Target], value: Value) {
        let Some((last, others)) = targets.split_last() else { return };
        for target in others {
            self.give(*target, value.clone());
        }
        self.give(*last, value);
    }

    #[inline]
    fn give(&mut self, target: Target, value: Value) {
        match target {
            Target::Operand { op, operand } => self.operand(op, operand, value),
            Target::Output(output) => self.output(output, value),
        }
    }

    #[inline(always)]
    fn operand(&mut self, op: u32, operand: u32, value: Value) {
        let at = op as usize;
        let Some(missing) = self.execution.missing.get_mut(at) else { return };
        let Some(left) = missing.checked_sub(1) else {
            // It has fired, or is about to: an any-of or a count that is complete.
            return;
        };
        let was = std::mem::replace(missing, left);
        if let Some(place) = self.execution.operands.get_mut(operand as usize) {
            *place = Some(value);
        }
        let awaited = self.module.missing.get(at).copied().unwrap_or_default();
        self.execution.half_fed += u32::from(was == awaited);
        if left == 0 {
            self.execution.half_fed -= 1;
            self.make_ready(op);
        }
    }

    #[inline(never)]
    fn output(&mut self, output: u32, value: Value) {
        if let Some(port) = self.module.outputs.get(output as usize) {
            self.steps.push(EngineStep::AppEvent {
                exec: self.execution.id,
                module: Arc::clone(&self.module.name),
                port: Arc::clone(&port.name),
                value,
            });
        }
    }

    #[inline]
    pub(super) fn make_ready(&mut self, op: u32) {
        self.execution.live += 1;
        self.frontier.push_back(OpAt { exec: self.exec, op });
    }
}
