//! Where one child stands between two lives: the order of a crash, as states.
//!
//! Law: join, bump, restore, replay, start; each is asked for only when the one before is done. A
//! state says what is known, and a transition consumes it.

use crate::time::Nanos;

/// A child of a supervisor. They rise in the order of adding, which is the order of starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(pub(super) u64);

/// Which life of a child is meant: what an earlier life still has to say is not heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(pub(super) u64);

/// What brings a child to life, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Raise its incarnation and sync that, so that the life before is fenced off.
    Bump,
    /// Load its newest good snapshot.
    Restore,
    /// Apply what the journal holds beyond it.
    Replay,
    /// Let it take events.
    Start,
}

/// Where a child stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// It is no more, and nothing is under way to change that.
    Ended,
    /// It fell too often and stays away until it is released.
    Quarantined,
    /// It is to be revived, not before this.
    Waiting {
        /// The earliest time.
        at: Nanos,
    },
    /// A step of its revival is under way: `Bump`, `Restore` or `Replay`.
    Reviving {
        /// That step.
        step: Step,
    },
    /// It could start; those before it have not yet.
    Ready,
    /// Its start is under way.
    Starting,
    /// It lives.
    Running,
    /// It is to be stopped, as soon as those after it are.
    Condemned {
        /// What becomes of it.
        next: Next,
    },
    /// It was asked to stop.
    Stopping {
        /// When it is killed.
        deadline: Nanos,
        /// What becomes of it.
        next: Next,
    },
    /// It ended by itself, and its task is waited for.
    Joining {
        /// When it is killed.
        deadline: Nanos,
        /// What becomes of it.
        next: Next,
    },
    /// It did not end in time, or hangs. Nothing is waited for but the word that it is fenced off.
    Killing {
        /// What becomes of it.
        next: Next,
    },
}

/// What becomes of a child once its task is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is revived, not before this.
    Revive {
        /// The earliest time.
        at: Nanos,
    },
    /// It stays away.
    End,
    /// It stays away until it is released.
    Quarantine,
}

impl Next {
    /// The later plan, unless it would bring back early what an earlier one keeps away.
    const fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Quarantine, Self::Revive { .. }) => self,
            (Self::Revive { at }, Self::Revive { at: later_at }) if at.get() > later_at.get() => {
                self
            }
            (Self::Revive { .. } | Self::End | Self::Quarantine, _) => later,
        }
    }

    pub(super) const fn state(self) -> ChildState {
        match self {
            Self::Revive { at } => ChildState::Waiting { at },
            Self::End => ChildState::Ended,
            Self::Quarantine => ChildState::Quarantined,
        }
    }
}

impl ChildState {
    /// Whether a task of the child may be there.
    pub const fn is_live(self) -> bool {
        self.is_up() || self.is_ending()
    }

    /// Whether it is alive or on the way, and nothing is planned against it.
    pub(super) const fn is_up(self) -> bool {
        matches!(self, Self::Reviving { .. } | Self::Ready | Self::Starting | Self::Running)
    }

    /// Whether its task is to be gone and is not known to be.
    pub(super) const fn is_ending(self) -> bool {
        matches!(
            self,
            Self::Condemned { .. }
                | Self::Stopping { .. }
                | Self::Joining { .. }
                | Self::Killing { .. }
        )
    }

    /// Whether those after it need not wait for it.
    pub(super) const fn is_settled(self) -> bool {
        matches!(self, Self::Ended | Self::Quarantined | Self::Running)
    }

    /// When something is due though nobody speaks.
    pub(super) const fn due(self) -> Option<Nanos> {
        match self {
            Self::Waiting { at } => Some(at),
            Self::Stopping { deadline, .. } | Self::Joining { deadline, .. } => Some(deadline),
            Self::Ended
            | Self::Quarantined
            | Self::Reviving { .. }
            | Self::Ready
            | Self::Starting
            | Self::Running
            | Self::Condemned { .. }
            | Self::Killing { .. } => None,
        }
    }

    /// The state after a step, if it was this one that was under way.
    pub(super) const fn done(self, done: Step) -> Option<Self> {
        match (self, done) {
            (Self::Reviving { step: Step::Bump }, Step::Bump) => {
                Some(Self::Reviving { step: Step::Restore })
            }
            (Self::Reviving { step: Step::Restore }, Step::Restore) => {
                Some(Self::Reviving { step: Step::Replay })
            }
            (Self::Reviving { step: Step::Replay }, Step::Replay) => Some(Self::Ready),
            (Self::Starting, Step::Start) => Some(Self::Running),
            (_, Step::Bump | Step::Restore | Step::Replay | Step::Start) => None,
        }
    }

    /// What becomes of it once its task is joined, if that is what is waited for.
    pub(super) const fn joined(self) -> Option<Next> {
        match self {
            Self::Stopping { next, .. } | Self::Joining { next, .. } | Self::Killing { next } => {
                Some(next)
            }
            Self::Ended
            | Self::Quarantined
            | Self::Waiting { .. }
            | Self::Reviving { .. }
            | Self::Ready
            | Self::Starting
            | Self::Running
            | Self::Condemned { .. } => None,
        }
    }

    /// The state when a sibling's fall, or an order, has this become of it.
    pub(super) const fn doomed(self, next: Next) -> Self {
        match self {
            Self::Reviving { .. } | Self::Ready | Self::Starting | Self::Running => {
                Self::Condemned { next }
            }
            Self::Condemned { next: earlier } => Self::Condemned { next: earlier.then(next) },
            Self::Stopping { deadline, next: earlier } => {
                Self::Stopping { deadline, next: earlier.then(next) }
            }
            Self::Joining { deadline, next: earlier } => {
                Self::Joining { deadline, next: earlier.then(next) }
            }
            Self::Killing { next: earlier } => Self::Killing { next: earlier.then(next) },
            Self::Waiting { at } => Next::Revive { at }.then(next).state(),
            Self::Ended => match next {
                Next::Revive { .. } => next.state(),
                Next::End | Next::Quarantine => Self::Ended,
            },
            Self::Quarantined => Self::Quarantined,
        }
    }
}
