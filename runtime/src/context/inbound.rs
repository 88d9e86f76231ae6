//! What an execution knows of the peer that brought it about.
//!
//! Law: set once, when the envelope is taken in, from what the transport has proved; every op of
//! the cascade sees the same.

use samsara_proto::{Name, PeerId};

use crate::{
    codec::saved,
    framework::{ChainContext, Delivery},
    id::RequestId,
    time::Nanos,
};

/// The envelope behind an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboundCtx {
    /// Who sent it.
    pub source: PeerId,
    /// What it wants an answer to, by the sender's number.
    pub request: Option<RequestId>,
    /// The path of the first port that it feeds.
    pub port: Name,
    /// What was promised about it; its answer is promised the same.
    pub class: Delivery,
    /// When it was taken in.
    pub arrived: Nanos,
    /// When the sender stops waiting, by this Node's time.
    pub deadline: Option<Nanos>,
    /// The chain of sends that it is part of.
    pub chain: Option<ChainContext>,
}

impl InboundCtx {
    /// How long the sender still waits, if it says so; nothing is left once it has stopped.
    pub fn remaining(&self, now: Nanos) -> Option<Nanos> {
        self.deadline.map(|deadline| deadline - now)
    }
}

saved! { InboundCtx { source, request, port, class, arrived, deadline, chain } }
