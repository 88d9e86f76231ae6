//! What goes wrong in a world, when, and for whom: drawn before it begins.
//!
//! Law: the faults of a seed are a list. What is left of a shorter list happens as in the longer
//! one, so that a list can be shrunk.

use std::fmt;

use samsara_runtime::{rng::Rng, time::Nanos};

/// What a disk loses when its process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the machine goes on.
    Kept,
    /// Whatever chance takes of what was not synced.
    Torn,
    /// All that was not synced.
    Lost,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The process ends when it has passed so many points more: acts, and calls of its disk.
    Crash {
        /// Points that it still passes.
        after: u64,
        /// Points that the next process passes before it ends too, if it does, and what the disk
        /// loses then.
        again: Option<(u64, Loss)>,
        /// What the disk loses each time.
        loss: Loss,
    },
    /// The disk is full for so long.
    Full(Nanos),
    /// The next sync fails.
    FailedSync,
    /// A bit of the newest snapshot turns over, if there is one more behind it.
    Rot,
    /// A Node of the host falls inside of a component, in the next batch that calls one so often.
    Fall {
        /// Calls before it, in the same batch.
        behind: u64,
    },
    /// The host does nothing for so long.
    Pause(Nanos),
    /// Another process asks for the store.
    SecondOwner,
    /// The host is slow for so long.
    Slow(Nanos),
    /// The link of two Nodes closes, and none can be made for so long.
    Part {
        /// Which of all pairs.
        pick: u64,
        /// For how long.
        time: Nanos,
    },
    /// Nothing arrives one way on a link, which then closes.
    OneWay {
        /// Which of all pairs, and which way.
        pick: u64,
        /// When.
        time: Nanos,
    },
    /// Frames of a link take longer from now on.
    Delay {
        /// Which of all pairs.
        pick: u64,
        /// How much longer.
        time: Nanos,
    },
    /// A bit turns over in a frame on its way.
    Spoil {
        /// Which of all links that are busy.
        pick: u64,
    },
    /// So many frames of links that are no more arrive once again.
    Haunt(u64),
}

impl Fault {
    /// Whether it is between Nodes, and of no host.
    pub(crate) fn is_of_links(self) -> bool {
        match self {
            Self::Part { .. }
            | Self::OneWay { .. }
            | Self::Delay { .. }
            | Self::Spoil { .. }
            | Self::Haunt(_) => true,
            Self::Crash { .. }
            | Self::Full(_)
            | Self::FailedSync
            | Self::Rot
            | Self::Fall { .. }
            | Self::Pause(_)
            | Self::SecondOwner
            | Self::Slow(_) => false,
        }
    }
}

/// A fault in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected {
    /// When it sets in.
    pub at: Nanos,
    /// The host.
    pub host: usize,
    /// What it is.
    pub fault: Fault,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {} host {}: {:?}", self.at, self.host, self.fault)
    }
}

/// Which faults there are in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults(Mix);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mix {
    None,
    Swarm,
}

/// How many kinds of faults a seed chooses from.
const KINDS: u64 = 8;
/// And of those between Nodes.
const LINK_KINDS: u64 = 5;

impl Faults {
    /// None at all.
    pub const fn none() -> Self {
        Self(Mix::None)
    }

    /// Some kinds for each seed, now many and now few of them: all at once would hide what a few
    /// bring about.
    pub const fn swarm() -> Self {
        Self(Mix::Swarm)
    }

    /// The faults of so much time, in order.
    pub(crate) fn draw(
        self,
        rng: &mut Rng,
        hosts: usize,
        is_linked: bool,
        end: Nanos,
    ) -> Vec<Injected> {
        let mut drawn = Vec::new();
        if self.0 == Mix::None || hosts == 0 {
            return drawn;
        }
        let count = if is_linked { KINDS + LINK_KINDS } else { KINDS };
        let kinds: Vec<u64> = (0..count).filter(|_| rng.chance(1, 2)).collect();
        let gap = Nanos::from_millis(rng.between(50..=1_000));
        let mut at = Nanos::ZERO;
        loop {
            let wait = Nanos::new(rng.between(1..=gap.get().saturating_mul(2)));
            at = at.checked_add(wait).unwrap_or(end);
            if at >= end {
                return drawn;
            }
            let host = usize::try_from(rng.below(hosts as u64)).unwrap_or(0);
            // A seed without any kind of its own has crashes.
            let kind = rng.pick(&kinds).copied().unwrap_or(0);
            drawn.push(Injected { at, host, fault: fault(kind, rng) });
        }
    }
}

fn fault(kind: u64, rng: &mut Rng) -> Fault {
    match kind {
        1 => Fault::Full(Nanos::from_millis(rng.between(1..=500))),
        2 => Fault::FailedSync,
        3 => Fault::Rot,
        4 => Fault::Fall { behind: rng.below(3) },
        5 => Fault::Pause(Nanos::from_millis(rng.between(1..=800))),
        6 => Fault::SecondOwner,
        7 => Fault::Slow(Nanos::from_millis(rng.between(1..=500))),
        8 => Fault::Part { pick: rng.next_u64(), time: Nanos::from_millis(rng.between(1..=2_000)) },
        9 => Fault::OneWay { pick: rng.next_u64(), time: Nanos::from_millis(rng.between(1..=500)) },
        10 => Fault::Delay { pick: rng.next_u64(), time: Nanos::from_millis(rng.between(1..=200)) },
        11 => Fault::Spoil { pick: rng.next_u64() },
        12 => Fault::Haunt(rng.between(1..=4)),
        _ => {
            let (after, loss) = (rng.below(40), loss(rng));
            let again = rng.chance(1, 3).then(|| (rng.below(24), self::loss(rng)));
            Fault::Crash { after, again, loss }
        }
    }
}

fn loss(rng: &mut Rng) -> Loss {
    match rng.below(3) {
        0 => Loss::Kept,
        1 => Loss::Torn,
        _ => Loss::Lost,
    }
}
