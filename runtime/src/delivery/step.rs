//! What a courier decides, and why it would not.
//!
//! Law: nothing is lost without a word: what is sent, given up or doubted has a step of its own.

use samsara_proto::{PeerId, WireEnvelope, wire::RefusalReason};

use super::Life;
use crate::framework::CapReached;

/// What a host is to do, or to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CourierStep {
    /// Send this on the link to the peer, after all that was sent there before.
    Send {
        /// The peer.
        to: PeerId,
        /// What to send, complete but for the host's own claims of addresses.
        envelope: Box<WireEnvelope>,
    },
    /// Tell one life of a peer that it is not heard, on the link that it speaks on, and close that.
    Refuse {
        /// The peer.
        to: PeerId,
        /// Which of its lives.
        life: Life,
        /// What to send.
        envelope: Box<WireEnvelope>,
    },
    /// Something waits for a peer to which there is no link. Told once for each time that a link is
    /// missing.
    Dial {
        /// The peer.
        peer: PeerId,
    },
    /// Somebody should look at this.
    Alarm {
        /// The peer that it is about.
        peer: PeerId,
        /// What it is.
        alarm: Alarm,
    },
    /// Envelopes will never be sent, or not again.
    Dropped {
        /// Whom they were for.
        to: PeerId,
        /// Their stream; 0 is best effort.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// How many.
        count: u64,
        /// Why.
        reason: Undelivered,
    },
    /// New work from outside is to be refused.
    Busy,
    /// New work from outside may be taken.
    Free,
}

/// What needs eyes. Where a stream is named it has stopped, until
/// [`decide`](super::Courier::decide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Alarm {
    /// The peer lives twice. Neither is heard until a later life of it.
    #[error("two are alive as life {} of the peer", .first.incarnation)]
    Twin {
        /// The one that was heard first.
        first: Life,
        /// The other.
        second: Life,
    },
    /// The peer has heard a later life of this Node: this one has been replaced.
    #[error("the peer knows a later life of this node")]
    Fenced,
    /// The peer has acknowledged more than it remembers.
    #[error("the peer has {durable} of stream {stream}, and once had {acked}")]
    Forgot {
        /// The stream.
        stream: u64,
        /// What it acknowledged.
        acked: u64,
        /// What it remembers.
        durable: u64,
    },
    /// The peer has more than this Node remembers to have said.
    #[error("the peer has {durable} of stream {stream}, of which {offered} were said")]
    Ahead {
        /// The stream.
        stream: u64,
        /// The last that this Node remembers.
        offered: u64,
        /// What the peer has.
        durable: u64,
    },
    /// The peer does not take a message, now or later.
    #[error("the peer refuses number {seq} of stream {stream}: {reason:?}")]
    Refused {
        /// The stream.
        stream: u64,
        /// The message.
        seq: u64,
        /// Why.
        reason: RefusalReason,
    },
}

/// Why something is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undelivered {
    /// Newer ones took its room.
    #[error("newer ones took its room")]
    Evicted,
    /// Its deadline has passed.
    #[error("its deadline has passed")]
    Expired,
    /// Best effort is not sent again by a replay.
    #[error("it may have been sent by an earlier life")]
    Replayed,
    /// The peer has lost its memory and with it the stream, of which no more will arrive.
    #[error("the peer has begun anew")]
    PeerAnew,
    /// This Node has lost its memory and begun the stream anew.
    #[error("the stream has begun anew")]
    Anew,
    /// An operator gave the stream up.
    #[error("the stream was given up")]
    GivenUp,
}

/// What came of an envelope that arrived.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Received {
    /// It is for the Node's mailbox. Should that refuse it: [`refuse`](super::Courier::refuse).
    Deliver(Box<WireEnvelope>),
    /// It was for the courier.
    Done,
    /// It was neither.
    Dropped(Unheard),
}

/// Why an envelope was not heard. None of it is lost: what is still wanted is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unheard {
    /// It was taken before.
    #[error("it was taken before")]
    Duplicate,
    /// Others of its stream come first.
    #[error("number {expected} of the stream comes first")]
    Gap {
        /// The number that comes next.
        expected: u64,
    },
    /// Its epoch has ended.
    #[error("the stream is in epoch {current}")]
    StaleEpoch {
        /// The epoch that is now.
        current: u64,
    },
    /// A later life of the peer was heard, or there are two of this one.
    #[error("this life of the peer is not heard")]
    Fenced,
    /// A limit of the courier.
    #[error(transparent)]
    Full(#[from] CapReached),
}

/// An envelope that was delivered, and that the Node kept out of its batch without having it: its
/// stream had no place, or what comes before it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// Whose stream it is.
    pub peer: PeerId,
    /// The stream.
    pub stream: u64,
    /// Its number there.
    pub seq: u64,
}

/// Why an envelope of a Node cannot be taken. Either the Node or its history is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The same place of a stream has had another content.
    #[error("number {seq} of stream {stream} in epoch {epoch} was another envelope before")]
    Diverged {
        /// The stream.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// The place.
        seq: u64,
    },
    /// It is not the next of its stream.
    #[error(
        "stream {stream} goes on with number {wanted} of epoch {current}, not {seq} of {epoch}"
    )]
    OutOfOrder {
        /// The stream.
        stream: u64,
        /// The epoch that is now.
        current: u64,
        /// The number that comes next in it.
        wanted: u64,
        /// The epoch that was offered.
        epoch: u64,
        /// The number that was offered.
        seq: u64,
    },
    /// A limit was met, which has to be as high as the Node's own.
    #[error(transparent)]
    Full(#[from] CapReached),
}

/// This Node remembers less than it has acknowledged: its disk is older than its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{acked} of stream {stream} of {peer} were acknowledged, and {known} are remembered")]
#[non_exhaustive]
pub struct Amnesia {
    /// Whose stream it is.
    pub peer: PeerId,
    /// The stream.
    pub stream: u64,
    /// What was acknowledged.
    pub acked: u64,
    /// What is remembered.
    pub known: u64,
}

/// What becomes of a stream that has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The peer was put right: ask it again.
    Retry,
    /// What waits is given up and told; the stream ends until the Node begins a new epoch.
    GiveUp,
}

/// Nothing is to be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stream {stream} has not stopped")]
#[non_exhaustive]
pub struct NotStopped {
    /// The stream.
    pub stream: u64,
}
