//! What can be seen of a world between two acts.
//!
//! Law: nothing can be moved by looking.

use samsara_runtime::{component::Component, node::Node};

/// The Nodes of a world, all of them up.
#[derive(Debug)]
pub struct Sight<'w> {
    pub(crate) nodes: Vec<(&'w str, &'w Node)>,
    pub(crate) is_settled: bool,
    pub(crate) unsent: u64,
}

impl<'w> Sight<'w> {
    /// The Nodes and their names, in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = (&'w str, &'w Node)> {
        self.nodes.iter().copied()
    }

    /// The Node of this name.
    pub fn node(&self, name: &str) -> Option<&'w Node> {
        self.nodes().find(|(known, _)| *known == name).map(|(_, node)| node)
    }

    /// What all Nodes have in this slot, where it is a `C`.
    pub fn models<C: Component>(&self, slot: &str) -> impl Iterator<Item = &'w C> {
        self.nodes().filter_map(move |(_, node)| node.model::<C>(slot))
    }

    /// The sum of this metric over all Nodes.
    pub fn sum(&self, metric: &str) -> i64 {
        let values = self.nodes().filter_map(|(_, node)| node.metric(metric));
        values.fold(0, i64::saturating_add)
    }

    /// Bytes of reliable output that wait for their receivers, of all Nodes.
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Whether the world has come to rest.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }
}
