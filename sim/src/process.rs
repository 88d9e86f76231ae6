//! The process of a host: one store, one life, and the Nodes that it carries.
//!
//! Law: what comes after what is the cycle's to say. A process does one act of one Node at a time,
//! and may end between any two of them and inside of each.

use std::error::Error;

use samsara_proto::PeerId;
use samsara_runtime::{
    config::{HostConfig, JournalConfig},
    id::Incarnation,
    recovery::{Cursors, Lives, Log, Lsn, NodeSpec},
    rng::Rng,
    storage::{Storage, StorageError},
    time::Nanos,
};

use crate::{
    disk::{Cut, Disk},
    fact::Fact,
    hosted::Hosted,
    mutant::Mutant,
};

/// Why an act was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The process was cut.
    Cut,
    /// The disk is full: it may be tried again.
    Full,
    /// The disk failed, and the process has ended itself.
    Failed,
    /// The Node fell, and is to be raised again.
    Fell,
    /// What was kept does not read back, or somebody has broken a law.
    Broken(String),
}

impl From<Cut> for End {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}

/// What the process of a host shares among its Nodes.
pub(crate) struct Shared {
    pub(crate) disk: Disk,
    pub(crate) host: PeerId,
    pub(crate) lives: Lives,
    pub(crate) life: Incarnation,
    pub(crate) log: Log,
    pub(crate) cursors: Cursors,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) facts: Vec<Fact>,
    /// Records that say how far outputs were taken, and are not durable yet.
    pub(crate) told: Vec<(Lsn, usize, u64)>,
}

impl Shared {
    pub(crate) fn plants(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// What an error of the disk means for the process.
    pub(crate) fn end(&self, error: &(dyn Error + 'static)) -> End {
        if self.disk.is_cut() { End::Cut } else { end(error) }
    }

    /// Begins a life.
    pub(crate) fn bump(&mut self, rng: &mut Rng) -> Result<Incarnation, End> {
        let mut disk =
            if self.plants(Mutant::NoBump) { self.disk.copy() } else { self.disk.clone() };
        let life = self.lives.bump(&mut disk, rng).map_err(|error| self.end(&error))?;
        self.life = life.incarnation;
        Ok(self.life)
    }

    fn note_told(&mut self) {
        let durable = self.log.durable();
        let facts = &mut self.facts;
        self.told.retain(|(lsn, node, up_to)| {
            if *lsn <= durable {
                facts.push(Fact::Told { node: *node, up_to: *up_to });
            }
            *lsn > durable
        });
    }
}

fn end(error: &(dyn Error + 'static)) -> End {
    let mut at = Some(error);
    while let Some(error) = at {
        match error.downcast_ref::<StorageError>() {
            Some(StorageError::Full { .. }) => return End::Full,
            Some(StorageError::Io { .. }) => return End::Failed,
            Some(other) => return End::Broken(other.to_string()),
            None => at = error.source(),
        }
    }
    End::Broken(error.to_string())
}

/// A process at work.
pub(crate) struct Process {
    pub(crate) shared: Shared,
    pub(crate) nodes: Vec<Hosted>,
    /// Whose turn it is.
    turn: usize,
    rng: Rng,
}

/// What became of the turn of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// An act.
    Act,
    /// An act that took a disk's time.
    Sync,
    /// Nothing: no Node has anything to do before then.
    Rest(Option<Nanos>),
}

fn journal() -> JournalConfig {
    // Small segments, so that they are changed and cut all the time.
    JournalConfig { segment_bytes: 8_192, max_record_bytes: 6_144, ..JournalConfig::edge() }
}

impl Process {
    /// A new process on what the last one left.
    pub(crate) fn boot(
        disk: &Disk,
        host: PeerId,
        specs: &[(usize, NodeSpec)],
        mut rng: Rng,
        mutant: Option<Mutant>,
    ) -> Result<Self, (End, Vec<Fact>)> {
        let told = |shared: &mut Shared, end| (end, std::mem::take(&mut shared.facts));
        let mut shared = open(disk, host, &mut rng, mutant).map_err(|end| (end, Vec::new()))?;
        let mut nodes = Vec::new();
        for (id, spec) in specs {
            let raised = Hosted::boot(*id, spec, &mut shared);
            nodes.push(raised.map_err(|end| told(&mut shared, end))?);
        }
        Ok(Self { shared, nodes, turn: 0, rng })
    }

    /// Does one act of the next Node that has one.
    pub(crate) fn act(&mut self, now: Nanos) -> Result<Did, End> {
        let mut due = None;
        for _ in 0..self.nodes.len() {
            self.turn = self.turn.wrapping_add(1) % self.nodes.len().max(1);
            let Some(node) = self.nodes.get_mut(self.turn) else { break };
            let did = match node.act(&mut self.shared, now) {
                Err(End::Fell) => {
                    // Who cannot raise its Node has to end: without it nothing is to be retried.
                    self.rise().map_err(|end| if end == End::Full { End::Failed } else { end })?;
                    Did::Act
                }
                other => other?,
            };
            self.shared.note_told();
            match did {
                Did::Rest(at) => due = due.into_iter().chain(at).min(),
                Did::Act | Did::Sync => {
                    self.truncate()?;
                    return Ok(did);
                }
            }
        }
        Ok(Did::Rest(due))
    }

    /// A new life for the Node whose turn it is, which fell.
    fn rise(&mut self) -> Result<(), End> {
        let fallen = self.nodes.remove(self.turn);
        self.shared.facts.push(Fact::Fell { node: fallen.id });
        self.shared.bump(&mut self.rng)?;
        let raised = fallen.rise(&mut self.shared)?;
        self.nodes.insert(self.turn, raised);
        Ok(())
    }

    /// Cuts the log as far as no Node needs it any more.
    fn truncate(&mut self) -> Result<(), End> {
        let has_captured = self.nodes.iter_mut().any(|node| std::mem::take(&mut node.has_captured));
        if !has_captured {
            return Ok(());
        }
        let keeps = self.nodes.iter_mut().filter_map(|node| node.cycle.cadence().keep());
        let Some(keep) = keeps.min() else { return Ok(()) };
        let Shared { log, disk, .. } = &mut self.shared;
        let cut = log.truncate(disk, keep);
        cut.map_err(|error| self.shared.end(&error))
    }
}

fn open(disk: &Disk, host: PeerId, rng: &mut Rng, mutant: Option<Mutant>) -> Result<Shared, End> {
    let mut disk = disk.clone();
    let meaning = |disk: &Disk, error: &(dyn Error + 'static)| {
        if disk.is_cut() { End::Cut } else { end(error) }
    };
    disk.lock().map_err(|error| meaning(&disk, &error))?;
    let lives = Lives::open(&mut disk, rng).map_err(|error| meaning(&disk, &error))?;
    let log = Log::open(&mut disk, lives.store(), journal(), rng.fork("log"));
    let log = log.map_err(|error| meaning(&disk, &error))?.log;
    let cursors = Cursors::open(&mut disk).map_err(|error| meaning(&disk, &error))?;
    let life = Incarnation::new(0);
    let (facts, told) = (Vec::new(), Vec::new());
    let mut shared = Shared { disk, host, lives, life, log, cursors, mutant, facts, told };
    shared.bump(rng)?;
    Ok(shared)
}

/// What a host does about batches that bring their Node down.
pub(crate) fn poison() -> samsara_runtime::config::PoisonConfig {
    HostConfig::default().poison
}
