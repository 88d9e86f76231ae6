//! What a host asks of a Node, and what it hears.
//!
//! Law: every call ends in one word: kept, refused with the input given back or the reason told, or
//! unknown. Unknown is never said of what is known to have failed, nor the other way round.

use std::{collections::BTreeMap, fmt, sync::Arc};

use samsara_runtime::{
    error::{DeliveryError, OpError},
    event::IngressEvent,
    framework::ClientId,
    id::ExecId,
    node::OfferAgainError,
    step::{EngineStep, SessionOutcome, SessionReply, Unanswered},
    value::{FromValue, TypeMismatch, Value},
};
use tokio::sync::oneshot;

/// Inputs by their names.
pub type Inputs = Vec<(String, Value)>;

/// Why a call was not kept, or not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing was taken. It may be tried again, with what comes back.
    #[error("the node takes nothing now: {why}")]
    Busy {
        /// The inputs, unchanged.
        inputs: Inputs,
        /// What it waits for.
        why: Busy,
    },
    /// The Node has refused it: as it is it will never be taken, unless it was for want of room.
    #[error(transparent)]
    Refused(#[from] DeliveryError),
    /// An event that was given up cannot be offered again.
    #[error(transparent)]
    NotAgain(OfferAgainError),
    /// A value would be nested too deep.
    #[error("input {input:?} is nested too deep")]
    TooDeep {
        /// The input.
        input: String,
    },
    /// The Node does not answer this request of a client.
    #[error(transparent)]
    Unanswered(Unanswered),
    /// The Node was stopped, or is being stopped, and takes nothing.
    #[error("the node was stopped")]
    Stopped,
    /// The Node fell too often and is put aside until somebody releases it.
    #[error("the node is in quarantine")]
    Quarantined,
    /// The store of the Node has failed: what it holds is known when it is opened again.
    #[error("the store of the node has failed")]
    StoreFailed,
    /// The Node ended before it said whether this was kept, or what came of it. It may have
    /// happened.
    #[error("the node ended before it answered: it is unknown what came of the call")]
    Unknown,
}

/// What a Node waits for before it takes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Busy {
    /// As many calls wait as may.
    #[error("its ingress is full")]
    Full,
    /// Its peers have not taken what it said.
    #[error("its outbox is over its high mark")]
    Outbox,
    /// Its disk is full, or slower than what it is given.
    #[error("its store has no room")]
    Store,
}

/// A call that is kept: whatever happens to the Node, it is executed once.
#[derive(Debug)]
pub struct Invocation {
    pub(crate) exec: ExecId,
    pub(crate) reply: oneshot::Receiver<Result<Reply, CallError>>,
}

impl Invocation {
    /// Its execution.
    pub fn execution(&self) -> ExecId {
        self.exec
    }

    /// Waits until the execution has ended. May be cancelled: the execution goes on.
    pub async fn reply(self) -> Result<Reply, CallError> {
        self.reply.await.unwrap_or(Err(CallError::Unknown))
    }
}

/// What an execution gave.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// Module outputs by their names, in the order in which they were given.
    pub outputs: Vec<(Arc<str>, Value)>,
    /// Why ops of it failed.
    pub failures: Vec<OpError>,
    /// It was given up, since it has brought the Node down too often.
    pub is_aborted: bool,
}

impl From<&SessionReply> for Reply {
    fn from(reply: &SessionReply) -> Self {
        let SessionReply { outputs, outcome, .. } = reply;
        let failures = match outcome {
            SessionOutcome::Failed(error) => vec![error.clone()],
            _ => Vec::new(),
        };
        let is_aborted = *outcome == SessionOutcome::Aborted;
        Self { outputs: outputs.clone(), failures, is_aborted }
    }
}

/// An output is not what was asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// There is none of this name.
    #[error("no output {port:?}, there are {given:?}{}", because(.failures))]
    Missing {
        /// The name.
        port: String,
        /// Those that were given.
        given: Vec<String>,
        /// Why ops failed.
        failures: Vec<OpError>,
    },
    /// It is of another type.
    #[error(transparent)]
    Type(#[from] TypeMismatch),
}

fn because(failures: &[OpError]) -> String {
    let said: Vec<_> = failures.iter().map(ToString::to_string).collect();
    if said.is_empty() { String::new() } else { format!(", since {}", said.join("; ")) }
}

impl Reply {
    /// The last value of an output.
    pub fn get<T: FromValue>(&self, port: &str) -> Result<T, ReplyError> {
        match self.outputs.iter().rev().find(|(name, _)| **name == *port) {
            Some((_, value)) => Ok(T::from_value(value.clone())?),
            None => Err(ReplyError::Missing {
                port: port.to_owned(),
                given: self.outputs.iter().map(|(name, _)| name.as_ref().to_owned()).collect(),
                failures: self.failures.clone(),
            }),
        }
    }
}

/// A call on its way to its Node.
pub(crate) struct Call {
    pub(crate) module: String,
    pub(crate) inputs: Inputs,
    pub(crate) way: Way,
    /// Who wants to know.
    pub(crate) asker: Option<Asker>,
}

impl Asker {
    pub(crate) fn end(self, error: CallError) {
        // Whoever does not wait any more is not told.
        let _ = match self.kept {
            Some(kept) => kept.send(Err(error)).is_ok(),
            None => self.reply.send(Err(error)).is_ok(),
        };
    }
}

/// How inputs are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Invoke,
    /// One input, in an execution of its own.
    Event,
    /// A request that is known again when it is repeated.
    As {
        client: ClientId,
        request: u64,
    },
}

/// Who waits for a call.
#[derive(Debug)]
pub(crate) struct Asker {
    /// Who only wants the reply is woken once.
    pub(crate) kept: Option<oneshot::Sender<Result<ExecId, CallError>>>,
    pub(crate) reply: oneshot::Sender<Result<Reply, CallError>>,
}

