//! Asking peers that send without credit to slow down, and not hearing those that do not.
//!
//! Law: above the high mark a peer is told at most once an interval; having been told often
//! enough it is muted, until it was quiet or the mailbox has drained. An answer to a request of
//! ours is always heard.
//!
//! ```
//! use samsara_runtime::config::BackpressureConfig;
//! use samsara_runtime::framework::{BackpressureTracker, Pressure, Traffic};
//! use samsara_runtime::peer::PeerTable;
//! use samsara_runtime::time::seconds;
//! use samsara_proto::PeerId;
//!
//! let peer = PeerTable::new(4).acquire(&PeerId::from(2))?;
//! let mut pressure = BackpressureTracker::new(BackpressureConfig::default(), 100, 64);
//! assert_eq!(pressure.on_arrival(peer, Traffic::Unasked, 75, seconds(1)), Pressure::Hear);
//! assert!(matches!(pressure.on_arrival(peer, Traffic::Unasked, 76, seconds(1)), Pressure::Notify(_)));
//! assert_eq!(pressure.on_arrival(peer, Traffic::Unasked, 76, seconds(1)), Pressure::Hear);
//! # Ok::<(), samsara_runtime::peer::PeerTableFull>(())
//! ```

use super::recent::Recent;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved};
use crate::config::BackpressureConfig;
use crate::peer::PeerIx;
use crate::time::Nanos;

/// Who was told to slow down. The peer told longest ago makes room.
#[derive(Clone, Debug, PartialEq)]
pub struct BackpressureTracker {
    config: BackpressureConfig,
    /// Items in the mailbox above which peers are told.
    high: u64,
    peers: Recent<PeerIx, Told>,
    muted: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Told {
    notices: u32,
    last_notice: Nanos,
    last_arrival: Nanos,
}

/// What a peer is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffNotice {
    /// How long it should send nothing that was not asked for.
    pub wait: Nanos,
}

/// Why something arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// It answers a request of ours, so we wait for it.
    Answer,
    /// Nobody here asked for it.
    Unasked,
}

/// What to do with a best-effort arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Take it.
    Hear,
    /// Take it, and tell the peer to slow down.
    Notify(BackoffNotice),
    /// Drop it: the peer was told often enough.
    Mute,
}

impl BackpressureTracker {
    /// Nobody was told yet. The mailbox holds `capacity` items.
    pub fn new(config: BackpressureConfig, capacity: u32, max_peers: u32) -> Self {
        let high = u64::from(capacity) * u64::from(config.high_percent) / 100;
        Self { config, high, peers: Recent::new("peers told", max_peers), muted: 0 }
    }

    /// Judges what this peer sent, with `depth` items in the mailbox.
    pub fn on_arrival(
        &mut self,
        peer: PeerIx,
        traffic: Traffic,
        depth: u64,
        now: Nanos,
    ) -> Pressure {
        match traffic {
            Traffic::Answer => Pressure::Hear,
            Traffic::Unasked => self.on_unasked(peer, depth, now),
        }
    }

    fn on_unasked(&mut self, peer: PeerIx, depth: u64, now: Nanos) -> Pressure {
        // Half of the mark, so that a mailbox which hovers around it does not forget at once.
        if depth <= self.high / 2 {
            self.peers.retain(|_| false);
        }
        let BackpressureConfig { notice_interval, mute_after, quiet, .. } = self.config;
        if let Some(told) = self.peers.get_mut(&peer) {
            if now - told.last_arrival >= quiet {
                self.peers.remove(&peer);
            } else {
                told.last_arrival = now;
                if told.notices >= mute_after {
                    self.muted = self.muted.saturating_add(1);
                    return Pressure::Mute;
                }
                if now - told.last_notice < notice_interval {
                    return Pressure::Hear;
                }
            }
        }
        if depth <= self.high {
            return Pressure::Hear;
        }
        // A tracker without places can tell nobody, since it could not say when it last did.
        let Ok(told) = self.peers.touch(peer, Told::default) else { return Pressure::Hear };
        told.notices = told.notices.saturating_add(1);
        (told.last_notice, told.last_arrival) = (now, now);
        let is_last = told.notices >= mute_after;
        Pressure::Notify(BackoffNotice { wait: if is_last { quiet } else { notice_interval } })
    }

