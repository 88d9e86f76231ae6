//! What comes from peers, and what the host learns of sends.
//!
//! Law: who sent it is what the transport proved, never what the envelope says.

use samsara_proto::{Address, PeerId, WireEnvelope};

use crate::id::RequestId;

/// An envelope from a peer.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvelopeFrom {
    /// Who sent it, as the transport has proved.
    pub src_peer: PeerId,
    /// What it sent.
    pub envelope: WireEnvelope,
    /// Where the transport saw it come from.
    pub src_observed_address: Option<Address>,
}

/// What an envelope takes beside its contents, and likewise each of its fills: as much on every
/// machine, so that what is admitted is the same everywhere.
const HEAD_BYTES: u64 = 256;
const FILL_BYTES: u64 = 128;

impl EnvelopeFrom {
    /// What it costs of the mailbox's budget.
    pub fn weight(&self) -> u64 {
        let envelope = &self.envelope;
        let claims = envelope.claimed_addresses.iter().map(|address| address.len() as u64);
        let fills = envelope.fills.iter().map(|fill| {
            let names = fill.port.len() as u64 + fill.type_id.len() as u64;
            let blobs: u64 = fill.blobs.iter().map(|blob| blob.len() as u64).sum();
            FILL_BYTES + names + fill.payload.len() as u64 + blobs
        });
        let lists = (envelope.acks.len() as u64 + envelope.refusals.len() as u64) * FILL_BYTES;
        HEAD_BYTES + lists + claims.sum::<u64>() + fills.sum::<u64>()
    }
}

/// A send that did not leave the host, or did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFailed {
    /// Whom it was for.
    pub peer: PeerId,
    /// The request that it was, if it was one.
    pub request: Option<RequestId>,
    /// Why.
    pub reason: SendFailure,
}

/// Why a host could not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// No link to the peer could be made.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// The link ended before the envelope was through.
    #[error("the link to the peer was lost")]
    LinkLost,
    /// What waits for the peer fills the host's queue.
    #[error("the queue to the peer is full")]
    QueueFull,
    /// The peer would not take it.
    #[error("the peer refused it")]
    Refused,
}
