//! What the engine does itself when a program asks for it, one family a file.
//!
//! Law: a request is read once, when the program is planned; firing it looks nothing up but its own
//! named state. Which requests there are, the table in [`graph::syscalls`](crate::graph::syscalls)
//! says.

mod gather;
mod groups;
mod joins;
mod peers;
mod state;
mod time;
mod wire;

pub(crate) use self::gather::gathered;

use std::{collections::BTreeMap, sync::Arc};

pub(crate) use self::{groups::DEADLINE_ARM, peers::PeerRequest, wire::NetRequest};
use crate::{
    context::InboundCtx,
    error::OpError,
    framework::GatherRule,
    framework::TimerId,
    id::{CommandId, ExecId},
    services::Services,
    step::EngineStep,
    time::Nanos,
    value::Value,
};

/// One request, with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    After,
    Any,
    Bundle,
    Clock,
    Deadline(Nanos),
    DeadlineMatch { names: Names, within: Nanos },
    Dequeue(Arc<str>),
    Dispatch(Arc<str>),
    Emit(Arc<str>),
    Enqueue(Arc<str>),
    EventSource(Arc<str>),
    Flush(Arc<str>),
    Gate,
    Gather(GatherRule),
    IncrMetric(Arc<str>),
    Interval(Nanos),
    LifecyclePhase(Arc<str>),
    Notify(Arc<str>),
    Acquire { limit: Arc<str>, permits: u32 },
    Release(Arc<str>),
    Net(NetRequest),
    PassThrough,
    Peers(PeerRequest),
    PeersAt(Arc<str>),
    Pulse,
    Race(Names),
    Record(Arc<str>),
    RngU64,
    Sleep(Nanos),
    Stash(Arc<str>),
    Unbundle,
}

/// The names of an op's inputs.
pub(crate) type Names = Arc<[Arc<str>]>;

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// All outputs are given.
    All,
    /// Only this output is given, by the one value there is.
    Only(usize),
    /// All outputs are given, and the op's deadline has not passed.
    InTime,
    /// The op waits under this command; its inputs stay where they are.
    Waits(CommandId),
    /// The same, and this timer will end it.
    Sleeps(CommandId, TimerId),
    /// The bootstrap that the request names is asked for.
    Bootstrap,
    /// Nothing is given, now or later: its part of the execution ends here.
    Nothing,
}

/// One call of the engine.
pub(crate) struct Site<'a> {
    pub(crate) exec: ExecId,
    /// Its module and its place in it.
    pub(crate) module: u32,
    pub(crate) op: u32,
    pub(crate) op_name: &'a Arc<str>,
    /// The envelope behind the execution.
    pub(crate) inbound: Option<&'a InboundCtx>,
    pub(crate) services: &'a mut Services,
    pub(crate) steps: &'a mut Vec<EngineStep>,
    pub(crate) arguments: &'a mut [Option<Value>],
    pub(crate) outputs: &'a mut Vec<Value>,
    /// How many outputs the op declares.
    pub(crate) output_count: usize,
}

