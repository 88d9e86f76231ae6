//! A System: the Nodes of one host in one process.
//!
//! Law: several of them share nothing but what they are given. One that is stopped has kept all that
//! it acknowledged; one that is killed has, too.
//!
//! ```
//! use samsara_actors::{Disk, System};
//! use samsara_runtime::{
//!     compiler::Compiler, component::{Component, Ops}, graph::Graph, recovery::NodeSpec,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Counter { total: u64 }
//!
//! impl Component for Counter {
//!     const TYPE_NAME: &'static str = "demo.counter@1";
//!     fn ops(ops: &mut Ops<Self>) {
//!         ops.on("add", |counter: &mut Self, n: u64| { counter.total += n; counter.total });
//!     }
//! }
//!
//! let mut g = Graph::new("Count");
//! let n = g.input::<u64>("n");
//! let total = g.slot("counter").op("add", [n]);
//! g.output("total", total);
//! let program = Compiler::new().bind::<Counter>("counter").compile(g.build()?)?;
//!
//! # let data = std::env::temp_dir().join(format!("samsara-system-{}", std::process::id()));
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! for total in [5_u64, 10] {
//!     let system = System::builder().store(Disk::open(&data)?).start().await?;
//!     let count = system.spawn(NodeSpec::new("count-42", program.clone())).await?;
//!     let reply = count.ask("Count", [("n", 5_u64)]).await?;
//!     assert_eq!(reply.get::<u64>("total")?, total);
//!     system.stop().await?; // or a kill: nothing acknowledged is lost
//! }
//! # std::fs::remove_dir_all(&data)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::available_parallelism,
};

use ractor::{Actor, ActorRef};
use samsara_proto::{Address, PeerId};
use samsara_runtime::{
    config::HostConfig,
    id::Incarnation,
    job::Resources,
    recovery::{Cut, Durability, NodeSpec},
    supervision::{ChildId, ChildState, Policy},
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    builder::SystemBuilder,
    chief::{Chief, Court},
    error::{SpawnError, StartError},
    host::Host,
    journal::{Health, JournalStats, JournalStopped},
    links::{LinkStats, Plan},
    node_ref::NodeRef,
    reign::{Order, Ring},
    slot::{Slot, Standing, State},
    store::{DiskStore, locked},
    switch::Switch,
};

/// The Nodes of one host, see the [module](self) page. Clones are the same System.
#[derive(Clone)]
pub struct System(Arc<Inner>);

struct Inner {
    court: Court,
    names: Mutex<BTreeMap<String, ChildId>>,
    spawned: AtomicU64,
    is_closed: AtomicBool,
    chief: Mutex<Option<ActorRef<Ring>>>,
    /// Has a new supervisor follow one that died.
    keeper: Mutex<Option<JoinHandle<()>>>,
}

/// Tells when a Node lives, or why it does not.
type Spawned = oneshot::Receiver<Result<(), SpawnError>>;

/// How it stands with a Node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Its id.
    pub peer: PeerId,
    /// Its life, zero before the first.
    pub incarnation: Incarnation,
    /// Where its supervisor sees it; nothing if that has forgotten it.
    pub state: Option<ChildState>,
    /// An actor runs its turns. One that rests needs none.
    pub has_actor: bool,
    /// What went wrong last, oldest first.
    pub troubles: Vec<String>,
}

impl System {
    /// A System without a store, whose Nodes outlive their own falls, until more is said.
    pub fn builder() -> SystemBuilder {
        SystemBuilder {
            store: None,
            identity: None,
            limits: HostConfig::default(),
            policy: Policy::default(),
            resources: Resources::default(),
            job_threads: available_parallelism().map_or(1, usize::from),
            switch: Switch::default(),
            links: Plan::default(),
        }
    }

    /// Starts the supervisor, and what has another one follow it.
    pub(crate) async fn begin(court: Court) -> Result<Self, StartError> {
        let inner = Arc::new(Inner {
            court,
            names: Mutex::default(),
            spawned: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            chief: Mutex::default(),
            keeper: Mutex::default(),
        });
        let first = inner.follow().await?;
        let keeper = tokio::spawn(keep(Arc::downgrade(&inner), inner.court.clone(), first));
        *locked(&inner.keeper) = Some(keeper);
        Ok(Self(inner))
    }

