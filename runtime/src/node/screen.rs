//! What is kept out of a batch: envelopes of reliable streams that were taken before, or that come
//! too early.
//!
//! Law: the Node's state decides together with the envelopes before it in the same batch, so what
//! is in a batch moves each stream by one.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::{Batch, Node};
use crate::{
    event::IngressEvent,
    framework::{StreamArrival, Watermark},
};

/// Envelopes that were dropped before they entered a batch. No part of the Node's state: how often
/// a link repeats itself decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Screened {
    /// Taken before.
    pub duplicates: u64,
    /// Others of the stream come first: the link resumes from the watermark.
    pub gaps: u64,
    /// Of an epoch that has ended.
    pub stale: u64,
}

impl Node {
    /// What was kept out of batches so far.
    pub fn screened(&self) -> Screened {
        self.screened.as_deref().copied().unwrap_or_default()
    }

    /// How far a stream of a peer was taken: from where the peer's link resumes it.
    pub fn watermark(&self, peer: &PeerId, stream: u64) -> Option<Watermark> {
        self.services.watermark(peer, stream)
    }

    /// Keeps out of the batch what is of no use in it.
    #[inline]
    pub(super) fn screen(&mut self, batch: &mut Batch) {
        let is_envelope = |event: &IngressEvent| matches!(event, IngressEvent::EnvelopeFrom(_));
        batch.depth = 0;
        if batch.events.iter().any(|admitted| is_envelope(&admitted.event)) {
            self.screen_envelopes(batch);
        }
    }

    #[inline(never)]
    fn screen_envelopes(&mut self, batch: &mut Batch) {
        batch.depth = (self.queue.stats().items + batch.events.len()) as u64;
        let is_alone = batch.events.len() == 1;
        let mut moved = BTreeMap::new();
        let (services, screened) = (&self.services, &mut self.screened);
        batch.events.retain(|admitted| {
            let IngressEvent::EnvelopeFrom(from) = &admitted.event else { return true };
            let (peer, envelope) = (from.src_peer, &from.envelope);
            let stream = envelope.stream;
            if stream == 0 {
                return true;
            }
            let known = moved.get(&(peer, stream)).copied();
            let known = known.or_else(|| services.watermark(&peer, stream));
            let (arrival, mark) = Watermark::judge(known, envelope.stream_epoch, envelope.seq);
            let (duplicate, gap, stale) = match arrival {
                StreamArrival::Fresh | StreamArrival::FreshEpoch { .. } => {
                    if let (false, Some(mark)) = (is_alone, mark) {
                        moved.insert((peer, stream), mark);
                    }
                    return true;
                }
                StreamArrival::Duplicate => (1, 0, 0),
                StreamArrival::Gap { .. } => (0, 1, 0),
                StreamArrival::StaleEpoch { .. } => (0, 0, 1),
            };
            let counts = screened.get_or_insert_default();
            counts.duplicates = counts.duplicates.saturating_add(duplicate);
            counts.gaps = counts.gaps.saturating_add(gap);
            counts.stale = counts.stale.saturating_add(stale);
            false
        });
    }
}
