//! The acts of the host cycle, done.
//!
//! Law: the cycle says what is next and hears when it was done; no other file does either. An act
//! that was not done for want of room is the next one again, with nothing of it lost.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Breach, Did, Ground, Halt, Journal, Resident, StoreFault, Word, fault};
use crate::{
    node::Wakeup,
    planted::{self, Bug},
    recovery::{Act, Cursor, Durability, Lsn, RecordKind},
    step::EngineStep,
    time::Nanos,
};

impl Resident {
    /// Does the one act that is next.
    pub fn act<G: Ground>(&mut self, ground: &mut G, now: Nanos) -> Result<Did, Halt> {
        let act = self.next(now);
        let waits = match act {
            Act::Take => self.take(now)?,
            Act::Append => self.append(ground.journal())?,
            Act::Sync(lsn) => self.sync(ground.journal(), lsn)?,
            Act::Ack(lsn) => self.acknowledge(ground, lsn, now)?,
            Act::Apply(lsn) => self.apply(ground.journal(), lsn)?,
            Act::Release => self.release(ground, now)?,
            Act::Capture => self.capture(ground)?,
            Act::Rest(_) => return Ok(self.rest(ground, act, now)),
        };
        Ok(waits.map_or(Did::Act(act), Did::Waits))
    }

    fn take(&mut self, now: Nanos) -> Result<Option<Lsn>, Halt> {
        let taken = self.node.take(now);
        self.cycle.took(taken.events())?;
        self.courier.put_back(taken.unplaced());
        self.taken = Some(taken);
        Ok(None)
    }

    fn append(&mut self, journal: &mut impl Journal) -> Result<Option<Lsn>, Halt> {
        let Some(taken) = self.taken.take() else { return Err(Breach::TurnLost.into()) };
        let payload = self.cycle.record(&self.node, &taken)?;
        let lsn = match journal.append(&self.peer, RecordKind::Batch, &payload) {
            Ok(lsn) => lsn,
            Err(error) => {
                self.taken = Some(taken);
                return Err(error.into());
            }
        };
        self.cycle.appended(lsn, payload.len())?;
        self.node.commit_to(taken, &mut self.batch)?;
        self.last = lsn;
        Ok(None)
    }

    fn sync(&mut self, journal: &mut impl Journal, lsn: Lsn) -> Result<Option<Lsn>, Halt> {
        let durable = if planted::is(Bug::AckBeforeSync) { lsn } else { journal.sync(lsn)? };
        self.cycle.synced(durable)?;
        Ok((durable < lsn).then_some(lsn))
    }

    fn acknowledge<G: Ground>(
        &mut self,
        ground: &mut G,
        lsn: Option<Lsn>,
        now: Nanos,
    ) -> Result<Option<Lsn>, Halt> {
        if let Some(taken) = self.taken.take() {
            self.node.commit_to(taken, &mut self.batch)?;
        }
        self.cycle.acked()?;
        self.courier.synced(&self.batch.events, now).map_err(Breach::from)?;
        ground.hear(&self.peer, Word::Acked { lsn, events: &self.batch.events });
        self.poll(ground, now);
        Ok(None)
    }

    fn apply(&mut self, journal: &mut impl Journal, lsn: Option<Lsn>) -> Result<Option<Lsn>, Halt> {
        self.write_cursor(journal, lsn.map(|lsn| Cursor::before(lsn, None)))?;
        self.steps.clear();
        let (node, batch, steps) = (&mut self.node, &self.batch, &mut self.steps);
        catch_unwind(AssertUnwindSafe(|| node.apply(batch, steps))).map_err(fell)?;
        self.write_cursor(journal, None)?;
        self.cycle.applied(&self.steps)?;
        Ok(None)
    }

