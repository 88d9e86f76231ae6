//! What waits to go out on one link, behind what the link itself holds.
//!
//! Law: frames go out in the order in which they were put, and a frame that was put goes out or the
//! link ends. Who is told that there is no room is told when there is some again.

use std::{collections::VecDeque, sync::Mutex};

use samsara_proto::EncodedFrame;
use samsara_transport::{LinkSender, SendError};
use tokio::sync::Notify;

use crate::store::locked;

pub(crate) struct Queue {
    sender: LinkSender,
    waiting: Mutex<Waiting>,
    bell: Notify,
    bytes_max: u64,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<EncodedFrame>,
    bytes: u64,
    /// One is on its way from here to the link: none may overtake it.
    is_moving: bool,
    /// Somebody was told that there is no room.
    is_held: bool,
}

/// Why a frame is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotPut {
    /// As much waits as may.
    Full,
    /// The link has ended.
    Closed,
    /// No link takes a frame of this length.
    TooLong,
}

impl Queue {
    pub(crate) fn new(sender: LinkSender, bytes_max: u64) -> Self {
        Self { sender, waiting: Mutex::default(), bell: Notify::new(), bytes_max }
    }

    /// Sends what a Node says, if there is room.
    pub(crate) fn put(&self, frame: EncodedFrame) -> Result<(), NotPut> {
        self.put_up_to(frame, self.bytes_max)
    }

    /// Sends what the host says: it is little, and always has room.
    pub(crate) fn put_word(&self, frame: EncodedFrame) {
        // A link that has ended says so to whoever reads it.
        let _ = self.put_up_to(frame, u64::MAX);
    }

    fn put_up_to(&self, mut frame: EncodedFrame, most: u64) -> Result<(), NotPut> {
        let mut waiting = locked(&self.waiting);
        if waiting.frames.is_empty() && !waiting.is_moving {
            match self.sender.try_send(frame) {
                Ok(()) => return Ok(()),
                Err(unsent) => match unsent.reason {
                    SendError::Full => frame = unsent.frame,
                    SendError::TooLong { .. } => return Err(NotPut::TooLong),
                    _ => return Err(NotPut::Closed),
                },
            }
        }
        if waiting.bytes >= most {
            waiting.is_held = true;
            return Err(NotPut::Full);
        }
        waiting.bytes = waiting.bytes.saturating_add(frame.len() as u64);
        waiting.frames.push_back(frame);
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Moves what waits to the link until that ends; `on_room` is called when those who were held
    /// back may go on.
    pub(crate) async fn run(&self, on_room: impl Fn()) {
        loop {
            let Some(frame) = self.next() else {
                self.bell.notified().await;
                continue;
            };
            let bytes = frame.len() as u64;
            if self.sender.send(frame).await.is_err_and(|error| !is_passing(&error)) {
                return;
            }
            if self.moved(bytes) {
                on_room();
            }
        }
    }

    fn next(&self) -> Option<EncodedFrame> {
        let mut waiting = locked(&self.waiting);
        let frame = waiting.frames.pop_front();
        waiting.is_moving = frame.is_some();
        frame
    }

    /// Takes note that a frame is with the link: whether those who were held back may go on.
    fn moved(&self, bytes: u64) -> bool {
        let mut waiting = locked(&self.waiting);
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        let has_room = waiting.bytes <= self.bytes_max / 2;
        has_room && std::mem::take(&mut waiting.is_held)
    }

    /// Ends the link when all that is with it has gone out.
    pub(crate) fn close(&self) {
        self.sender.close();
    }
}

/// Whether the link goes on without the frame.
fn is_passing(error: &SendError) -> bool {
    matches!(error, SendError::TooLong { .. })
}
