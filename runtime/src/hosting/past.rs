//! What a Node was: read from where it is kept, and replayed.
//!
//! Law: a Node is replayed by its batches alone, with its outputs muted. Of all batches only the
//! last may have brought it down; so it is that one which is watched, counted, and given up in the
//! end. What it said reliably is offered to its courier again, which knows what of it is new.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use samsara_proto::PeerId;

use super::{Birth, Fallen, Journal, RaiseError, StoreFault, fault};
use crate::{
    delivery::{Courier, CourierStep, Station, Undelivered},
    event::IngressEvent,
    id::ExecId,
    node::{Batch, Node},
    planted::{self, Bug},
    recovery::{
        AbortRecord, Cursor, Durability, Head, Heard, History, HostPart, Lsn, NodeSpec, Record,
        RecordKind, Replay, Replayed, Snapshots, Verdict,
    },
    step::EngineStep,
    storage::FileName,
    time::Nanos,
};

/// A Node's host side at the end of its history, and what of it is to be told.
pub(super) struct Past {
    pub(super) replayed: Replayed,
    /// The snapshot behind the newest, should that one rot.
    pub(super) older: Option<Lsn>,
    pub(super) rotten: Vec<FileName>,
    pub(super) given_up: Option<AbortRecord>,
    /// The record of the last batch.
    pub(super) batch: Lsn,
    /// What the last batch has brought from the host.
    pub(super) brought: Vec<ExecId>,
    /// What the last batch gave, by its numbers: nobody knows whether it left.
    pub(super) open: Vec<(u64, EngineStep)>,
    pub(super) carried: Vec<CourierStep>,
}

/// Brings a Node that was just made to the end of its history, and its courier with it.
pub(super) fn recall(
    spec: &NodeSpec,
    birth: &Birth<'_>,
    station: Station,
    node: &mut Node,
    snapshots: &Snapshots,
    journal: &mut impl Journal,
    fallen: &mut Fallen,
) -> Result<Past, RaiseError> {
    let (poison, peer) = (birth.config.poison, station.peer);
    let natives = Arc::new(spec.program().registry().natives().clone());
    let mut part = HostPart::new(spec.settings(), poison.letters_max);
    let (mut history, mut tail) = (History::default(), Vec::new());
    let (mut older, mut rotten) = (None, Vec::new());
    if spec.outlives() != Durability::Volatile {
        let found = snapshots.find(journal.disk()).map_err(StoreFault::from)?;
        (older, rotten) = (found.whole.get(1).map(|older| older.lsn), found.rotten);
        if let Some(newest) = found.whole.into_iter().next() {
            part.fill(&newest.part, &natives).map_err(RaiseError::Beside)?;
            node.restore_as(&newest.node, station.life.incarnation)?;
        }
        journal.resume(&peer, part.head)?;
        tail = read_history(journal, &peer, &mut history)?;
    }
    let given_up = judge(spec, birth, &part, &mut history, &mut tail, journal, fallen)?;
    if fallen.courier.is_none() {
        fallen.courier = Some(courier(birth, station, &part.courier)?);
    }
    let config = spec.settings().snapshot;
    let replay = Replay::new(&history, &natives, part, config, fallen.cursor);
    let (brought, open, carried) = (Vec::new(), Vec::new(), Vec::new());
    let mut again = Again { node, replay, now: birth.now, fallen, brought, open, carried };
    let batch = history.last();
    if spec.outlives() != Durability::Volatile {
        again.replay_before(batch, &peer, journal)?;
        again.replay_tail(&tail, &peer, journal)?;
    }
    let Again { node, replay, fallen, brought, open, carried, .. } = again;
    if let Some(courier) = &fallen.courier {
        courier.verify(|peer, stream| node.watermark(peer, stream))?;
    }
    clear_cursor(journal, fallen)?;
    let replayed = replay.end();
    Ok(Past { replayed, older, rotten, given_up, batch, brought, open, carried })
}

/// A record of the tail: of the last batch of a history, or behind it.
struct Kept {
    lsn: Lsn,
    head: Head,
    kind: RecordKind,
    payload: Bytes,
}

impl Kept {
    fn of(record: &Record<'_>) -> Self {
        let Record { lsn, head, kind, payload, .. } = *record;
        Self { lsn, head, kind, payload: Bytes::copy_from_slice(payload) }
    }

    fn record(&self, node: PeerId) -> Record<'_> {
        let Self { lsn, head, kind, ref payload } = *self;
        Record { lsn, durable: Lsn::ZERO, node, head, kind, payload }
    }
}

/// Reads a history for what it says of itself, and keeps its tail.
fn read_history(
    journal: &mut impl Journal,
    peer: &PeerId,
    history: &mut History,
) -> Result<Vec<Kept>, RaiseError> {
    let (mut tail, mut went) = (Vec::new(), Ok(()));
    journal.read(peer, &mut |record| {
        if went.is_err() {
            return;
        }
        went = history.note(record);
        if record.kind == RecordKind::Batch {
            tail.clear();
        }
        if record.kind == RecordKind::Batch || !tail.is_empty() {
            tail.push(Kept::of(record));
        }
    })?;
    went?;
    Ok(tail)
}

