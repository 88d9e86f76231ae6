//! Why a peer is not talked to.
//!
//! Law: the same reasons hold at the door, in the Node and for what is sent.

use crate::time::Nanos;

/// Why a peer is not talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// It is blocked.
    #[error("the peer is blocked")]
    Blocklisted,
    /// There is a list of the allowed, and it is not on it.
    #[error("the peer is not on the allow list")]
    NotAllowlisted,
    /// It failed or asked for a pause, and the pause is not over.
    #[error("the peer is left alone until {until}")]
    Cooldown {
        /// When the pause is over.
        until: Nanos,
    },
    /// It failed too often, and it is not the time to try whether it is back.
    #[error("the peer is down")]
    Down,
}
