//! What happens in a world, fact by fact: what invariants hear and the trace hash is made of.
//!
//! Law: a fact is what can be seen from outside of a Node, or is told by its host.

use samsara_proto::PeerId;
use samsara_runtime::{
    id::{ExecId, Incarnation},
    recovery::Lsn,
};

use crate::fault::Injected;

/// One thing that happened. Nodes and hosts are told by their places in the world.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fact {
    /// A fault set in.
    Faulted(Injected),
    /// A process of a host began a life.
    Began {
        /// The host.
        host: usize,
        /// The number of the life.
        life: Incarnation,
    },
    /// The process of a host was cut here.
    CutAt {
        /// The host.
        host: usize,
        /// The point.
        point: &'static str,
    },
    /// The process of a host ended.
    Ended {
        /// The host.
        host: usize,
        /// How.
        how: &'static str,
    },
    /// Another process asked for the store of a host that was at work.
    SecondOwner {
        /// The host.
        host: usize,
        /// Whether it was turned away.
        is_refused: bool,
    },
    /// A client made a call.
    Offered {
        /// Of this Node.
        node: usize,
        /// The call.
        call: u64,
    },
    /// The Node did not admit the call, or its host was down.
    Refused {
        /// The Node.
        node: usize,
        /// The call.
        call: u64,
    },
    /// The client was told that the call is kept.
    Acked {
        /// The Node.
        node: usize,
        /// The call.
        call: u64,
        /// Its execution.
        exec: ExecId,
    },
    /// The process ended before it has answered the call.
    Unanswered {
        /// The Node.
        node: usize,
        /// The call.
        call: u64,
    },
    /// A batch was applied.
    Applied {
        /// The Node.
        node: usize,
        /// The record of the batch.
        batch: Lsn,
        /// A hash of what the Node is now.
        digest: [u8; 32],
    },
    /// The Node fell.
    Fell {
        /// The Node.
        node: usize,
    },
    /// The Node begins with nothing remembered: what it had kept was to outlive no more.
    Forgot {
        /// The Node.
        node: usize,
    },
    /// A Node was brought to the end of its history.
    Replayed {
        /// The Node.
        node: usize,
        /// Its last batch that the log has.
        batch: Lsn,
        /// A hash of what the Node is now.
        digest: [u8; 32],
    },
    /// A life that is over tried to reach the mailbox of the one that followed.
    Zombie {
        /// The Node.
        node: usize,
        /// Whether it was turned away.
        is_refused: bool,
    },
    /// An output left the Node.
    Left {
        /// The Node.
        node: usize,
        /// The number of the output.
        number: u64,
        /// The number of the first of its turn; nothing if it left during a recovery.
        turn: Option<u64>,
        /// A hash of it.
        hash: [u8; 32],
    },
    /// Two Nodes are linked.
    Linked {
        /// The Nodes.
        pair: (usize, usize),
    },
    /// The link of two Nodes has closed.
    Unlinked {
        /// The Nodes.
        pair: (usize, usize),
    },
    /// A Node says something reliably, on a link or not.
    Said {
        /// The Node.
        node: usize,
        /// To whom.
        to: PeerId,
        /// The stream.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// The number.
        seq: u64,
        /// A hash of what it says.
        hash: [u8; 32],
        /// It says that it may have said so before.
        is_again: bool,
    },
    /// A Node says how much of a stream it has durably.
    Promised {
        /// The Node.
        node: usize,
        /// To whom.
        to: PeerId,
        /// The stream.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// The last number that it has.
        durable: u64,
    },
    /// An envelope was let into the mailbox.
    Admitted {
        /// The Node.
        node: usize,
        /// Who sent it.
        from: PeerId,
        /// The sender's life.
        life: u64,
        /// The stream; 0 is none.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// The number.
        seq: u64,
    },
    /// A courier has heard a life of a peer.
    Heard {
        /// The Node.
        node: usize,
        /// The peer.
        from: PeerId,
        /// The life.
        life: u64,
    },
    /// An envelope of a stream is kept.
    Taken {
        /// The Node.
        node: usize,
        /// Who sent it.
        from: PeerId,
        /// The stream.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// The number.
        seq: u64,
    },
    /// An envelope of a life that is over was turned away.
    FencedOff {
        /// The Node.
        node: usize,
        /// Whose life it was.
        from: PeerId,
        /// The life.
        life: u64,
    },
    /// An envelope came that was taken before.
    Duplicate {
        /// The Node.
        node: usize,
        /// Who sent it.
        from: PeerId,
    },
    /// A frame of an earlier link is on its way to the Node.
    Haunted {
        /// The Node.
        node: usize,
    },
    /// A frame could not be read, and its link was closed.
    Garbled {
        /// The Node.
        node: usize,
    },
    /// A frame was read that was not written, or one could not be written.
    Spoiled {
        /// The Node.
        node: usize,
        /// How.
        how: String,
    },
    /// A courier wants somebody to look at something.
    Alarmed {
        /// The Node.
        node: usize,
        /// The peer that it is about.
        peer: PeerId,
        /// What it is.
        what: String,
    },
    /// A courier has given envelopes up.
    Undelivered {
        /// The Node.
        node: usize,
        /// Whom they were for.
        to: PeerId,
        /// Their stream; 0 is best effort.
        stream: u64,
        /// Its epoch.
        epoch: u64,
        /// How many.
        count: u64,
        /// Why.
        reason: String,
    },
    /// It is durable that the host has all outputs up to this one.
    Told {
        /// The Node.
        node: usize,
        /// The number of the output.
        up_to: u64,
    },
    /// A snapshot was taken.
    Captured {
        /// The Node.
        node: usize,
        /// The last record that it holds the effects of.
        lsn: Lsn,
    },
    /// A call was given up and is among the dead letters, told when the world has settled.
    Lettered {
        /// The Node.
        node: usize,
        /// The call.
        call: u64,
    },
}