/// Gives up what the Node has fallen over too often, by one more record of its history.
fn judge(
    spec: &NodeSpec,
    birth: &Birth<'_>,
    part: &HostPart,
    history: &mut History,
    tail: &mut Vec<Kept>,
    journal: &mut impl Journal,
    fallen: &mut Fallen,
) -> Result<Option<AbortRecord>, RaiseError> {
    let peer = &spec.peer_id(birth.host);
    if spec.outlives() == Durability::Durable && fallen.slot.is_none() {
        let (slot, left_behind) = journal.take_cursor(history.last());
        (fallen.slot, fallen.cursor) = (Some(slot), left_behind);
    }
    let verdict = history.verdict(fallen.cursor, birth.config.poison.strikes_max);
    let Verdict::GiveUp(target) = verdict else { return Ok(None) };
    history.may_give_up(part).map_err(RaiseError::NoRoomForLetters)?;
    let reason = "it fell too often".to_owned();
    let abort = AbortRecord { at: history.last(), target, reason };
    let (kind, payload) = (RecordKind::Abort, abort.payload());
    let lsn = journal.append(peer, kind, &payload)?;
    journal.force(lsn)?;
    clear_cursor(journal, fallen)?;
    let head = journal.head(peer).unwrap_or_default();
    tail.push(Kept { lsn, head, kind, payload });
    history.give_up(abort.clone());
    Ok(Some(abort))
}

/// The courier that goes on from a snapshot, or from the beginning: an earlier process may have
/// sent whatever the replay offers it.
fn courier(birth: &Birth<'_>, station: Station, section: &Bytes) -> Result<Courier, RaiseError> {
    let config = birth.config.delivery;
    let empty = || Courier::new(station, config).section();
    let section = if section.is_empty() { &empty() } else { section };
    Courier::restore(station, config, section).map_err(RaiseError::Beside)
}

fn clear_cursor(journal: &mut impl Journal, fallen: &mut Fallen) -> Result<(), StoreFault> {
    fallen.cursor = None;
    let Some(slot) = fallen.slot else { return Ok(()) };
    match journal.write_cursor(slot, None) {
        Ok(()) | Err(StoreFault::NoRoom(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A replay at work.
struct Again<'a> {
    node: &'a mut Node,
    replay: Replay<'a>,
    now: Nanos,
    fallen: &'a mut Fallen,
    brought: Vec<ExecId>,
    open: Vec<(u64, EngineStep)>,
    carried: Vec<CourierStep>,
}

impl Again<'_> {
    /// Replays what is long over.
    fn replay_before(
        &mut self,
        last: Lsn,
        peer: &PeerId,
        journal: &mut impl Journal,
    ) -> Result<(), RaiseError> {
        let mut went = Ok(());
        journal.read(peer, &mut |record| {
            if went.is_ok() && record.lsn < last {
                went = self.go_on(record, &mut |_| {});
            }
        })?;
        went
    }

    /// Replays the last batch, with what is at work written down.
    fn replay_tail(
        &mut self,
        tail: &[Kept],
        peer: &PeerId,
        journal: &mut impl Journal,
    ) -> Result<(), RaiseError> {
        let (slot, mut cursor) = (self.fallen.slot, self.fallen.cursor);
        let mut at_work = |begun: Cursor| {
            cursor = Some(begun);
            // A cursor that is not written costs the next life a strike that it does not see.
            slot.and_then(|slot| journal.write_cursor(slot, Some(begun)).ok());
        };
        let mut records = tail.iter().map(|kept| kept.record(*peer));
        let went = records.try_for_each(|record| self.go_on(&record, &mut at_work));
        self.fallen.cursor = cursor;
        went
    }

    fn go_on(
        &mut self,
        record: &Record<'_>,
        at_work: &mut dyn FnMut(Cursor),
    ) -> Result<(), RaiseError> {
        let Self { node, replay, now, fallen, brought, open, carried } = self;
        let mut said = Ok(());
        let mut hear = |heard: Heard<'_>| match heard {
            Heard::AtWork(cursor) => at_work(cursor),
            Heard::Gave { batch, first, steps, have_left } => {
                if !have_left {
                    brought
                        .extend(batch.events.iter().filter_map(|admitted| exec(&admitted.event)));
                }
                if !have_left || planted::is(Bug::LoudReplay) {
                    open.extend((first..).zip(steps.iter().cloned()));
                }
                if let Some(courier) = fallen.courier.as_mut().filter(|_| said.is_ok()) {
                    said = say_again(courier, batch, steps, *now, carried);
                }
                if have_left {
                    carried.retain(|step| !is_replayed(step));
                }
            }
        };
        let moved = catch_unwind(AssertUnwindSafe(|| replay.go_on(node, record, &mut hear)));
        moved.map_err(|panic| RaiseError::Fell { what: fault::said(&*panic) })??;
        said
    }
}

/// The execution of what a host has offered.
fn exec(event: &IngressEvent) -> Option<ExecId> {
    match event {
        IngressEvent::Invoke { exec, .. } | IngressEvent::AppEvent { exec, .. } => Some(*exec),
        _ => None,
    }
}

/// A replayed batch, for the courier: its events are durable, and what it gave may be new to it.
fn say_again(
    courier: &mut Courier,
    batch: &Batch,
    steps: &[EngineStep],
    now: Nanos,
    carried: &mut Vec<CourierStep>,
) -> Result<(), RaiseError> {
    if !planted::is(Bug::ReplayWithoutSynced) {
        courier.synced(&batch.events, now)?;
    }
    for step in steps.iter().filter(|_| !planted::is(Bug::ReplayWithoutOffers)) {
        if let EngineStep::SendEnvelope { to, class, envelope } = step {
            let envelope = (**envelope).clone();
            if planted::is(Bug::OfferedAsNew) {
                courier.offer(*to, *class, envelope, now, carried)?;
            } else {
                courier.offer_again(*to, *class, envelope, now, carried)?;
            }
        }
    }
    Ok(())
}

/// Best effort that the replay gave in vain. What left before was told when it was new.
fn is_replayed(step: &CourierStep) -> bool {
    matches!(step, CourierStep::Dropped { reason: Undelivered::Replayed, .. })
}
