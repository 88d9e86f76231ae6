//! One link: two lines of frames.
//!
//! Law: a line is first in, first out. A line that is stalled delivers nothing more, and its link
//! ends.

use std::collections::VecDeque;

use bytes::Bytes;
use samsara_runtime::{rng::Rng, time::Nanos};

/// A frame on its way.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) bytes: Bytes,
    pub(super) due: Nanos,
    pub(super) is_spoiled: bool,
    /// It was on an earlier link.
    pub(super) is_ghost: bool,
}

impl Frame {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, due: Nanos::ZERO, is_spoiled: false, is_ghost: false }
    }
}

#[derive(Debug, Default)]
pub(super) struct Link {
    /// What the lower Node has sent, and the other.
    lines: [Line; 2],
    /// Added to what each frame takes.
    pub(super) delay: Nanos,
    pub(super) ends_at: Option<Nanos>,
}

#[derive(Debug, Default)]
struct Line {
    frames: VecDeque<Frame>,
    /// When the last one arrives.
    last: Nanos,
    is_stalled: bool,
}

impl Link {
    fn line(&mut self, from_lower: bool) -> &mut Line {
        let [lower, other] = &mut self.lines;
        if from_lower { lower } else { other }
    }

    pub(super) fn put(&mut self, from_lower: bool, frame: Frame, now: Nanos, latency: Nanos) {
        let at = now + latency + self.delay;
        let line = self.line(from_lower);
        line.last = line.last.max(at);
        let due = line.last;
        line.frames.push_back(Frame { due, ..frame });
    }

    /// When a frame arrives next.
    pub(super) fn due(&self, from_lower: bool) -> Option<Nanos> {
        let [lower, other] = &self.lines;
        let line = if from_lower { lower } else { other };
        line.frames.front().filter(|_| !line.is_stalled).map(|frame| frame.due)
    }

    /// Nothing arrives before.
    pub(super) fn hold(&mut self, from_lower: bool, until: Nanos) {
        let line = self.line(from_lower);
        line.last = line.last.max(until);
        line.frames.iter_mut().for_each(|frame| frame.due = frame.due.max(until));
    }

    pub(super) fn take(&mut self, from_lower: bool) -> Option<Frame> {
        self.line(from_lower).frames.pop_front()
    }

    pub(super) fn stall(&mut self, from_lower: bool, until: Nanos) {
        self.line(from_lower).is_stalled = true;
        self.ends_at = Some(self.ends_at.map_or(until, |at| at.min(until)));
    }

    /// Ends when all that is on its way has arrived.
    pub(super) fn end_after_last(&mut self) {
        let last = self.lines.iter().map(|line| line.last).max().unwrap_or_default();
        self.ends_at = Some(self.ends_at.map_or(last, |at| at.min(last)));
    }

    pub(super) fn is_busy(&self) -> bool {
        self.lines.iter().any(|line| !line.frames.is_empty())
    }

    /// Turns over one bit of one frame.
    pub(super) fn spoil(&mut self, rng: &mut Rng) {
        let mut frames: Vec<&mut Frame> =
            self.lines.iter_mut().flat_map(|line| &mut line.frames).collect();
        let at = usize::try_from(rng.below(frames.len() as u64)).unwrap_or(0);
        let Some(frame) = frames.get_mut(at) else { return };
        let mut bytes = frame.bytes.to_vec();
        let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << rng.below(8);
            (frame.bytes, frame.is_spoiled) = (bytes.into(), true);
        }
    }

    /// What was on its way.
    pub(super) fn into_frames(self) -> impl Iterator<Item = (bool, Frame)> {
        let [lower, other] = self.lines;
        let lower = lower.frames.into_iter().map(|frame| (true, frame));
        lower.chain(other.frames.into_iter().map(|frame| (false, frame)))
    }
}