    /// Who it is: the ids of its Nodes are derived from this.
    pub fn peer_id(&self) -> PeerId {
        self.host().peer
    }

    fn host(&self) -> &Arc<Host> {
        &self.0.court.host
    }

    /// Brings a Node to life, from its history if it lived before. It is durable if the System has a
    /// store, unless its spec says otherwise.
    pub async fn spawn(&self, spec: NodeSpec) -> Result<NodeRef, SpawnError> {
        self.spawn_as(spec, false).await
    }

    /// As [`spawn`](Self::spawn), of a Node whose outputs wait, over its lives, until somebody says
    /// that they were [taken](NodeRef::take_outputs). With too many of them it takes no turn.
    pub async fn spawn_retaining(&self, spec: NodeSpec) -> Result<NodeRef, SpawnError> {
        self.spawn_as(spec, true).await
    }

    async fn spawn_as(&self, spec: NodeSpec, retains: bool) -> Result<NodeRef, SpawnError> {
        let (slot, spawned) = self.place(spec, retains)?;
        self.host().order(Order::Start(slot.child));
        // A supervisor that ends without an answer has closed.
        spawned.await.unwrap_or(Err(SpawnError::Closed))?;
        Ok(NodeRef::new(slot, self.0.court.clone()))
    }

    /// Makes the place of a Node, with its name taken.
    fn place(&self, spec: NodeSpec, retains: bool) -> Result<(Arc<Slot>, Spawned), SpawnError> {
        let host = self.host();
        let has_store = host.store.is_some();
        let best = if has_store { Durability::Durable } else { Durability::Memory };
        let spec = spec.or_durability(best);
        let name = spec.name().to_owned();
        if spec.outlives() == Durability::Durable && !has_store {
            return Err(SpawnError::NoStore { name });
        }
        let mut names = locked(&self.0.names);
        if self.0.is_closed.load(Ordering::Acquire) {
            return Err(SpawnError::Closed);
        }
        let reign = &mut *locked(&self.0.court.reign);
        let before = match names.get(&name) {
            None => None,
            Some(child) => match reign.supervisor.state(*child) {
                None | Some(ChildState::Ended) => reign.remove(*child),
                Some(_) => return Err(SpawnError::Taken { name }),
            },
        };
        let child = reign.supervisor.add(spec.child_kind())?;
        let who = self.0.spawned.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let slot = Slot::new(spec, child, host, (who, retains));
        if let Some(before) = before {
            slot.inherit(&before);
        }
        names.insert(name, child);
        let (answer, spawned) = oneshot::channel();
        reign.put(Arc::clone(&slot), answer);
        Ok((slot, spawned))
    }

    /// The Node of this name, if it was spawned and has not ended.
    pub fn node(&self, name: &str) -> Option<NodeRef> {
        let child = *locked(&self.0.names).get(name)?;
        let reign = locked(&self.0.court.reign);
        let found = reign.slots().find(|(slot, ..)| slot.child == child);
        found.map(|(slot, ..)| NodeRef::new(Arc::clone(slot), self.0.court.clone()))
    }

    /// All Nodes, and how it stands with them.
    pub fn tree(&self) -> Vec<NodeStatus> {
        let reign = locked(&self.0.court.reign);
        let slots: Vec<_> =
            reign.slots().map(|(slot, state, has)| (Arc::clone(slot), state, has)).collect();
        drop(reign);
        let status = |(slot, state, has_actor): (Arc<Slot>, _, _)| NodeStatus {
            name: slot.spec.name().to_owned(),
            peer: slot.peer,
            incarnation: slot.life(),
            state,
            has_actor,
            troubles: locked(&slot.core).ears.troubles().cloned().collect(),
        };
        slots.into_iter().map(status).collect()
    }

    /// Where the log of its store was torn when it was opened.
    pub fn torn(&self) -> Option<Cut> {
        self.host().store.as_ref().and_then(DiskStore::cut).cloned()
    }

