//! How long a round trip takes, smoothed, and the budget that follows for the next one.
//!
//! Law: integers only, and no measurement however large or small does harm: a budget has a floor. The budget comes from
//! the nearest estimate that is warm: the edge, the peer, the chain, all traffic, and at last a
//! constant for each hop.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::config::RttConfig;
//! use samsara_runtime::framework::{Route, RttTracker};
//! use samsara_runtime::peer::PeerTable;
//! use samsara_runtime::time::millis;
//!
//! let peer = PeerTable::new(4).acquire(&PeerId::from(2))?;
//! let route = Route { peer, channel: 0, chain: None };
//! let mut rtt = RttTracker::new(RttConfig::default(), 64);
//! assert_eq!(rtt.budget(route, 2), millis(200));
//! for _ in 0..3 {
//!     rtt.observe(route, millis(8));
//! }
//! assert!(rtt.budget(route, 2) < millis(20));
//! # Ok::<(), samsara_runtime::peer::PeerTableFull>(())
//! ```

use super::recent::Recent;
use crate::codec::{Kept, Loader, Saver, Unreadable, saved, saved_enum};
use crate::config::RttConfig;
use crate::peer::PeerIx;
use crate::time::Nanos;

/// Estimates of round trips. The one used longest ago makes room.
#[derive(Clone, Debug, PartialEq)]
pub struct RttTracker {
    config: RttConfig,
    estimates: Recent<Tier, Estimate>,
}

/// The way that a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it goes.
    pub peer: PeerIx,
    /// The channel that it belongs to, by its index.
    pub channel: u32,
    /// The chain of sends that it is part of.
    pub chain: Option<ChainContext>,
}

/// The place of a send in a chain of sends, stamped when the program was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainContext {
    /// The chain.
    pub chain_id: u64,
    /// How many sends of the chain come before.
    pub hop_index: u32,
}

/// What an estimate is about, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Eq, Ord)]
enum Tier {
    Edge(PeerIx, u32),
    Peer(PeerIx),
    Chain(ChainContext),
    Global,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Estimate {
    samples: u32,
    smoothed: u64,
    variance: u64,
}

impl RttTracker {
    /// Nothing is measured; at most `max_estimates` are kept.
    pub const fn new(config: RttConfig, max_estimates: u32) -> Self {
        Self { config, estimates: Recent::new("round trip estimates", max_estimates) }
    }

    /// Notes a round trip.
    pub fn observe(&mut self, route: Route, round_trip: Nanos) {
        for tier in route.tiers() {
            // Only a tracker without places refuses, and that one stays with the constant.
            if let Ok(estimate) = self.estimates.touch(tier, Estimate::default) {
                estimate.observe(round_trip.get());
            }
        }
    }

    /// How long an answer along this route may take, with `hops` sends ahead of it.
    pub fn budget(&self, route: Route, hops: u32) -> Nanos {
        let warm = route.tiers().find_map(|tier| {
            let estimate = self.estimates.get(&tier)?;
            (estimate.samples >= self.config.warm_samples).then(|| estimate.budget())
        });
        let cold = || self.config.per_hop.saturating_mul(u64::from(hops.max(1)));
        warm.unwrap_or_else(cold).max(self.config.least)
    }

    /// Forgets a peer whose index returns to the table.
    pub fn forget(&mut self, peer: PeerIx) {
        self.estimates.retain(|tier| match tier {
            Tier::Edge(of, _) | Tier::Peer(of) => *of != peer,
            Tier::Chain(_) | Tier::Global => true,
        });
    }
}

impl Route {
    fn tiers(self) -> impl Iterator<Item = Tier> {
        let near = [Tier::Edge(self.peer, self.channel), Tier::Peer(self.peer)];
        near.into_iter().chain(self.chain.map(Tier::Chain)).chain([Tier::Global])
    }
}

impl Estimate {
    /// Jacobson's estimator: an eighth of each surprise moves the mean, a quarter the variance.
    fn observe(&mut self, sample: u64) {
        if self.samples == 0 {
            (self.smoothed, self.variance) = (sample, sample / 2);
        } else {
            self.variance = approach(self.variance, self.smoothed.abs_diff(sample), 4);
            self.smoothed = approach(self.smoothed, sample, 8);
        }
        self.samples = self.samples.saturating_add(1);
    }

