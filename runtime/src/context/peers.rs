//! Peers and the ways to them, as an op may know them.
//!
//! Law: everything is what the Node's own state says; nothing here speaks with a peer.

use std::collections::BTreeSet;

use samsara_proto::{Address, PeerId};

use super::InboundCtx;
use crate::{
    error::{OpError, OpErrorKind},
    framework::{CapReached, ChainContext, PeerHealth, PeerTransition},
    id::ExecId,
    services::{Deferred, Services},
    step::EngineStep,
    time::Nanos,
};

/// Who is known, and how they fare.
pub struct PeerCtx<'a> {
    pub(super) exec: ExecId,
    pub(super) services: &'a mut Services,
}

/// Ways to others, and how long they take.
pub struct NetCtx<'a> {
    pub(super) inbound: Option<&'a InboundCtx>,
    pub(super) services: &'a mut Services,
}

impl PeerCtx<'_> {
    /// The Node's own id.
    pub fn own(&self) -> PeerId {
        self.services.peer
    }

    /// Whether a host can find this peer.
    pub fn is_known(&self, peer: &PeerId) -> bool {
        self.services.known_peer(peer)
    }

    /// Whether what this peer sends is heard.
    pub fn may_hear(&self, peer: &PeerId) -> bool {
        self.services.may_hear(peer).is_ok()
    }

    /// How this peer fares, if anything was noted of it.
    pub fn health(&self, peer: &PeerId) -> Option<PeerHealth> {
        self.services.health(peer)
    }

    /// Refuses a peer from now on, as `Peers.Block` does; true if it was not refused before. Refused
    /// where as many are listed as may be.
    ///
    /// ```
    /// use samsara_runtime::{context::Cx, error::OpError};
    ///
    /// /// Hears no more of whoever sent this.
    /// fn ban(cx: &mut Cx<'_>, _: u64) -> Result<bool, OpError> {
    ///     let source = cx.inbound().map(|inbound| inbound.source);
    ///     source.map_or(Ok(false), |peer| cx.peers().block(&peer))
    /// }
    /// ```
    pub fn block(&mut self, peer: &PeerId) -> Result<bool, OpError> {
        let changed = self.services.block(peer).map_err(limit)?;
        Ok(self.tell(peer, changed))
    }

    /// Refuses a peer no more, as `Peers.Unblock` does; false if it was not refused.
    pub fn unblock(&mut self, peer: &PeerId) -> bool {
        let changed = self.services.unblock(peer);
        self.tell(peer, changed)
    }

    /// Talks to these peers and nobody else from now on, or to everyone. Refused where they are
    /// more than may be listed.
    pub fn set_allowlist(&mut self, allowed: Option<BTreeSet<PeerId>>) -> Result<(), OpError> {
        self.services.peering().governor.set_allowlist(allowed).map_err(limit)
    }

    /// Tells of a change when the call has returned.
    fn tell(&mut self, peer: &PeerId, changed: Option<PeerTransition>) -> bool {
        let Some(changed) = changed else { return false };
        self.services.publish_transition(Some(self.exec), *peer, changed);
        let step =
            EngineStep::of_transition(*peer, changed).map(|step| Deferred::Tell(step.into()));
        self.services.deferred.extend(step);
        true
    }
}

fn limit(full: CapReached) -> OpError {
    OpError::new(OpErrorKind::Limit, full.to_string())
}

impl NetCtx<'_> {
    /// The addresses that the Node is reached at.
    pub fn own_addresses(&self) -> impl Iterator<Item = &Address> {
        self.resolve(&self.services.peer)
    }

    /// Where this peer is reached.
    pub fn resolve(&self, peer: &PeerId) -> impl Iterator<Item = &Address> {
        self.services.addresses_of(peer).map(|known| known.address)
    }

    /// The chain of sends that this execution is part of, if a peer says so.
    pub fn read_chain_context(&self) -> Option<ChainContext> {
        self.inbound?.chain
    }

    /// How long an answer of this peer may take that is `hops` sends away, by what was measured.
    pub fn estimate_wire_budget_ns(&self, peer: &PeerId, hops: u32) -> u64 {
        self.services.wire_budget(peer, self.read_chain_context(), hops).get()
    }

    /// Notes how long an answer of this peer took. Those to requests of the graph are noted by the
    /// Node. Refused where as many peers are known as may be.
    pub fn observe_wire_round_trip(&mut self, peer: &PeerId, took: Nanos) -> Result<(), OpError> {
        let observed = self.services.observe_round_trip(peer, self.read_chain_context(), took);
        observed.map_err(limit)
    }
}

impl std::fmt::Debug for PeerCtx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerCtx").field("own", &self.own()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NetCtx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetCtx").field("inbound", &self.inbound).finish_non_exhaustive()
    }
}
