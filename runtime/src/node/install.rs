//! Installing a program on a Node.
//!
//! Law: it gives a Node that is ready, or one error that says all that is wrong; nothing in
//! between.

use std::{collections::BTreeSet, sync::Arc};

use samsara_ingress::{IngressLimits, LimitError};
use samsara_proto::{Address, PeerId};

use super::{Installation, Node};
use crate::{
    component::{ConstructError, Slotted},
    config::{ConfigErrors, NodeConfig},
    event::NodeIngress,
    id::{IdCounter, Incarnation},
    plan::{Call, Plan},
    program::Program,
    services::{Bus, Services, Subscriber},
    syscall::Request,
    time::LogicalClock,
};

/// Why a program cannot be installed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// No module was named.
    #[error("no target was named, there are {available:?}")]
    EmptyTargets {
        /// The modules there are.
        available: Vec<String>,
    },
    /// Modules were named that the program does not have.
    #[error("no modules {unknown:?}, there are {available:?}")]
    UnknownTarget {
        /// The names.
        unknown: Vec<String>,
        /// The modules there are.
        available: Vec<String>,
    },
    /// A place was named that the program does not have.
    #[error("no place {place:?}, there are {available:?}")]
    UnknownPlace {
        /// The name.
        place: String,
        /// The places there are.
        available: Vec<String>,
    },
    /// A channel sends to a place, and nobody has said who is there.
    #[error(
        "the channel {channel:?} sends to {place:?}: {place:?} is not bound, there are {available:?}"
    )]
    UnboundPlace {
        /// The place.
        place: String,
        /// The channel.
        channel: String,
        /// The places that are bound.
        available: Vec<String>,
    },
    /// A channel that is no broadcast sends to a place where there is nobody, or more than one.
    #[error(
        "the channel {channel:?} sends to one peer, {place:?} has {count}; a broadcast reaches all"
    )]
    NotOnePeer {
        /// The channel.
        channel: String,
        /// The place.
        place: String,
        /// How many peers it is bound to.
        count: usize,
    },
    /// A place is bound to more peers than the Node may know.
    #[error("the place {place:?} is bound to {got} peers, wanted at most {cap}")]
    TooManyPeers {
        /// The place.
        place: String,
        /// How many peers it is bound to.
        got: usize,
        /// How many may be.
        cap: u32,
    },
    /// The settings contradict themselves.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// More ops and components listen for events of the bus than may.
    #[error("{count} ops and components listen for events, the cap is {cap}")]
    TooManySubscriptions {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        cap: u32,
    },
    /// Components could not be made.
    #[error("{}", .errors.iter().map(ConstructError::to_string).collect::<Vec<_>>().join("\n"))]
    Components {
        /// What is wrong, at most once a slot.
        errors: Vec<ConstructError>,
    },
    /// The Node would have more addresses than a peer may.
    #[error("{count} addresses, the cap is {cap}")]
    TooManyAddresses {
        /// How many were given.
        count: usize,
        /// How many there may be.
        cap: u32,
    },
    /// The mailbox could not be made.
    #[error(transparent)]
    Mailbox(#[from] LimitError),
}

/// Makes a Node with a life of its own that runs the modules `targets` of the program, reached at
/// these addresses. Many Nodes may share one `Arc` of their settings.
///
/// ```
/// use samsara_proto::{Address, PeerId};
/// use samsara_runtime::{
///     compiler::Compiler, config::NodeConfig, graph::Graph, node::install, time::seconds,
/// };
///
/// let g = Graph::new("Echo");
/// g.output("later", g.sleep(g.input::<String>("text"), seconds(3)));
/// let program = Compiler::new().compile(g.build()?)?;
///
/// let mut node = install(PeerId::from(1), [], &program, &["Echo"], NodeConfig::default())?;
/// node.invoke("Echo", [("text", "hello")])?;
/// node.run_until_idle(seconds(0));
/// let steps = node.run_until_idle(seconds(3));
/// assert_eq!(steps.output::<String>("later").as_deref(), Some("hello"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn install(
    peer: PeerId,
    addresses: impl IntoIterator<Item = Address>,
    program: &Program,
    targets: &[&str],
    config: impl Into<Arc<NodeConfig>>,
) -> Result<Node, InstallError> {
    let installation = Installation::new(peer, program).addresses(addresses).config(config);
    installation.targets(targets.iter().copied()).install()
}

