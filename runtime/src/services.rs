//! The Node's own state that ops reach while they run.
//!
//! Law: plain data and bounded. What is asked for during a call is applied when it returns, in the
//! order it was asked.

mod arrivals;
mod asking;
pub(crate) mod bindings;
mod component_timers;
mod deferred;
mod departures;
mod entrances;
mod expiries;
pub(crate) mod gathers;
mod hearing;
mod jobs;
mod kept;
mod latches;
mod lives;
mod peering;
mod round_trips;
mod stores;

use std::{collections::VecDeque, sync::Arc};

use samsara_proto::{Address, PeerId};

pub use self::component_timers::ComponentTimerKind;
pub(crate) use self::{
    arrivals::Arrival,
    deferred::Deferred,
    departures::{Parcel, Unsent},
    entrances::{Entrance, Entrances, check_size},
    hearing::{Bus, Heard, Subscriber},
};
use self::{expiries::Expiries, peering::Peering, stores::Stores};

use crate::{
    codec::saved_enum,
    config::NodeConfig,
    error::{OpError, OpErrorKind},
    event::NodeIngressHandle,
    framework::Scheduler,
    id::{CommandId, ExecId, IdCounter},
    rng::Rng,
    time::Nanos,
    value::Value,
};

/// What a parked op goes on with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// This output, the only one.
    Output(Value),
    /// These outputs.
    Outputs(Vec<Value>),
    /// Its own first input.
    ItsInput,
    /// This failure.
    Failed(OpError),
}

impl Answer {
    /// These outputs, which are mostly one.
    pub(crate) fn of(outputs: &[Value]) -> Self {
        match outputs {
            [output] => Self::Output(output.clone()),
            outputs => Self::Outputs(outputs.to_vec()),
        }
    }
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Alarm {
    /// A parked op goes on with its own first input.
    Resume(CommandId),
    /// A deadline op of an execution passes.
    Deadline {
        /// The execution.
        exec: ExecId,
        /// Its place in the pool.
        index: u32,
        /// The op.
        op: u32,
    },
    /// A round of a gather is out of time.
    Gather,
    /// An interval op begins an execution.
    Tick {
        /// The module.
        module: u32,
        /// The op.
        op: u32,
    },
    /// A component's own timer rings.
    Component {
        /// The component's slot.
        slot: u32,
        /// Which of its timers.
        kind: ComponentTimerKind,
    },
}

/// What the Node lends to the ops that it runs.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) config: Arc<NodeConfig>,
    pub(crate) peer: PeerId,
    pub(crate) now: Nanos,
    /// Made when it is first drawn from: it is large, and most Nodes never do.
    rng: Option<Box<Rng>>,
    pub(crate) commands: IdCounter<CommandId>,
    /// Executions that the Node begins of itself.
    pub(crate) inner_execs: IdCounter<ExecId>,
    /// How often the Node has begun with nothing remembered: 1 if it has never lost its state.
    pub(crate) memory: u64,
    /// Pushes through it are refused once this life has ended.
    pub(crate) handle: NodeIngressHandle,
    /// Ops that wait, which are no more than may.
    pub(crate) parked: u32,
    /// The batch was applied before: its answers are in the history, and nobody is to give others.
    pub(crate) is_replaying: bool,
    /// What ops have asked for during a call.
    pub(crate) deferred: VecDeque<Deferred>,
    /// Executions that ops may ask for in this turn.
    pub(crate) room: u32,
    /// The modules that were asked for; the others are only called.
    pub(crate) targets: Arc<[u32]>,
    pub(crate) entrances: Arc<Entrances>,
    pub(crate) timers: Scheduler<Alarm>,
    /// Until when parked ops may be answered.
    pub(crate) expiries: Expiries,
    /// Who is at the places of the program, if it has some.
    pub(crate) bindings: Option<Box<bindings::Bindings>>,
    /// Made when the first op keeps something, as most Nodes never do.
    stores: Option<Box<Stores>>,
    /// Made when the Node first talks, or is told whom to.
    peering: Option<Box<Peering>>,
    /// The Node's own addresses, until they are in the address book.
    addresses: Box<[Address]>,
    /// Only where somebody listens.
    pub(crate) bus: Option<Box<Bus>>,
}

/// Ids from here on are of executions that a Node begins of itself, as for a timer: those below are
/// minted at admission, beside the mailbox, where a crash does not reach.
const INNER_EXECS: u64 = 1 << 63;

