//! Why the mailbox did not take an event, and the event itself, handed back.
//!
//! Law: a refusal charges nothing, changes nothing but its own count, and loses nothing.

use std::fmt;

/// Why the mailbox refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// As many events wait as may wait, or others wait in line for room already.
    Full {
        /// Events that may wait.
        capacity: usize,
    },
    /// The byte budget does not cover it now.
    OverBudget {
        /// What the event weighs.
        bytes: u64,
        /// What was left of the budget.
        remaining: u64,
    },
    /// It weighs more than the whole budget: waiting would not help.
    TooLarge {
        /// What the event weighs.
        bytes: u64,
        /// The most that one event from here may weigh.
        cap: u64,
    },
    /// What it was charged to is the budget of another mailbox.
    ForeignCharge,
    /// Its peer fills its share already.
    OverShare {
        /// Events of one peer that may wait.
        items: usize,
        /// Bytes of one peer that may wait.
        bytes: u64,
    },
    /// Its peer is blocked.
    Blocked,
    /// Its peer is not among those that are allowed.
    NotAllowed,
    /// The mailbox was closed: it takes only answers that were promised before.
    Closed,
    /// It speaks for a life that has ended.
    Fenced {
        /// The life it speaks for.
        life: u64,
        /// The life that is now.
        current: u64,
    },
    /// The ticket was answered, or cancelled, before.
    Settled,
    /// As many answers are promised as may be.
    TooManyTickets {
        /// Tickets that may be open.
        cap: usize,
    },
    /// As many peers have an account as may have one.
    TooManyPeers {
        /// Peers that may have an account.
        cap: usize,
    },
    /// As many producers wait for room as may wait.
    TooManyWaiting {
        /// Producers that may wait.
        cap: usize,
    },
}

impl Refusal {
    /// Whether the same push may succeed once the reader has made room.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::OverBudget { .. }
                | Self::OverShare { .. }
                | Self::TooManyWaiting { .. }
                | Self::TooManyTickets { .. }
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { capacity } => write!(f, "mailbox is full at {capacity} events"),
            Self::OverBudget { bytes, remaining } => {
                write!(f, "event of {bytes} bytes is over the {remaining} left of the budget")
            }
            Self::TooLarge { bytes, cap } => {
                write!(f, "event of {bytes} bytes is over the most ever possible, {cap}")
            }
            Self::ForeignCharge => write!(f, "event is charged to another mailbox"),
            Self::OverShare { items, bytes } => {
                write!(f, "peer fills its share of {items} events or {bytes} bytes")
            }
            Self::Blocked => write!(f, "peer is blocked"),
            Self::NotAllowed => write!(f, "peer is not on the allow list"),
            Self::Closed => write!(f, "mailbox is closed"),
            Self::Fenced { life, current } => {
                write!(f, "life {life} has ended, the mailbox serves life {current}")
            }
            Self::Settled => write!(f, "ticket was settled before"),
            Self::TooManyTickets { cap } => write!(f, "all {cap} tickets are out"),
            Self::TooManyPeers { cap } => write!(f, "all {cap} peer accounts are taken"),
            Self::TooManyWaiting { cap } => write!(f, "all {cap} places to wait are taken"),
        }
    }
}

impl std::error::Error for Refusal {}

/// A refused push: the reason, and the event back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PushError<T> {
    /// The event, unchanged.
    pub event: T,
    /// Why it was not taken.
    pub refusal: Refusal,
}

impl<T> fmt::Debug for PushError<T> {
    /// Shows the reason only: an event may hold what no log should.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushError").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl<T> std::error::Error for PushError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.refusal)
    }
}

/// The reader's life has ended: another one reads now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced {
    /// The life of the one who asked.
    pub life: u64,
    /// The life that reads now.
    pub current: u64,
}

impl fmt::Display for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "life {} is fenced off, life {} reads", self.life, self.current)
    }
}

impl std::error::Error for Fenced {}

impl From<Fenced> for Refusal {
    fn from(Fenced { life, current }: Fenced) -> Self {
        Self::Fenced { life, current }
    }
}

/// How often the mailbox refused, by reason, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefusalCounts {
    /// [`Refusal::Full`] and [`Refusal::TooManyWaiting`].
    pub full: u64,
    /// [`Refusal::OverBudget`], [`Refusal::TooLarge`] and [`Refusal::ForeignCharge`].
    pub over_budget: u64,
    /// [`Refusal::OverShare`].
    pub over_share: u64,
    /// [`Refusal::Blocked`] and [`Refusal::NotAllowed`].
    pub blocked: u64,
    /// [`Refusal::Closed`].
    pub closed: u64,
    /// [`Refusal::Fenced`].
    pub fenced: u64,
    /// [`Refusal::Settled`].
    pub settled: u64,
    /// [`Refusal::TooManyTickets`] and [`Refusal::TooManyPeers`].
    pub exhausted: u64,
}

impl RefusalCounts {
    pub(crate) fn count(&mut self, refusal: Refusal) {
        let counter = match refusal {
            Refusal::Full { .. } | Refusal::TooManyWaiting { .. } => &mut self.full,
            Refusal::OverBudget { .. } | Refusal::TooLarge { .. } | Refusal::ForeignCharge => {
                &mut self.over_budget
            }
            Refusal::OverShare { .. } => &mut self.over_share,
            Refusal::Blocked | Refusal::NotAllowed => &mut self.blocked,
            Refusal::Closed => &mut self.closed,
            Refusal::Fenced { .. } => &mut self.fenced,
            Refusal::Settled => &mut self.settled,
            Refusal::TooManyTickets { .. } | Refusal::TooManyPeers { .. } => &mut self.exhausted,
        };
        *counter = counter.saturating_add(1);
    }
}
