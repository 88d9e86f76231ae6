//! What goes wrong between Nodes.
//!
//! Law: links close, wait and are haunted; a frame that is read is one that was written, or its link
//! ends.

use samsara_runtime::time::Nanos;

use super::{Net, Pair, link::Frame, ordered};
use crate::{fact::Fact, host::Host};

/// How long links are haunted.
const HAUNTED: Nanos = Nanos::from_secs(10);

impl Net {
    /// The link of a pair closes; none can be made for so long.
    pub(crate) fn part(&mut self, pick: u64, time: Nanos, hosts: &mut [Host], now: Nanos) {
        let Some(pair) = self.pair(pick) else { return };
        self.parted.insert(pair, now + time);
        self.close(pair, hosts, now);
    }

    /// Nothing arrives one way for so long, and then the link closes.
    pub(crate) fn cut_one_way(&mut self, pick: u64, time: Nanos, now: Nanos) {
        let Some(pair) = self.pair(pick / 2) else { return };
        if let Some(link) = self.links.get_mut(&pair) {
            link.stall(pick.is_multiple_of(2), now + time);
        }
    }

    /// What is sent by a pair takes so much longer.
    pub(crate) fn delay(&mut self, pick: u64, time: Nanos) {
        let Some(pair) = self.pair(pick) else { return };
        if let Some(link) = self.links.get_mut(&pair) {
            link.delay = time;
        }
    }

    /// A bit turns over in a frame that is on its way.
    pub(crate) fn spoil(&mut self, pick: u64) {
        let busy: Vec<Pair> =
            self.links.iter().filter(|(_, it)| it.is_busy()).map(|it| *it.0).collect();
        let Some(at) = pick.checked_rem(busy.len() as u64) else { return };
        let pair = usize::try_from(at).ok().and_then(|at| busy.get(at));
        if let Some(link) = pair.and_then(|pair| self.links.get_mut(pair)) {
            link.spoil(&mut self.rng);
        }
    }

    /// Frames of links that are no more come once again, where there is a link.
    pub(crate) fn haunt(&mut self, count: u64, now: Nanos) {
        // And whenever a link is made, for a while.
        self.haunted_until = now + HAUNTED;
        for _ in 0..count {
            let at = self.rng.below(self.ghosts.len() as u64);
            let ghost = usize::try_from(at).ok().and_then(|at| self.ghosts.remove(at));
            let Some((from, to, frame)) = ghost else { return };
            self.appear(from, to, frame, now);
        }
    }

    fn appear(&mut self, from: usize, to: usize, frame: Frame, now: Nanos) {
        let Some(link) = self.links.get_mut(&ordered(from, to)) else { return };
        self.facts.push(Fact::Haunted { node: to });
        let wait = Nanos::from_micros(self.rng.between(1..=2_000));
        link.put(from < to, Frame { is_ghost: true, ..frame }, now, wait);
    }

    /// What an earlier link of the pair has lost comes on the new one.
    pub(super) fn haunt_new(&mut self, pair: Pair, now: Nanos) {
        if now >= self.haunted_until {
            return;
        }
        let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.ghosts)
            .into_iter()
            .partition(|(from, to, _)| ordered(*from, *to) == pair);
        self.ghosts = others.into();
        for (from, to, frame) in own {
            self.appear(from, to, frame, now);
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&mut self) {
        self.parted.clear();
        self.haunted_until = Nanos::ZERO;
        self.links.values_mut().for_each(|link| link.delay = Nanos::ZERO);
    }
}
