//! A Node in a process: what the cycle says is done here, act for act.
//!
//! Law: no act is done that the cycle has not asked for, and each is reported to it when it is done.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use samsara_proto::PeerId;
use samsara_runtime::{
    event::{Control, IngressEvent},
    id::ExecId,
    node::{Batch, Node, Taken, Wakeup},
    recovery::{
        Act, Cursor, CursorSlot, DeadLetters, HostCycle, Lsn, NodeSpec, RecordKind, Snapshots,
        ack_payload,
    },
    snapshot::NodeSnapshot,
    step::EngineStep,
    time::Nanos,
};

use crate::{
    fact::Fact,
    mutant::Mutant,
    process::{Did, End, Shared},
    raise::{Raised, raise},
};

/// A Node that a process carries.
pub(crate) struct Hosted {
    pub(crate) id: usize,
    spec: NodeSpec,
    peer: PeerId,
    pub(crate) node: Node,
    pub(crate) cycle: HostCycle,
    pub(crate) letters: DeadLetters,
    snapshots: Snapshots,
    slot: CursorSlot,
    taken: Option<Taken>,
    batch: Batch,
    steps: Vec<EngineStep>,
    last: Lsn,
    /// What is at work, as it is on the disk.
    cursor: Option<Cursor>,
    /// A snapshot of the Node as it was made: its parts that no history brings back.
    blank: NodeSnapshot,
    /// Calls that were admitted and are not acknowledged.
    pub(crate) calls: BTreeMap<ExecId, u64>,
    /// The Node falls in its next batch.
    pub(crate) is_fragile: bool,
    pub(crate) has_captured: bool,
}

impl Hosted {
    /// The Node in the first life of a process.
    pub(crate) fn boot(id: usize, spec: &NodeSpec, shared: &mut Shared) -> Result<Self, End> {
        let raised = raise(id, spec, shared, None)?;
        Self::begin(id, spec.clone(), raised, shared, None)
    }

    /// The Node in a new life, after it fell in this process.
    pub(crate) fn rise(self, shared: &mut Shared) -> Result<Self, End> {
        let Self { id, spec, node, slot, cursor, calls, .. } = self;
        let zombie = node.ingress_handle().for_life(node.incarnation().get());
        shared.log.write(&mut shared.disk).map_err(|error| shared.end(&error))?;
        let raised = raise(id, &spec, shared, Some((slot, cursor)))?;
        let mut risen = Self::begin(id, spec, raised, shared, Some(node.into_mailbox()))?;
        risen.calls = calls;
        let is_refused = zombie.try_push(IngressEvent::Control(Control::Clear), 0).is_err();
        shared.facts.push(Fact::Zombie { node: id, is_refused });
        Ok(risen)
    }

    fn begin(
        id: usize,
        spec: NodeSpec,
        raised: Raised,
        shared: &mut Shared,
        mailbox: Option<samsara_runtime::node::Mailbox>,
    ) -> Result<Self, End> {
        let Raised { mut node, replayed, slot, snapshots, older, blank } = raised;
        let (letters, last) = (replayed.letters.clone(), replayed.last);
        let mut cycle = HostCycle::resume(spec.outlives(), replayed);
        if let Some(older) = older {
            cycle.cadence().found_older(older);
        }
        for offer in cycle.offers().iter() {
            shared.facts.push(left(id, offer.number, None, &offer.step));
        }
        let broken = |error| End::Broken(format!("a life could not begin: {error}"));
        node.begin_life(shared.life, mailbox).map_err(broken)?;
        let peer = spec.peer_id(&shared.host);
        Ok(Self {
            id,
            spec,
            peer,
            node,
            cycle,
            letters,
            snapshots,
            slot,
            taken: None,
            batch: Batch::default(),
            steps: Vec::new(),
            last,
            cursor: None,
            blank,
            calls: BTreeMap::new(),
            is_fragile: false,
            has_captured: false,
        })
    }

    /// Does what the cycle says.
    pub(crate) fn act(&mut self, shared: &mut Shared, now: Nanos) -> Result<Did, End> {
        shared.disk.point()?;
        match self.cycle.next(self.node.next_wakeup(), now) {
            Act::Take => {
                let taken = self.node.take(now);
                self.cycle.took(taken.events()).map_err(out_of_order)?;
                self.taken = Some(taken);
            }
            Act::Append => self.append(shared)?,
            Act::Sync(lsn) => {
                self.sync(shared, lsn)?;
                return Ok(Did::Sync);
            }
            Act::Ack(_) => self.ack(shared)?,
            Act::Apply(lsn) => self.apply(shared, lsn)?,
            Act::Release => self.release(shared)?,
            Act::Capture => {
                self.capture(shared)?;
                return Ok(Did::Sync);
            }
            Act::Rest(Wakeup::At(due)) => return Ok(Did::Rest(Some(due))),
            Act::Rest(Wakeup::Now | Wakeup::Never) => return Ok(Did::Rest(None)),
        }
        Ok(Did::Act)
    }

    fn append(&mut self, shared: &mut Shared) -> Result<(), End> {
        let Some(taken) = self.taken.take() else { return Err(lost("what was taken")) };
        let Ok(bytes) = self.node.encode(&taken) else { return Err(lost("the mailbox")) };
        let payload = self.cycle.record(&bytes);
        let lsn = match shared.log.append(&self.peer, RecordKind::Batch, &payload) {
            Ok(lsn) => lsn,
            Err(error) => return Err(End::Broken(error.to_string())),
        };
        self.cycle.appended(lsn, payload.len()).map_err(out_of_order)?;
        self.batch = self.node.commit(taken).map_err(|_| lost("the mailbox"))?;
        self.last = lsn;
        Ok(())
    }

