//! One Node and its host: the shipped driver of the [`HostCycle`], for every host there is.
//!
//! Law: a [`Resident`] does what the cycle says, act for act, and owns no order. It decides nothing
//! about time, disks, threads or links: those are its [`Ground`]'s, and the caller's. Whatever stops
//! it is a value, also a panic of its Node.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::{
//!     compiler::Compiler, config::HostConfig, graph::Graph,
//!     hosting::{Birth, Did, Ground, Resident, Store, Word},
//!     recovery::{Durability, NodeSpec}, rng::Rng, step::EngineStep, storage::MemoryDisk,
//!     time::Nanos, value::Value,
//! };
//!
//! /// A process: its store, and what its Nodes have said.
//! struct Process {
//!     store: Store<MemoryDisk>,
//!     said: Vec<Value>,
//! }
//!
//! impl Ground for Process {
//!     type Journal = Store<MemoryDisk>;
//!
//!     fn journal(&mut self) -> &mut Self::Journal {
//!         &mut self.store
//!     }
//!
//!     fn hear(&mut self, _: &PeerId, word: Word<'_>) {
//!         if let Word::Left { step: EngineStep::AppEvent { value, .. }, .. } = word {
//!             self.said.push(value.clone());
//!         }
//!     }
//! }
//!
//! let g = Graph::new("Echo");
//! g.output("said", g.input::<String>("text"));
//! let program = Compiler::new().compile(g.build()?)?;
//! let spec = NodeSpec::new("echo", program).durability(Durability::Durable);
//!
//! let (config, host, mut rng) = (HostConfig::edge(), PeerId::from(7), Rng::from_seed(1));
//! let (mut store, _) = Store::open(MemoryDisk::default(), config.journal, &mut rng)?;
//! let life = store.begin_life(&mut rng)?;
//! let mut process = Process { store, said: Vec::new() };
//! let birth = Birth { host: &host, life, config: &config, now: Nanos::ZERO };
//! let mut echo = Resident::raise(&spec, &birth, &mut process, None)?;
//!
//! echo.node_mut().invoke("Echo", [("text", "hello")])?;
//! while let Did::Act(_) = echo.act(&mut process, Nanos::ZERO)? {}
//! assert_eq!(process.said, [Value::from("hello")]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod act;
mod fault;
mod ground;
mod letters;
mod mail;
mod past;
mod raise;
mod store;

use samsara_proto::PeerId;

pub use self::{
    fault::{Breach, Halt, NotRaised, RaiseError, StoreFault},
    ground::{Ground, Journal, Word},
    letters::throw_away,
    mail::Arrival,
    raise::Birth,
    store::Store,
};

use crate::{
    delivery::{Courier, CourierStep},
    node::{Batch, Mailbox, Node, Taken, Wakeup},
    recovery::{Act, Cursor, CursorSlot, DeadLetters, HostCycle, Lsn, NodeSpec, Offers, Snapshots},
    step::EngineStep,
};

/// A Node that a process carries, see the [module](self) page.
#[derive(Debug)]
pub struct Resident {
    spec: NodeSpec,
    peer: PeerId,
    node: Node,
    cycle: HostCycle,
    courier: Courier,
    letters: DeadLetters,
    snapshots: Snapshots,
    /// The place of its cursor, if its process leaves one behind.
    slot: Option<CursorSlot>,
    /// What is at work.
    cursor: Option<Cursor>,
    taken: Option<Taken>,
    batch: Batch,
    steps: Vec<EngineStep>,
    /// What the courier has decided and nobody was told.
    carried: Vec<CourierStep>,
    /// The Node's last record.
    last: Lsn,
}

/// What came of asking for an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// This one was done; there may be another at once.
    Act(Act),
    /// The log is being made durable up to this record: ask again when it is.
    Waits(Lsn),
    /// There is nothing to do until then, or until something arrives.
    Rest(Wakeup),
}

/// What of a Node outlives its fall, in its process: what was admitted and is in no batch yet, what
/// its courier keeps, and what was at work.
#[derive(Debug, Default)]
pub struct Fallen {
    mailbox: Option<Mailbox>,
    courier: Option<Courier>,
    slot: Option<CursorSlot>,
    cursor: Option<Cursor>,
}

impl Fallen {
    /// The place of its cursor, which a Node that does not come back gives back.
    pub fn slot(&self) -> Option<CursorSlot> {
        self.slot
    }
}

impl Resident {
    /// What is left of a Node that fell, or was stopped. What it was is in its journal alone.
    pub fn into_fallen(self) -> Fallen {
        let Self { node, courier, slot, cursor, .. } = self;
        Fallen { mailbox: Some(node.into_mailbox()), courier: Some(courier), slot, cursor }
    }

    /// What it was raised from.
    pub fn spec(&self) -> &NodeSpec {
        &self.spec
    }

    /// Its id.
    pub fn peer_id(&self) -> PeerId {
        self.peer
    }

    /// The Node, to look at.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The Node, for what goes in by its doors and out as its jobs. Only the cycle moves it: what
    /// is taken or applied beside that is in no history.
    pub fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// Outputs that wait for the host.
    pub fn offers(&self) -> &Offers {
        self.cycle.offers()
    }

    /// What was given up.
    pub fn letters(&self) -> &DeadLetters {
        &self.letters
    }

    /// Its snapshots.
    pub fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// What stands between the Node and its links, to look at.
    pub fn courier(&self) -> &Courier {
        &self.courier
    }

    /// The number of its last output.
    pub fn outputs(&self) -> u64 {
        self.cycle.outputs().count
    }

    /// The first record that the log has to keep for it; nothing if it needs none.
    pub fn needs_from(&mut self) -> Option<Lsn> {
        self.cycle.cadence().keep()
    }

    /// Asks for a snapshot at the next rest, as of a Node that keeps the log from being cut.
    pub fn ask_capture(&mut self) {
        self.cycle.cadence().ask();
    }
}