impl Request {
    /// Reads a request; `None` if there is no such request, or an attribute is missing.
    pub(crate) fn read(name: &str, attributes: &BTreeMap<String, Value>) -> Option<Self> {
        let text = |key: &str| match attributes.get(key) {
            Some(Value::Text(text)) => Some(Arc::clone(text)),
            _ => None,
        };
        let number = |key: &str| match attributes.get(key) {
            Some(Value::U64(number)) => Some(*number),
            _ => None,
        };
        let nanos = || number("nanos").map(Nanos::new);
        let names = || groups::names(attributes.get("names")?);
        Some(match name {
            "After" => Self::After,
            "Any" => Self::Any,
            "AppEmit" => Self::Emit(text("topic")?),
            "AppNotify" => Self::Notify(text("topic")?),
            "Bootstrap.Dispatch" => Self::Dispatch(text("module")?),
            "Bundle" => Self::Bundle,
            "Clock" => Self::Clock,
            "Deadline" => Self::Deadline(nanos()?),
            "DeadlineMatch" => Self::DeadlineMatch { names: names()?, within: nanos()? },
            "EventSource" => Self::EventSource(text("kind")?),
            "Gate" => Self::Gate,
            "Gather" => Self::Gather(gather::rule(attributes)?),
            "Hold.Flush" => Self::Flush(text("name")?),
            "Hold.Stash" => Self::Stash(text("name")?),
            "IncrMetric" => Self::IncrMetric(text("name")?),
            "Interval" => Self::Interval(nanos()?),
            "LifecyclePhase" => Self::LifecyclePhase(text("phase")?),
            "Limit.Acquire" => {
                let permits = u32::try_from(number("permits")?).ok()?;
                Self::Acquire { limit: text("name")?, permits }
            }
            "Limit.Release" => Self::Release(text("name")?),
            "PassThrough" | "Tee" => Self::PassThrough,
            "Place.Peers" => Self::PeersAt(text("place")?),
            "Pulse" => Self::Pulse,
            "Race" => Self::Race(names()?),
            "Record" => Self::Record(text("name")?),
            "RngU64" => Self::RngU64,
            "Serialize.Dequeue" => Self::Dequeue(text("name")?),
            "Serialize.Enqueue" => Self::Enqueue(text("name")?),
            "Sleep" => Self::Sleep(nanos()?),
            "Unbundle" => Self::Unbundle,
            _ => {
                let peers = || PeerRequest::read(name, attributes).map(Self::Peers);
                return NetRequest::read(name, attributes).map(Self::Net).or_else(peers);
            }
        })
    }

    /// Answers the request.
    pub(crate) fn fire(&self, site: &mut Site<'_>) -> Result<Fired, OpError> {
        match self {
            Self::PassThrough => Ok(site.pass_on()),
            Self::Any => Ok(site.any()),
            Self::Bundle => site.bundle(),
            Self::Unbundle => site.unbundle(),
            Self::Race(names) => Ok(site.race(names, Fired::All)),
            Self::DeadlineMatch { names, .. } => Ok(site.race(names, Fired::InTime)),
            Self::Gate => Ok(site.gate()),
            Self::Gather(rule) => site.gather(rule),
            Self::Deadline(_) => Ok(site.in_time()),
            Self::Acquire { limit, permits } => site.acquire(limit, *permits),
            Self::Release(limit) => site.release(limit),
            Self::Clock => Ok(site.give(site.services.now.get())),
            Self::Sleep(time) => site.sleep(*time),
            Self::After => site.after(),
            // Begun by the Node itself, with their outputs at hand.
            Self::Interval(_) | Self::Pulse | Self::EventSource(_) | Self::LifecyclePhase(_) => {
                Ok(Fired::All)
            }
            Self::Dispatch(_) => Ok(Fired::Bootstrap),
            Self::Notify(topic) => Ok(site.notify(topic)),
            Self::RngU64 => {
                let number = site.services.rng().next_u64();
                Ok(site.give(number))
            }
            Self::PeersAt(place) => site.peers_at(place),
            Self::Emit(topic) => Ok(site.emit(topic)),
            Self::Stash(name) => site.stash(name),
            Self::Flush(name) => site.flush(name),
            Self::Enqueue(name) => site.enqueue(name),
            Self::Dequeue(name) => site.dequeue(name),
            Self::Record(name) => site.record(name),
            Self::IncrMetric(name) => site.incr_metric(name),
            Self::Net(request) => site.net(request),
            Self::Peers(request) => site.peers(*request),
        }
    }
}

impl Site<'_> {
    /// Takes an input. One that is missing was declared optional, and counts as the trigger.
    fn argument(&mut self, at: usize) -> Value {
        self.arguments.get_mut(at).and_then(Option::take).unwrap_or(Value::Unit)
    }

    fn give(&mut self, value: impl Into<Value>) -> Fired {
        self.outputs.push(value.into());
        Fired::All
    }

    /// Gives the first input on, to as many outputs as there are.
    fn pass_on(&mut self) -> Fired {
        let value = self.argument(0);
        self.outputs.extend((1..self.output_count).map(|_| value.clone()));
        self.give(value)
    }
}
