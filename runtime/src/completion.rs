//! Answers that come later, from any thread.
//!
//! Law: every opened completion ends in exactly one of completed, failed or cancelled; dropping the
//! handle is the cancel.

use std::{fmt, marker::PhantomData};

use samsara_ingress::{Refusal, Ticket};
use samsara_proto::PeerId;

mod reply;

pub use self::reply::{Replies, Reply};

use crate::{
    config::NodeConfig,
    error::{OpError, OpErrorKind},
    event::{IngressEvent, NodeIngressHandle, total_size},
    id::CommandId,
    schema::PortType,
    value::Value,
};

/// What the handler returns for an answer that its [`CompletionHandle`] will give.
#[derive(Debug)]
pub struct Promise<R> {
    command: CommandId,
    answer: PhantomData<fn() -> R>,
}

impl<R> Promise<R> {
    /// The promise of an answer under a command from
    /// [`allocate_command_id`](crate::context::Cx::allocate_command_id).
    pub fn under(command: CommandId) -> Self {
        Self { command, answer: PhantomData }
    }
}

impl<R: Replies> Replies for Promise<R> {
    fn outputs() -> Vec<PortType> {
        R::outputs()
    }

    fn reply(self, _: &mut Vec<Value>) -> Result<Reply, OpError> {
        Ok(Reply::Later(self.command))
    }
}

/// The right to answer an op, from any thread, once. Dropping it fails the op as cancelled.
#[doc(alias = "CompletionSink")]
#[must_use = "dropping a completion cancels its op"]
pub struct CompletionHandle<R> {
    command: CommandId,
    result_bytes_max: u64,
    detail_bytes_max: u64,
    /// The place that the mailbox keeps for the answer, or why it keeps none.
    ticket: Result<Ticket<IngressEvent, PeerId>, Refusal>,
    answer: PhantomData<fn(R)>,
}

/// An answer that the Node did not take, which can be offered again.
#[derive(Debug, thiserror::Error)]
#[error("the answer of {} was not taken: {refusal}", .handle.command)]
pub struct CompletionRefused<R> {
    /// The right to answer.
    pub handle: CompletionHandle<R>,
    /// The answer.
    pub event: IngressEvent,
    /// Why it was not taken.
    pub refusal: Refusal,
}

impl<R> CompletionRefused<R> {
    /// Offers the answer again, as when the budget was used up for a moment.
    pub fn retry(self) -> Result<(), Box<Self>> {
        self.handle.offer(self.event)
    }
}

impl<R: Replies> CompletionHandle<R> {
    /// Answers with the op's outputs. What does not fit fails the op, with the reason.
    pub fn complete(self, answer: R) -> Result<(), Box<CompletionRefused<R>>> {
        let mut outputs = Vec::new();
        let answer = match answer.reply(&mut outputs) {
            Ok(Reply::Now) => Ok(outputs),
            Ok(Reply::Later(_)) => {
                Err(OpError::new(OpErrorKind::BadOutput, "answered by another promise"))
            }
            Err(error) => Err(error),
        };
        self.settle(answer)
    }
}

impl<R> CompletionHandle<R> {
    /// The right to answer this command, by a place that the mailbox behind `door` keeps.
    pub(crate) fn open(
        command: CommandId,
        config: &NodeConfig,
        door: Option<&NodeIngressHandle>,
    ) -> Self {
        let error = OpError::new(OpErrorKind::Cancelled, "its completion was dropped");
        let if_dropped = IngressEvent::CompletionFailed { command, error };
        let ticket = match door {
            Some(handle) => handle.ticket(if_dropped).map_err(|refused| refused.refusal),
            None => Err(Refusal::Closed),
        };
        let result_bytes_max = config.max_completion_result_bytes;
        let detail_bytes_max = config.max_completion_detail_bytes;
        Self { command, result_bytes_max, detail_bytes_max, ticket, answer: PhantomData }
    }

    /// Whether there is a place for the answer.
    pub(crate) fn has_place(&self) -> bool {
        self.ticket.is_ok()
    }

    /// The command that the op waits under.
    pub fn cmd_id(&self) -> CommandId {
        self.command
    }

    /// Fails the op. A reason that is longer than the settings allow is cut.
    pub fn fail(self, error: impl Into<OpError>) -> Result<(), Box<CompletionRefused<R>>> {
        self.settle(Err(error.into()))
    }

    /// Answers with these outputs or this failure, within the caps on both.
    pub(crate) fn settle(
        self,
        answer: Result<Vec<Value>, OpError>,
    ) -> Result<(), Box<CompletionRefused<R>>> {
        let command = self.command;
        let event = match answer {
            Ok(outputs) => match total_size(&outputs) {
                bytes if bytes > self.result_bytes_max => {
                    let cap = self.result_bytes_max;
                    let reason = format!("its result has {bytes} bytes, the cap is {cap}");
                    let error = OpError::new(OpErrorKind::Limit, reason);
                    IngressEvent::CompletionFailed { command, error }
                }
                _ => IngressEvent::Completion { command, outputs },
            },
            Err(error) => {
                let error = error.cut(self.detail_bytes_max);
                IngressEvent::CompletionFailed { command, error }
            }
        };
        self.offer(event)
    }

    fn offer(self, event: IngressEvent) -> Result<(), Box<CompletionRefused<R>>> {
        let weight = event.weight();
        let refused = match &self.ticket {
            Ok(ticket) => match ticket.settle(event, weight) {
                Ok(()) => return Ok(()),
                Err(refused) => (refused.event, refused.refusal),
            },
            Err(refusal) => (event, *refusal),
        };
        let (event, refusal) = refused;
        Err(Box::new(CompletionRefused { handle: self, event, refusal }))
    }
}

impl<R> fmt::Debug for CompletionHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionHandle").field("command", &self.command).finish_non_exhaustive()
    }
}
