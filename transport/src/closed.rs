//! Why a link is no more.
//!
//! Law: the first reason stays, and both halves tell the same.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use samsara_proto::FrameError;

/// Why a link has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// It was closed on this side.
    #[error("the link was closed here")]
    Here,
    /// It was closed on the other side, after all that was sent there.
    #[error("the peer closed the link")]
    There,
    /// What carries it failed. What was under way is lost.
    #[error("the link broke: {detail}")]
    Broken {
        /// What the machine said.
        detail: String,
    },
    /// What arrived is no frame.
    #[error("the peer sent what is no frame: {0}")]
    Malformed(#[from] FrameError),
    /// Nothing has arrived for longer than a link may be silent.
    #[error("nothing has arrived for {}ms", .0.as_millis())]
    Silent(Duration),
}

impl Closed {
    pub(crate) fn broken(error: &dyn std::fmt::Display) -> Self {
        Self::Broken { detail: error.to_string() }
    }
}

/// What both halves of a link have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending(Arc<End>);

#[derive(Default)]
struct End {
    why: OnceLock<Closed>,
    /// What is given back when both halves are gone.
    seat: OnceLock<Box<dyn Send + Sync>>,
}

impl Ending {
    /// Notes why the link ends, if nobody has before, and says what is noted.
    pub(crate) fn note(&self, why: Closed) -> Closed {
        self.0.why.get_or_init(|| why).clone()
    }

    pub(crate) fn why(&self) -> Option<Closed> {
        self.0.why.get().cloned()
    }

    pub(crate) fn keep(&self, seat: impl Send + Sync + 'static) {
        // A link is given its seat once, where it is accepted.
        let _ = self.0.seat.set(Box::new(seat));
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.why.fmt(f)
    }
}
