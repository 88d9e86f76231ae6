//! Ops that wait: parked under a command, and ended by their answer or by their time.
//!
//! Law: a parked op ends exactly once. At the instant of its deadline the deadline wins, and what
//! was meant for the op then, an item or a permit, goes to whoever is next.

use std::sync::Arc;

use super::{OpAt, Walk};
use crate::{
    codec::saved,
    error::{OpError, OpErrorKind},
    framework::{TimerId, Waiter},
    id::{CommandId, ExecId},
    plan::{Call, ModulePlan, OpPlan},
    services::Answer,
    step::EngineStep,
    syscall::{NetRequest, Request},
    time::Nanos,
};

/// An op that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parked {
    pub(super) at: OpAt,
    /// What ends its wait by itself.
    pub(super) timer: Option<TimerId>,
}

impl<'a> Walk<'a> {
    /// Parks an op until its command is answered; its timer, if it has one, does that too.
    #[inline(never)]
    pub(super) fn park(
        &mut self,
        module: &ModulePlan,
        op: &OpPlan,
        at: OpAt,
        (command, timer): (CommandId, Option<TimerId>),
    ) {
        self.engine.outputs.clear();
        if let Err(error) = self.may_park(command) {
            return self.fail(module, op, at.exec, error);
        }
        let Some(execution) = self.engine.pool.at(at.exec) else { return };
        let within = op.within.map(|within| self.services.now + within);
        // A request was opened with that limit already.
        let is_request = matches!(op.call, Call::Request(Request::Net(NetRequest::Send(_))));
        let inbound = execution.inbound.as_ref().filter(|_| !is_request);
        let inbound = inbound.and_then(|inbound| inbound.deadline);
        let exec = execution.id;
        if let Some(expires) = within.into_iter().chain(inbound).min() {
            self.services.expiries.set(command, expires);
        }
        self.engine.parked.insert(command, Parked { at, timer });
        self.services.parked = self.engine.parked_ops();
        self.steps.push(EngineStep::AsyncSuspended { exec, op: Arc::clone(&op.name), command });
        if let Some(job) = self.services.jobs().and_then(|jobs| jobs.find(command)) {
            let (op, key) = (Arc::clone(&job.op), job.key);
            self.steps.push(EngineStep::JobStarted { exec, op, command, key });
        }
    }

    /// A component may promise under any command that it makes up: one that is not given yet would
    /// be another op's later.
    fn may_park(&self, command: CommandId) -> Result<(), OpError> {
        if command.get() > self.services.commands.minted() {
            let reason = format!("command {command} was never given");
            return Err(OpError::new(OpErrorKind::BadOutput, reason));
        }
        if self.engine.parked.contains_key(&command) {
            let reason = format!("another op waits under command {command} already");
            return Err(OpError::new(OpErrorKind::BadOutput, reason));
        }
        self.services.has_place_to_park()
    }

    /// Ends a parked op with its outputs or its error; who comes late is only noted.
    pub(crate) fn answer(&mut self, command: CommandId, answer: Answer) {
        match self.services.expiries.of(command).filter(|at| *at <= self.services.now) {
            None => self.go_on(command, answer),
            Some(at) => {
                self.give_back(command, answer);
                self.time_out(command, at);
            }
        }
    }

    /// Ends a parked op whose time is up.
    pub(super) fn time_out(&mut self, command: CommandId, at: Nanos) {
        let error = OpError::new(OpErrorKind::TimedOut, format!("nobody answered by {at}"));
        self.go_on(command, Answer::Failed(error));
    }

    /// Gives a permit on that came too late for its op; else the execution would hold it idly.
    fn give_back(&mut self, command: CommandId, answer: Answer) {
        let Some((op, exec)) = self.waiting(command) else { return };
        if let (Call::Request(Request::Acquire { limit, .. }), Answer::ItsInput) =
            (&op.call, answer)
            && let Ok(Some(next)) = self.services.stores().gates.release(limit, exec)
        {
            self.services.answer_later(next.command, Answer::ItsInput);
        }
    }

    fn waiting(&mut self, command: CommandId) -> Option<(&'a OpPlan, ExecId)> {
        let plan = self.plan;
        let at = self.engine.parked.get(&command)?.at;
        let execution = self.engine.pool.at(at.exec)?;
        let op = plan.modules.get(execution.module as usize)?.ops.get(at.op as usize)?;
        Some((op, execution.id))
    }

    /// Takes an op that waits no more, whoever ended its wait, out of where it waits: no item, permit
    /// or answer may go to it.
    pub(super) fn leave_lines(&mut self, call: &Call, waiter: Waiter) {
        match call {
            Call::Request(Request::Acquire { .. }) => {
                self.services.stores().gates.leave(waiter);
            }
            Call::Request(Request::Dequeue(_)) => {
                self.services.stores().queues.leave(waiter);
            }
            Call::Request(Request::Net(NetRequest::Send(_))) => {
                self.services.settle_request(waiter.command);
            }
            _ => {}
        }
        if let Some(stores) = self.services.kept_mut() {
            stores.jobs.note_moot(waiter.command);
        }
    }

    /// Ends a parked op, in time or by its time.
    pub(super) fn go_on(&mut self, command: CommandId, answer: Answer) {
        let Some(Parked { at, timer }) = self.engine.parked.remove(&command) else {
            self.engine.ignored_completions = self.engine.ignored_completions.saturating_add(1);
            self.steps.push(EngineStep::CompletionIgnored { command });
            return;
        };
        self.services.parked = self.engine.parked_ops();
        self.services.expiries.clear(command);
        timer.map(|timer| self.services.timers.cancel(timer));
        let plan = self.plan;
        let Some(execution) = self.engine.pool.at(at.exec) else { return };
        let Some(module) = plan.modules.get(execution.module as usize) else { return };
        let Some(op) = module.ops.get(at.op as usize) else { return };
        let waiter = Waiter { exec: execution.id, command };
        let is_given = matches!(answer, Answer::Output(_) | Answer::Outputs(_));
        self.leave_lines(&op.call, waiter);
        match answer {
            Answer::Output(output) => self.engine.outputs.push(output),
            Answer::Outputs(outputs) => self.engine.outputs.extend(outputs),
            Answer::ItsInput => {
                let Some(execution) = self.engine.pool.at(at.exec) else { return };
                let mut operands = execution.operands.iter_mut().skip(op.operands.range().start);
                self.engine.outputs.extend(operands.next().and_then(Option::take));
            }
            Answer::Failed(error) => return self.fail(module, op, at.exec, error),
        }
        if let (true, Call::Component { handler, .. }) = (is_given, &op.call)
            && let Err(error) = handler.check(&self.engine.outputs)
        {
            return self.fail(module, op, at.exec, error);
        }
        self.complete(module, op, at.exec);
    }
}

saved! { Parked { at, timer } }

impl Parked {
    /// Which op it is.
    pub(super) fn place(&self) -> OpAt {
        self.at
    }
}
