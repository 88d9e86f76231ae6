//! A batch: all that moves a Node once.
//!
//! Law: plain data. The same batches move the same Node through the same states, whoever applies
//! them and whenever.

use samsara_ingress::Admitted;

use crate::{event::IngressEvent, time::Nanos};

/// The time and the events of one turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The logical time of the turn.
    pub now: Nanos,
    /// Items that were in the mailbox when the batch was taken, its own included: told only beside
    /// envelopes, whose senders may be asked to slow down for it.
    pub depth: u64,
    /// The events, oldest first.
    pub events: Vec<Admitted<IngressEvent>>,
    /// The Node is being cleared: what these events would begin is reported as cancelled.
    pub discard: bool,
}

/// When a Node can make progress without a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// At once.
    Now,
    /// At this time.
    At(Nanos),
    /// Only after a push.
    Never,
}
