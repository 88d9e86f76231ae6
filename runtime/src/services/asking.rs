//! What clients have asked the Node, and what came of it.
//!
//! Law: a request begins at most one execution, whoever repeats it and whenever. What came of it is
//! gathered from the steps of that execution, and is kept before anyone is told.

use std::collections::BTreeMap;

use super::Services;
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable, saved},
    config::SessionConfig,
    event::InvokeAs,
    framework::{Asked, ClientId, Sessions},
    id::ExecId,
    step::{Cancelled, EngineStep, SessionOutcome, SessionReply, Unanswered},
    time::Nanos,
};

/// What a reply takes beside its outputs, and each of those beside its value.
const REPLY_BYTES: u64 = 128;

/// The sessions of a Node.
#[derive(Debug)]
pub(crate) struct Asking {
    sessions: Sessions<SessionReply>,
    /// Requests that are being carried out.
    running: BTreeMap<ExecId, Running>,
    /// What their outputs take.
    bytes: u64,
    bytes_max: u64,
    /// Executions that have ended in this turn.
    ended: Vec<ExecId>,
}

#[derive(Debug)]
struct Running {
    client: ClientId,
    request: u64,
    bytes: u64,
    /// What was given so far; nothing once it has become more than is ever kept.
    reply: Option<SessionReply>,
}

impl Asking {
    pub(super) fn new(config: SessionConfig) -> Self {
        Self {
            sessions: Sessions::new(config),
            running: BTreeMap::new(),
            bytes: 0,
            bytes_max: config.reply_bytes,
            ended: Vec::new(),
        }
    }

    /// Judges a request: nothing to tell means that it has to be carried out.
    pub(crate) fn ask(&mut self, asked: &InvokeAs, now: Nanos) -> Option<EngineStep> {
        let InvokeAs { client, request, exec, .. } = *asked;
        let reason = match self.sessions.ask(client, request, now) {
            Ok(Asked::New) => {
                let outcome = SessionOutcome::Done;
                let reply = Some(SessionReply { exec, outputs: Vec::new(), outcome });
                let running = Running { client, request, bytes: 0, reply };
                self.running.insert(exec, running);
                return None;
            }
            Ok(Asked::Answered(reply)) => {
                let reply = Box::new(reply.clone());
                return Some(EngineStep::Answered { client, request, reply });
            }
            Ok(Asked::Pending) => Unanswered::UnderWay,
            Ok(Asked::Gone) => Unanswered::Gone,
            Err(error) => Unanswered::Refused(error),
        };
        Some(EngineStep::Unanswered { client, request, reason })
    }

    /// Notes that an execution has ended.
    pub(crate) fn note_end(&mut self, exec: ExecId) {
        if self.running.contains_key(&exec) {
            self.ended.push(exec);
        }
    }

    /// Takes from the steps of a turn what is part of a reply, and tells the replies that are whole.
    pub(crate) fn settle(&mut self, steps: &mut Vec<EngineStep>, first: usize) {
        if self.running.is_empty() {
            return;
        }
        for step in steps.get(first..).unwrap_or_default() {
            self.hear(step);
        }
        for exec in std::mem::take(&mut self.ended) {
            let Some(Running { client, request, bytes, reply }) = self.running.remove(&exec) else {
                continue;
            };
            self.bytes = self.bytes.saturating_sub(bytes);
            steps.push(match reply {
                Some(reply) => {
                    let bytes = bytes.saturating_add(size(&reply.outcome));
                    self.sessions.settle(client, request, reply.clone(), bytes);
                    EngineStep::Answered { client, request, reply: Box::new(reply) }
                }
                None => {
                    self.sessions.lose(client, request);
                    EngineStep::Unanswered { client, request, reason: Unanswered::Gone }
                }
            });
        }
    }

    fn hear(&mut self, step: &EngineStep) {
        match step {
            EngineStep::AppEvent { exec, port, value, .. } => {
                let bytes = value.byte_size().saturating_add(REPLY_BYTES);
                let (all, most) = (self.bytes.saturating_add(bytes), self.bytes_max);
                let Some(running) = self.running.get_mut(exec) else { return };
                if all > most {
                    self.bytes = self.bytes.saturating_sub(running.bytes);
                    (running.bytes, running.reply) = (0, None);
                } else if let Some(reply) = &mut running.reply {
                    (running.bytes, self.bytes) = (running.bytes.saturating_add(bytes), all);
                    reply.outputs.push((port.clone(), value.clone()));
                }
            }
            EngineStep::OpFailed { exec, error, .. } => {
                self.end_as(*exec, || SessionOutcome::Failed(error.clone()));
            }
            EngineStep::Starved { exec, .. } => self.end_as(*exec, || SessionOutcome::Starved),
            EngineStep::Aborted { exec } => {
                self.end_as(*exec, || SessionOutcome::Aborted);
                self.note_end(*exec);
            }
            EngineStep::Cancelled(Cancelled::Execution { exec }) => {
                self.end_as(*exec, || SessionOutcome::Cancelled);
                self.note_end(*exec);
            }
            _ => {}
        }
    }

    /// The first thing that goes wrong is what is told.
    fn end_as(&mut self, exec: ExecId, outcome: impl FnOnce() -> SessionOutcome) {
        let running = self.running.get_mut(&exec);
        if let Some(reply) = running.and_then(|running| running.reply.as_mut())
            && reply.outcome == SessionOutcome::Done
        {
            reply.outcome = outcome();
        }
    }
}

/// What a reply takes that has no outputs.
fn size(outcome: &SessionOutcome) -> u64 {
    let text = match outcome {
        SessionOutcome::Failed(error) => error.reason().len() as u64,
        SessionOutcome::Done
        | SessionOutcome::Starved
        | SessionOutcome::Cancelled
        | SessionOutcome::Aborted => 0,
    };
    REPLY_BYTES.saturating_add(text)
}

impl Services {
    /// What clients have asked, made if need be.
    pub(crate) fn asking(&mut self) -> &mut Asking {
        let config = self.config.sessions;
        self.stores().asking.get_or_insert_with(|| Box::new(Asking::new(config)))
    }

    /// What clients have asked, if any has.
    pub(crate) fn asked(&mut self) -> Option<&mut Asking> {
        self.kept_mut()?.asking.as_deref_mut()
    }
}

saved! { Running { client, request, bytes, reply } }

impl Kept for Asking {
    fn save(&self, out: &mut Saver) {
        self.sessions.save(out);
        self.running.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.sessions.fill(from)?;
        let running: BTreeMap<ExecId, Running> = Saved::load(from)?;
        let bytes = running.values().map(|one| one.bytes).fold(0, u64::saturating_add);
        let is_pending = |one: &Running| self.sessions.is_pending(one.client, one.request);
        if bytes > self.bytes_max || !running.values().all(is_pending) {
            return Err(Unreadable::invalid("sessions", "a request under way has no place"));
        }
        (self.running, self.bytes) = (running, bytes);
        Ok(())
    }
}
