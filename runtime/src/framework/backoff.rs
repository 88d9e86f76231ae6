//! How long each troubled peer is left alone.
//!
//! Law: a wait lies between base and cap whatever anyone says; success ends it; and advice of the
//! peer can make it longer, never shorter.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::config::BackoffConfig;
//! use samsara_runtime::framework::BackoffTable;
//! use samsara_runtime::rng::Rng;
//! use samsara_runtime::time::{Nanos, seconds};
//!
//! let (config, peer) = (BackoffConfig::default(), PeerId::from(2));
//! let (now, mut rng) = (seconds(9), Rng::from_seed(1));
//! let mut backoff = BackoffTable::new(config, 64);
//! let state = backoff.record_failure(&peer, now, &mut rng);
//! assert_eq!(backoff.waits_until(&peer, now), Some(state.next_retry_ns));
//! backoff.advise(&peer, now, Nanos::MAX);
//! assert_eq!(backoff.waits_until(&peer, now), Some(now + config.cap));
//! backoff.record_success(&peer);
//! assert_eq!(backoff.waits_until(&peer, now), None);
//! ```

use samsara_proto::PeerId;

use super::recent::Recent;
use crate::codec::{Kept, Loader, Saver, Unreadable, saved};
use crate::config::BackoffConfig;
use crate::rng::Rng;
use crate::time::Nanos;

/// The peers that are not to be tried now. The one heard of longest ago makes room.
#[derive(Clone, Debug, PartialEq)]
pub struct BackoffTable {
    config: BackoffConfig,
    peers: Recent<PeerId, Entry>,
}

/// Where a peer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackoffState {
    /// Failures since the last success.
    pub attempts: u32,
    /// When the last of them was.
    pub last_attempt_ns: Nanos,
    /// When the peer may be tried again.
    pub next_retry_ns: Nanos,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Entry {
    state: BackoffState,
    /// The last wait that was drawn here. Advice is not in it, so that a peer cannot steer how
    /// waits grow.
    drawn: Nanos,
}

/// How much longer than the last wait the next one may be.
const GROWTH: u64 = 3;

impl BackoffTable {
    /// Nobody waits yet; at most `max_peers` are remembered.
    pub const fn new(config: BackoffConfig, max_peers: u32) -> Self {
        Self { config, peers: Recent::new("peers that wait", max_peers) }
    }

    /// Notes a failure and draws the next wait: anything from the base to three times the last
    /// one, so that peers which failed together do not come back together.
    pub fn record_failure(&mut self, peer: &PeerId, now: Nanos, rng: &mut Rng) -> BackoffState {
        let BackoffConfig { base, cap } = self.config;
        let before = self.peers.get(peer).copied().unwrap_or_default();
        let longest = before.drawn.max(base).saturating_mul(GROWTH).min(cap);
        let drawn = Nanos::new(rng.between(base.get()..=longest.get())).min(cap);
        let state = BackoffState {
            attempts: before.state.attempts.saturating_add(1),
            last_attempt_ns: now,
            next_retry_ns: before.state.next_retry_ns.min(now + cap).max(now + drawn),
        };
        self.put(peer, Entry { state, drawn });
        state
    }

    /// Takes the peer's own advice to wait this long from now, as far as the cap allows.
    pub fn advise(&mut self, peer: &PeerId, now: Nanos, wait: Nanos) -> BackoffState {
        let mut entry = self.peers.get(peer).copied().unwrap_or_default();
        let advised = now + wait.min(self.config.cap);
        entry.state.next_retry_ns = entry.state.next_retry_ns.max(advised);
        self.put(peer, entry);
        entry.state
    }

