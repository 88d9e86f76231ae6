//! The Node's own state that ops reach while they run.
//!
//! Law: plain data and bounded. What is asked for during a call is applied when it returns, in the
//! order it was asked.

use std::collections::VecDeque;

use samsara_proto::PeerId;

use crate::{
    config::NodeConfig,
    error::{OpError, OpErrorKind},
    event::NodeIngressHandle,
    framework::{HoldTable, Metrics, PeerGate, RecordBuffer, Scheduler, SerializeQueue},
    id::{CommandId, ExecId, IdCounter},
    rng::Rng,
    time::Nanos,
    value::Value,
};

/// What a parked op goes on with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// These outputs.
    Outputs(Vec<Value>),
    /// Its own first input.
    ItsInput,
    /// This failure.
    Failed(OpError),
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Alarm {
    /// A parked op goes on with its own first input.
    Resume(CommandId),
    /// A deadline op of an execution passes.
    Deadline {
        /// The execution.
        exec: ExecId,
        /// Its place in the pool.
        index: u32,
        /// The op.
        op: u32,
    },
    /// An interval op begins an execution.
    Tick {
        /// The module.
        module: u32,
        /// The op.
        op: u32,
    },
}

/// What the Node lends to the ops that it runs.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) peer: PeerId,
    pub(crate) now: Nanos,
    pub(crate) rng: Rng,
    pub(crate) commands: IdCounter<CommandId>,
    /// Executions that the Node begins of itself.
    pub(crate) inner_execs: IdCounter<ExecId>,
    /// Pushes through it are refused once this life has ended.
    pub(crate) handle: NodeIngressHandle,
    pub(crate) parked: usize,
    pub(crate) max_parked: usize,
    pub(crate) result_bytes_max: u64,
    /// Commands that were answered during a call.
    pub(crate) answered: VecDeque<(CommandId, Answer)>,
    pub(crate) timers: Scheduler<Alarm>,
    pub(crate) gates: PeerGate,
    pub(crate) holds: HoldTable<Value>,
    pub(crate) queues: SerializeQueue<Value>,
    pub(crate) records: RecordBuffer<Value>,
    pub(crate) metrics: Metrics,
}

/// Ids from here on are of executions that a Node begins of itself, as for a timer: those below are
/// minted at admission, beside the mailbox, where a crash does not reach.
const INNER_EXECS: u64 = 1 << 63;

impl Services {
    pub(crate) fn new(
        peer: PeerId,
        seed: [u8; 32],
        handle: NodeIngressHandle,
        config: &NodeConfig,
    ) -> Self {
        let state = &config.state;
        Self {
            peer,
            now: Nanos::ZERO,
            rng: Rng::from_seed_bytes(seed),
            commands: IdCounter::new(),
            inner_execs: IdCounter::resume(INNER_EXECS),
            handle,
            parked: 0,
            max_parked: config.max_pending_async as usize,
            result_bytes_max: config.max_completion_result_bytes,
            answered: VecDeque::new(),
            timers: Scheduler::new(state.max_timers),
            gates: PeerGate::new(state.max_names, config.max_pending_async),
            holds: HoldTable::new(state.hold_names, state.hold_items),
            queues: SerializeQueue::new(
                state.max_names,
                state.serialize_capacity,
                config.max_pending_async,
            ),
            records: RecordBuffer::new(state.max_names, state.record_capacity),
            metrics: Metrics::new(state.max_names),
        }
    }

    /// A new command to wait under; refused when too many ops wait already, before any effect.
    pub(crate) fn new_command(&mut self) -> Result<CommandId, OpError> {
        if self.parked >= self.max_parked {
            let reason = format!("{} ops wait already", self.parked);
            return Err(OpError::new(OpErrorKind::Limit, reason));
        }
        let minted = self.commands.mint();
        minted.map_err(|exhausted| OpError::new(OpErrorKind::Limit, exhausted.to_string()))
    }
}
