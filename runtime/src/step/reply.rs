//! What a client is told of its request.
//!
//! Law: whoever repeats a request is told the same again, whatever has become of the Node since.

use std::sync::Arc;

use crate::{
    codec::{saved, saved_enum},
    error::OpError,
    framework::SessionError,
    id::ExecId,
    value::Value,
};

/// What came of a request, once and for all.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionReply {
    /// The execution that has carried it out.
    pub exec: ExecId,
    /// The module outputs that it gave, in order.
    pub outputs: Vec<(Arc<str>, Value)>,
    /// How it ended.
    pub outcome: SessionOutcome,
}

/// How an execution that a client asked for has ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SessionOutcome {
    /// All of it was done.
    Done,
    /// Some of its ops had only part of their inputs.
    Starved,
    /// An op failed: the first that did.
    Failed(OpError),
    /// It was dropped when the Node was cleared.
    Cancelled,
    /// It was given up, since it has brought the Node down too often.
    Aborted,
}

/// Why a client is not told what came of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// It is being carried out: the answer follows when it has ended.
    #[error("the request is being carried out")]
    UnderWay,
    /// It was carried out, and what came of it had to make room.
    #[error("the request was carried out, its answer is no longer kept")]
    Gone,
    /// It is not carried out.
    #[error(transparent)]
    Refused(#[from] SessionError),
}

saved! { SessionReply { exec, outputs, outcome } }
saved_enum! { SessionOutcome: "outcome of a request" {
    0 = Done, 1 = Starved, 2 = Failed(error), 3 = Cancelled, 4 = Aborted,
} }
