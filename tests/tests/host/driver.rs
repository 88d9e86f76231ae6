//! A host of one Node on one thread: it does what the cycle says, and can end anywhere.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use samsara_proto::PeerId;
use samsara_runtime::{
    config::{JournalConfig, PoisonConfig},
    event::IngressEvent,
    id::Incarnation,
    node::{Batch, Mailbox, Node, Taken, Wakeup},
    recovery::{
        AbortRecord, Act, Cursor, CursorSlot, Cursors, DeadLetters, Heard, History, HostCycle,
        HostPart, LetterId, Lives, Log, Lsn, NodeSpec, Record, RecordKind, Replay, ReplayError,
        Snapshots, Verdict, ack_payload, gone_payload,
    },
    rng::Rng,
    step::EngineStep,
    storage::{PowerLoss, Storage},
    time::Nanos,
    value::Value,
};
use samsara_sim::{Cut, Disk};

use super::tally::Tally;

/// Why a host is no more.
#[derive(Debug)]
pub(super) enum End {
    /// Its process was cut.
    Cut,
    /// Its Node fell, and it with it.
    Fell,
    /// Its Node falls, and what it falls over cannot be given up.
    Stuck,
    /// Its history is not one.
    Replay(ReplayError),
}

impl From<Cut> for End {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}

/// In these tests a disk fails only where the process is cut.
fn cut<E: std::fmt::Debug>(_: E) -> End {
    End::Cut
}

/// What is outside of the process.
#[derive(Debug)]
pub(super) struct World {
    pub(super) disk: Disk,
    pub(super) spec: NodeSpec,
    pub(super) now: Nanos,
    /// Numbers that the host was told are kept.
    pub(super) acked: Vec<u64>,
    /// What left the Node, by its number.
    pub(super) released: BTreeMap<u64, EngineStep>,
    pub(super) lives: Vec<Incarnation>,
    /// Whether the consumer says what it has.
    pub(super) takes: bool,
    pub(super) letters_max: u32,
    /// Seeds one generator a process.
    seed: u64,
}

impl World {
    pub(super) fn new(spec: NodeSpec) -> Self {
        let (disk, now) = (Disk::default(), Nanos::ZERO);
        let (acked, released, lives) = (Vec::new(), BTreeMap::new(), Vec::new());
        let letters_max = PoisonConfig::default().letters_max;
        Self { disk, spec, now, acked, released, lives, takes: true, letters_max, seed: 0 }
    }

    pub(super) fn peer(&self) -> PeerId {
        self.spec.peer_id(&PeerId::from(7))
    }

    /// An output reaches the world. One that comes again is the one that came before.
    fn release(&mut self, number: u64, step: &EngineStep) {
        let known = self.released.entry(number).or_insert_with(|| step.clone());
        assert_eq!(known, step, "two outputs of number {number}");
    }
}

pub(super) struct Host {
    disk: Disk,
    pub(super) node: Node,
    pub(super) log: Log,
    pub(super) cycle: HostCycle,
    pub(super) letters: DeadLetters,
    snapshots: Snapshots,
    cursors: Cursors,
    slot: CursorSlot,
    peer: PeerId,
    taken: Option<Taken>,
    batch: Batch,
    steps: Vec<EngineStep>,
    /// The last record before this life.
    last: Lsn,
}

pub(super) fn journal() -> JournalConfig {
    JournalConfig { segment_bytes: 4_096, max_record_bytes: 2_048, ..JournalConfig::edge() }
}

/// The life, the log, and what else a process opens.
struct Opened {
    life: Incarnation,
    log: Log,
    cursors: Cursors,
    snapshots: Snapshots,
}

fn open(world: &mut World) -> Result<Opened, End> {
    let mut disk = world.disk.clone();
    disk.lock().map_err(cut)?;
    world.seed += 1;
    let mut rng = Rng::from_seed(world.seed);
    let mut lives = Lives::open(&mut disk, &mut rng).map_err(cut)?;
    let life = lives.bump(&mut disk, &mut rng).map_err(cut)?.incarnation;
    assert!(world.lives.last().is_none_or(|last| *last < life), "a life is given twice");
    world.lives.push(life);
    let log = Log::open(&mut disk, lives.store(), journal(), rng).map_err(cut)?.log;
    let cursors = Cursors::open(&mut disk).map_err(cut)?;
    let snapshots = Snapshots::of(lives.store(), &world.peer());
    Ok(Opened { life, log, cursors, snapshots })
}

impl Host {
    /// A new process on what the last one left.
    pub(super) fn boot(world: &mut World) -> Result<Self, End> {
        let opened = open(world)?;
        Self::raise(world, opened, None)
    }