    /// How it stands with its journal, if it has a store.
    pub fn journal(&self) -> Option<(Health, JournalStats)> {
        let store = self.host().store.as_ref()?;
        Some((store.journal().health(), store.journal().stats()))
    }

    /// Where it is reached, with the ports that it was given.
    pub fn addresses(&self) -> Vec<Address> {
        self.host().links().addresses()
    }

    /// How it stands with its links, and what became of what they brought.
    pub fn link_stats(&self) -> LinkStats {
        self.host().links().stats()
    }

    /// Has its supervisor die, and all actors with it, as a fault would: for tests of what has to
    /// survive that.
    pub fn kill_supervisor(&self) {
        if let Some(chief) = &*locked(&self.0.chief) {
            chief.kill();
        }
    }

    /// Takes nothing more, does what was taken, captures all Nodes and lets the store go.
    ///
    /// It is an error if something that was taken could not be kept, which nobody was told it was.
    pub async fn stop(self) -> Result<(), JournalStopped> {
        // Under the lock of names, so that nobody is spawned behind this.
        let was_closed = {
            let _names = locked(&self.0.names);
            self.0.is_closed.swap(true, Ordering::AcqRel)
        };
        if !was_closed {
            let (answer, closed) = oneshot::channel();
            self.host().order(Order::Shutdown(answer));
            // Without a supervisor there is nobody to wait for.
            let _ = closed.await;
        }
        self.0.end();
        let keeper = locked(&self.0.keeper).take();
        if let Some(keeper) = keeper {
            // However it ended, it has.
            let _ = keeper.await;
        }
        let host = Arc::clone(self.host());
        let closed = tokio::task::spawn_blocking(move || match &host.store {
            Some(store) => store.close(),
            None => Ok(()),
        });
        closed.await.unwrap_or(Err(JournalStopped::Fell))
    }
}

impl Inner {
    /// No supervisor follows the one that is there.
    fn end(&self) {
        self.court.host.links().end();
        locked(&self.court.reign).is_over = true;
        if let Some(chief) = locked(&self.chief).take() {
            chief.stop(None);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Nobody can stop it in good order any more: what is journaled is kept all the same.
        self.end();
    }
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").field("peer", &self.peer_id()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Has a supervisor take over.
    async fn follow(&self) -> Result<JoinHandle<()>, StartError> {
        let spawned = Actor::spawn(None, Chief, self.court.clone()).await;
        let (chief, join) =
            spawned.map_err(|error| StartError::Supervisor { detail: error.to_string() })?;
        *locked(&self.chief) = Some(chief.clone());
        self.court.host.hang(Some(chief));
        Ok(join)
    }
}

/// Has a supervisor follow each one that dies.
async fn keep(system: std::sync::Weak<Inner>, court: Court, mut join: JoinHandle<()>) {
    loop {
        // However it ended, it has.
        let _ = join.await;
        court.host.hang(None);
        if locked(&court.reign).is_over {
            // Who still has a way to a Node learns that it leads nowhere any more.
            let reign = locked(&court.reign);
            let slots: Vec<_> = reign.slots().map(|(slot, ..)| Arc::clone(slot)).collect();
            drop(reign);
            slots.iter().for_each(|slot| slot.end(Standing::Stopped));
            return;
        }
        court.host.order(Order::Adopt);
        let Some(inner) = system.upgrade() else { return };
        match inner.follow().await {
            Ok(next) => join = next,
            Err(_) => return,
        }
    }
}

impl Slot {
    /// Takes over what an ended Node of the same name has left in memory.
    fn inherit(&self, before: &Self) {
        let mut own = locked(&self.core);
        let mut left = locked(&before.core);
        if self.spec.outlives() == Durability::Memory
            && before.spec.outlives() == Durability::Memory
        {
            std::mem::swap(&mut own.ledger, &mut left.ledger);
        }
        // Its mailbox and its courier go with it, whatever keeps the history.
        own.state = std::mem::replace(&mut left.state, State::Down(None));
        before.shut(Standing::Stopped);
    }
}
