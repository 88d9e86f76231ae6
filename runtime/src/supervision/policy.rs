//! What a supervisor is told to do: who falls with whom, who comes back, and when it is enough.
//!
//! Law: a policy is data. Nothing here has a history.

/// The rules of one supervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Who is restarted when one child falls.
    pub strategy: Strategy,
    /// What happens when restarting has not helped.
    pub on_limit: OnLimit,
}

/// Who is restarted when one child falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// That child: the others do not depend on it. They start and stop side by side.
    #[default]
    OneForOne,
    /// All children: none can go on without the others.
    OneForAll,
    /// That child and those started after it: each builds on the ones before.
    RestForOne,
}

impl Strategy {
    /// Whether children start one after the other, and stop in reverse.
    pub const fn is_ordered(self) -> bool {
        match self {
            Self::OneForOne => false,
            Self::OneForAll | Self::RestForOne => true,
        }
    }
}

/// What happens when there are more restarts in the window than allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLimit {
    /// Those who would have been restarted are put aside until they are released.
    #[default]
    Quarantine,
    /// All children are stopped, and it is for the parent to decide.
    Escalate,
}

impl Policy {
    /// Whether all children share one count of restarts: those do who fall together, and those
    /// whose parent is told of the group.
    pub const fn counts_together(self) -> bool {
        match self.on_limit {
            OnLimit::Quarantine => self.strategy.is_ordered(),
            OnLimit::Escalate => true,
        }
    }
}

/// Whether a child comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChildKind {
    /// Always.
    #[default]
    Permanent,
    /// Unless it ended because its work was done.
    Transient,
    /// Never, not even when its group is restarted.
    Temporary,
}

impl ChildKind {
    /// Whether a child of this kind comes back after it ended by itself.
    pub const fn restarts_after(self, cause: Cause) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => !matches!(cause, Cause::Normal),
            Self::Temporary => false,
        }
    }
}

/// Why a child is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its work was done.
    Normal,
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// Someone killed it.
    Killed,
    /// It took its process with it: an abort, a stack overflow, the end of memory.
    Aborted,
    /// It could not be brought to life.
    StartFault,
    /// It does not return. Its task is not dead and cannot be waited for.
    Hang,
}
