//! One reliable stream from one peer: what was taken of it, and what of that is durable.
//!
//! Law: a number is taken once and in order; only what is durable is acknowledged, whatever is asked
//! and however often.

use std::collections::VecDeque;

use samsara_proto::wire::{Ack, RefusalReason};

use crate::{
    config::DeliveryConfig,
    framework::{StreamArrival, Watermark},
    planted::{self, Bug},
    time::Nanos,
};

/// A stream on its way in.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    pub(super) epoch: u64,
    /// The last that the mailbox has taken.
    taken: u64,
    /// The last that is durable.
    pub(super) durable: u64,
    /// What those between cost.
    held: VecDeque<u64>,
    pub(super) held_bytes: u64,
    /// What was asked, and how the answer is known.
    pub(super) asked: Option<u64>,
    /// The credit that was told last on this link.
    told: Option<u64>,
    debt: Debt,
    lapse: Lapse,
}

/// An acknowledgement that is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Debt {
    None,
    /// It may wait for an envelope to ride on.
    Since {
        since: Nanos,
        count: u32,
    },
    Now,
}

/// Whether the stream has a gap, and its source knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lapse {
    None,
    /// The source is to be told.
    Untold {
        seq: u64,
        reason: RefusalReason,
    },
    Told,
}

impl Inbox {
    pub(super) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            taken: 0,
            durable: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            asked: None,
            told: None,
            debt: Debt::None,
            lapse: Lapse::None,
        }
    }

    /// The stream as far as it was durable when it was written down.
    pub(super) fn resumed(epoch: u64, durable: u64) -> Self {
        Self { taken: durable, durable, ..Self::new(epoch) }
    }

    /// Begins a new epoch, if this is one.
    pub(super) fn enter(&mut self, epoch: u64) {
        if epoch > self.epoch {
            *self = Self::new(epoch);
        }
    }

    /// Judges an envelope, and takes it if it is the next.
    pub(super) fn arrive(&mut self, epoch: u64, seq: u64, cost: u64) -> StreamArrival {
        let known = Watermark { epoch: self.epoch, next: self.taken.saturating_add(1) };
        let (mut arrival, _) = Watermark::judge(Some(known), epoch, seq);
        match arrival {
            StreamArrival::Duplicate if planted::is(Bug::TakenTwice) => {
                arrival = StreamArrival::Fresh;
            }
            StreamArrival::Gap { .. } if planted::is(Bug::GapTaken) => {
                arrival = StreamArrival::Fresh;
            }
            _ => {}
        }
        match arrival {
            StreamArrival::Fresh | StreamArrival::FreshEpoch { .. } => {
                self.enter(epoch);
                self.taken = seq;
                self.held.push_back(cost);
                self.held_bytes = self.held_bytes.saturating_add(cost);
                self.mend();
            }
            StreamArrival::Duplicate => self.debt = Debt::Now,
            StreamArrival::Gap { expected } => self.miss(expected, RefusalReason::Busy),
            StreamArrival::StaleEpoch { .. } => {}
        }
        arrival
    }

    /// A gap that its source knows of is being closed. Of one that is still to be told more may be
    /// missing than what just came.
    fn mend(&mut self) {
        if self.lapse == Lapse::Told {
            self.lapse = Lapse::None;
        }
    }

    fn miss(&mut self, seq: u64, reason: RefusalReason) {
        if self.lapse == Lapse::None {
            self.lapse = Lapse::Untold { seq, reason };
        }
    }

    /// This number was not kept after all, nor what followed it.
    pub(super) fn refuse(&mut self, seq: u64, reason: RefusalReason) {
        if seq > self.taken || seq <= self.durable {
            return;
        }
        for _ in seq..=self.taken {
            let Some(cost) = self.held.pop_back() else { break };
            self.held_bytes = self.held_bytes.saturating_sub(cost);
        }
        self.taken = seq.saturating_sub(1);
        self.miss(seq, reason);
    }

    /// Takes note that all up to this number is durable.
    pub(super) fn note_durable(&mut self, epoch: u64, seq: u64, now: Nanos) {
        self.enter(epoch);
        if epoch < self.epoch || seq <= self.durable {
            return;
        }
        for _ in self.durable..seq {
            let Some(cost) = self.held.pop_front() else { break };
            self.held_bytes = self.held_bytes.saturating_sub(cost);
        }
        let moved = u32::try_from(seq - self.durable).unwrap_or(u32::MAX);
        (self.durable, self.taken) = (seq, self.taken.max(seq));
        self.debt = match self.debt {
            Debt::None => Debt::Since { since: now, count: moved },
            Debt::Since { since, count } => {
                Debt::Since { since, count: count.saturating_add(moved) }
            }
            Debt::Now => Debt::Now,
        };
    }

    /// Its source asks how far it is. Questions are counted: one from an earlier link does not take
    /// the place of the one that is waited for.
    pub(super) fn ask(&mut self, epoch: u64, id: u64) {
        self.enter(epoch);
        let is_older = |asked: u64| id.wrapping_sub(asked).cast_signed() < 0;
        if epoch == self.epoch && !self.asked.is_some_and(is_older) {
            self.asked = Some(id);
            self.mend();
        }
    }

    /// Nothing that was said on a link holds on the next one; what is owed still is.
    pub(super) fn relink(&mut self) {
        (self.asked, self.told, self.lapse) = (None, None, Lapse::None);
    }

    /// Whether an acknowledgement may ride along.
    pub(super) fn owes(&self) -> bool {
        self.debt != Debt::None
    }

    /// When an acknowledgement goes by itself.
    pub(super) fn due(&self, config: &DeliveryConfig) -> Option<Nanos> {
        match self.debt {
            Debt::None => None,
            Debt::Since { .. } if planted::is(Bug::NeverByItself) => None,
            Debt::Since { since, count } if count < config.ack_every => {
                Some(since + config.ack_delay)
            }
            Debt::Since { .. } | Debt::Now => Some(Nanos::ZERO),
        }
    }

    /// Whether the source was left with less credit than it may have.
    pub(super) fn is_short(&self, cap: u64) -> bool {
        self.told.is_some_and(|told| told < cap)
    }

    /// Takes note of the credit that could be told. One that was short is told when it lets the
    /// source go on at length, and once more when it is whole: it may wait with something large.
    pub(super) fn offer_credit(&mut self, credit: u64, cap: u64) {
        let Some(told) = self.told.filter(|told| *told < cap) else { return };
        let half = cap / 2;
        let lets_go_on = told < half && (credit >= half || credit > told.saturating_mul(2));
        if lets_go_on || credit >= cap {
            self.debt = Debt::Now;
        }
    }

    /// What is told of the stream.
    pub(super) fn ack(&mut self, stream: u64, credit_bytes: u64) -> Ack {
        (self.debt, self.told) = (Debt::None, Some(credit_bytes));
        let durable = if planted::is(Bug::AckAdmitted) { self.taken } else { self.durable };
        Ack { stream, stream_epoch: self.epoch, durable, credit_bytes }
    }

    /// The refusal that its source is to be told. What was missing first may have come since, while
    /// more behind it was kept out: then the source goes on at what comes next.
    pub(super) fn take_lapse(&mut self) -> Option<(u64, RefusalReason)> {
        let Lapse::Untold { seq, reason } = self.lapse else { return None };
        self.lapse = Lapse::Told;
        let next = self.taken.saturating_add(1);
        Some(if seq < next { (next, RefusalReason::Busy) } else { (seq, reason) })
    }
}
