//! A host of a world: what of it outlives its processes, and how they begin and end.
//!
//! Law: a process has nothing of the one before it but the disk, and of that what was not lost.

use std::{cell::Cell, rc::Rc};

use samsara_proto::PeerId;
use samsara_runtime::{
    node::Wakeup,
    recovery::{Act, NodeSpec},
    rng::Rng,
    storage::{PowerLoss, Storage},
    time::Nanos,
};

use crate::{
    disk::Disk,
    fact::Fact,
    fault::Loss,
    hosted::Hosted,
    points::Phase,
    process::{Did, End, Process},
};

/// A host: its disk outlives its processes.
pub(crate) struct Host {
    pub(crate) peer: PeerId,
    /// Its Nodes, by their places in the world.
    pub(crate) specs: Vec<(usize, NodeSpec)>,
    pub(crate) disk: Disk,
    pub(crate) process: Option<Process>,
    /// When it does something next.
    pub(crate) due: Option<Nanos>,
    pub(crate) paused_until: Nanos,
    /// When its disk has room again.
    pub(crate) full_until: Nanos,
    pub(crate) loss: Loss,
    pub(crate) again: Option<(u64, Loss)>,
    pub(crate) boots: u64,
    /// What its process does.
    pub(crate) phase: Rc<Cell<Phase>>,
    /// Until when it is slow.
    pub(crate) slow_until: Nanos,
    /// Whom its Nodes know.
    pub(crate) peers: Vec<PeerId>,
}

impl Host {
    pub(crate) fn new(peer: PeerId, specs: Vec<(usize, NodeSpec)>) -> Self {
        Self {
            peer,
            specs,
            disk: Disk::default(),
            process: None,
            due: Some(Nanos::ZERO),
            paused_until: Nanos::ZERO,
            full_until: Nanos::ZERO,
            loss: Loss::Kept,
            again: None,
            boots: 0,
            phase: Rc::new(Cell::new(Phase::Opening)),
            slow_until: Nanos::ZERO,
            peers: Vec::new(),
        }
    }

    /// Begins a process on what the last one left.
    pub(crate) fn boot(
        &mut self,
        place: usize,
        seed: u64,
        now: Nanos,
    ) -> (Result<Did, End>, Vec<Fact>) {
        self.boots = self.boots.saturating_add(1);
        let rng = Rng::from_seed(seed).fork(&format!("host {place} boot {}", self.boots));
        match Process::boot(&self.disk, self.peer, &self.specs, &self.phase, rng, now) {
            Ok(mut process) => {
                process.introduce(&self.peers);
                let mut facts = vec![Fact::Began { host: place, life: process.life.incarnation }];
                facts.append(&mut process.shared.facts);
                self.process = Some(process);
                (Ok(Did::Act), facts)
            }
            Err((end, facts)) => (Err(end), facts),
        }
    }

    /// The process is gone; its disk loses what it may.
    pub(crate) fn end(&mut self, how: &'static str, rng: &mut Rng) {
        self.process = None;
        let loss = match (how, self.disk.is_cut()) {
            (_, true) => self.loss,
            // What a failed sync has left behind nobody knows.
            ("its disk has failed", false) => Loss::Torn,
            (_, false) => Loss::Kept,
        };
        self.disk.crash(match loss {
            Loss::Kept => PowerLoss::Nothing,
            Loss::Torn => PowerLoss::Chance(rng),
            Loss::Lost => PowerLoss::Unsynced,
        });
        let again = self.again.take();
        self.disk.set_fuse(again.map(|(after, _)| after));
        if let Some((_, loss)) = again {
            self.loss = loss;
        }
    }

    /// The newest snapshot of a Node rots, if there is an older one to go back to.
    pub(crate) fn rot(&mut self, rng: &mut Rng) {
        let Some(process) = &mut self.process else { return };
        let chosen = rng.below(process.nodes.len() as u64);
        let Some(node) = usize::try_from(chosen).ok().and_then(|at| process.nodes.get(at)) else {
            return;
        };
        let Ok(found) = node.resident.snapshots().find(&self.disk) else { return };
        let [newest, _] = found.whole.as_slice() else { return };
        // Records are numbered over all Nodes, so the end of a name says which one it is.
        let suffix = format!("-{:016x}.snap", newest.lsn.get());
        let files = self.disk.list().unwrap_or_default();
        if let Some(file) = files.iter().find(|file| file.as_str().ends_with(&suffix)) {
            // A disk that cannot be read now rots no further.
            let _ = self.disk.rot(file, rng);
        }
    }
}

impl Process {
    /// Whether no Node has anything to do at once.
    pub(crate) fn rests(&self, now: Nanos) -> bool {
        let is_settled = |hosted: &Hosted| hosted.resident.courier().is_settled();
        self.nodes.iter().all(is_settled)
            && self.nodes.iter().all(|hosted| match hosted.resident.next(now) {
                Act::Rest(Wakeup::At(due)) => due > now,
                Act::Rest(_) => true,
                _ => false,
            })
    }
}
