//! Why a snapshot is not taken, not read, or not restored.
//!
//! Law: each names what was wanted and what was there, and nothing has changed.

use samsara_proto::PeerId;

use crate::{codec::Unreadable, id::Incarnation, program::ContentHash};

/// Why a Node's state cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A component cannot be serialised.
    #[error("the state of {type_name} in slot {slot:?} cannot be written: {reason}")]
    ComponentUnwritable {
        /// The slot.
        slot: String,
        /// The type.
        type_name: &'static str,
        /// What its serialisation says.
        reason: String,
    },
}

/// Why bytes are no snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They do not begin as one.
    #[error("the bytes do not begin as a snapshot")]
    NoSnapshot,
    /// They are of another layout.
    #[error("the snapshot is of version {got}, wanted {expected}")]
    SpecVersionMismatch {
        /// The version that they bear.
        got: u32,
        /// The version that is read here.
        expected: u32,
    },
    /// They are not as long as they say.
    #[error("the snapshot has {got} bytes, wanted {expected}")]
    Length {
        /// How many there are.
        got: u64,
        /// How many they say there are.
        expected: u64,
    },
    /// They are not what was written.
    #[error("the snapshot was changed after it was written")]
    ChecksumMismatch,
    /// They are whole and say what is never written.
    #[error("the snapshot cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
}

/// Why a snapshot is not restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is of another Node.
    #[error("the snapshot is of node {got}, this is {expected}")]
    OtherNode {
        /// The Node that it is of.
        got: Box<PeerId>,
        /// The Node that was to be restored.
        expected: Box<PeerId>,
    },
    /// It is of another program.
    #[error("the snapshot is of program {got}, this node runs {expected}")]
    OtherPlan {
        /// The program that it is of.
        got: ContentHash,
        /// The program that runs.
        expected: ContentHash,
    },
    /// It is of other modules of the program.
    #[error("the snapshot is of modules {got:?}, this node runs {expected:?}")]
    OtherTargets {
        /// The modules that it is of.
        got: Vec<String>,
        /// The modules that run.
        expected: Vec<String>,
    },
    /// Its components are not those of the program.
    #[error("the snapshot has components {got:?}, wanted {expected:?}")]
    OtherComponents {
        /// Slots and types that it has.
        got: Vec<String>,
        /// Slots and types of the program.
        expected: Vec<String>,
    },
    /// A component cannot be made of its state.
    #[error("{type_name} in slot {slot:?} cannot be restored: {source}")]
    ComponentRestoreFailed {
        /// The slot.
        slot: String,
        /// The type.
        type_name: String,
        /// What is wrong with its state.
        source: Unreadable,
    },
    /// A part is not there.
    #[error("the snapshot lacks its part {part:?}")]
    MissingPart {
        /// The part.
        part: String,
    },
    /// A part is there that this Node has no place for.
    #[error("the snapshot has a part {part:?}, which this node has no place for")]
    UnknownPart {
        /// The part.
        part: String,
    },
    /// A part cannot be read, or does not fit the limits of this Node.
    #[error("part {part:?}: {source}")]
    BadPart {
        /// The part.
        part: String,
        /// What is wrong with it.
        source: Unreadable,
    },
    /// The mailbox is read by as high a life already.
    #[error("life {wanted} is not higher than the one that reads the mailbox")]
    LifeTaken {
        /// The life that was to begin.
        wanted: Incarnation,
    },
    /// There is no higher life.
    #[error("no life is left after {last}")]
    LivesExhausted {
        /// The last one.
        last: Incarnation,
    },
}