    /// Ends every wait for this peer.
    pub fn record_success(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Until when this peer is not to be tried, if it is not to be tried now.
    pub fn waits_until(&self, peer: &PeerId, now: Nanos) -> Option<Nanos> {
        let state = self.state(peer)?;
        (state.next_retry_ns > now).then_some(state.next_retry_ns)
    }

    /// Where this peer stands, if anything is remembered of it.
    pub fn state(&self, peer: &PeerId) -> Option<BackoffState> {
        self.peers.get(peer).map(|entry| entry.state)
    }

    /// How many peers had to make room.
    pub const fn forgotten(&self) -> u64 {
        self.peers.forgotten()
    }

    fn put(&mut self, peer: &PeerId, new: Entry) {
        // Nothing is pinned in here, so only a table without places refuses, and that one
        // remembers nothing by its owner's wish.
        if let Ok(entry) = self.peers.touch(*peer, Entry::default) {
            *entry = new;
        }
    }
}

saved! {
    BackoffState { attempts, last_attempt_ns, next_retry_ns }
    Entry { state, drawn }
}

impl Kept for BackoffTable {
    fn save(&self, out: &mut Saver) {
        self.peers.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.peers.fill(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{millis, seconds};

    fn table(max_peers: u32) -> (BackoffTable, PeerId, Rng) {
        let config = BackoffConfig { base: millis(10), cap: seconds(60) };
        (BackoffTable::new(config, max_peers), PeerId::from(1), Rng::from_seed(4))
    }

    #[test]
    fn every_wait_lies_between_the_base_and_three_times_the_last_up_to_the_cap() {
        let (mut backoff, peer, mut rng) = table(4);
        let (mut last, mut longest, mut now) = (millis(10), Nanos::ZERO, seconds(1));
        for attempts in 1..=200 {
            let state = backoff.record_failure(&peer, now, &mut rng);
            let wait = state.next_retry_ns - now;
            assert!(wait >= millis(10) && wait <= last.saturating_mul(3).min(seconds(60)));
            assert_eq!((state.attempts, state.last_attempt_ns), (attempts, now));
            (last, longest, now) = (wait, longest.max(wait), state.next_retry_ns);
        }
        assert!(longest > seconds(30), "waits grew to {longest} only");
    }

    #[test]
    fn equal_seeds_wait_equally_and_different_seeds_apart() {
        let wait = |seed| {
            let (mut backoff, peer, _) = table(4);
            let mut rng = Rng::from_seed(seed);
            (0..5).map(|_| backoff.record_failure(&peer, Nanos::ZERO, &mut rng)).last()
        };
        assert_eq!(wait(1), wait(1));
        assert_ne!(wait(1), wait(2));
    }

    #[test]
    fn advice_lengthens_a_wait_up_to_the_cap_and_never_shortens_one() {
        let (mut backoff, peer, mut rng) = table(4);
        let now = seconds(100);
        let drawn = backoff.record_failure(&peer, now, &mut rng).next_retry_ns;
        for nothing in [0, 1] {
            assert_eq!(backoff.advise(&peer, now, Nanos::new(nothing)).next_retry_ns, drawn);
        }
        assert_eq!(backoff.advise(&peer, now, seconds(7)).next_retry_ns, seconds(107));
        assert_eq!(backoff.advise(&peer, seconds(1), seconds(7)).next_retry_ns, seconds(107));
        assert_eq!(backoff.advise(&peer, now, Nanos::MAX).next_retry_ns, seconds(160));
        assert_eq!(backoff.record_failure(&peer, now, &mut rng).next_retry_ns, seconds(160));
    }

    #[test]
    fn advice_does_not_steer_how_waits_grow() {
        let (mut advised, peer, mut rng) = table(4);
        advised.advise(&peer, Nanos::ZERO, Nanos::MAX);
        let later = seconds(100);
        let state = advised.record_failure(&peer, later, &mut rng);
        assert!(state.next_retry_ns <= later + millis(30));
        assert_eq!(state.attempts, 1);
    }

    #[test]
    fn the_end_of_time_is_waited_for_without_harm() {
        let (mut backoff, peer, mut rng) = table(4);
        for _ in 0..3 {
            let state = backoff.record_failure(&peer, Nanos::MAX, &mut rng);
            assert_eq!(state.next_retry_ns, Nanos::MAX);
        }
        assert_eq!(backoff.advise(&peer, Nanos::MAX, Nanos::MAX).next_retry_ns, Nanos::MAX);
        assert_eq!(backoff.waits_until(&peer, Nanos::MAX), None);
    }

    #[test]
    fn success_forgets_and_a_full_table_forgets_the_oldest() {
        let (mut backoff, _, mut rng) = table(2);
        for peer in [1, 2, 3] {
            backoff.record_failure(&PeerId::from(peer), seconds(1), &mut rng);
        }
        backoff.record_success(&PeerId::from(3));
        let known = [1, 2, 3].map(|peer| backoff.state(&PeerId::from(peer)).is_some());
        assert_eq!((known, backoff.forgotten()), ([false, true, false], 1));
    }
}
