//! A snapshot: all that a Node is between two turns, as parts with names.
//!
//! Law: total, canonical and checked. Two Nodes in one state give the same bytes; a flipped, missing
//! or added byte is noticed before a part is read.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::{
//!     compiler::Compiler, config::NodeConfig, graph::Graph, node::install,
//!     snapshot::NodeSnapshot, time::seconds,
//! };
//!
//! let g = Graph::new("Echo");
//! g.output("later", g.sleep(g.input::<String>("text"), seconds(3)));
//! let program = Compiler::new().compile(g.build()?)?;
//! let new = || install(PeerId::from(1), [], &program, &["Echo"], NodeConfig::default());
//!
//! let mut first = new()?;
//! first.invoke("Echo", [("text", "hello")])?;
//! first.run_until_idle(seconds(0));
//! let bytes = first.snapshot()?.encode();
//!
//! let mut second = new()?;
//! second.restore(&NodeSnapshot::decode(bytes)?)?;
//! let steps = second.run_until_idle(seconds(3));
//! assert_eq!(steps.output::<String>("later").as_deref(), Some("hello"));
//! assert!(second.incarnation() > first.incarnation());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod components;
mod error;
mod frame;
mod mirror;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use samsara_proto::PeerId;

pub(crate) use self::components::{BLOCK, Block, Components};
pub use self::error::{DecodeError, RestoreError, SnapshotError};
pub use crate::context::NamedComponentSnapshot;
use crate::{
    codec::{Loader, Saved, Saver, Unreadable, saved},
    id::Incarnation,
    program::ContentHash,
    time::Nanos,
};

/// The version of the layout that is written here, and the only one that is read.
pub const CURRENT_SNAPSHOT_SPEC_VERSION: u32 = 1;

/// Whose snapshot it is, of what, and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotHeader {
    /// The Node.
    pub peer: PeerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// The program that it runs.
    pub plan_hash: ContentHash,
    /// The modules of the program that it runs.
    pub targets: Vec<String>,
    /// Its logical time.
    pub now: Nanos,
    /// Its settings by their paths, which its snapshots share.
    pub config: Arc<BTreeMap<String, u64>>,
}

/// All that a Node is between two turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSnapshot {
    pub(crate) header: SnapshotHeader,
    pub(crate) components: Components,
    /// The other parts by their names.
    pub(crate) parts: BTreeMap<String, Bytes>,
}

impl NodeSnapshot {
    /// Whose it is, of what, and when it was taken.
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// What the components were, in the order of their slots. One that was not called since the
    /// snapshot before is shared with that one.
    pub fn components(&self) -> impl Iterator<Item = &Arc<NamedComponentSnapshot>> + Clone {
        self.components.iter()
    }

    /// The names of the other parts, and their bytes.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.parts.iter().map(|(name, bytes)| (name.as_str(), bytes))
    }

    /// The same with this part as it is in another one, for those who want to see what it is there
    /// for. What the other does not have is left out.
    #[must_use]
    pub fn with_part_of(mut self, part: &str, other: &Self) -> Self {
        match other.parts.get(part) {
            Some(bytes) => self.parts.insert(part.to_owned(), bytes.clone()),
            None => self.parts.remove(part),
        };
        self
    }

    /// Its bytes.
    pub fn encode(&self) -> Bytes {
        frame::encode(self)
    }

    /// The snapshot of these bytes.
    pub fn decode(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        frame::decode(&bytes.into())
    }

    /// A hash of the Node's state: equal for Nodes that are in the same one, whatever their lives.
    pub fn digest(&self) -> [u8; 32] {
        let header = SnapshotHeader { incarnation: Incarnation::new(0), ..self.header.clone() };
        frame::digest(&header, &self.components, &self.parts)
    }
}

saved! {
    SnapshotHeader { peer, incarnation, plan_hash, targets, now, config }
    NodeSnapshot { header, components, parts }
}

impl Saved for Arc<NamedComponentSnapshot> {
    fn save(&self, out: &mut Saver) {
        self.slot.save(out);
        self.type_name.save(out);
        self.state_bytes.save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let (slot, type_name, state_bytes) = Saved::load(from)?;
        Ok(Self::new(NamedComponentSnapshot { slot, type_name, state_bytes }))
    }
}