    /// A new life of a Node that fell in this process.
    pub(super) fn rise(self, world: &mut World) -> Result<Self, End> {
        let mut disk = world.disk.clone();
        let mut rng = Rng::from_seed(u64::MAX);
        let mut lives = Lives::open(&mut disk, &mut rng).map_err(cut)?;
        let life = lives.bump(&mut disk, &mut rng).map_err(cut)?.incarnation;
        let Self { mut log, snapshots, node, .. } = self;
        log.write(&mut disk).map_err(cut)?;
        let cursors = Cursors::open(&mut disk).map_err(cut)?;
        let opened = Opened { life, log, cursors, snapshots };
        Self::raise(world, opened, Some(node.into_mailbox()))
    }

    /// Throws a letter away, of a Node that is down.
    pub(super) fn throw_away(world: &mut World, letter: LetterId) -> Result<(), End> {
        let (Opened { mut log, .. }, mut disk) = (open(world)?, world.disk.clone());
        let payload = gone_payload(letter);
        log.append(&world.peer(), RecordKind::DeadLetter, &payload).map_err(cut)?;
        log.write(&mut disk).map_err(cut)?;
        log.sync(&mut disk).map_err(cut)?;
        world.disk.crash(PowerLoss::Nothing);
        Ok(())
    }

