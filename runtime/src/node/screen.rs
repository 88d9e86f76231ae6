//! What is kept out of a batch: envelopes of reliable streams that were taken before, or that come
//! too early.
//!
//! Law: the Node's state decides together with the envelopes before it in the same batch, so what
//! is in a batch moves each stream by one.

use std::collections::BTreeMap;

use samsara_ingress::Turn;
use samsara_proto::PeerId;

use super::{Batch, Node};
use crate::{
    delivery::Unplaced,
    event::IngressEvent,
    framework::{StreamArrival, Watermark},
    services::Services,
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
    /// The first of a stream that has no place: taken in, it would be acknowledged and forgotten.
    pub unopened: u64,
}

impl Node {
    /// What was kept out of batches so far.
    pub fn screened(&self) -> Screened {
        self.beside.as_ref().map(|beside| beside.screened).unwrap_or_default()
    }

    /// How far a stream of a peer was taken: from where the peer's link resumes it.
    pub fn watermark(&self, peer: &PeerId, stream: u64) -> Option<Watermark> {
        self.services.watermark(peer, stream)
    }

    /// Takes out of a batch, whose events of the mailbox begin here, what is of no use in it.
    #[inline(never)]
    pub(super) fn keep_out(&mut self, first: usize, screening: Screening, batch: &mut Batch) {
        let Screening { kept_out, counts: new, .. } = screening;
        if kept_out.is_empty() {
            return;
        }
        let mut kept_out = kept_out.into_iter().peekable();
        let mut at = 0_usize;
        batch.events.retain(|_| {
            let place = at.checked_sub(first);
            at += 1;
            kept_out.next_if(|out| Some(*out) == place).is_none()
        });
        let counts = &mut self.beside().screened;
        counts.duplicates = counts.duplicates.saturating_add(new.duplicates);
        counts.gaps = counts.gaps.saturating_add(new.gaps);
        counts.stale = counts.stale.saturating_add(new.stale);
        counts.unopened = counts.unopened.saturating_add(new.unopened);
    }
}

/// What is kept out of a turn.
#[derive(Debug, Default)]
pub(super) struct Screening {
    pub(super) has_envelopes: bool,
    /// Places among the events of the mailbox's hand, rising.
    pub(super) kept_out: Vec<usize>,
    /// Those of them that nobody has.
    pub(super) unplaced: Vec<Unplaced>,
    counts: Screened,
}

impl Screening {
    pub(super) fn of(services: &Services, turn: Turn<'_, IngressEvent>) -> Self {
        let mut screening = Self::default();
        let mut moved = BTreeMap::new();
        let mut last: Option<((PeerId, u64), Watermark)> = None;
        for (place, event) in turn.enumerate() {
            let IngressEvent::EnvelopeFrom(from) = event else { continue };
            screening.has_envelopes = true;
            let (peer, envelope) = (from.src_peer, &from.envelope);
            let stream = envelope.stream;
            if stream == 0 {
                continue;
            }
            let key = (peer, stream);
            let known = match &last {
                Some((last, mark)) if *last == key => Some(*mark),
                _ => moved.get(&key).copied().or_else(|| services.watermark(&peer, stream)),
            };
            let (arrival, mark) = Watermark::judge(known, envelope.stream_epoch, envelope.seq);
            let unplaced = Unplaced { peer, stream, seq: envelope.seq };
            let counts = &mut screening.counts;
            let is_new = known.is_none();
            let opened = |of: Option<PeerId>| {
                let new = moved.keys().filter(|(peer, stream)| {
                    of.is_none_or(|of| of == *peer) && services.watermark(peer, *stream).is_none()
                });
                new.count()
            };
            let has_room = || services.has_room_for_stream(&peer, opened(Some(peer)), opened(None));
            match arrival {
                StreamArrival::Fresh if is_new && !has_room() => {
                    counts.unopened += 1;
                    screening.unplaced.push(unplaced);
                }
                StreamArrival::Fresh | StreamArrival::FreshEpoch { .. } => {
                    let Some(mark) = mark else { continue };
                    if is_new {
                        moved.insert(key, mark);
                    }
                    // Envelopes of one stream come in a row: only where another follows is it noted.
                    if let Some((before, mark)) = last.replace((key, mark))
                        && before != key
                    {
                        moved.insert(before, mark);
                    }
                    continue;
                }
                StreamArrival::Duplicate => counts.duplicates += 1,
                StreamArrival::Gap { .. } => {
                    counts.gaps += 1;
                    screening.unplaced.push(unplaced);
                }
                StreamArrival::StaleEpoch { .. } => counts.stale += 1,
            }
            screening.kept_out.push(place);
        }
        screening
    }
}
