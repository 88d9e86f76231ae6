//! Why a link was not made, and why a frame was not taken.
//!
//! Law: each says whether to try again, try elsewhere, or ask a person.

use std::time::Duration;

use samsara_proto::{Address, EncodedFrame, PeerId};

use crate::closed::Closed;

/// Why a peer was not reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Another transport's address.
    #[error("{address} is not an address of this transport, wanted one like {like}")]
    Foreign {
        /// The address.
        address: Address,
        /// One that would do.
        like: &'static str,
    },
    /// Nobody answers there, now. Later somebody may.
    #[error("nobody was reached at {address}: {detail}")]
    Unreachable {
        /// The address.
        address: Address,
        /// What the machine said.
        detail: String,
    },
    /// Somebody else is there, and was told nothing.
    #[error("wanted {wanted} at {address}, found {found}")]
    WrongPeer {
        /// The address.
        address: Address,
        /// Who was wanted.
        wanted: PeerId,
        /// Who proved to be there.
        found: PeerId,
    },
    /// The peer does not let this one in.
    #[error("{peer} at {address} does not let this peer in")]
    Denied {
        /// The address.
        address: Address,
        /// Who refused.
        peer: PeerId,
    },
    /// Whoever is there does not speak as peers do.
    #[error("no peer speaks at {address}: {detail}")]
    Handshake {
        /// The address.
        address: Address,
        /// What was wrong.
        detail: String,
    },
    /// It took too long. Whether the peer took notice is unknown.
    #[error("{address} did not answer within {}ms", .waited.as_millis())]
    TimedOut {
        /// The address.
        address: Address,
        /// How long was waited.
        waited: Duration,
    },
}

impl DialError {
    /// Whether the same may work later, without anybody changing anything here.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Handshake { .. }
            | Self::TimedOut { .. }
            | Self::Denied { .. } => true,
            Self::Foreign { .. } | Self::WrongPeer { .. } => false,
        }
    }
}

/// Why nobody can be taken in there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another transport's address.
    #[error("{address} is not an address of this transport, wanted one like {like}")]
    Foreign {
        /// The address.
        address: Address,
        /// One that would do.
        like: &'static str,
    },
    /// Somebody listens there.
    #[error("{address} is taken")]
    Taken {
        /// The address.
        address: Address,
    },
    /// The machine does not allow it.
    #[error("cannot listen at {address}: {detail}")]
    Refused {
        /// The address.
        address: Address,
        /// What the machine said.
        detail: String,
    },
}

/// Why a frame does not go out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The link has ended.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// It is longer than all that may wait.
    #[error("a frame of {bytes} bytes is longer than the {cap} that may wait")]
    TooLong {
        /// The frame's bytes.
        bytes: usize,
        /// Bytes that may wait.
        cap: u64,
    },
    /// As much waits as may.
    #[error("as many frames wait for the link as may")]
    Full,
}

/// A frame that was not taken, and why.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Unsent {
    /// The frame, unchanged.
    pub frame: EncodedFrame,
    /// Why.
    #[source]
    pub reason: SendError,
}