    fn raise(world: &mut World, opened: Opened, mailbox: Option<Mailbox>) -> Result<Self, End> {
        let Opened { life, mut log, mut cursors, snapshots } = opened;
        let (mut disk, peer) = (world.disk.clone(), world.peer());
        let poison = PoisonConfig { letters_max: world.letters_max, ..PoisonConfig::default() };
        let mut node = world.spec.install(&PeerId::from(7)).expect("the spec is sound");
        let natives = std::sync::Arc::new(world.spec.program().registry().natives().clone());
        let mut part = HostPart::new(world.spec.settings(), poison.letters_max);
        if let Some(newest) = snapshots.find(&disk).map_err(cut)?.whole.into_iter().next() {
            part.fill(&newest.part, &natives).expect("it was written here");
            node.restore_as(&newest.node, life).expect("it is this node's");
        }
        log.resume(&peer, part.head).expect("snapshots hold what is durable");

        let mut history = History::default();
        each_record(&log, &disk, &peer, |record| history.note(record))?;
        let (slot, mut left) = cursors.take(history.last());
        if let Verdict::GiveUp(target) = history.verdict(left, poison.strikes_max) {
            history.may_give_up(&part).map_err(|_| End::Stuck)?;
            let reason = "it fell too often".to_owned();
            let abort = AbortRecord { at: history.last(), target, reason };
            log.append(&peer, RecordKind::Abort, &abort.payload()).map_err(cut)?;
            log.write(&mut disk).map_err(cut)?;
            log.sync(&mut disk).map_err(cut)?;
            cursors.write(&mut disk, slot, None).map_err(cut)?;
            history.give_up(abort);
            left = None;
        }
        let snapshot = world.spec.settings().snapshot;
        let mut replay = Replay::new(&history, &natives, part, snapshot, left);
        let mut hear = |heard: Heard<'_>| match heard {
            Heard::AtWork(cursor) => {
                cursors.write(&mut disk.clone(), slot, Some(cursor)).ok();
            }
            Heard::Gave { first, steps, have_left } if !have_left => {
                (first..).zip(steps).for_each(|(number, step)| world.release(number, step));
            }
            Heard::Gave { .. } => {}
        };
        each_record(&log, &disk, &peer, |record| {
            let moved =
                catch_unwind(AssertUnwindSafe(|| replay.go_on(&mut node, record, &mut hear)));
            moved.unwrap_or(Err(FELL))
        })?;
        let replayed = replay.end();
        cursors.write(&mut disk, slot, None).map_err(cut)?;
        let (letters, last) = (replayed.letters.clone(), replayed.last);
        let cycle = HostCycle::resume(world.spec.outlives(), replayed);
        for offer in cycle.offers().iter() {
            world.release(offer.number, &offer.step);
        }
        node.begin_life(life, mailbox).expect("lives rise");
        let (taken, batch, steps) = (None, Batch::default(), Vec::new());
        Ok(Self {
            disk,
            node,
            log,
            cycle,
            letters,
            snapshots,
            cursors,
            slot,
            peer,
            taken,
            batch,
            steps,
            last,
        })
    }

    /// Does what the cycle says; false if that is to rest until a push.
    pub(super) fn act(&mut self, world: &mut World) -> Result<bool, End> {
        self.disk.point()?;
        match self.cycle.next(self.node.next_wakeup(), world.now) {
            Act::Take => {
                let taken = self.node.take(world.now);
                self.cycle.took(taken.events()).expect("in order");
                self.taken = Some(taken);
            }
            Act::Append => self.append()?,
            Act::Sync(_) => {
                self.log.write(&mut self.disk).map_err(cut)?;
                let durable = self.log.sync(&mut self.disk).map_err(cut)?;
                self.cycle.synced(durable).expect("in order");
            }
            Act::Ack(_) => {
                if let Some(taken) = self.taken.take() {
                    self.batch = self.node.commit(taken).expect("it is this life's");
                }
                world.acked.extend(self.batch.events.iter().filter_map(|it| number(&it.event)));
                self.cycle.acked().expect("in order");
            }
            Act::Apply(lsn) => self.apply(lsn)?,
            Act::Release => self.release(world)?,
            Act::Capture => self.capture()?,
            Act::Rest(Wakeup::At(due)) => world.now = due,
            Act::Rest(_) => return Ok(false),
        }
        Ok(true)
    }

    fn append(&mut self) -> Result<(), End> {
        let taken = self.taken.take().expect("it was taken");
        let bytes = self.node.encode(&taken).expect("it is this life's");
        let payload = self.cycle.record(&bytes);
        let lsn = self.log.append(&self.peer, RecordKind::Batch, &payload).map_err(cut)?;
        self.cycle.appended(lsn, payload.len()).expect("in order");
        self.batch = self.node.commit(taken).expect("it is this life's");
        Ok(())
    }

    fn apply(&mut self, lsn: Option<Lsn>) -> Result<(), End> {
        let cursor = lsn.map(|lsn| Cursor::before(lsn, None));
        self.cursors.write(&mut self.disk, self.slot, cursor).map_err(cut)?;
        self.steps.clear();
        let (node, batch, steps) = (&mut self.node, &self.batch, &mut self.steps);
        catch_unwind(AssertUnwindSafe(|| node.apply(batch, steps))).map_err(|_| End::Fell)?;
        self.disk.point()?;
        self.cursors.write(&mut self.disk, self.slot, None).map_err(cut)?;
        self.cycle.applied(&self.steps).expect("in order");
        Ok(())
    }

    fn release(&mut self, world: &mut World) -> Result<(), End> {
        let last = self.cycle.outputs().count;
        let first = last + 1 - self.steps.len() as u64;
        for (number, step) in (first..).zip(&self.steps) {
            self.disk.point()?;
            world.release(number, step);
        }
        self.cycle.released().expect("in order");
        if world.takes && !self.steps.is_empty() {
            self.cycle.taken_up_to(last);
            let payload = ack_payload(last);
            self.log.append(&self.peer, RecordKind::Ack, &payload).map_err(cut)?;
        }
        Ok(())
    }

    fn capture(&mut self) -> Result<(), End> {
        self.log.write(&mut self.disk).map_err(cut)?;
        self.log.sync(&mut self.disk).map_err(cut)?;
        let head = self.log.head(&self.peer).expect("it has records");
        let snapshot = self.node.snapshot().expect("it can be written");
        let last = self.last.max(self.log.last(&self.peer));
        let part = self.cycle.part(last, head, &self.letters);
        self.snapshots.keep(&mut self.disk, &snapshot, &part).map_err(cut)?;
        self.cycle.captured(last).expect("in order");
        if let Some(older) = self.cycle.cadence().older() {
            self.snapshots.prune(&mut self.disk, older).map_err(cut)?;
        }
        if let Some(keep) = self.cycle.cadence().keep() {
            self.log.truncate(&mut self.disk, keep).map_err(cut)?;
        }
        Ok(())
    }

    /// Goes on until nothing is left to do.
    pub(super) fn settle(&mut self, world: &mut World) -> Result<(), End> {
        while self.act(world)? {}
        Ok(())
    }

    pub(super) fn seen(&self) -> &[u64] {
        &self.node.model::<Tally>("tally").expect("it is there").seen
    }
}

/// What a fall during a replay is told as, on its way out of it.
const FELL: ReplayError = ReplayError::OtherHistory { at: Lsn::ZERO };

fn each_record(
    log: &Log,
    disk: &Disk,
    peer: &PeerId,
    mut visit: impl FnMut(&Record<'_>) -> Result<(), ReplayError>,
) -> Result<(), End> {
    let mut went = Ok(());
    let read = log.read(disk, Lsn::ZERO, |record| {
        if went.is_ok() && record.node == *peer {
            went = visit(&record);
        }
    });
    read.map_err(cut)?;
    went.map_err(|error| if error == FELL { End::Fell } else { End::Replay(error) })
}

/// The number that an event of a client bears.
pub(super) fn number(event: &IngressEvent) -> Option<u64> {
    match event {
        IngressEvent::Invoke { inputs, .. } => match inputs.first() {
            Some((_, Value::U64(n))) => Some(*n),
            _ => None,
        },
        _ => None,
    }
}
