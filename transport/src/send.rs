//! The sending half of a link.
//!
//! Law: a frame waits in a bounded queue, and who sends to a full one waits, or has it back. What
//! was taken goes out in order, or the link ends.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use samsara_ingress::{
    IngressHandle, IngressLimits, IngressQueue, IngressReader, PushError, Refusal,
};
use samsara_proto::EncodedFrame;

use crate::{
    closed::{Closed, Ending},
    error::{SendError, Unsent},
    limits::LinkLimits,
};

/// Sends frames, from as many places as have a clone of it.
#[derive(Clone)]
pub struct LinkSender {
    outgoing: Arc<Outgoing>,
    ending: Ending,
}

/// What waits to go out. Nothing more is taken once the last sender is gone.
pub(crate) struct Outgoing {
    queue: IngressQueue<EncodedFrame>,
    handle: IngressHandle<EncodedFrame>,
}

impl Outgoing {
    pub(crate) fn close(&self) {
        self.queue.close();
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.close();
    }
}

impl LinkSender {
    /// A sender, and the end that its frames come out at.
    pub(crate) fn new(
        limits: &LinkLimits,
        ending: Ending,
    ) -> Result<(Self, IngressReader<EncodedFrame>), Closed> {
        let limits = IngressLimits {
            items: limits.queue_frames.max(1),
            bytes: limits.queue_bytes.max(1),
            ..IngressLimits::default()
        };
        let queue = IngressQueue::new(limits).map_err(|error| Closed::broken(&error))?;
        let reader = queue.open(1).map_err(|error| Closed::broken(&error))?;
        let handle = queue.handle();
        Ok((Self { outgoing: Arc::new(Outgoing { queue, handle }), ending }, reader))
    }

    pub(crate) fn outgoing(&self) -> Weak<Outgoing> {
        Arc::downgrade(&self.outgoing)
    }

    /// Sends a frame as soon as there is room. If it is cancelled nothing was sent.
    pub async fn send(&self, frame: EncodedFrame) -> Result<(), SendError> {
        let weight = weight(&frame);
        let pushed = self.outgoing.handle.push(frame, weight).await;
        pushed.map_err(|refused| self.reason(&refused))
    }

    /// Sends a frame if there is room.
    pub fn try_send(&self, frame: EncodedFrame) -> Result<(), Unsent> {
        let weight = weight(&frame);
        self.outgoing.handle.try_push(frame, weight).map_err(|refused| {
            let reason = self.reason(&refused);
            Unsent { frame: refused.event, reason }
        })
    }

    /// Ends the link when all that was sent has gone out.
    pub fn close(&self) {
        self.ending.note(Closed::Here);
        self.outgoing.close();
    }

    /// Why the link has ended, if it has.
    pub fn closed(&self) -> Option<Closed> {
        self.ending.why()
    }

    fn reason(&self, refused: &PushError<EncodedFrame>) -> SendError {
        match refused.refusal {
            Refusal::Closed => SendError::Closed(self.ending.note(Closed::There)),
            Refusal::TooLarge { cap, .. } => SendError::TooLong { bytes: refused.event.len(), cap },
            _ => SendError::Full,
        }
    }
}

/// What a frame counts for in a queue.
fn weight(frame: &EncodedFrame) -> u64 {
    frame.len().max(1) as u64
}

impl fmt::Debug for LinkSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkSender").field("queue", &self.outgoing.queue).finish_non_exhaustive()
    }
}