impl Services {
    pub(crate) fn new(
        peer: PeerId,
        addresses: Box<[Address]>,
        handle: NodeIngressHandle,
        config: Arc<NodeConfig>,
    ) -> Self {
        Self {
            peer,
            now: Nanos::ZERO,
            rng: None,
            commands: IdCounter::new(),
            inner_execs: IdCounter::resume(INNER_EXECS),
            memory: 1,
            handle,
            parked: 0,
            is_replaying: false,
            deferred: VecDeque::new(),
            room: 0,
            targets: Arc::default(),
            entrances: Arc::default(),
            timers: Scheduler::new(config.state.max_timers),
            expiries: Expiries::default(),
            bindings: None,
            stores: None,
            peering: None,
            addresses,
            bus: None,
            config,
        }
    }

    /// Whether an answer to this command would come too late.
    pub(crate) fn is_too_late(&self, command: CommandId) -> bool {
        self.expiries.of(command).is_some_and(|at| at <= self.now)
    }

    /// When time alone does something next.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        let expiry = self.expiries.first().map(|(at, _)| at);
        let request = self.peers().and_then(|peering| peering.requests.next_deadline());
        self.timers.next_deadline().into_iter().chain(expiry).chain(request).min()
    }

    /// What the ops keep.
    pub(crate) fn stores(&mut self) -> &mut Stores {
        self.stores.get_or_insert_with(|| Box::new(Stores::new(&self.config)))
    }

    /// What the ops keep, if any of them does.
    pub(crate) fn kept(&self) -> Option<&Stores> {
        self.stores.as_deref()
    }

    /// The same, to change.
    pub(crate) fn kept_mut(&mut self) -> Option<&mut Stores> {
        self.stores.as_deref_mut()
    }

    /// Forgets what the ops keep, and all timers, requests and answers of executions that are no
    /// more. What components set for themselves stays, and so do jobs that somebody may be running.
    pub(crate) fn clear(&mut self) {
        self.parked = 0;
        self.deferred.clear();
        self.expiries = Expiries::default();
        if let Some(stores) = &mut self.stores {
            stores.clear(&self.config);
        }
        if let Some(peering) = &mut self.peering {
            peering.end_requests();
        }
        self.timers.retain(|alarm| match alarm {
            Alarm::Resume(_) | Alarm::Deadline { .. } | Alarm::Gather => false,
            Alarm::Tick { .. } | Alarm::Component { .. } => true,
        });
    }

    /// The Node's own stream of chance.
    pub(crate) fn rng(&mut self) -> &mut Rng {
        self.rng.get_or_insert_with(|| Box::new(Rng::from_seed_bytes(seed(self.peer))))
    }

    /// A new command to wait under; refused when too many ops wait already, before any effect.
    pub(crate) fn new_command(&mut self) -> Result<CommandId, OpError> {
        self.has_place_to_park()?;
        let minted = self.commands.mint();
        minted.map_err(|exhausted| OpError::new(OpErrorKind::Limit, exhausted.to_string()))
    }

    /// Refused when too many ops wait already.
    pub(crate) fn has_place_to_park(&self) -> Result<(), OpError> {
        if self.parked < self.config.max_pending_async {
            return Ok(());
        }
        Err(OpError::new(OpErrorKind::Limit, format!("{} ops wait already", self.parked)))
    }

    /// A new command whose answer comes by the mailbox. What is refused follows from the batches
    /// alone: the mailbox keeps as many places for answers as can be awaited here.
    pub(crate) fn await_answer(&mut self) -> Result<CommandId, OpError> {
        let awaited = self.kept().map_or(0, |stores| stores.awaited.len());
        if awaited >= self.config.max_pending_async as usize {
            let reason = format!("{awaited} answers are awaited already");
            return Err(OpError::new(OpErrorKind::Limit, reason));
        }
        let command = self.new_command()?;
        self.stores().awaited.insert(command);
        Ok(command)
    }

    /// Notes that the answer of a command is there.
    pub(crate) fn note_answer(&mut self, command: CommandId) {
        if let Some(stores) = &mut self.stores {
            stores.awaited.remove(&command);
        }
        if let Some(stores) = self.kept_mut() {
            stores.jobs.end(command);
        }
    }
}

/// A seed of its own for each peer, the same on every machine.
fn seed(peer: PeerId) -> [u8; 32] {
    *blake3::hash(&peer.to_bytes()).as_bytes()
}

saved_enum! { Alarm: "purpose of a timer" {
    0 = Resume(command), 1 = Deadline { exec, index, op }, 2 = Tick { module, op },
    3 = Component { slot, kind }, 4 = Gather,
} }
