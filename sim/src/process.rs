//! The process of a host: one store, one life, and the Nodes that it carries.
//!
//! Law: what comes after what is the cycle's to say. A process does one act of one Node at a time,
//! and may end between any two of them and inside of each.

use std::{cell::Cell, collections::BTreeMap, error::Error, rc::Rc};

use samsara_proto::{Address, PeerId};
use samsara_runtime::{
    config::{HostConfig, JournalConfig},
    event::{Control, IngressEvent},
    hosting::{
        Birth, Did as Done, Fallen, Halt, MemoryJournal, RaiseError, Resident, Store, StoreFault,
    },
    id::ExecId,
    node::Wakeup,
    recovery::{Act, Durability, NodeSpec, StoreLife},
    rng::Rng,
    time::Nanos,
};

use crate::{
    disk::{Cut, Disk},
    fact::Fact,
    ground::{InMemory, Shared},
    hosted::{Hosted, blank},
    points::Phase,
    trip,
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

impl End {
    /// What an error of the store means for the process.
    pub(crate) fn of_store(disk: &Disk, fault: &StoreFault) -> Self {
        match fault {
            _ if disk.is_cut() => Self::Cut,
            fault if fault.may_pass() => Self::Full,
            fault if fault.has_stopped() => Self::Failed,
            fault => Self::Broken(chain(fault)),
        }
    }

    fn of_act(disk: &Disk, halt: &Halt) -> Self {
        match halt {
            Halt::Fell { .. } => Self::Fell,
            Halt::Store(fault) => Self::of_store(disk, fault),
            other => Self::Broken(chain(other)),
        }
    }

    fn of_raise(disk: &Disk, error: &RaiseError) -> Self {
        match error {
            RaiseError::Fell { .. } => Self::Fell,
            RaiseError::Store(fault) => Self::of_store(disk, fault),
            other => Self::Broken(chain(other)),
        }
    }
}

/// What an error says, and those beneath it.
fn chain(error: &dyn Error) -> String {
    let (mut text, mut at) = (error.to_string(), error.source());
    while let Some(source) = at {
        text.push_str(&format!(": {source}"));
        at = source.source();
    }
    text
}

/// A process at work.
pub(crate) struct Process {
    pub(crate) shared: Shared,
    pub(crate) nodes: Vec<Hosted>,
    pub(crate) life: StoreLife,
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

/// Small segments, so that they are changed and cut all the time.
fn config() -> HostConfig {
    let journal =
        JournalConfig { segment_bytes: 8_192, max_record_bytes: 6_144, ..JournalConfig::edge() };
    HostConfig { journal, ..HostConfig::default() }
}

impl Process {
    /// A new process on what the last one left.
    pub(crate) fn boot(
        disk: &Disk,
        host: PeerId,
        specs: &[(usize, NodeSpec)],
        phase: &Rc<Cell<Phase>>,
        mut rng: Rng,
        now: Nanos,
    ) -> Result<Self, (End, Vec<Fact>)> {
        phase.set(Phase::Opening);
        let none = |fault: StoreFault| (End::of_store(disk, &fault), Vec::new());
        let opened = Store::open(disk.clone(), config().journal, &mut rng);
        let (mut store, _) = opened.map_err(none)?;
        let life = store.begin_life(&mut rng).map_err(none)?;
        let memory = MemoryJournal::default();
        let ids = specs.iter().map(|(id, spec)| (spec.peer_id(&host), *id)).collect();
        let shared = Shared::new(disk.clone(), store, memory, host, Rc::clone(phase), ids);
        let mut process = Self { shared, nodes: Vec::new(), life, turn: 0, rng };
        for (id, spec) in specs {
            let raised = process.raise(*id, spec, None, now);
            let hosted = raised.map_err(|end| (end, std::mem::take(&mut process.shared.facts)))?;
            process.nodes.push(hosted);
        }
        Ok(process)
    }

    fn raise(
        &mut self,
        id: usize,
        spec: &NodeSpec,
        fallen: Option<Fallen>,
        now: Nanos,
    ) -> Result<Hosted, End> {
        let (host, shared) = (self.shared.host, &mut self.shared);
        let blank = blank(spec, &host)?;
        shared.begin_turn(false);
        shared.phase.set(Phase::Raising);
        let birth = Birth { host: &host, life: self.life, config: &config(), now };
        let forgets = match spec.outlives() {
            Durability::Volatile => true,
            Durability::Memory => fallen.is_none(),
            Durability::Durable => false,
        };
        if forgets {
            shared.facts.push(Fact::Forgot { node: id });
        }
        let raised = if spec.outlives() == Durability::Durable {
            Resident::raise(spec, &birth, shared, fallen)
        } else {
            Resident::raise(spec, &birth, &mut InMemory(shared), fallen)
        };
        let raised = raised.map_err(|not| End::of_raise(&shared.disk, &not.error));
        let resident = raised?;
        shared.phase.set(Phase::Raised);
        shared.disk.point()?;
        let mut hosted = Hosted { id, resident, blank, fragile: None };
        if !forgets {
            let digest = hosted.digest()?;
            self.shared.facts.push(Fact::Replayed { node: id, batch: self.shared.raised, digest });
        }
        Ok(hosted)
    }

    /// Lets its Nodes know of each other and of those elsewhere.
    pub(crate) fn introduce(&mut self, peers: &[PeerId]) {
        let Ok(address) = "/memory/1".parse::<Address>() else { return };
        for hosted in &mut self.nodes {
            let own = hosted.resident.peer_id();
            for peer in peers.iter().filter(|peer| **peer != own) {
                let node = hosted.resident.node_mut();
                if node.peer_address(peer).is_none() {
                    // A mailbox that is full now is asked again by the next process.
                    let _ = node.add_peer(*peer, [address.clone()]);
                }
            }
        }
    }

    /// Does one act of the next Node that has one.
    pub(crate) fn act(&mut self, now: Nanos) -> Result<Did, End> {
        let mut due = None;
        for _ in 0..self.nodes.len() {
            self.turn = self.turn.wrapping_add(1) % self.nodes.len().max(1);
            let did = match self.act_of(self.turn, now) {
                Err(End::Fell) => {
                    // Who cannot raise its Node has to end: without it nothing is to be retried.
                    let risen = self.rise(now);
                    risen.map_err(|end| if end == End::Full { End::Failed } else { end })?;
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

    fn act_of(&mut self, turn: usize, now: Nanos) -> Result<Did, End> {
        let Self { shared, nodes, .. } = self;
        let Some(hosted) = nodes.get_mut(turn) else { return Ok(Did::Rest(None)) };
        let act = hosted.resident.next(now);
        shared.phase.set(Phase::Before { act, owes_word: !shared.told.is_empty() });
        shared.disk.point()?;
        shared.phase.set(Phase::During(act));
        shared.begin_turn(true);
        trip::set(hosted.fragile.filter(|_| matches!(act, Act::Apply(_))));
        let is_durable = hosted.resident.spec().outlives() == Durability::Durable;
        let did = if is_durable {
            hosted.resident.act(shared, now)
        } else {
            hosted.resident.act(&mut InMemory(shared), now)
        };
        if let Some(after) = hosted.fragile.filter(|_| trip::take()) {
            hosted.fragile = None;
            let point = if after == 0 { "C9" } else { "C8" };
            shared.facts.push(Fact::CutAt { host: usize::MAX, point });
        }
        let did = did.map_err(|halt| End::of_act(&shared.disk, &halt));
        if shared.disk.is_cut() {
            return Err(End::Cut);
        }
        match did? {
            Done::Act(Act::Apply(Some(batch))) => {
                let digest = hosted.digest()?;
                shared.facts.push(Fact::Applied { node: hosted.id, batch, digest });
            }
            Done::Act(Act::Release) if shared.turn.is_some() => {
                let last = hosted.resident.outputs();
                if is_durable {
                    let told = hosted.resident.took_outputs(shared, last);
                    let told = told.map_err(|fault| End::of_store(&shared.disk, &fault))?;
                    shared.told.extend(told.map(|record| (record, hosted.id, last)));
                } else {
                    let told = hosted.resident.took_outputs(&mut InMemory(shared), last);
                    told.map_err(|fault| End::of_store(&shared.disk, &fault))?;
                    shared.facts.push(Fact::Told { node: hosted.id, up_to: last });
                }
            }
            Done::Act(Act::Sync(_) | Act::Capture) | Done::Waits(_) => return Ok(Did::Sync),
            Done::Rest(Wakeup::At(due)) => return Ok(Did::Rest(Some(due))),
            Done::Rest(_) => return Ok(Did::Rest(None)),
            Done::Act(_) => {}
        }
        Ok(Did::Act)
    }

    /// A new life for the Node whose turn it is, which fell.
    fn rise(&mut self, now: Nanos) -> Result<(), End> {
        let fallen = self.nodes.remove(self.turn);
        let id = fallen.id;
        self.shared.facts.push(Fact::Fell { node: id });
        let begun = self.shared.store.begin_life(&mut self.rng);
        self.life = begun.map_err(|fault| End::of_store(&self.shared.disk, &fault))?;
        let node = fallen.resident.node();
        let zombie = node.ingress_handle().for_life(node.incarnation().get());
        let spec = fallen.resident.spec().clone();
        let risen = self.raise(id, &spec, Some(fallen.resident.into_fallen()), now)?;
        self.nodes.insert(self.turn, risen);
        let is_refused = zombie.try_push(IngressEvent::Control(Control::Clear), 0).is_err();
        self.shared.facts.push(Fact::Zombie { node: id, is_refused });
        Ok(())
    }

    /// Cuts the log as far as no Node needs it any more.
    fn truncate(&mut self) -> Result<(), End> {
        if !std::mem::take(&mut self.shared.has_captured) {
            return Ok(());
        }
        let mut keep = None;
        for Hosted { resident, .. } in &mut self.nodes {
            let Some(own) = resident.needs_from() else { continue };
            if resident.spec().outlives() == Durability::Durable {
                keep = keep.into_iter().chain([own]).min();
            } else {
                self.shared.memory.truncate(&resident.peer_id(), own);
            }
        }
        let Some(keep) = keep else { return Ok(()) };
        self.shared.phase.set(Phase::Truncating);
        let cut = self.shared.store.truncate(keep);
        cut.map_err(|fault| End::of_store(&self.shared.disk, &fault))
    }

    /// Notes which call it was that was admitted as this execution.
    pub(crate) fn note_call(&mut self, node: usize, exec: ExecId, call: u64) {
        self.shared.calls.insert((node, exec), call);
    }
}

/// Calls that were admitted and not acknowledged, by Node and execution.
pub(crate) type OpenCalls = BTreeMap<(usize, ExecId), u64>;
