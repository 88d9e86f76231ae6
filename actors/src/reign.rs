//! What a supervisor knows, outside of any actor.
//!
//! Law: one that dies leaves this behind, and the next one goes on from here. What it is told waits
//! in the [`Host`](crate::host::Host); its mailbox carries only rings.

use std::{collections::BTreeMap, sync::Arc};

use ractor::{ActorId, ActorRef};
use samsara_runtime::{
    hosting::RaiseError,
    recovery::StoreLife,
    rng::Rng,
    supervision::{ChildId, ChildState, Event, Life, Supervisor},
    time::Nanos,
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{error::SpawnError, node_actor::Word, slot::Slot};

/// What the supervisor is told. Orders wait in the [`Host`]; its mailbox carries only this.
#[derive(Debug)]
pub(crate) struct Ring;

/// What is to be done, or was done.
#[derive(Debug)]
pub(crate) enum Order {
    /// A Node is to be brought to life, whose slot is there.
    Start(ChildId),
    /// Something has come for a Node that has no actor.
    Wake(ChildId),
    Stop(ChildId, oneshot::Sender<()>),
    Release(ChildId),
    Said(Event),
    /// A life was given to a child.
    Born(ChildId, Life, StoreLife),
    /// The first turn of a life is over. Whoever has more to do needs an actor.
    Begun {
        child: ChildId,
        life: Life,
        needs_actor: bool,
    },
    NotRaised {
        child: ChildId,
        life: Life,
        error: Box<RaiseError>,
    },
    /// An actor was killed before it had begun, of which ractor tells no supervisor.
    NotBegun(ActorId),
    /// A supervisor died, and its children with it.
    Adopt,
    Shutdown(oneshot::Sender<()>),
}

/// What a supervisor knows.
pub(crate) struct Reign {
    pub(crate) supervisor: Supervisor,
    pub(crate) rng: Rng,
    pub(crate) children: BTreeMap<ChildId, Child>,
    pub(crate) actors: BTreeMap<ActorId, ChildId>,
    pub(crate) closing: Vec<oneshot::Sender<()>>,
    /// When the next tick is due, and what brings it.
    pub(crate) due: Option<Nanos>,
    pub(crate) timer: Option<JoinHandle<()>>,
    /// No other supervisor follows.
    pub(crate) is_over: bool,
}

pub(crate) struct Child {
    pub(crate) slot: Arc<Slot>,
    pub(crate) body: Option<Body>,
    /// The task of an actor that has ended.
    pub(crate) remains: Option<JoinHandle<()>>,
    pub(crate) birth: Option<StoreLife>,
    /// Who spawned it waits for the word that it lives.
    pub(crate) spawned: Option<oneshot::Sender<Result<(), SpawnError>>>,
    pub(crate) stopped: Vec<oneshot::Sender<()>>,
}

pub(crate) struct Body {
    pub(crate) actor: ActorRef<Word>,
    pub(crate) join: JoinHandle<()>,
}

impl Reign {
    pub(crate) fn new(supervisor: Supervisor, rng: Rng) -> Self {
        Self {
            supervisor,
            rng,
            children: BTreeMap::new(),
            actors: BTreeMap::new(),
            closing: Vec::new(),
            due: None,
            timer: None,
            is_over: false,
        }
    }

    pub(crate) fn put(
        &mut self,
        slot: Arc<Slot>,
        spawned: oneshot::Sender<Result<(), SpawnError>>,
    ) {
        let spawned = Some(spawned);
        let (body, remains, birth, stopped) = (None, None, None, Vec::new());
        self.children.insert(slot.child, Child { slot, body, remains, birth, spawned, stopped });
    }

    /// Forgets a Node that has ended.
    pub(crate) fn remove(&mut self, child: ChildId) -> Option<Arc<Slot>> {
        self.supervisor.remove(child).ok()?;
        self.children.remove(&child).map(|child| child.slot)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (&Arc<Slot>, Option<ChildState>, bool)> {
        self.children
            .iter()
            .map(|(id, child)| (&child.slot, self.supervisor.state(*id), child.body.is_some()))
    }

    /// The actor of a Node, if it has one.
    pub(crate) fn actor(&self, child: ChildId) -> Option<ActorRef<Word>> {
        Some(self.children.get(&child)?.body.as_ref()?.actor.clone())
    }

    /// Takes note that an actor has ended, and says whose it was.
    pub(crate) fn bury(&mut self, actor: ActorId) -> Option<ChildId> {
        let child = self.actors.remove(&actor)?;
        let entry = self.children.get_mut(&child)?;
        let own = entry.body.take_if(|body| body.actor.get_id() == actor)?;
        entry.remains = Some(own.join);
        Some(child)
    }
}
