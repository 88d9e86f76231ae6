//! What changes about peers beside envelopes: requests that nobody answers, sends that fail, lists
//! and addresses that the host writes.
//!
//! Law: a request ends once, and every change of a peer's standing is told once.

use samsara_proto::PeerId;

use super::Walk;
use crate::{
    bus::{NodeEvent, WireEvent},
    error::{OpError, OpErrorKind},
    event::{PeerChange, SendFailed},
    framework::{AddressBookError, CapReached, PeerTransition},
    services::Answer,
    step::EngineStep,
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
            self.publish(|| NodeEvent::Wire(WireEvent::Timeout { peer, request }));
            self.steps.push(EngineStep::WireTimeout { peer, request });
            let change = self.services.note_failure(&peer);
            self.announce(peer, change);
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
        self.announce(*peer, change);
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
                let changed = self.services.block(peer).map_err(Unchanged::List)?;
                self.announce(*peer, changed);
            }
            PeerChange::Unblock(peer) => {
                let changed = self.services.unblock(peer);
                self.announce(*peer, changed);
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
                self.announce(*peer, changed);
            }
            PeerChange::BeginAnew(peer) => known.begin_stream_anew(peer),
        }
        Ok(())
    }

    pub(super) fn announce(&mut self, peer: PeerId, change: Option<PeerTransition>) {
        let Some(change) = change else { return };
        self.services.publish_transition(None, peer, change);
        self.steps.extend(EngineStep::of_transition(peer, change));
    }
}

impl From<AddressBookError> for Unchanged {
    fn from(error: AddressBookError) -> Self {
        Self::Book(error)
    }
}
