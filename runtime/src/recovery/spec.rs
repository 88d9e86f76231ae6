//! What a host knows of a Node before it has one: enough to make it again after any fall.
//!
//! Law: data, and the same after a restart; what a Node has become since is in its history.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::{
//!     compiler::Compiler, graph::Graph, recovery::{Durability, NodeSpec},
//! };
//!
//! let g = Graph::new("Echo");
//! g.output("said", g.input::<String>("text"));
//! let program = Compiler::new().compile(g.build()?)?;
//! let spec = NodeSpec::new("echo", program).durability(Durability::Durable);
//!
//! let host = PeerId::from(7);
//! let node = spec.install(&host)?;
//! assert_eq!(node.peer_id(), host.derive("echo"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use samsara_proto::{Address, PeerId};

use super::cycle::Durability;
use crate::{
    config::NodeConfig,
    node::{InstallError, Installation, Node},
    program::Program,
    supervision::ChildKind,
};

/// A Node to be.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    name: String,
    program: Program,
    targets: Vec<String>,
    place: Option<String>,
    bound: BTreeMap<String, BTreeSet<PeerId>>,
    addresses: Vec<Address>,
    config: Arc<NodeConfig>,
    /// Unless its host is to say.
    durability: Option<Durability>,
    kind: ChildKind,
}

impl NodeSpec {
    /// A Node of this name, which runs all that its place has of the program.
    pub fn new(name: impl Into<String>, program: Program) -> Self {
        Self {
            name: name.into(),
            program,
            targets: Vec::new(),
            place: None,
            bound: BTreeMap::new(),
            addresses: Vec::new(),
            config: Arc::default(),
            durability: None,
            kind: ChildKind::default(),
        }
    }

    /// The modules that it runs; else all of its place.
    #[must_use]
    pub fn targets<'t>(mut self, targets: impl IntoIterator<Item = &'t str>) -> Self {
        self.targets.extend(targets.into_iter().map(str::to_owned));
        self
    }

    /// The place that it is at.
    #[must_use]
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The peers that are at a place.
    #[must_use]
    pub fn bind(
        mut self,
        place: impl Into<String>,
        peers: impl IntoIterator<Item = PeerId>,
    ) -> Self {
        self.bound.entry(place.into()).or_default().extend(peers);
        self
    }

    /// The addresses that it is reached at.
    #[must_use]
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.addresses.extend(addresses);
        self
    }

    /// Its settings.
    #[must_use]
    pub fn config(mut self, config: impl Into<Arc<NodeConfig>>) -> Self {
        self.config = config.into();
        self
    }

    /// What its history outlives.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// What its history outlives if nothing was said of that: what its host has.
    #[must_use]
    pub fn or_durability(mut self, durability: Durability) -> Self {
        self.durability.get_or_insert(durability);
        self
    }

    /// Whether it comes back when it has fallen.
    #[must_use]
    pub fn kind(mut self, kind: ChildKind) -> Self {
        self.kind = kind;
        self
    }

    /// Its name among the Nodes of its host.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Its settings, to read.
    pub fn settings(&self) -> &NodeConfig {
        &self.config
    }

    /// What its history outlives, to read.
    pub fn outlives(&self) -> Durability {
        self.durability.unwrap_or_default()
    }

    /// Whether it comes back, to read.
    pub fn child_kind(&self) -> ChildKind {
        self.kind
    }

    /// The id that it has on this host, and keeps wherever it goes.
    pub fn peer_id(&self, host: &PeerId) -> PeerId {
        host.derive(&self.name)
    }

    /// Makes it, as it is without a history.
    pub fn install(&self, host: &PeerId) -> Result<Node, InstallError> {
        let peer = self.peer_id(host);
        let mut installation = Installation::new(peer, &self.program)
            .config(Arc::clone(&self.config))
            .addresses(self.addresses.iter().cloned());
        // A program with several modules and no places runs all of them.
        let targets: Vec<&str> = match (&self.targets[..], &self.place) {
            ([], None) => self.program.targets().collect(),
            (targets, _) => targets.iter().map(String::as_str).collect(),
        };
        installation = installation.targets(targets);
        if let Some(place) = &self.place {
            installation = installation.place(place);
        }
        for (place, peers) in &self.bound {
            installation = installation.bind(place, peers.iter().copied());
        }
        installation.install()
    }
}
