//! Where the history of one Node is kept: on the disk of the store, or in memory.
//!
//! Law: the Node's durability decides, once. What is kept here outlives the Node's falls.

use std::sync::Arc;

use samsara_runtime::{
    hosting::MemoryJournal,
    recovery::{Durability, NodeSpec},
};

use crate::{host::Host, store::Desk};

pub(crate) enum Ledger {
    Disk(Desk),
    Memory(Box<MemoryJournal>),
}

impl Ledger {
    /// That of a Node which asks for no more than its host has: see
    /// [`SpawnError::NoStore`](crate::SpawnError::NoStore).
    pub(crate) fn of(spec: &NodeSpec, host: &Arc<Host>) -> Self {
        match (spec.outlives(), &host.store) {
            (Durability::Durable, Some(store)) => Self::Disk(store.desk()),
            (Durability::Volatile | Durability::Memory | Durability::Durable, _) => {
                Self::Memory(Box::default())
            }
        }
    }
}