    fn budget(&self) -> Nanos {
        Nanos::new(self.smoothed) + Nanos::new(self.variance).saturating_mul(4)
    }
}

/// `from`, moved towards `to` by one part in `parts` of the way.
const fn approach(from: u64, to: u64, parts: u64) -> u64 {
    let step = from.abs_diff(to) / parts;
    if to > from { from + step } else { from - step }
}

saved! {
    ChainContext { chain_id, hop_index }
    Estimate { samples, smoothed, variance }
}

saved_enum! { Tier: "tier of an estimate" {
    0 = Edge(peer, channel), 1 = Peer(peer), 2 = Chain(chain), 3 = Global,
} }

impl Kept for RttTracker {
    fn save(&self, out: &mut Saver) {
        self.estimates.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.estimates.fill(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::peers;
    use crate::time::{millis, seconds};

    const CHAIN: ChainContext = ChainContext { chain_id: 7, hop_index: 1 };

    fn tracker(max_estimates: u32) -> RttTracker {
        RttTracker::new(RttConfig::default(), max_estimates)
    }

    fn warm(tracker: &mut RttTracker, route: Route, round_trip: Nanos) {
        (0..3).for_each(|_| tracker.observe(route, round_trip));
    }

    #[test]
    fn the_mean_moves_by_an_eighth_and_the_variance_by_a_quarter() {
        let mut estimate = Estimate::default();
        estimate.observe(800);
        assert_eq!((estimate.smoothed, estimate.variance), (800, 400));
        estimate.observe(1_600);
        assert_eq!((estimate.smoothed, estimate.variance), (900, 500));
        estimate.observe(100);
        assert_eq!((estimate.smoothed, estimate.variance), (800, 575));
        assert_eq!(estimate.budget(), Nanos::new(3_100));
    }

    #[test]
    fn two_samples_are_cold_and_three_are_warm() {
        let ([peer], mut tracker) = (peers(), tracker(8));
        let route = Route { peer, channel: 0, chain: None };
        (0..2).for_each(|_| tracker.observe(route, millis(8)));
        assert_eq!(tracker.budget(route, 3), millis(300));
        assert_eq!(tracker.budget(route, 0), millis(100));
        tracker.observe(route, millis(8));
        assert_eq!(tracker.budget(route, 3), millis(8) + Nanos::new(2_250_000).saturating_mul(4));
    }

    #[test]
    fn the_nearest_warm_tier_answers() {
        let ([near, far, other], mut tracker) = (peers(), tracker(32));
        let route = |peer, channel, chain| Route { peer, channel, chain };
        warm(&mut tracker, route(near, 0, None), millis(1));
        warm(&mut tracker, route(near, 1, None), millis(16));
        warm(&mut tracker, route(far, 0, Some(CHAIN)), seconds(1));
        let budget = |tracker: &RttTracker, route| tracker.budget(route, 1);
        let steady = |round_trip: Nanos| Nanos::new(round_trip.get() / 8 * 17);
        assert_eq!(budget(&tracker, route(near, 0, Some(CHAIN))), RttConfig::default().least);
        let peer = budget(&tracker, route(near, 2, Some(CHAIN)));
        assert!(peer > millis(16) && peer < millis(100), "{peer}");
        assert_eq!(budget(&tracker, route(other, 0, Some(CHAIN))), steady(seconds(1)));
        let global = budget(&tracker, route(other, 0, None));
        assert!(global > seconds(1) && global != steady(seconds(1)), "{global}");
    }

    #[test]
    fn the_largest_and_the_smallest_round_trip_do_no_harm() {
        let ([peer], mut tracker) = (peers(), tracker(8));
        let route = Route { peer, channel: 0, chain: None };
        for round_trip in [Nanos::MAX, Nanos::ZERO, Nanos::MAX, Nanos::MAX] {
            tracker.observe(route, round_trip);
        }
        assert_eq!(tracker.budget(route, 1), Nanos::MAX);
    }

    #[test]
    fn a_full_tracker_forgets_the_oldest_estimate_and_a_gone_peer_all_of_its() {
        let ([first, second], mut tracker) = (peers(), tracker(3));
        let route = |peer| Route { peer, channel: 0, chain: None };
        warm(&mut tracker, route(first), millis(1));
        warm(&mut tracker, route(second), millis(64));
        assert_eq!(tracker.estimates.len(), 3);
        assert!(tracker.budget(route(first), 1) > millis(4), "only all traffic is known");
        tracker.forget(second);
        assert_eq!(tracker.estimates.len(), 1);
    }
}
