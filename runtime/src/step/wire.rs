//! What came of envelopes: why one was not taken, and why one was not sent.
//!
//! Law: whatever arrived and was not delivered, and whatever was to be sent and was not, has a
//! reason here.

use samsara_proto::PeerId;

use super::EngineStep;
use crate::{
    error::Denial,
    framework::{CapReached, PeerTransition},
};

/// Why an envelope, or one fill of it, was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireRefusal {
    /// The port is there and is not exported.
    #[error("the port is not exported")]
    Denied,
    /// There is no such port here.
    #[error("there is no such port")]
    UnknownPort,
    /// The port belongs to another module than the first fill's: one envelope feeds one execution.
    #[error("the port is of another module than the first")]
    OtherModule,
    /// An earlier fill of the envelope has fed the port.
    #[error("the port is fed twice")]
    FedTwice,
    /// The peer may not speak here.
    #[error(transparent)]
    Peer(#[from] Denial),
    /// A limit of the Node.
    #[error(transparent)]
    Full(#[from] CapReached),
    /// It was taken before.
    #[error("it was taken before")]
    Duplicate,
    /// Others of its stream must come first.
    #[error("number {expected} of the stream comes first")]
    Gap {
        /// The number that comes next.
        expected: u64,
    },
    /// It belongs to an epoch of its stream that has ended.
    #[error("the stream is in epoch {current}")]
    StaleEpoch {
        /// The epoch that is now.
        current: u64,
    },
    /// The peer was asked to send less, often enough.
    #[error("the peer is muted")]
    Muted,
    /// Its deadline had passed when it was sent.
    #[error("its deadline had passed")]
    Expired,
    /// It answers what was not asked of this peer, or is not open any more.
    #[error("nobody waits for this answer")]
    NotAwaited,
    /// An answer bears one value; this is another.
    #[error("an answer bears one value")]
    Surplus,
    /// Every execution id was used.
    #[error("no execution id is left")]
    NoExecution,
}

/// Why something was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DropReason {
    /// The peer is not to be talked to.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The deadline of the execution has passed.
    #[error("the deadline has passed")]
    Expired,
    /// A limit of the Node.
    #[error(transparent)]
    Full(#[from] CapReached),
}

impl EngineStep {
    /// What is told of a change in a peer's standing.
    pub(crate) fn of_transition(peer: PeerId, transition: PeerTransition) -> Option<Self> {
        match transition {
            PeerTransition::Down => Some(Self::PeerDown { peer }),
            PeerTransition::Up => Some(Self::PeerUp { peer }),
            PeerTransition::Blocked => Some(Self::PeerBlocked { peer }),
            PeerTransition::Unblocked => None,
        }
    }
}
