//! What leaves a Node: the steps of a poll, in order.
//!
//! Law: every accepted event and every fired op ends in steps, or in silence that the contract
//! names: a completed op is traced only when asked for.

mod encode;
mod reply;
mod wire;

use std::sync::Arc;

use samsara_proto::{PeerId, WireEnvelope};

pub use self::{
    reply::{SessionOutcome, SessionReply, Unanswered},
    wire::{DropReason, WireRefusal},
};

use crate::{
    error::OpError,
    framework::{AddressBookError, CapReached, ClientId, Delivery},
    id::{CommandId, ExecId, RequestId},
    job::IdempotencyKey,
    schema::DecodeError,
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
    /// What a peer sent to a gather did not count in its round.
    GatherRefused {
        /// The execution.
        exec: ExecId,
        /// The gather.
        op: Arc<str>,
        /// The round.
        round: Value,
        /// Who sent it.
        sender: PeerId,
        /// Why it did not count.
        reason: NotGathered,
    },
    /// A round of a gather ended by its deadline, which is a failure there.
    GatherTimedOut {
        /// The gather.
        op: Arc<str>,
        /// The round.
        round: Value,
        /// Who had sent for it.
        senders: Vec<PeerId>,
    },
    /// An execution was given up, since it has brought the Node down too often.
    Aborted {
        /// The execution.
        exec: ExecId,
    },
    /// What came of a client's request: when it has ended, and each time that it is repeated.
    Answered {
        /// Who asked.
        client: ClientId,
        /// Which of its requests.
        request: u64,
        /// What came of it.
        reply: Box<SessionReply>,
    },
    /// A client's request is not answered now.
    Unanswered {
        /// Who asked.
        client: ClientId,
        /// Which of its requests.
        request: u64,
        /// Why.
        reason: Unanswered,
    },
    /// A command was answered that nobody waits for any more.
    CompletionIgnored {
        /// The command.
        command: CommandId,
    },
    /// An envelope to carry to a peer.
    ///
    /// What belongs to the link is left to the host: source, destination, incarnation, boot nonce,
    /// acknowledgements, and whether it was sent before.
    SendEnvelope {
        /// The peer. A Node may send to itself: the envelope comes back by its own door.
        to: PeerId,
        /// What is promised about it.
        class: Delivery,
        /// The envelope. Destinations of one send share its payloads.
        envelope: Box<WireEnvelope>,
    },
    /// Something was not sent.
    OutboundDropped {
        /// The execution.
        exec: ExecId,
        /// Whom it was for.
        peer: PeerId,
        /// Why.
        reason: DropReason,
    },
    /// Something was not sent, since nothing is known of the peer.
    PeerResolveFailed {
        /// The execution.
        exec: ExecId,
        /// Whom it was for.
        peer: PeerId,
    },
    /// A fill of an envelope is no value of its port. The others were delivered.
    WireDecodeFailed {
        /// Who sent it.
        peer: PeerId,
        /// Its position in the envelope.
        fill: u32,
        /// What is wrong with it.
        reason: Box<DecodeError>,
    },
    /// An envelope was not taken, or a fill of it.
    WireReceiveFailed {
        /// Who sent it.
        peer: PeerId,
        /// The position of the fill; `None` is the whole envelope.
        fill: Option<u32>,
        /// Why.
        reason: WireRefusal,
    },
    /// A peer has begun a stream anew: what was under way in the old one will never come.
    StreamReset {
        /// The peer.
        peer: PeerId,
        /// The stream.
        stream: u64,
        /// The epoch that has ended.
        ended: u64,
    },
    /// A request was not answered in time.
    WireTimeout {
        /// Who was asked.
        peer: PeerId,
        /// The request.
        request: RequestId,
    },
    /// A peer was put on the block list.
    PeerBlocked {
        /// The peer.
        peer: PeerId,
    },
    /// A peer failed so often that it is left alone.
    PeerDown {
        /// The peer.
        peer: PeerId,
    },
    /// A peer that was down answers again.
    PeerUp {
        /// The peer.
        peer: PeerId,
    },
    /// A change of the address book, asked for from outside, met another book than it was asked of.
    AddressBookUnchanged {
        /// Why.
        reason: AddressBookError,
    },
    /// A change of a list of peers, asked for from outside, met a fuller list than it was asked of.
    PeerListUnchanged {
        /// Why.
        reason: CapReached,
    },
    /// A lifecycle phase has come, and begins an execution for each op that is enrolled in it.
    LifecycleFired {
        /// The phase.
        phase: Arc<str>,
        /// The ops.
        ops: Vec<Arc<str>>,
    },
    /// A bootstrap has finished, and will not run again.
    BootstrapComplete {
        /// Its module.
        module: Arc<str>,
    },
    /// A bootstrap has failed, or another one that it needs; it may be asked for again.
    BootstrapFailed {
        /// Its module.
        module: Arc<str>,
    },
    /// The bootstrap that runs can only go on when an answer or a time comes.
    WaitingOnBootstrap {
        /// Its module.
        module: Arc<str>,
    },
    /// Something was dropped because the Node was cleared.
    Cancelled(Cancelled),
    /// The budget of this poll is used up, and work is left.
    CycleBudgetExceeded {
        /// Ops that are ready.
        ready: usize,
    },
}

/// What a clear drops.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cancelled {
    /// An event that would have begun this execution.
    Event {
        /// The execution.
        exec: ExecId,
    },
    /// An answer that was not taken yet.
    Answer {
        /// The command that it was for.
        command: CommandId,
    },
    /// Something that was asked of the Node itself, or told to it.
    Request {
        /// What.
        what: &'static str,
    },
    /// An execution that had begun.
    Execution {
        /// The execution.
        exec: ExecId,
    },
    /// An op that was parked.
    Op {
        /// Its execution.
        exec: ExecId,
        /// The op.
        op: Arc<str>,
        /// What it waited under.
        command: CommandId,
    },
    /// An event on the bus.
    BusEvent {
        /// Its kind.
        kind: Arc<str>,
    },
    /// A bootstrap that waited for its turn.
    Bootstrap {
        /// Its module.
        module: Arc<str>,
    },
}

/// Why something did not count in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotGathered {
    /// The round has ended.
    Late,
    /// Its sender is in the round already; what it sent first stands.
    Duplicate,
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