    /// A Node whose process takes all with it has its cursor in the process.
    fn write_cursor(
        &mut self,
        journal: &mut impl Journal,
        cursor: Option<Cursor>,
    ) -> Result<(), Halt> {
        self.cursor = cursor;
        let Some(slot) = self.slot else { return Ok(()) };
        match journal.write_cursor(slot, cursor) {
            // A cursor is a courtesy to the next life: without room it is not written.
            Ok(()) | Err(StoreFault::NoRoom(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn release<G: Ground>(&mut self, ground: &mut G, now: Nanos) -> Result<Option<Lsn>, Halt> {
        let Self { peer, steps, cycle, courier, carried, .. } = self;
        let last = cycle.outputs().count;
        let first = last.saturating_add(1).saturating_sub(steps.len() as u64);
        for (number, step) in (first..).zip(&*steps) {
            ground.hear(peer, Word::Left { number, step, is_again: false });
        }
        let mut said = Ok(());
        cycle.released(steps.drain(..), |step| {
            if let EngineStep::SendEnvelope { to, class, envelope } = step
                && said.is_ok()
                && !planted::is(Bug::LostOffer)
            {
                said = courier.offer(to, class, *envelope, now, carried);
            }
        })?;
        said.map_err(Breach::from)?;
        self.poll(ground, now);
        Ok(None)
    }

    fn capture<G: Ground>(&mut self, ground: &mut G) -> Result<Option<Lsn>, Halt> {
        let (lsn, journal) = (self.last, ground.journal());
        if journal.sync(lsn)? < lsn {
            return Ok(Some(lsn));
        }
        let head = journal.head(&self.peer).unwrap_or_default();
        let node = &mut self.node;
        let snapshot = catch_unwind(AssertUnwindSafe(|| node.snapshot())).map_err(fell)?;
        let snapshot = snapshot.map_err(Breach::from)?;
        let mut part = self.cycle.part(lsn, head, &self.letters, self.courier.section());
        if planted::is(Bug::SnapshotWithoutCourier) {
            part.courier.clear();
        }
        self.snapshots.keep(journal.disk(), &snapshot, &part).map_err(StoreFault::from)?;
        self.cycle.captured(lsn)?;
        if let Some(older) = self.cycle.cadence().older() {
            self.snapshots.prune(journal.disk(), older).map_err(StoreFault::from)?;
        }
        ground.hear(&self.peer, Word::Captured { lsn });
        Ok(None)
    }

    fn rest<G: Ground>(&mut self, ground: &mut G, act: Act, now: Nanos) -> Did {
        self.poll(ground, now);
        // What the courier has decided may be an event for the Node.
        let Act::Rest(wakeup) = self.next(now) else { return Did::Act(act) };
        Did::Rest(match (wakeup, self.courier.next_due()) {
            (Wakeup::Now, _) => Wakeup::Now,
            (Wakeup::At(due), Some(own)) => Wakeup::At(due.min(own)),
            (Wakeup::At(due), None) | (Wakeup::Never, Some(due)) => Wakeup::At(due),
            (Wakeup::Never, None) => Wakeup::Never,
        })
    }

    /// What the next act will be.
    pub fn next(&self, now: Nanos) -> Act {
        self.cycle.next(self.node.next_wakeup(), now)
    }

    /// Notes that the host has all outputs up to this number. The record that says so is given back,
    /// of a Node that keeps any: when it is durable, no life offers them again.
    pub fn took_outputs<G: Ground>(
        &mut self,
        ground: &mut G,
        up_to: u64,
    ) -> Result<Option<Lsn>, StoreFault> {
        let mut told = None;
        if self.spec.outlives() != Durability::Volatile {
            let payload = crate::recovery::ack_payload(up_to);
            self.last = ground.journal().append(&self.peer, RecordKind::Ack, &payload)?;
            told = Some(self.last);
        }
        self.cycle.taken_up_to(up_to);
        Ok(told)
    }
}

pub(super) fn fell(panic: Box<dyn std::any::Any + Send>) -> Halt {
    Halt::Fell { what: fault::said(&*panic) }
}
