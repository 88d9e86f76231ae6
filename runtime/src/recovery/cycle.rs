//! The host cycle: in which order a turn is taken, kept, acknowledged, applied and released.
//!
//! Law: this is the only place that knows the order. Nothing is acknowledged before it is as durable
//! as its Node is to be, nothing is applied before that is acknowledged, and no output leaves before
//! the batch that gave it is kept. A host does one act after the other and says when it is done; an
//! act that is not its turn is refused.
//!
//! ```
//! use samsara_runtime::{
//!     config::NodeConfig, node::Wakeup, recovery::{Act, Durability, HostCycle, Lsn}, time::Nanos,
//! };
//!
//! let mut cycle = HostCycle::new(Durability::Durable, &NodeConfig::default());
//! assert_eq!(cycle.next(Wakeup::Never, Nanos::ZERO), Act::Rest(Wakeup::Never));
//! assert_eq!(cycle.next(Wakeup::Now, Nanos::ZERO), Act::Take);
//! cycle.took(1)?;
//! assert_eq!(cycle.next(Wakeup::Now, Nanos::ZERO), Act::Append);
//! cycle.appended(Lsn::new(1), 100)?;
//! assert_eq!(cycle.next(Wakeup::Now, Nanos::ZERO), Act::Sync(Lsn::new(1)));
//! assert!(cycle.acked().is_err(), "not before it is durable");
//! cycle.synced(Lsn::new(1))?;
//! assert_eq!(cycle.next(Wakeup::Now, Nanos::ZERO), Act::Ack(Some(Lsn::new(1))));
//! cycle.acked()?;
//! assert_eq!(cycle.next(Wakeup::Now, Nanos::ZERO), Act::Apply(Some(Lsn::new(1))));
//! cycle.applied(&[])?;
//! assert_eq!(cycle.next(Wakeup::Never, Nanos::ZERO), Act::Release);
//! cycle.released([].into_iter(), drop)?;
//! # Ok::<(), samsara_runtime::recovery::OutOfOrder>(())
//! ```

use bytes::Bytes;
use samsara_ingress::Fenced;

use super::{
    cadence::Cadence,
    offers::Offers,
    outputs::{OutputMark, StepMarks},
    payload::TurnRecord,
    record::Lsn,
    replay::Replayed,
};
use crate::{
    config::NodeConfig,
    node::{Node, Taken, Wakeup},
    planted::{self, Bug},
    step::EngineStep,
    time::Nanos,
};

/// What a Node's history is to outlive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing: a Node that falls begins anew.
    Volatile,
    /// A fall of the Node: its records are in memory.
    #[default]
    Memory,
    /// A loss of power.
    Durable,
}

/// What a host does next for a Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Take a turn of the mailbox: [`Node::take`](crate::node::Node::take).
    Take,
    /// Append the [record](HostCycle::record) of what was taken to the log, and at once let it
    /// leave the mailbox: [`Node::commit`](crate::node::Node::commit). A log that is full may be
    /// tried again.
    Append,
    /// Make the log durable up to this record, alone or with those of others.
    Sync(Lsn),
    /// Let the turn leave the mailbox if it has not, and tell those who wait that what was taken
    /// is kept; of a Node that keeps no journal there is no record.
    Ack(Option<Lsn>),
    /// Write the cursor, apply the batch, clear the cursor.
    Apply(Option<Lsn>),
    /// Let out what the batch has given.
    Release,
    /// Write a snapshot of the Node and of [this](HostCycle::part).
    Capture,
    /// Nothing, until then or a push; or, if too many outputs wait for their host, until it has
    /// taken some.
    Rest(Wakeup),
}

/// How far the turn at work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Resting,
    Taken,
    Appended(Lsn),
    /// As durable as it is to be.
    Kept(Option<Lsn>),
    Acked(Option<Lsn>),
    Applied,
}

/// An act was reported that was not the one to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{did} was done out of order, wanted {wanted}")]
#[non_exhaustive]
pub struct OutOfOrder {
    /// What was done.
    pub did: &'static str,
    /// What was to be done.
    pub wanted: &'static str,
}

/// The cycle of one Node.
#[derive(Clone, Debug, PartialEq)]
pub struct HostCycle {
    durability: Durability,
    stage: Stage,
    /// All outputs so far, and those of the last turn.
    mark: OutputMark,
    marks: StepMarks,
    offers: Offers,
    cadence: Cadence,
    /// Events of the turn at work.
    events: u64,
    /// Bytes of the last record.
    length: usize,
}

impl HostCycle {
    /// The cycle of a Node without a history.
    pub fn new(durability: Durability, config: &NodeConfig) -> Self {
        Self {
            durability,
            stage: Stage::Resting,
            mark: OutputMark::default(),
            marks: StepMarks::default(),
            offers: Offers::new(config.state.max_invocations),
            cadence: Cadence::new(config.snapshot),
            events: 0,
            length: 0,
        }
    }

    /// The cycle of a Node that was brought to the end of its history.
    pub fn resume(durability: Durability, replayed: Replayed) -> Self {
        let Replayed { mark, marks, offers, cadence, .. } = replayed;
        let stage = Stage::Resting;
        let mark = if planted::is(Bug::NumbersAnew) { OutputMark::default() } else { mark };
        Self { durability, stage, mark, marks, offers, cadence, events: 0, length: 0 }
    }