    /// Forgets a peer whose index returns to the table.
    pub fn forget(&mut self, peer: PeerIx) {
        self.peers.remove(&peer);
    }

    /// How many arrivals were dropped.
    pub const fn muted(&self) -> u64 {
        self.muted
    }
}

saved! { Told { notices, last_notice, last_arrival } }

impl Kept for BackpressureTracker {
    fn save(&self, out: &mut Saver) {
        self.peers.save(out);
        self.muted.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.peers.fill(from)?;
        self.muted = u64::load(from)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::peers;
    use crate::time::{millis, seconds};

    const CALM: u64 = 75;
    const HIGH: u64 = 76;

    fn tracker() -> BackpressureTracker {
        BackpressureTracker::new(BackpressureConfig::default(), 100, 2)
    }

    fn notify(wait: Nanos) -> Pressure {
        Pressure::Notify(BackoffNotice { wait })
    }

    fn muted(peer: PeerIx) -> BackpressureTracker {
        let mut tracker = tracker();
        for at in 1..=3 {
            assert!(matches!(tracker.on_unasked(peer, HIGH, seconds(at)), Pressure::Notify(_)));
        }
        tracker
    }

    #[test]
    fn a_peer_is_told_only_above_the_mark_and_once_an_interval() {
        let ([peer, other], mut tracker) = (peers(), tracker());
        assert_eq!(tracker.on_unasked(peer, CALM, seconds(1)), Pressure::Hear);
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(1)), notify(seconds(1)));
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(2) - Nanos::new(1)), Pressure::Hear);
        assert_eq!(tracker.on_unasked(other, HIGH, seconds(2) - Nanos::new(1)), notify(seconds(1)));
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(2)), notify(seconds(1)));
    }

    #[test]
    fn the_third_notice_is_the_last_and_says_how_to_be_heard_again() {
        let ([peer, other], mut tracker) = (peers(), tracker());
        for at in [1, 2] {
            assert_eq!(tracker.on_unasked(peer, HIGH, seconds(at)), notify(seconds(1)));
        }
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(3)), notify(seconds(5)));
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(9) - millis(2_000)), Pressure::Mute);
        assert_eq!(tracker.on_unasked(peer, CALM, seconds(8)), Pressure::Mute);
        assert_eq!(tracker.muted(), 2);
        assert_eq!(tracker.on_unasked(other, HIGH, seconds(8)), notify(seconds(1)));
    }

    #[test]
    fn a_quiet_peer_is_heard_again_and_one_that_goes_on_is_not() {
        let [peer] = peers();
        let mut tracker = muted(peer);
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(8) - Nanos::new(1)), Pressure::Mute);
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(9)), Pressure::Mute);
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(14)), notify(seconds(1)));
    }

    #[test]
    fn an_answer_of_a_muted_peer_is_heard_and_costs_it_nothing() {
        let [peer] = peers();
        let mut tracker = muted(peer);
        let before = tracker.clone();
        assert_eq!(tracker.on_arrival(peer, Traffic::Answer, HIGH, seconds(4)), Pressure::Hear);
        assert_eq!(tracker, before);
        assert_eq!(tracker.on_arrival(peer, Traffic::Unasked, HIGH, seconds(4)), Pressure::Mute);
    }

    #[test]
    fn a_drained_mailbox_hears_everyone_again() {
        let [peer] = peers();
        let mut tracker = muted(peer);
        assert_eq!(tracker.on_unasked(peer, 38, seconds(4)), Pressure::Mute);
        assert_eq!(tracker.on_unasked(peer, 37, seconds(4)), Pressure::Hear);
        assert_eq!(tracker.on_unasked(peer, HIGH, seconds(4)), notify(seconds(1)));
    }

    #[test]
    fn a_third_peer_makes_room_by_the_one_told_longest_ago() {
        let ([first, second, third], mut tracker) = (peers(), tracker());
        for peer in [first, second, third] {
            assert_eq!(tracker.on_unasked(peer, HIGH, seconds(1)), notify(seconds(1)));
        }
        assert_eq!(tracker.on_unasked(second, HIGH, seconds(1)), Pressure::Hear);
        assert_eq!(tracker.on_unasked(first, HIGH, seconds(1)), notify(seconds(1)));
    }
}
