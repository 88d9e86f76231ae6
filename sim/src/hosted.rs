//! A Node in a process of a world, and what the world knows of it beside.
//!
//! Law: it is moved by the shipped driver. What is here only looks.

use samsara_runtime::{
    hosting::Resident, id::ExecId, node::Node, recovery::NodeSpec, snapshot::NodeSnapshot,
    step::EngineStep,
};

use crate::{fact::Fact, process::End};

/// A Node that a process carries.
pub(crate) struct Hosted {
    pub(crate) id: usize,
    pub(crate) resident: Resident,
    /// A snapshot of the Node as it was made: its parts that no history brings back.
    pub(crate) blank: NodeSnapshot,
    /// The Node falls inside of a component, behind so many calls of one batch.
    pub(crate) fragile: Option<u64>,
}

impl Hosted {
    /// A hash of what its history has made of the Node. Left out is what its door has done beside
    /// it: the ids that were given there.
    pub(crate) fn digest(&mut self) -> Result<[u8; 32], End> {
        let snapshot = self.resident.node_mut().snapshot();
        let snapshot = snapshot.map_err(|error| End::Broken(error.to_string()))?;
        Ok(snapshot.with_part_of("admissions", &self.blank).digest())
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.resident.spec().name()
    }

    /// The Node, to look at.
    pub(crate) fn node(&self) -> &Node {
        self.resident.node()
    }

    /// Offers the Node a call; nothing if its door refuses.
    pub(crate) fn invoke(&mut self, call: &crate::world::Call) -> Option<ExecId> {
        let inputs = call.inputs.iter().map(|(name, value)| (&**name, value.clone()));
        self.resident.node_mut().invoke(&call.module, inputs).ok()
    }
}

/// A Node as it is made, or why it cannot be.
pub(crate) fn blank(spec: &NodeSpec, host: &samsara_proto::PeerId) -> Result<NodeSnapshot, End> {
    let broken = |what: String| End::Broken(format!("{}: {what}", spec.name()));
    let mut node = spec.install(host).map_err(|error| broken(error.to_string()))?;
    node.snapshot().map_err(|error| broken(error.to_string()))
}

pub(crate) fn left(node: usize, number: u64, turn: Option<u64>, step: &EngineStep) -> Fact {
    let hash = *blake3::hash(format!("{step:?}").as_bytes()).as_bytes();
    Fact::Left { node, number, turn, hash }
}
