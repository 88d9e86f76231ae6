//! Why an act was not done, and why a Node was not raised.
//!
//! Law: sorted by what a host does about it. It tries again, raises the Node again, opens the store
//! again, or leaves the Node down until somebody has looked at it.

use samsara_ingress::Fenced;

use super::Fallen;
use crate::{
    codec::Unreadable,
    delivery::{Amnesia, OfferError},
    framework::CapReached,
    node::InstallError,
    recovery::{
        AppendError, CursorsError, KeepError, LivesError, LogError, OpenError, OutOfOrder,
        ReplayError, ResumeError,
    },
    snapshot::{RestoreError, SnapshotError},
    storage::{FileNameError, StorageError},
};

/// What a store could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// The disk is full. It may be tried again.
    #[error("the store has no room on its disk")]
    NoRoom(#[source] StorageError),
    /// What waits to be written has to be written first. It may be tried again.
    #[error("the log takes nothing more before it was written")]
    Busy(#[source] AppendError),
    /// The disk has failed: the store is to be opened again, by another process or by this one.
    #[error("the disk of the store has failed")]
    Failed(#[source] StorageError),
    /// The log was stopped by a failure before this.
    #[error("the log is stopped since a write or a sync failed")]
    Stopped,
    /// A snapshot that was just written does not read back.
    #[error("a snapshot cannot be relied on")]
    NotWhole(#[source] KeepError),
    /// The log takes no such record.
    #[error("the log does not take a record")]
    Refused(#[source] AppendError),
    /// The log does not read back.
    #[error("the log cannot be read")]
    Unreadable(#[source] OpenError),
    /// The counter of lives cannot be relied on.
    #[error("no life can begin")]
    Lives(#[source] LivesError),
    /// The name of a file is none.
    #[error(transparent)]
    Name(#[from] FileNameError),
}

impl StoreFault {
    /// Whether the same may succeed later, with the store as it is.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NoRoom(_) | Self::Busy(_))
    }

    /// Whether the store does nothing more before it is opened again.
    pub fn has_stopped(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Stopped)
    }
}

impl From<StorageError> for StoreFault {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Full { .. } => Self::NoRoom(error),
            _ => Self::Failed(error),
        }
    }
}

impl From<LogError> for StoreFault {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Stopped => Self::Stopped,
            LogError::Full(source) => Self::NoRoom(source),
            LogError::Failed(source) => Self::Failed(source),
        }
    }
}

impl From<AppendError> for StoreFault {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Stopped => Self::Stopped,
            AppendError::Full { .. } => Self::Busy(error),
            AppendError::TooLarge { .. }
            | AppendError::TooManyNodes { .. }
            | AppendError::Exhausted => Self::Refused(error),
        }
    }
}

impl From<KeepError> for StoreFault {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Storage(source) => source.into(),
            KeepError::NotWhole { .. } => Self::NotWhole(error),
            KeepError::Name(source) => source.into(),
        }
    }
}

impl From<OpenError> for StoreFault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Storage(source) => source.into(),
            other => Self::Unreadable(other),
        }
    }
}

impl From<LivesError> for StoreFault {
    fn from(error: LivesError) -> Self {
        match error {
            LivesError::Storage(source) => source.into(),
            LivesError::Stopped => Self::Stopped,
            LivesError::Name(source) => source.into(),
            other => Self::Lives(other),
        }
    }
}

impl From<CursorsError> for StoreFault {
    fn from(error: CursorsError) -> Self {
        match error {
            CursorsError::Storage(source) => source.into(),
            CursorsError::Name(source) => source.into(),
        }
    }
}

/// Why an act was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// The Node has fallen: it is to be raised again, from [`into_fallen`](super::Resident::into_fallen).
    #[error("the node fell: {what}")]
    Fell {
        /// What the panic said.
        what: String,
    },
    /// The store did not do its part: see [`StoreFault::may_pass`].
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The Node is not to be moved any more.
    #[error(transparent)]
    Broken(#[from] Breach),
}

/// A rule that the Node or its host has broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// An act was not the one to do.
    #[error(transparent)]
    Order(#[from] OutOfOrder),
    /// Another life of the Node has begun.
    #[error("life {} has ended, the mailbox serves life {}", .0.life, .0.current)]
    Fenced(Fenced),
    /// A component cannot be written down.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// What the Node says is not what its streams can take.
    #[error(transparent)]
    Said(#[from] OfferError),
    /// More peers were heard than may be remembered.
    #[error(transparent)]
    Peers(#[from] CapReached),
    /// What was taken is not there any more.
    #[error("the turn at work is not there any more")]
    TurnLost,
}

impl From<OutOfOrder> for Halt {
    fn from(error: OutOfOrder) -> Self {
        Self::Broken(error.into())
    }
}

impl From<Fenced> for Halt {
    fn from(error: Fenced) -> Self {
        Self::Broken(Breach::Fenced(error))
    }
}

/// A Node was not raised: why, and what there is to raise it from another time.
#[derive(Debug, thiserror::Error)]
#[error("the node was not raised")]
pub struct NotRaised {
    /// Why.
    #[source]
    pub error: RaiseError,
    /// Its mailbox, and what else outlives it in this process.
    pub fallen: Fallen,
}

/// Why a Node was not raised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RaiseError {
    /// The Node fell while its history was replayed. After some times what it fell over is given up.
    #[error("the node fell in its replay: {what}")]
    Fell {
        /// What the panic said.
        what: String,
    },
    /// What it fell over is to be given up, and there is no room for it: somebody has to
    /// [take letters out](super::throw_away).
    #[error("what the node falls over cannot be given up")]
    NoRoomForLetters(#[source] CapReached),
    /// The store did not do its part: see [`StoreFault::may_pass`].
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The Node cannot be, as its spec says it is to be.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The newest snapshot is not of this Node.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// What stands beside a snapshot is not understood.
    #[error("what stands beside the snapshot is not understood")]
    Beside(#[source] Unreadable),
    /// The log and the snapshot do not fit.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The history cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// What the Node said in its replay is not what it said before.
    #[error(transparent)]
    Said(#[from] OfferError),
    /// More peers were heard than may be remembered.
    #[error(transparent)]
    Peers(#[from] CapReached),
    /// The Node remembers less than it has acknowledged: an operator has to decide.
    #[error(transparent)]
    Amnesia(#[from] Amnesia),
    /// A later life of the Node has begun.
    #[error("life {} is not the next one, the mailbox serves life {}", .0.life, .0.current)]
    Fenced(Fenced),
}

/// What a panic said.
pub(super) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no text").to_owned()
}
