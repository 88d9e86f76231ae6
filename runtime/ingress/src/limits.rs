//! The limits of a mailbox and of one turn of its reader.
//!
//! Law: "no limit" does not exist, and a limit of zero is refused when the mailbox is built, never
//! found out later as a hang.

use std::fmt;

/// Events that may wait: about four thousand small events are a burst, more are an overload.
pub const DEFAULT_ITEMS: usize = 4096;
/// Bytes that may wait or be held by what was taken, until their charge is dropped.
pub const DEFAULT_BYTES: u64 = 256 * 1024 * 1024;
/// The percentage of either that one peer may fill, so that a flood leaves room for the others.
pub const DEFAULT_PEER_SHARE_PERCENT: u8 = 25;
/// Peers that may have an account at one time.
pub const DEFAULT_PEERS: usize = 16_384;
/// Answers that may be promised at one time: each is sure of a place in the mailbox.
pub const DEFAULT_TICKETS: usize = 10_000;
/// Producers that may wait for room at one time.
pub const DEFAULT_WAITING: usize = 1024;

/// What a mailbox may hold.
///
/// ```
/// use samsara_ingress::{IngressLimits, IngressQueue, LimitError};
///
/// let limits = IngressLimits { items: 0, ..IngressLimits::default() };
/// let refused = IngressQueue::<u32>::new(limits).err();
/// assert_eq!(refused, Some(LimitError { limit: "items", got: 0, wanted: "at least 1" }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngressLimits {
    /// Events waiting; as many again may be in the reader's hand. See [`DEFAULT_ITEMS`].
    pub items: usize,
    /// Bytes charged. See [`DEFAULT_BYTES`].
    pub bytes: u64,
    /// Percent of `items` and of `bytes` that may wait for one peer, 1 to 100; what the reader has
    /// taken counts against `bytes` alone. See [`DEFAULT_PEER_SHARE_PERCENT`].
    pub peer_share_percent: u8,
    /// Peers with an account. See [`DEFAULT_PEERS`].
    pub peers: usize,
    /// Tickets open or answered and not yet taken. See [`DEFAULT_TICKETS`].
    pub tickets: usize,
    /// Producers waiting for room. See [`DEFAULT_WAITING`].
    pub waiting: usize,
}

impl Default for IngressLimits {
    fn default() -> Self {
        Self {
            items: DEFAULT_ITEMS,
            bytes: DEFAULT_BYTES,
            peer_share_percent: DEFAULT_PEER_SHARE_PERCENT,
            peers: DEFAULT_PEERS,
            tickets: DEFAULT_TICKETS,
            waiting: DEFAULT_WAITING,
        }
    }
}

impl IngressLimits {
    /// Refuses the first limit that could never work.
    pub fn validate(&self) -> Result<(), LimitError> {
        let sizes = [
            ("items", self.items as u64),
            ("bytes", self.bytes),
            ("peers", self.peers as u64),
            ("tickets", self.tickets as u64),
            ("waiting", self.waiting as u64),
        ];
        for (limit, got) in sizes {
            if got == 0 {
                return Err(LimitError { limit, got, wanted: "at least 1" });
            }
        }
        let share = self.peer_share_percent;
        if !(1..=100).contains(&share) {
            let got = u64::from(share);
            return Err(LimitError { limit: "peer_share_percent", got, wanted: "1 to 100" });
        }
        Ok(())
    }

    pub(crate) fn peer_items(&self) -> usize {
        let share = self.items.saturating_mul(usize::from(self.peer_share_percent)) / 100;
        share.max(1)
    }

    pub(crate) fn peer_bytes(&self) -> u64 {
        let percent = u64::from(self.peer_share_percent);
        // Divided first: a budget near the top of the range must not wrap into a small share.
        let share = (self.bytes / 100) * percent + (self.bytes % 100) * percent / 100;
        share.max(1)
    }
}

/// What one turn of the reader takes at most, so that no burst holds its thread.
///
/// The first event is always taken, however heavy: it was admitted, so it must be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnLimits {
    /// Events in one turn; zero is read as one.
    pub items: usize,
    /// Bytes in one turn.
    pub bytes: u64,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self { items: 256, bytes: 4 * 1024 * 1024 }
    }
}

/// A limit that could never work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// The field of [`IngressLimits`].
    pub limit: &'static str,
    /// What was given.
    pub got: u64,
    /// What would do.
    pub wanted: &'static str,
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ingress limit {} is {}, wanted {}", self.limit, self.got, self.wanted)
    }
}

impl std::error::Error for LimitError {}
