//! Telling what is new from what came before.
//!
//! Law: within an epoch a stream's watermark only rises and is never forgotten, so nothing reliable
//! is taken twice however late it comes. Best-effort ids are remembered in a window: below it
//! nothing is new.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::framework::{InboundDedup, StreamArrival, StreamKey};
//! use samsara_runtime::peer::PeerTable;
//!
//! let source = PeerTable::new(4).acquire(&PeerId::from(2))?;
//! let stream = StreamKey { source, stream: 0 };
//! let mut dedup = InboundDedup::new(64, 64, 128);
//! assert_eq!(dedup.accept(stream, 1, 1)?, StreamArrival::Fresh);
//! assert_eq!(dedup.accept(stream, 1, 1)?, StreamArrival::Duplicate);
//! assert_eq!(dedup.accept(stream, 1, 3)?, StreamArrival::Gap { expected: 2 });
//! assert!(dedup.accept_id(source, 7)? && !dedup.accept_id(source, 7)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod window;

use self::window::Window;
use super::bounded::{Bounded, CapReached};
use super::recent::Recent;
use crate::codec::{Kept, Loader, Saver, Unreadable, saved};
use crate::peer::PeerIx;

/// The number of the first message of a stream.
pub const FIRST_SEQ: u64 = 1;

/// What has arrived at a Node.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundDedup {
    streams: Bounded<StreamKey, Watermark>,
    streams_each: u32,
    window: u32,
    windows: Recent<PeerIx, Window>,
}

/// A reliable stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Who sends it.
    pub source: PeerIx,
    /// Which of the source's streams it is.
    pub stream: u64,
}

/// How far a stream was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The epoch of the stream: a source that lost its memory begins a new one.
    pub epoch: u64,
    /// The number of the next message.
    pub next: u64,
}

/// What a message of a stream is. Only a fresh one may be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamArrival {
    /// The next one.
    Fresh,
    /// The first one of a new epoch; what was open in the old one will never come.
    FreshEpoch {
        /// The epoch that has ended.
        ended: u64,
    },
    /// It was taken before.
    Duplicate,
    /// Others must come first.
    Gap {
        /// The one to come next.
        expected: u64,
    },
    /// It is of an epoch that has ended.
    StaleEpoch {
        /// The epoch that is now.
        current: u64,
    },
}

impl Watermark {
    /// What a message is to a stream that was taken as far as `known`, and how far it is taken with
    /// it; only a fresh one moves the watermark.
    pub fn judge(known: Option<Self>, epoch: u64, seq: u64) -> (StreamArrival, Option<Self>) {
        let fresh = match known {
            Some(mark) if epoch < mark.epoch => {
                return (StreamArrival::StaleEpoch { current: mark.epoch }, None);
            }
            Some(mark) if epoch > mark.epoch => StreamArrival::FreshEpoch { ended: mark.epoch },
            Some(_) | None => StreamArrival::Fresh,
        };
        let expected = known.filter(|mark| mark.epoch == epoch).map_or(FIRST_SEQ, |mark| mark.next);
        if seq < expected {
            return (StreamArrival::Duplicate, None);
        }
        // A stream that has used every number can never go on: there is nothing to expect.
        match seq.checked_add(1) {
            Some(next) if seq == expected => (fresh, Some(Self { epoch, next })),
            _ => (StreamArrival::Gap { expected }, None),
        }
    }
}

impl InboundDedup {
    /// At most `max_streams` streams, and a window of `window` ids for each of `max_peers` peers,
    /// of which the one heard of longest ago makes room.
    pub const fn new(max_streams: u32, max_peers: u32, window: u32) -> Self {
        let streams = Bounded::new("inbound streams", max_streams);
        let windows = Recent::new("windows of ids", max_peers);
        Self { streams, streams_each: max_streams, window, windows }
    }

    /// At most so many streams of one peer.
    #[must_use]
    pub const fn with_streams_each(mut self, streams: u32) -> Self {
        self.streams_each = streams;
        self
    }

    /// Judges a message of a stream; only fresh ones move the watermark. A new stream is refused
    /// when there are too many.
    pub fn accept(
        &mut self,
        key: StreamKey,
        epoch: u64,
        seq: u64,
    ) -> Result<StreamArrival, CapReached> {
        let known = self.watermark(key);
        let (arrival, moved) = Watermark::judge(known, epoch, seq);
        if let (Some(mark), Some(known)) = (moved, self.streams.get_mut(&key)) {
            *known = mark;
        } else if let Some(mark) = moved {
            let cap = self.streams_each;
            if self.streams_of(key.source) >= cap as usize {
                return Err(CapReached { what: "inbound streams of one peer", cap });
            }
            self.streams.open(&key, |key| *key, || mark)?;
        }
        Ok(arrival)
    }

    /// How many streams of a source there are.
    pub(crate) fn streams_of(&self, source: PeerIx) -> usize {
        let of = |stream| StreamKey { source, stream };
        self.streams.count(of(0)..=of(u64::MAX))
    }