    /// What to do now, of a Node that makes progress by itself at `wakeup`.
    pub fn next(&self, wakeup: Wakeup, now: Nanos) -> Act {
        match self.stage {
            Stage::Resting => self.at_rest(wakeup, now),
            Stage::Taken => Act::Append,
            Stage::Appended(lsn) => Act::Sync(lsn),
            Stage::Kept(lsn) => Act::Ack(lsn),
            Stage::Acked(lsn) => Act::Apply(lsn),
            Stage::Applied => Act::Release,
        }
    }

    fn at_rest(&self, wakeup: Wakeup, now: Nanos) -> Act {
        let is_due = match wakeup {
            Wakeup::Now => true,
            Wakeup::At(due) => due <= now,
            Wakeup::Never => false,
        };
        if self.durability != Durability::Volatile && self.cadence.is_due() {
            Act::Capture
        } else if self.offers.is_full() {
            Act::Rest(Wakeup::Never)
        } else if is_due {
            Act::Take
        } else {
            Act::Rest(wakeup)
        }
    }

    /// A turn of so many events was taken.
    pub fn took(&mut self, events: usize) -> Result<(), OutOfOrder> {
        self.expect(self.stage == Stage::Resting, "take")?;
        self.events = events as u64;
        self.stage = match self.durability {
            Durability::Volatile => Stage::Kept(None),
            Durability::Memory | Durability::Durable => Stage::Taken,
        };
        Ok(())
    }

    /// The payload of the record of the turn at work, which this Node has taken.
    pub fn record(&mut self, node: &Node, taken: &Taken) -> Result<Bytes, Fenced> {
        let mut out = TurnRecord::begin(&self.mark, &self.marks, self.length);
        node.encode_into(taken, &mut out)?;
        // The next turn is about as long.
        self.length = out.len();
        Ok(out.into_bytes())
    }

    /// The record of the turn was appended, with a payload of so many bytes.
    pub fn appended(&mut self, lsn: Lsn, bytes: usize) -> Result<(), OutOfOrder> {
        self.expect(self.stage == Stage::Taken, "append")?;
        self.cadence.note(lsn, self.events, bytes as u64);
        self.stage = match self.durability {
            Durability::Volatile | Durability::Memory => Stage::Kept(Some(lsn)),
            Durability::Durable => Stage::Appended(lsn),
        };
        Ok(())
    }

    /// The log is durable up to this record, which may be one before that of the turn.
    pub fn synced(&mut self, durable: Lsn) -> Result<(), OutOfOrder> {
        let Stage::Appended(lsn) = self.stage else { return self.expect(false, "sync") };
        if durable >= lsn {
            self.stage = Stage::Kept(Some(lsn));
        }
        Ok(())
    }

    /// Those who wait for the turn have been told.
    pub fn acked(&mut self) -> Result<(), OutOfOrder> {
        let Stage::Kept(lsn) = self.stage else { return self.expect(false, "acknowledge") };
        self.stage = Stage::Acked(lsn);
        Ok(())
    }

    /// The batch was applied, and gave these steps: the first bears the number behind
    /// [`outputs`](Self::outputs).
    pub fn applied(&mut self, steps: &[EngineStep]) -> Result<(), OutOfOrder> {
        self.expect(matches!(self.stage, Stage::Acked(_)), "apply")?;
        if self.durability == Durability::Volatile {
            self.mark = self.mark.counting(steps);
        } else {
            (self.mark, self.marks) = self.mark.after(steps);
        }
        self.stage = Stage::Applied;
        Ok(())
    }

    /// What the batch gave has left, all of it: what is for the host is offered in each life until
    /// it has that, and the rest is given back.
    pub fn released(
        &mut self,
        steps: impl ExactSizeIterator<Item = EngineStep>,
        mut rest: impl FnMut(EngineStep),
    ) -> Result<(), OutOfOrder> {
        self.expect(self.stage == Stage::Applied, "release")?;
        let first = self.mark.count.saturating_add(1).saturating_sub(steps.len() as u64);
        for (number, step) in (first..).zip(steps) {
            if Offers::takes(&step) {
                self.offers.put(number, step);
            } else {
                rest(step);
            }
        }
        self.stage = Stage::Resting;
        Ok(())
    }

    /// A snapshot that holds all up to this record was written, and read back whole.
    pub fn captured(&mut self, lsn: Lsn) -> Result<(), OutOfOrder> {
        self.expect(self.stage == Stage::Resting, "capture")?;
        self.cadence.captured(lsn);
        Ok(())
    }

    /// All outputs so far.
    pub fn outputs(&self) -> OutputMark {
        self.mark
    }

    /// What waits for the host.
    pub fn offers(&self) -> &Offers {
        &self.offers
    }

    /// Notes that the host has all outputs up to this number, which a record of
    /// [`ack_payload`](super::ack_payload) has to tell the history.
    pub fn taken_up_to(&mut self, number: u64) {
        self.offers.take_up_to(number);
    }

    pub(super) fn parts(&self) -> (OutputMark, StepMarks, Offers) {
        (self.mark, self.marks.clone(), self.offers.clone())
    }

    /// When the Node is captured, and what the log keeps for it.
    pub fn cadence(&mut self) -> &mut Cadence {
        &mut self.cadence
    }

    fn expect(&self, is_in_order: bool, did: &'static str) -> Result<(), OutOfOrder> {
        let wanted = match self.stage {
            Stage::Resting => "take or capture",
            Stage::Taken => "append",
            Stage::Appended(_) => "sync",
            Stage::Kept(_) => "acknowledge",
            Stage::Acked(_) => "apply",
            Stage::Applied => "release",
        };
        if is_in_order { Ok(()) } else { Err(OutOfOrder { did, wanted }) }
    }
}
