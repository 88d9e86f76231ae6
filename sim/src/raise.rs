//! Raising a Node: from its newest snapshot, or from nothing, to the end of its history.
//!
//! Law: the replay is the shipped one. What it says has to leave again leaves, and nothing else.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use samsara_proto::PeerId;
use samsara_runtime::{
    node::Node,
    recovery::{
        AbortRecord, Cursor, CursorSlot, Heard, History, HostPart, Log, Lsn, NodeSpec, Record,
        RecordKind, Replay, ReplayError, Replayed, Snapshots, Verdict,
    },
    snapshot::NodeSnapshot,
};

use crate::{
    disk::Disk,
    fact::Fact,
    hosted::{digest, left},
    mutant::Mutant,
    process::{End, Shared, poison},
};

/// A Node at the end of its history, before its life begins.
pub(crate) struct Raised {
    pub(crate) node: Node,
    pub(crate) replayed: Replayed,
    pub(crate) slot: CursorSlot,
    pub(crate) snapshots: Snapshots,
    /// The snapshot behind the newest, should that one rot.
    pub(crate) older: Option<Lsn>,
    pub(crate) blank: NodeSnapshot,
}

/// Raises a Node; one that fell in this process has its cursor there.
pub(crate) fn raise(
    id: usize,
    spec: &NodeSpec,
    shared: &mut Shared,
    fallen: Option<(CursorSlot, Option<Cursor>)>,
) -> Result<Raised, End> {
    let broken = |what: &dyn std::fmt::Display| End::Broken(format!("{}: {what}", spec.name()));
    let peer = spec.peer_id(&shared.host);
    let mut node = spec.install(&shared.host).map_err(|error| broken(&error))?;
    let blank = node.snapshot().map_err(|error| broken(&error))?;
    let natives = Arc::new(spec.program().registry().natives().clone());
    let snapshots = Snapshots::of(shared.lives.store(), &peer);
    let mut part = HostPart::new(spec.settings(), poison().letters_max);
    let found = snapshots.find(&shared.disk).map_err(|error| shared.end(&error))?;
    let older = found.whole.get(1).map(|older| older.lsn);
    if let Some(newest) = found.whole.into_iter().next() {
        part.fill(&newest.part, &natives).map_err(|error| broken(&error))?;
        node.restore_as(&newest.node, shared.life).map_err(|error| broken(&error))?;
    }
    shared.log.resume(&peer, part.head).map_err(|error| broken(&error))?;

    let mut history = History::default();
    each_record(&shared.log, &shared.disk, &peer, &mut |record| history.note(record))?;
    let (slot, mut cursor) = fallen.unwrap_or_else(|| shared.cursors.take(history.last()));
    if let Verdict::GiveUp(target) = history.verdict(cursor, poison().strikes_max) {
        history.may_give_up(&part).map_err(|full| broken(&full))?;
        let reason = "it fell too often".to_owned();
        let abort = AbortRecord { at: history.last(), target, reason };
        give_up(&abort, &peer, slot, shared)?;
        history.give_up(abort);
        cursor = None;
    }
    let mut replay = Replay::new(&history, &natives, part, spec.settings().snapshot, cursor);
    let is_loud = shared.plants(Mutant::LoudReplay);
    let Shared { disk, facts, cursors, log, .. } = &mut *shared;
    let mut hear = |heard: Heard<'_>| match heard {
        Heard::AtWork(cursor) => {
            // A cursor that is not written costs the next life a strike that it does not see.
            let _ = cursors.write(&mut disk.clone(), slot, Some(cursor));
        }
        Heard::Gave { first, steps, have_left } if !have_left || is_loud => {
            facts.extend((first..).zip(steps).map(|(number, step)| left(id, number, None, step)));
        }
        Heard::Gave { .. } => {}
    };
    let mut fell = false;
    each_record(log, disk, &peer, &mut |record| {
        if fell {
            return Ok(());
        }
        let moved = catch_unwind(AssertUnwindSafe(|| replay.go_on(&mut node, record, &mut hear)));
        fell = moved.is_err();
        moved.unwrap_or(Ok(()))
    })?;
    if fell {
        return Err(End::Fell);
    }
    let replayed = replay.end();
    shared.disk.point()?;
    let cleared = shared.cursors.write(&mut shared.disk, slot, None);
    match cleared.map_err(|error| shared.end(&error)) {
        Ok(()) | Err(End::Full) => {}
        Err(end) => return Err(end),
    }
    let (batch, digest) = (history.last(), digest(&mut node, &blank)?);
    shared.facts.push(Fact::Replayed { node: id, batch, digest });
    Ok(Raised { node, replayed, slot, snapshots, older, blank })
}

fn give_up(
    abort: &AbortRecord,
    peer: &PeerId,
    slot: CursorSlot,
    shared: &mut Shared,
) -> Result<(), End> {
    let appended = shared.log.append(peer, RecordKind::Abort, &abort.payload());
    appended.map_err(|error| End::Broken(error.to_string()))?;
    let Shared { log, disk, .. } = shared;
    let synced = log.write(disk).and_then(|_| log.sync(disk));
    synced.map_err(|error| shared.end(&error))?;
    let cleared = shared.cursors.write(&mut shared.disk, slot, None);
    cleared.map_err(|error| shared.end(&error))
}

fn each_record(
    log: &Log,
    disk: &Disk,
    peer: &PeerId,
    visit: &mut dyn FnMut(&Record<'_>) -> Result<(), ReplayError>,
) -> Result<(), End> {
    let mut went = Ok(());
    let read = log.read(disk, Lsn::ZERO, |record| {
        if went.is_ok() && record.node == *peer {
            went = visit(&record);
        }
    });
    read.map_err(|error| End::Broken(error.to_string()))?;
    went.map_err(|error| End::Broken(error.to_string()))
}
