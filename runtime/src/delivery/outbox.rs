//! One reliable stream to one peer: what it has not yet said to be durable.
//!
//! Law: an envelope is kept until the peer has it durably, and goes out again marked as such; none
//! goes beyond the peer's credit, or before it was asked on this link how far it is.

use std::collections::VecDeque;

use samsara_proto::{WireEnvelope, wire::Ack};

use super::{Alarm, OfferError, cost};
use crate::planted::{self, Bug};
use crate::time::Nanos;

/// A stream on its way out.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    pub(super) epoch: u64,
    /// All up to here is durable at the peer.
    pub(super) acked: u64,
    /// What follows, without gaps.
    pub(super) entries: VecDeque<Entry>,
    /// What the entries cost.
    pub(super) bytes: u64,
    pub(super) phase: Phase,
    /// How many of the entries were sent on this link, and what they cost.
    sent: usize,
    flight: u64,
    /// Bytes that the peer takes beyond what it has durably.
    credit: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// As the Node gave it.
    pub(super) envelope: WireEnvelope,
    pub(super) offered_at: Nanos,
    pub(super) cost: u64,
    /// Whether an earlier link, or an earlier process, may have sent it.
    pub(super) was_sent: bool,
}

/// Where a stream stands with its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The peer was not asked on this link.
    Unasked,
    /// It was asked this.
    Asked(u64),
    /// It has answered: envelopes flow.
    Open,
    /// It had no room, and is asked again then.
    Resting(Nanos),
    /// Something is wrong that only an operator can judge.
    Stopped,
    /// Nothing of this epoch will arrive any more.
    Ended,
}

/// What came of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    New,
    Again,
    /// The epoch has ended.
    TooLate,
}

impl Outbox {
    pub(super) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            acked: 0,
            entries: VecDeque::new(),
            bytes: 0,
            phase: Phase::Unasked,
            sent: 0,
            flight: 0,
            credit: 0,
        }
    }

    /// The last number that the Node has given.
    pub(super) fn last(&self) -> u64 {
        self.acked.saturating_add(self.entries.len() as u64)
    }

    /// Takes what the Node gives; the epoch is this one.
    pub(super) fn offer(
        &mut self,
        envelope: WireEnvelope,
        now: Nanos,
        was_sent: bool,
    ) -> Result<Offered, OfferError> {
        let (stream, epoch, seq) = (envelope.stream, envelope.stream_epoch, envelope.seq);
        if self.phase == Phase::Ended {
            return Ok(Offered::TooLate);
        }
        let wanted = self.last().saturating_add(1);
        if epoch != self.epoch || seq > wanted || seq == 0 {
            let current = self.epoch;
            return Err(OfferError::OutOfOrder { stream, current, wanted, epoch, seq });
        }
        if seq == wanted {
            self.keep(Entry { cost: cost(&envelope), envelope, offered_at: now, was_sent });
            return Ok(Offered::New);
        }
        // What the peer has is gone from here, and a replay gives it in vain.
        match self.position(seq).and_then(|at| self.entries.get(at)) {
            Some(kept) if kept.envelope != envelope => {
                Err(OfferError::Diverged { stream, epoch, seq })
            }
            Some(_) | None => Ok(Offered::Again),
        }
    }

    pub(super) fn keep(&mut self, entry: Entry) {
        self.bytes = self.bytes.saturating_add(entry.cost);
        self.entries.push_back(entry);
    }

    /// Where the entry of this number is, unless the peer has it.
    fn position(&self, seq: u64) -> Option<usize> {
        let ahead = seq.checked_sub(self.acked)?.checked_sub(1)?;
        usize::try_from(ahead).ok()
    }

    /// Nothing that was said on a link holds on the next one.
    pub(super) fn relink(&mut self) {
        (self.sent, self.flight, self.credit) = (0, 0, 0);
        match self.phase {
            Phase::Unasked | Phase::Asked(_) | Phase::Open | Phase::Resting(_) => {
                self.phase = Phase::Unasked;
            }
            Phase::Stopped | Phase::Ended => {}
        }
    }

    /// Whether the peer is to be asked how far it is.
    pub(super) fn wants_to_ask(&self, now: Nanos) -> bool {
        match self.phase {
            Phase::Unasked => !self.entries.is_empty(),
            Phase::Resting(until) => until <= now,
            Phase::Asked(_) | Phase::Open | Phase::Stopped | Phase::Ended => false,
        }
    }

    /// Takes the peer's word of how far it is; an old one changes nothing.
    pub(super) fn hear(&mut self, ack: &Ack) -> Result<(), Alarm> {
        let is_over = matches!(self.phase, Phase::Stopped | Phase::Ended);
        if is_over || ack.stream_epoch != self.epoch || ack.durable < self.acked {
            return Ok(());
        }
        let (stream, offered, durable) = (ack.stream, self.last(), ack.durable);
        if durable > offered {
            self.phase = Phase::Stopped;
            return Err(Alarm::Ahead { stream, offered, durable });
        }
        while self.acked < durable
            && let Some(entry) = self.entries.pop_front()
        {
            self.acked = self.acked.saturating_add(1);
            self.bytes = self.bytes.saturating_sub(entry.cost);
            if self.sent > 0 {
                self.sent -= 1;
                self.flight = self.flight.saturating_sub(entry.cost);
            }
        }
        self.credit = ack.credit_bytes;
        Ok(())
    }

    /// Takes the answer to what was asked: from here the stream goes on.
    pub(super) fn hear_answer(&mut self, id: u64, ack: &Ack) -> Result<(), Alarm> {
        let is_waited_for = self.phase == Phase::Asked(id)
            || (planted::is(Bug::AnyAnswer) && matches!(self.phase, Phase::Asked(_)));
        if !is_waited_for || ack.stream_epoch != self.epoch {
            return self.hear(ack);
        }
        if ack.durable < self.acked {
            self.phase = Phase::Stopped;
            let (stream, acked, durable) = (ack.stream, self.acked, ack.durable);
            return Err(Alarm::Forgot { stream, acked, durable });
        }
        // What was sent before the question is in the answer, or was lost.
        (self.sent, self.flight) = (0, 0);
        self.hear(ack)?;
        self.phase = Phase::Open;
        Ok(())
    }

    /// The next envelope that may be sent.
    pub(super) fn next(&mut self, now: Nanos) -> Option<WireEnvelope> {
        if self.phase != Phase::Open {
            return None;
        }
        let entry = self.entries.get_mut(self.sent)?;
        let flight = self.flight.checked_add(entry.cost)?;
        if flight > self.credit {
            return None;
        }
        let step =
            if planted::is(Bug::SkippedEntry) && entry.envelope.seq % 7 == 0 { 2 } else { 1 };
        (self.flight, self.sent) = (flight, self.sent.saturating_add(step));
        let mut envelope = entry.envelope.clone();
        envelope.redelivered = std::mem::replace(&mut entry.was_sent, true);
        envelope.redelivered &= !planted::is(Bug::Unmarked);
        let spent = (now - entry.offered_at).get();
        envelope.deadline_ns = envelope.deadline_ns.map(|left| left.saturating_sub(spent));
        Some(envelope)
    }

    /// Gives up what is left; tells how many that were.
    pub(super) fn end(&mut self) -> u64 {
        let count = self.entries.len() as u64;
        let epoch = self.epoch;
        let acked = self.last();
        *self = Self { acked, phase: Phase::Ended, ..Self::new(epoch) };
        count
    }
}
