//! A wire: a value of a graph that is being recorded.
//!
//! Law: a wire stands for one value of one graph, or for none; it cannot outlive its graph, so it
//! can never come to mean another's.

use super::Graph;
use crate::module::ValueId;

/// A value of the graph that gave it. Copy it to use the value several times.
#[derive(Clone, Copy)]
pub struct Wire<'g> {
    source: Option<(&'g Graph, ValueId)>,
}

impl<'g> Wire<'g> {
    /// No value: keeps the position of an optional input that is not given.
    pub const ABSENT: Self = Self { source: None };

    pub(super) const fn new(graph: &'g Graph, value: ValueId) -> Self {
        Self { source: Some((graph, value)) }
    }

    pub(super) const fn is_absent(self) -> bool {
        self.source.is_none()
    }

    /// The value, if it is one of this graph's.
    pub(super) fn value_in(self, graph: &Graph) -> Option<ValueId> {
        let (owner, value) = self.source?;
        owner.records_with(graph).then_some(value)
    }
}

impl std::fmt::Debug for Wire<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.source {
            Some((graph, value)) => write!(f, "wire {} of {}", value.0, graph.name()),
            None => f.write_str("absent wire"),
        }
    }
}