    fn sync(&mut self, shared: &mut Shared, lsn: Lsn) -> Result<(), End> {
        let Shared { log, disk, .. } = shared;
        log.write(disk).map_err(|error| shared.end(&error))?;
        let durable = if shared.plants(Mutant::AckBeforeSync) {
            lsn
        } else {
            let Shared { log, disk, .. } = shared;
            log.sync(disk).map_err(|error| shared.end(&error))?
        };
        self.cycle.synced(durable).map_err(out_of_order)
    }

    fn ack(&mut self, shared: &mut Shared) -> Result<(), End> {
        if let Some(taken) = self.taken.take() {
            self.batch = self.node.commit(taken).map_err(|_| lost("the mailbox"))?;
        }
        for admitted in &self.batch.events {
            let (IngressEvent::Invoke { exec, .. } | IngressEvent::AppEvent { exec, .. }) =
                &admitted.event
            else {
                continue;
            };
            if let Some(call) = self.calls.remove(exec) {
                shared.facts.push(Fact::Acked { node: self.id, call, exec: *exec });
            }
        }
        self.cycle.acked().map_err(out_of_order)
    }

    fn apply(&mut self, shared: &mut Shared, lsn: Option<Lsn>) -> Result<(), End> {
        self.cursor = lsn.map(|lsn| Cursor::before(lsn, None));
        self.write_cursor(shared)?;
        if std::mem::take(&mut self.is_fragile) {
            return Err(End::Fell);
        }
        self.steps.clear();
        let (node, batch, steps) = (&mut self.node, &self.batch, &mut self.steps);
        catch_unwind(AssertUnwindSafe(|| node.apply(batch, steps))).map_err(|_| End::Fell)?;
        shared.disk.point()?;
        self.cursor = None;
        self.write_cursor(shared)?;
        self.cycle.applied(&self.steps).map_err(out_of_order)?;
        let digest = digest(&mut self.node, &self.blank)?;
        let batch = lsn.unwrap_or_default();
        shared.facts.push(Fact::Applied { node: self.id, batch, digest });
        Ok(())
    }

    fn write_cursor(&self, shared: &mut Shared) -> Result<(), End> {
        let Shared { cursors, disk, .. } = shared;
        let written = cursors.write(disk, self.slot, self.cursor);
        match written.map_err(|error| shared.end(&error)) {
            // A cursor is a courtesy to the next life: without room it is not written.
            Ok(()) | Err(End::Full) => Ok(()),
            Err(end) => Err(end),
        }
    }

    fn release(&mut self, shared: &mut Shared) -> Result<(), End> {
        let last = self.cycle.outputs().count;
        let first = last.saturating_add(1).saturating_sub(self.steps.len() as u64);
        for (number, step) in (first..).zip(&self.steps) {
            shared.disk.point()?;
            shared.facts.push(left(self.id, number, Some(first), step));
            if matches!(step, EngineStep::SendEnvelope { .. }) {
                shared.facts.push(Fact::NotCarried { node: self.id });
            }
        }
        self.cycle.released().map_err(out_of_order)?;
        if !self.steps.is_empty() {
            self.cycle.taken_up_to(last);
            let payload = ack_payload(last);
            let appended = shared.log.append(&self.peer, RecordKind::Ack, &payload);
            self.last = appended.map_err(|error| End::Broken(error.to_string()))?;
            shared.told.push((self.last, self.id, last));
        }
        Ok(())
    }

    fn capture(&mut self, shared: &mut Shared) -> Result<(), End> {
        let Shared { log, disk, .. } = shared;
        let synced = log.write(disk).and_then(|_| log.sync(disk));
        synced.map_err(|error| shared.end(&error))?;
        let Some(head) = shared.log.head(&self.peer) else { return Err(lost("its records")) };
        let snapshot = self.node.snapshot().map_err(|error| End::Broken(error.to_string()))?;
        let part = self.cycle.part(self.last, head, &self.letters);
        shared.disk.set_lying(shared.plants(Mutant::UnsyncedSnapshot));
        let kept = self.snapshots.keep(&mut shared.disk, &snapshot, &part);
        shared.disk.set_lying(false);
        kept.map_err(|error| shared.end(&error))?;
        self.cycle.captured(self.last).map_err(out_of_order)?;
        self.has_captured = true;
        shared.facts.push(Fact::Captured { node: self.id, lsn: self.last });
        let Some(older) = self.cycle.cadence().older() else { return Ok(()) };
        let pruned = self.snapshots.prune(&mut shared.disk, older);
        pruned.map_err(|error| shared.end(&error))
    }

    /// The files of its snapshots.
    pub(crate) fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.spec.name()
    }
}

pub(crate) fn left(node: usize, number: u64, turn: Option<u64>, step: &EngineStep) -> Fact {
    let hash = *blake3::hash(format!("{step:?}").as_bytes()).as_bytes();
    Fact::Left { node, number, turn, hash }
}

/// A hash of what its history has made of a Node. Left out is what its door has done beside it: the
/// ids that were given there.
pub(crate) fn digest(node: &mut Node, blank: &NodeSnapshot) -> Result<[u8; 32], End> {
    let snapshot = node.snapshot().map_err(|error| End::Broken(error.to_string()))?;
    let bare = snapshot.with_part_of("admissions", blank);
    Ok(bare.digest())
}

fn lost(what: &str) -> End {
    End::Broken(format!("{what} was lost in the middle of a turn"))
}

fn out_of_order(error: samsara_runtime::recovery::OutOfOrder) -> End {
    End::Broken(error.to_string())
}