impl Call {
    pub(crate) fn weight(&self) -> u64 {
        self.inputs.iter().map(|(_, value)| value.byte_size()).sum()
    }

    pub(crate) fn end(self, error: CallError) {
        if let Some(asker) = self.asker {
            asker.end(error);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("module", &self.module).finish_non_exhaustive()
    }
}

/// Those who wait for executions of one Node.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: BTreeMap<ExecId, Waiter>,
    /// By what a client may ask again: several may ask for the same.
    asking: BTreeMap<(ClientId, u64), Vec<Asker>>,
    /// How many of them wait for an execution to end.
    kept: usize,
}

#[derive(Debug)]
struct Waiter {
    is_kept: bool,
    /// Gone once it was told, or if nobody wants to know.
    kept: Option<oneshot::Sender<Result<ExecId, CallError>>>,
    reply: oneshot::Sender<Result<Reply, CallError>>,
    said: Reply,
}

impl Waiters {
    pub(crate) fn put(&mut self, exec: ExecId, Asker { kept, reply }: Asker) {
        let (is_kept, said) = (false, Reply::default());
        self.waiting.insert(exec, Waiter { is_kept, kept, reply, said });
    }

    pub(crate) fn put_as(&mut self, client: ClientId, request: u64, asker: Asker) {
        self.asking.entry((client, request)).or_default().push(asker);
    }

    fn answer(&mut self, client: ClientId, request: u64, reply: &SessionReply) {
        for Asker { kept, reply: replied } in
            self.asking.remove(&(client, request)).unwrap_or_default()
        {
            // Whoever does not wait any more is not told.
            kept.map(|kept| kept.send(Ok(reply.exec)));
            let _ = replied.send(Ok(Reply::from(reply)));
        }
    }

    fn refuse(&mut self, client: ClientId, request: u64, reason: Unanswered) {
        for asker in self.asking.remove(&(client, request)).unwrap_or_default() {
            asker.end(CallError::Unanswered(reason));
        }
    }

    pub(crate) fn note_kept(&mut self, event: &IngressEvent) {
        if let IngressEvent::Invoke { exec, .. } | IngressEvent::AppEvent { exec, .. } = event {
            self.keep(*exec);
        }
    }

    /// The call of this execution is as durable as it is to be.
    pub(crate) fn keep(&mut self, exec: ExecId) {
        let waiter = self.waiting.get_mut(&exec).filter(|waiter| !waiter.is_kept);
        if let Some(waiter) = waiter {
            waiter.is_kept = true;
            self.kept = self.kept.saturating_add(1);
            // Whoever does not wait any more is not told.
            waiter.kept.take().map(|kept| kept.send(Ok(exec)));
        }
    }

    pub(crate) fn note_step(&mut self, step: &EngineStep) {
        match step {
            EngineStep::Answered { client, request, reply } => {
                self.answer(*client, *request, reply);
            }
            // The answer follows.
            EngineStep::Unanswered { reason: Unanswered::UnderWay, .. } => {}
            EngineStep::Unanswered { client, request, reason } => {
                self.refuse(*client, *request, *reason);
            }
            _ if self.waiting.is_empty() => {}
            EngineStep::AppEvent { exec, port, value, .. } => {
                if let Some(waiter) = self.waiting.get_mut(exec) {
                    waiter.said.outputs.push((Arc::clone(port), value.clone()));
                }
            }
            EngineStep::OpFailed { exec, error, .. } => {
                if let Some(waiter) = self.waiting.get_mut(exec) {
                    waiter.said.failures.push(error.clone());
                }
            }
            EngineStep::Aborted { exec } => {
                if let Some(waiter) = self.waiting.get_mut(exec) {
                    waiter.said.is_aborted = true;
                }
            }
            _ => {}
        }
    }

    /// Whether anybody waits for an execution that was kept to end.
    pub(crate) fn wait_for_ends(&self) -> bool {
        self.kept > 0
    }

    /// Answers those whose executions are kept and go on no more.
    pub(crate) fn settle(&mut self, goes_on: impl Fn(&ExecId) -> bool) {
        for waiter in self.take_kept(|exec| !goes_on(exec)) {
            // Whoever does not wait any more is not told.
            let _ = waiter.reply.send(Ok(waiter.said));
        }
    }

    /// A life that remembers nothing has begun: what was kept before is gone.
    pub(crate) fn forget_kept(&mut self) {
        for waiter in self.take_kept(|_| true) {
            let _ = waiter.reply.send(Err(CallError::Unknown));
        }
    }

    fn take_kept(&mut self, is_over: impl Fn(&ExecId) -> bool) -> Vec<Waiter> {
        let over = |(exec, waiter): &(&ExecId, &Waiter)| waiter.is_kept && is_over(exec);
        let over: Vec<ExecId> = self.waiting.iter().filter(over).map(|(exec, _)| *exec).collect();
        self.kept = self.kept.saturating_sub(over.len());
        over.iter().filter_map(|exec| self.waiting.remove(exec)).collect()
    }

    /// Nobody is answered any more. What was not kept is unknown: it may be in a mailbox, or on a
    /// disk.
    pub(crate) fn end(&mut self) {
        self.kept = 0;
        let asking = std::mem::take(&mut self.asking);
        for asker in asking.into_values().flatten() {
            asker.end(CallError::Unknown);
        }
        for (_, waiter) in std::mem::take(&mut self.waiting) {
            let _ = match waiter.kept {
                Some(kept) => kept.send(Err(CallError::Unknown)).is_ok(),
                None => waiter.reply.send(Err(CallError::Unknown)).is_ok(),
            };
        }
    }
}