/// Makes the Node, once it is known who is where.
pub(super) fn make(
    peer: PeerId,
    addresses: Vec<Address>,
    program: &Program,
    targets: &[&str],
    config: Arc<NodeConfig>,
    left_out: &BTreeSet<u32>,
) -> Result<Node, InstallError> {
    let available = || program.targets().map(str::to_owned).collect();
    if targets.is_empty() {
        return Err(InstallError::EmptyTargets { available: available() });
    }
    let known: BTreeSet<_> = program.targets().collect();
    let unknown: Vec<_> =
        targets.iter().filter(|name| !known.contains(**name)).map(|name| (*name).into()).collect();
    if !unknown.is_empty() {
        return Err(InstallError::UnknownTarget { unknown, available: available() });
    }
    config.validate()?;
    let addresses: Box<[Address]> = addresses.into_iter().collect();
    let (count, cap) = (addresses.len(), config.peers.max_addresses);
    if count > cap as usize {
        return Err(InstallError::TooManyAddresses { count, cap });
    }
    let plan = program.plan();
    let mut targets: Vec<_> = targets.iter().filter_map(|name| plan.module(name)).collect();
    targets.sort_unstable();
    targets.dedup();
    let bus = bus(plan, &targets, left_out, &config)?;
    // Validated to be a percentage.
    let share = u8::try_from(config.peers.ingress_share_percent).unwrap_or(u8::MAX);
    let queue = NodeIngress::new(IngressLimits {
        items: config.ingress_capacity as usize,
        bytes: config.ingress_byte_budget,
        tickets: config.max_pending_async as usize,
        peer_share_percent: share,
        // Who is blocked is remembered beside those who have a door.
        peers: config.peers.max_peers.saturating_add(config.peers.max_listed) as usize,
        waiting: config.max_pending_async as usize,
    })?;
    let incarnation = Incarnation::new(1);
    let life = incarnation.get();
    // A fresh queue has no reader, so its first life is always free.
    let reader = queue.open(life).map_err(|_| LimitError {
        limit: "life",
        got: life,
        wanted: "higher than any before",
    })?;
    let components = components(program, left_out)?;
    let handle = queue.handle();
    let has_sources =
        |at: &u32| plan.modules.get(*at as usize).is_some_and(|module| !module.sources.is_empty());
    let is_starting = targets.iter().any(has_sources);
    let mut services = Services::new(peer, addresses, handle.for_life(life), config);
    services.bus = bus;
    services.targets = targets.into();
    services.entrances = Arc::clone(&plan.entrances);
    Ok(Node {
        program: program.clone(),
        targets: Arc::clone(&services.targets),
        components,
        reader,
        admissions: IdCounter::new(),
        clock: LogicalClock::default(),
        services,
        engine: None,
        incarnation,
        is_beginning: false,
        is_starting,
        beside: None,
        handle,
        queue,
    })
}

/// Components by their slots.
type Slots = Box<[Option<Slotted>]>;

/// A component for each slot that is not left out, or all that is wrong with any of them.
fn components(program: &Program, left_out: &BTreeSet<u32>) -> Result<Slots, InstallError> {
    let configs = &program.draft().configs;
    let (mut components, mut errors) = (Vec::new(), Vec::new());
    for (at, slot) in (0..).zip(&program.plan().slots) {
        if left_out.contains(&at) {
            components.push(None);
            continue;
        }
        let config = configs.get(&*slot.name).map(String::as_str);
        match slot.kind.construct(&slot.name, config) {
            Ok(component) => components.push(Some(component.into())),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(components.into()) } else { Err(InstallError::Components { errors }) }
}

/// The bus of these modules and of all components, if one of them listens.
fn bus(
    plan: &Plan,
    targets: &[u32],
    left_out: &BTreeSet<u32>,
    config: &NodeConfig,
) -> Result<Option<Box<Bus>>, InstallError> {
    let mut subscribers = Vec::new();
    for &index in targets {
        let Some(module) = plan.modules.get(index as usize) else { continue };
        for &op in &module.listeners {
            let call = module.ops.get(op as usize).map(|op| &op.call);
            if let Some(Call::Request(Request::EventSource(kind))) = call {
                subscribers.push((Arc::clone(kind), Subscriber::Op { module: index, op }));
            }
        }
    }
    for (slot, plan) in (0..).zip(&plan.slots).filter(|(slot, _)| !left_out.contains(slot)) {
        let kinds = plan.kind.wants().on_event.keys();
        subscribers.extend(kinds.map(|kind| ((*kind).into(), Subscriber::Component { slot })));
    }
    let (count, cap) = (subscribers.len(), config.state.max_subscriptions);
    if count > cap as usize {
        return Err(InstallError::TooManySubscriptions { count, cap });
    }
    let bus = || Box::new(Bus::new(config.bus_capacity, &subscribers));
    Ok((count > 0).then(bus))
}
