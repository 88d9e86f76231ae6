//! Who may be talked to: lists written by the owner, and the health of each peer.
//!
//! Law: the lists are asked before health, and all of it before a byte is decoded or sent. A peer
//! that is down is tried once each `probe_after` and no more. Every change of a peer's standing is
//! told exactly once.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::config::PeerConfig;
//! use samsara_runtime::framework::{Denial, PeerGovernor, PeerTransition};
//!
//! let mut governor = PeerGovernor::new(PeerConfig::default());
//! let peer = PeerId::from(2);
//! assert_eq!(governor.block(&peer)?, Some(PeerTransition::Blocked));
//! assert_eq!(governor.block(&peer)?, None);
//! assert_eq!(governor.check_inbound(&peer), Err(Denial::Blocklisted));
//! # Ok::<(), samsara_runtime::framework::CapReached>(())
//! ```

use std::collections::BTreeSet;

use samsara_proto::PeerId;

use super::backoff::BackoffTable;
use super::bounded::CapReached;
use super::recent::Recent;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved};
use crate::config::PeerConfig;
use crate::error::Denial;
use crate::time::Nanos;

/// What a Node thinks of its peers.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerGovernor {
    config: PeerConfig,
    blocked: BTreeSet<PeerId>,
    allowed: Option<BTreeSet<PeerId>>,
    /// Pinned are those that are down, so that each of them can come up again.
    peers: Recent<PeerId, Standing>,
    untracked: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Standing {
    health: PeerHealth,
    /// While the peer is down: when one attempt is let through. Each attempt moves it on, so one
    /// whose outcome is never told cannot keep the peer down for ever.
    probe_at: Nanos,
}

/// How a peer fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerHealth {
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// When the last success or failure was.
    pub last_event_ns: Nanos,
    /// Whether so many failed that it is left alone.
    pub down: bool,
}

/// A change in the standing of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerTransition {
    /// It failed too often.
    Down,
    /// It was down and answers again.
    Up,
    /// It was put on the block list.
    Blocked,
    /// It was taken off the block list.
    Unblocked,
}

impl PeerGovernor {
    /// Everyone is allowed, and nobody is down.
    pub const fn new(config: PeerConfig) -> Self {
        Self {
            blocked: BTreeSet::new(),
            allowed: None,
            peers: Recent::new("peers with a health", config.max_peers),
            untracked: 0,
            config,
        }
    }

    /// Whether bytes of this peer may be looked at. Health does not matter: what a peer sends is
    /// the best sign that it is back.
    pub fn check_inbound(&self, peer: &PeerId) -> Result<(), Denial> {
        if self.blocked.contains(peer) {
            return Err(Denial::Blocklisted);
        }
        match &self.allowed {
            Some(allowed) if !allowed.contains(peer) => Err(Denial::NotAllowlisted),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether something may be sent to this peer now. For a peer that is down, a yes is the one
    /// attempt of its turn.
    pub fn check_outbound(
        &mut self,
        peer: &PeerId,
        now: Nanos,
        backoff: &BackoffTable,
    ) -> Result<(), Denial> {
        self.check_inbound(peer)?;
        let down = self.peers.get_mut(peer).filter(|standing| standing.health.down);
        if down.as_ref().is_some_and(|standing| now < standing.probe_at) {
            return Err(Denial::Down);
        }
        if let Some(until) = backoff.waits_until(peer, now) {
            return Err(Denial::Cooldown { until });
        }
        if let Some(standing) = down {
            standing.probe_at = now + self.config.probe_after;
        }
        Ok(())
    }

    /// Notes that the peer did what was wanted.
    pub fn record_success(&mut self, peer: &PeerId, now: Nanos) -> Option<PeerTransition> {
        let health = &mut self.note(peer, now)?.health;
        health.consecutive_failures = 0;
        if !std::mem::take(&mut health.down) {
            return None;
        }
        self.peers.unpin(peer);
        Some(PeerTransition::Up)
    }

    /// Notes that the peer did not do what was wanted.
    pub fn record_failure(&mut self, peer: &PeerId, now: Nanos) -> Option<PeerTransition> {
        let PeerConfig { failure_threshold, probe_after, .. } = self.config;
        let standing = self.note(peer, now)?;
        let health = &mut standing.health;
        health.consecutive_failures = health.consecutive_failures.saturating_add(1);
        if health.consecutive_failures < failure_threshold {
            return None;
        }
        standing.probe_at = now + probe_after;
        if health.down {
            return None;
        }
        health.down = true;
        self.peers.pin(peer);
        Some(PeerTransition::Down)
    }

    fn note(&mut self, peer: &PeerId, now: Nanos) -> Option<&mut Standing> {
        match self.peers.touch(*peer, Standing::default) {
            Ok(standing) => {
                standing.health.last_event_ns = now;
                Some(standing)
            }
            Err(_) => {
                self.untracked = self.untracked.saturating_add(1);
                None
            }
        }
    }

    /// Whether this peer could be blocked now.
    pub fn may_block(&self, peer: &PeerId) -> Result<(), CapReached> {
        let cap = self.config.max_listed;
        if self.blocked.len() < cap as usize || self.blocked.contains(peer) {
            return Ok(());
        }
        Err(CapReached { what: "blocked peers", cap })
    }

    /// Refuses this peer from now on.
    pub fn block(&mut self, peer: &PeerId) -> Result<Option<PeerTransition>, CapReached> {
        self.may_block(peer)?;
        Ok(self.blocked.insert(*peer).then_some(PeerTransition::Blocked))
    }

    /// Who is on the block list, in order.
    pub fn blocked(&self) -> impl Iterator<Item = &PeerId> {
        self.blocked.iter()
    }

    /// Who is on the allow list, if there is one.
    pub fn allowed(&self) -> Option<&BTreeSet<PeerId>> {
        self.allowed.as_ref()
    }

    /// Takes this peer off the block list.
    pub fn unblock(&mut self, peer: &PeerId) -> Option<PeerTransition> {
        self.blocked.remove(peer).then_some(PeerTransition::Unblocked)
    }

    /// Allows these peers and nobody else, or everyone.
    pub fn set_allowlist(&mut self, allowed: Option<BTreeSet<PeerId>>) -> Result<(), CapReached> {
        let cap = self.config.max_listed;
        if allowed.as_ref().is_some_and(|list| list.len() > cap as usize) {
            return Err(CapReached { what: "allowed peers", cap });
        }
        self.allowed = allowed;
        Ok(())
    }

    /// How this peer fares, if anything is known.
    pub fn health(&self, peer: &PeerId) -> Option<PeerHealth> {
        self.peers.get(peer).map(|standing| standing.health)
    }

    /// Successes and failures that could not be noted, since everyone remembered is down.
    pub const fn untracked(&self) -> u64 {
        self.untracked
    }
}

saved! {
    PeerHealth { consecutive_failures, last_event_ns, down }
    Standing { health, probe_at }
}

impl Kept for PeerGovernor {
    fn save(&self, out: &mut Saver) {
        self.blocked.save(out);
        self.allowed.save(out);
        self.peers.save(out);
        self.untracked.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.blocked = Saved::load(from)?;
        self.allowed = Saved::load(from)?;
        let cap = self.config.max_listed as usize;
        if self.blocked.len().max(self.allowed.as_ref().map_or(0, BTreeSet::len)) > cap {
            return Err(Unreadable::invalid("listed peers", format!("the cap is {cap}")));
        }
        self.peers.fill(from)?;
        self.untracked = u64::load(from)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
