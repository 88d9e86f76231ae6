//! The component of random programs: an op of each temper.
//!
//! Law: what an op gives follows from its inputs, the component's total and the answers alone.

use std::cell::RefCell;

use samsara_runtime::{
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    context::Cx,
    error::OpError,
    id::CommandId,
    value::Value,
};
use serde::{Deserialize, Serialize};

thread_local! {
    /// Completions that ops of this thread have opened, oldest first.
    static DESK: RefCell<Vec<CompletionHandle<u64>>> = const { RefCell::new(Vec::new()) };
}

/// Takes the open completions of this thread.
pub(super) fn take_desk() -> Vec<CompletionHandle<u64>> {
    DESK.take()
}

/// The command that a number stands for, one of the first sixteen.
pub(super) fn some_command(n: u64) -> Option<CommandId> {
    CommandId::new(n % 16 + 1)
}

/// An answer by a stranger: now and then of too many outputs.
pub(super) fn strange_outputs(n: u64) -> Vec<Value> {
    vec![Value::U64(n); if n.is_multiple_of(2) { 2 } else { 1 }]
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Lab {
    total: u64,
}

impl Component for Lab {
    const TYPE_NAME: &'static str = "test.lab@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |lab: &mut Self, n: u64| {
            lab.total = lab.total.wrapping_add(n);
            lab.total
        });
        ops.on("plus", |_: &mut Self, a: u64, b: u64| a.wrapping_add(b));
        ops.on("even", |_: &mut Self, n: u64| match n % 2 {
            0 => Ok(n / 2),
            _ => Err(format!("{n} is odd")),
        });
        ops.on("both", |_: &mut Self, n: u64| (n.wrapping_add(1), n.wrapping_mul(3)));
        ops.on("mix", |_: &mut Self, a: Option<u64>, b: Option<u64>, c: Option<u64>| {
            let [a, b, c] = [a, b, c].map(|n| n.unwrap_or(6));
            a.wrapping_mul(3).wrapping_add(b.wrapping_mul(5)).wrapping_add(c.wrapping_mul(7))
        });
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, _: u64| -> Result<Promise<u64>, OpError> {
            let (handle, promise) = cx.open_completion::<u64>()?;
            DESK.with_borrow_mut(|desk| desk.push(handle));
            Ok(promise)
        });
        ops.on("twice", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<Promise<u64>, OpError> {
            let command = cx.allocate_command_id()?;
            cx.complete_command(command, vec![Value::U64(n)]);
            cx.complete_command(command, vec![Value::U64(n.wrapping_add(1))]);
            Ok(Promise::under(command))
        });
        ops.on("poke", |_: &mut Self, cx: &mut Cx<'_>, n: u64| {
            if let Some(command) = some_command(n) {
                cx.complete_command(command, strange_outputs(n));
            }
            n
        });
        ops.on("spoil", |_: &mut Self, cx: &mut Cx<'_>, n: u64| {
            if let Some(command) = some_command(n) {
                cx.fail_command(command, OpError::failed("spoilt"));
            }
            n
        });
    }
}
