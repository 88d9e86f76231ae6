//! What leaves a Node: the steps of a poll, in order.
//!
//! Law: every accepted event and every fired op ends in steps, or in silence that the contract
//! names: a completed op is traced only when asked for.

use std::sync::Arc;

use crate::{
    error::OpError,
    id::{CommandId, ExecId},
    job::IdempotencyKey,
    value::{FromValue, Value},
};

/// One thing that a Node did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EngineStep {
    /// A module output has its value.
    AppEvent {
        /// The execution.
        exec: ExecId,
        /// The module.
        module: Arc<str>,
        /// The output.
        port: Arc<str>,
        /// What it gives.
        value: Value,
    },
    /// A program told the host something.
    AppEmitted {
        /// The execution.
        exec: ExecId,
        /// The topic.
        topic: Arc<str>,
        /// What it tells.
        value: Value,
    },
    /// An op answers later.
    AsyncSuspended {
        /// The execution.
        exec: ExecId,
        /// The op.
        op: Arc<str>,
        /// What it waits under.
        command: CommandId,
    },
    /// An op left its work to a job, which waits for the host to run it.
    JobStarted {
        /// The execution.
        exec: ExecId,
        /// The op.
        op: Arc<str>,
        /// What it waits under.
        command: CommandId,
        /// What tells repetitions of the job from others.
        key: IdempotencyKey,
    },
    /// An op failed; what depends on it does not fire.
    OpFailed {
        /// The execution.
        exec: ExecId,
        /// The op.
        op: Arc<str>,
        /// Why.
        error: OpError,
    },
    /// An execution ended while some of its ops had only part of their inputs.
    Starved {
        /// The execution.
        exec: ExecId,
        /// The ops.
        ops: Vec<Arc<str>>,
    },
    /// A command was answered that nobody waits for any more.
    CompletionIgnored {
        /// The command.
        command: CommandId,
    },
    /// The budget of this poll is used up, and work is left.
    CycleBudgetExceeded {
        /// Ops that are ready.
        ready: usize,
    },
}

/// The steps of some polls, to look things up in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps(pub Vec<EngineStep>);

impl Steps {
    /// The last value of the module output `port`, if it is a `T`.
    pub fn output<T: FromValue>(&self, port: &str) -> Option<T> {
        self.0.iter().rev().find_map(|step| match step {
            EngineStep::AppEvent { port: given, value, .. } if **given == *port => {
                T::from_value(value.clone()).ok()
            }
            _ => None,
        })
    }

    /// Why ops failed, in order.
    pub fn failures(&self) -> impl Iterator<Item = &OpError> {
        self.0.iter().filter_map(|step| match step {
            EngineStep::OpFailed { error, .. } => Some(error),
            _ => None,
        })
    }
}