    /// How many streams there are.
    pub(crate) fn streams(&self) -> usize {
        self.streams.len()
    }

    /// How far a stream was taken: from where its source resumes.
    pub fn watermark(&self, key: StreamKey) -> Option<Watermark> {
        self.streams.get(&key).copied()
    }

    /// Ends a stream for good. Its source may not use that epoch of it again.
    pub fn close(&mut self, key: StreamKey) -> Option<Watermark> {
        self.streams.remove(&key)
    }

    /// Notes a best-effort id of a peer; true if it is new.
    pub fn accept_id(&mut self, peer: PeerIx, id: u64) -> Result<bool, CapReached> {
        let size = self.window;
        Ok(self.windows.touch(peer, || Window::new(size))?.note(id))
    }

    /// Forgets the ids of a peer that counts anew, or whose index returns to the table.
    pub fn forget_ids(&mut self, peer: PeerIx) {
        self.windows.remove(&peer);
    }

    /// How many windows had to make room.
    pub const fn forgotten(&self) -> u64 {
        self.windows.forgotten()
    }
}

saved! {
    StreamKey { source, stream }
    Watermark { epoch, next }
}

impl Kept for InboundDedup {
    fn save(&self, out: &mut Saver) {
        self.streams.save(out);
        self.windows.save_with(out, Window::save);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.streams.fill(from)?;
        let size = self.window;
        self.windows.fill_with(from, |from| {
            let mut window = Window::new(size);
            window.fill(from)?;
            Ok(window)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::peers;

    fn stream(stream: u64) -> StreamKey {
        let [source] = peers();
        StreamKey { source, stream }
    }

    fn dedup() -> InboundDedup {
        InboundDedup::new(2, 2, 128)
    }

    #[test]
    fn a_stream_takes_each_number_once_and_in_order_however_late_a_copy_comes() {
        let mut dedup = dedup();
        for seq in 1..=1_000 {
            assert_eq!(dedup.accept(stream(0), 1, seq), Ok(StreamArrival::Fresh));
            assert_eq!(dedup.accept(stream(0), 1, 1), Ok(StreamArrival::Duplicate));
        }
        let gap = StreamArrival::Gap { expected: 1_001 };
        assert_eq!(dedup.accept(stream(0), 1, 1_002), Ok(gap));
        assert_eq!(dedup.watermark(stream(0)), Some(Watermark { epoch: 1, next: 1_001 }));
    }

    #[test]
    fn a_new_epoch_begins_at_the_first_number_and_ends_the_old_one() {
        let mut dedup = dedup();
        dedup.accept(stream(0), 5, 1).expect("there is room");
        let gap = StreamArrival::Gap { expected: FIRST_SEQ };
        assert_eq!(dedup.accept(stream(0), 6, 2), Ok(gap));
        assert_eq!(dedup.watermark(stream(0)), Some(Watermark { epoch: 5, next: 2 }));
        assert_eq!(dedup.accept(stream(0), 6, 1), Ok(StreamArrival::FreshEpoch { ended: 5 }));
        assert_eq!(dedup.accept(stream(0), 5, 2), Ok(StreamArrival::StaleEpoch { current: 6 }));
        assert_eq!(dedup.accept(stream(0), 6, 1), Ok(StreamArrival::Duplicate));
    }

    #[test]
    fn the_stream_one_over_the_cap_is_refused_and_no_watermark_is_lost() {
        let mut dedup = dedup();
        for number in [0, 1] {
            dedup.accept(stream(number), 1, 1).expect("there is room");
        }
        let before = dedup.clone();
        let full = dedup.accept(stream(2), 1, 1);
        assert!(matches!(full, Err(CapReached { cap: 2, .. })), "{full:?}");
        assert_eq!(dedup, before);
        dedup.close(stream(0));
        assert_eq!(dedup.accept(stream(2), 1, 1), Ok(StreamArrival::Fresh));
    }

    #[test]
    fn the_last_number_of_a_stream_is_never_reached() {
        let mut dedup = dedup();
        let mark = Watermark { epoch: 1, next: u64::MAX };
        dedup.streams.open(&stream(0), |key| *key, || mark).expect("there is room");
        let gap = StreamArrival::Gap { expected: u64::MAX };
        assert_eq!(dedup.accept(stream(0), 1, u64::MAX), Ok(gap));
    }

    #[test]
    fn a_third_peer_takes_the_window_of_the_one_heard_longest_ago() {
        let (mut dedup, [first, second, third]) = (dedup(), peers());
        for peer in [first, second, third] {
            assert_eq!(dedup.accept_id(peer, 1), Ok(true));
        }
        assert_eq!(dedup.accept_id(second, 1), Ok(false));
        assert_eq!((dedup.accept_id(first, 1), dedup.forgotten()), (Ok(true), 2));
        dedup.forget_ids(first);
        assert_eq!(dedup.accept_id(first, 1), Ok(true));
    }
}
