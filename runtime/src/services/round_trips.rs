//! How long peers take to answer, for components that speak with them in their own way.
//!
//! Law: what a component has measured counts for its peer and its chain, and for no channel.

use samsara_proto::PeerId;

use super::Services;
use crate::{
    framework::{CapReached, ChainContext, Route},
    peer::PeerIx,
    time::Nanos,
};

fn route(peer: PeerIx, chain: Option<ChainContext>) -> Route {
    // No channel bears this number: a plan counts its ports from zero.
    Route { peer, channel: u32::MAX, chain }
}

impl Services {
    /// How long an answer may take that is so many sends away.
    pub(crate) fn wire_budget(
        &self,
        peer: &PeerId,
        chain: Option<ChainContext>,
        hops: u32,
    ) -> Nanos {
        let known = self.peers().and_then(|peering| {
            Some(peering.rtt.budget(route(peering.table.lookup(peer)?, chain), hops))
        });
        // Nothing is known of the peer: what the whole Node has seen would be a guess about it.
        known.unwrap_or_else(|| {
            let rtt = self.config.rtt;
            rtt.per_hop.saturating_mul(u64::from(hops.max(1))).max(rtt.least)
        })
    }

    /// Notes how long an answer took.
    pub(crate) fn observe_round_trip(
        &mut self,
        peer: &PeerId,
        chain: Option<ChainContext>,
        round_trip: Nanos,
    ) -> Result<(), CapReached> {
        let peering = self.peering();
        let ix = peering.meet(peer)?;
        peering.rtt.observe(route(ix, chain), round_trip);
        Ok(())
    }
}
