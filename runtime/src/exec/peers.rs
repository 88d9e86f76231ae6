//! What changes about peers beside envelopes: requests that nobody answers, sends that fail, lists
//! and addresses that the host writes; and waits that end with whoever sent for them.
//!
//! Law: a request ends once, and every change of a peer's standing is told once.

use samsara_proto::PeerId;

use super::{OpAt, Walk};
use crate::{
    error::{OpError, OpErrorKind},
    event::{PeerChange, SendFailed},
    framework::{AddressBookError, CapReached, PeerTransition},
    id::CommandId,
    plan::{Call, OpPlan},
    services::{Alarm, Answer, out_of_time},
    step::EngineStep,
    syscall::{NetRequest, Request},
};

/// Why a change that was asked for from outside was not made.
enum Unchanged {
    Book(AddressBookError),
    List(CapReached),
}

impl Walk<'_> {
    /// Ends requests that are out of time, at most `budget`, and tells how many.
    pub(super) fn expire_requests(&mut self, budget: u32) -> u32 {
        let mut expired = 0;
        while expired < budget {
            let Some((request, peer, command)) = self.services.pop_expired() else { break };
            expired += 1;
            self.steps.push(EngineStep::WireTimeout { peer, request });
            let change = self.services.note_failure(&peer);
            self.tell(peer, change);
            let error = OpError::new(OpErrorKind::TimedOut, "the peer did not answer in time");
            self.answer(command, Answer::Failed(error));
            self.answer_all();
        }
        expired
    }

    /// Ends the request that could not be sent, if it was one.
    pub(crate) fn fail_send(&mut self, failed: &SendFailed) {
        let SendFailed { peer, request, reason } = failed;
        let change = self.services.note_failure(peer);
        self.tell(*peer, change);
        let Some(request) = request else { return };
        if let Some(command) = self.services.close_request_to(*request, peer) {
            self.answer(command, Answer::Failed(OpError::failed(reason.to_string())));
        }
    }

    /// Makes a change that the host asked for.
    pub(crate) fn change_peers(&mut self, change: &PeerChange) {
        if let Err(unchanged) = self.try_change(change) {
            self.steps.push(match unchanged {
                Unchanged::Book(reason) => EngineStep::AddressBookUnchanged { reason },
                Unchanged::List(reason) => EngineStep::PeerListUnchanged { reason },
            });
        }
    }

    fn try_change(&mut self, change: &PeerChange) -> Result<(), Unchanged> {
        let services = &mut *self.services;
        let (own, known) = (services.peer, services.peering());
        match change {
            PeerChange::Block(peer) => {
                let changed = known.governor.block(peer).map_err(Unchanged::List)?;
                self.tell(*peer, changed);
            }
            PeerChange::Unblock(peer) => {
                let changed = known.governor.unblock(peer);
                self.tell(*peer, changed);
            }
            PeerChange::Allow(allowed) => {
                known.governor.set_allowlist(allowed.clone()).map_err(Unchanged::List)?;
            }
            PeerChange::Add { peer, addresses } => known.book.add_peer(peer, addresses)?,
            PeerChange::Drop(peer) => known.book.drop_peer(peer)?,
            PeerChange::Register { peer, address } => known.book.register_address(peer, address)?,
            PeerChange::Forget { peer, address } => known.book.forget_address(peer, address)?,
            PeerChange::AddOwn(address) => known.book.add_own_address(address)?,
            PeerChange::ForgetOwn(address) => known.book.forget_address(&own, address)?,
            PeerChange::Reached(peer) => {
                let changed = self.services.note_success(peer);
                self.tell(*peer, changed);
            }
        }
        Ok(())
    }

    fn tell(&mut self, peer: PeerId, change: Option<PeerTransition>) {
        self.steps.extend(change.and_then(|change| EngineStep::of_transition(peer, change)));
    }

    /// Lets an op wait no longer than whoever sent for its execution.
    #[cold]
    pub(super) fn limit_wait(&mut self, op: &OpPlan, at: OpAt, command: CommandId) {
        if matches!(op.call, Call::Request(Request::Net(NetRequest::Send(_)))) {
            // It was opened with that limit.
            return;
        }
        let Some(execution) = self.engine.pool.at(at.exec) else { return };
        let inbound = execution.inbound.as_deref();
        let Some(deadline) = inbound.and_then(|inbound| inbound.deadline) else { return };
        match self.services.timers.schedule(deadline, Alarm::TimeOut(command)) {
            Ok(timer) => self.services.begin_wait(command, timer),
            Err(full) => {
                let error = OpError::new(OpErrorKind::Limit, full.to_string());
                self.answer(command, Answer::Failed(error));
            }
        }
    }

    /// Ends the wait of an op whose sender waits no more.
    pub(super) fn time_out(&mut self, command: CommandId) {
        self.answer(command, Answer::Failed(out_of_time()));
    }
}

impl From<AddressBookError> for Unchanged {
    fn from(error: AddressBookError) -> Self {
        Self::Book(error)
    }
}
