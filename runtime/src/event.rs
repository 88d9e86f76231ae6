//! What enters a Node: the events of its mailbox.
//!
//! Law: an event is plain data that can be cloned and written down; everything that can influence a
//! Node is one of these, or the time that a batch bears.

mod asked;
mod peers;
mod saved;
mod wire;

use std::sync::Arc;

use samsara_ingress::{IngressHandle as Handle, IngressQueue as Queue, IngressReader as Reader};
use samsara_proto::PeerId;

use crate::{
    error::{AppIngressError, OpError},
    id::{CommandId, ExecId, Incarnation},
    value::Value,
};

pub use self::{
    asked::InvokeAs,
    peers::PeerChange,
    wire::{EnvelopeFrom, SendFailed, SendFailure},
};

/// A Node's mailbox.
pub type NodeIngress = Queue<IngressEvent, PeerId>;
/// A way into a Node's mailbox.
pub type NodeIngressHandle = Handle<IngressEvent, PeerId>;
/// The reading end of a Node's mailbox.
pub type NodeIngressReader = Reader<IngressEvent, PeerId>;

/// One input of a module, by the dense indices of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputIndex {
    /// The module in the plan.
    pub module: u32,
    /// The input in the module.
    pub input: u32,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum IngressEvent {
    /// One input, in an execution of its own.
    AppEvent {
        /// The execution, minted at admission.
        exec: ExecId,
        /// Where it goes.
        input: InputIndex,
        /// What goes there.
        value: Value,
    },
    /// Several inputs of one module, in one execution.
    Invoke {
        /// The execution, minted at admission.
        exec: ExecId,
        /// The module in the plan.
        module: u32,
        /// The inputs in the module, and what goes there.
        inputs: Vec<(u32, Value)>,
    },
    /// Several inputs of one module, asked by a client that may ask again.
    InvokeAs(Box<InvokeAs>),
    /// A parked op is answered.
    Completion {
        /// What the op waits under.
        command: CommandId,
        /// Its outputs.
        outputs: Vec<Value>,
    },
    /// A parked op will not be answered.
    CompletionFailed {
        /// What the op waits under.
        command: CommandId,
        /// Why.
        error: OpError,
    },
    /// An envelope from a peer.
    EnvelopeFrom(Box<EnvelopeFrom>),
    /// The host could not send.
    SendFailed(Box<SendFailed>),
    /// Calls were refused at the door since the last turn: they were counted there, and this is
    /// how the Node hears of it.
    AppIngressError {
        /// The last of them.
        error: AppIngressError,
        /// How many of its source and kind.
        count: u64,
    },
    /// Something is asked of the Node itself.
    Control(Control),
}

/// What can be asked of a Node itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// Begin what the modules begin of themselves: pulses and intervals.
    Start,
    /// Change something about its peers.
    Peers(Box<PeerChange>),
    /// Run these bootstraps, in this order, those that have not run yet.
    Bootstrap(Vec<BootstrapInputs>),
    /// Fire the ops that are enrolled in this phase.
    Lifecycle(Arc<str>),
    /// Drop all that is under way.
    Clear,
    /// A life has begun: the first batch of each but the first that keeps no journal.
    Begin {
        /// Which.
        incarnation: Incarnation,
    },
}

/// One bootstrap to run, by the dense indices of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct BootstrapInputs {
    /// The module whose bootstrap it is.
    pub module: u32,
    /// The bootstrap's inputs, and what goes there.
    pub inputs: Vec<(u32, Value)>,
}

impl BootstrapInputs {
    /// What its inputs cost of the mailbox's budget.
    pub fn weight(&self) -> u64 {
        total_size(self.inputs.iter().map(|(_, value)| value))
    }
}

impl IngressEvent {
    /// What it costs of the mailbox's budget.
    pub fn weight(&self) -> u64 {
        match self {
            Self::AppEvent { value, .. } => value.byte_size(),
            Self::Invoke { inputs, .. } => total_size(inputs.iter().map(|(_, value)| value)),
            Self::InvokeAs(asked) => asked.weight(),
            Self::Completion { outputs, .. } => total_size(outputs),
            Self::CompletionFailed { error, .. } => error.reason().len() as u64,
            Self::EnvelopeFrom(from) => from.weight(),
            Self::SendFailed(_) => 0,
            Self::AppIngressError { .. } => 0,
            Self::Control(control) => control.weight(),
        }
    }
}

impl Control {
    fn weight(&self) -> u64 {
        match self {
            Self::Bootstrap(asked) => {
                asked.iter().map(BootstrapInputs::weight).fold(0, u64::saturating_add)
            }
            Self::Peers(change) => change.weight(),
            Self::Start | Self::Lifecycle(_) | Self::Clear | Self::Begin { .. } => 0,
        }
    }
}

/// What values hold together; a native type says its own size, so the sum must not overflow.
pub(crate) fn total_size<'v>(values: impl IntoIterator<Item = &'v Value>) -> u64 {
    values.into_iter().map(Value::byte_size).fold(0, u64::saturating_add)
}
