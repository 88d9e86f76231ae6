//! Why a System does not start, and why a Node is not spawned.
//!
//! Law: one enum for each decision a caller makes, and each says what to do.

use samsara_runtime::{config::ConfigErrors, framework::CapReached, hosting::RaiseError};

use crate::{links::LinkError, store::StoreError};

/// Why a System did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its limits contradict each other.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// Its store cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its links cannot be as they were asked for.
    #[error(transparent)]
    Links(#[from] LinkError),
    /// Its supervisor did not start.
    #[error("the supervisor did not start: {detail}")]
    Supervisor {
        /// What went wrong.
        detail: String,
    },
}

/// Why a Node was not spawned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The System was stopped.
    #[error("the system was stopped")]
    Closed,
    /// A Node of this name is there.
    #[error("a node {name:?} is there already")]
    Taken {
        /// The name.
        name: String,
    },
    /// The Node is to outlive its process, and there is nothing that would.
    #[error("node {name:?} is to be durable and the system has no store: give it one")]
    NoStore {
        /// The name.
        name: String,
    },
    /// There are as many Nodes as may be.
    #[error(transparent)]
    TooMany(#[from] CapReached),
    /// The Node cannot be brought to the end of its history, or be at all.
    #[error("the node was not raised")]
    NotRaised(#[source] RaiseError),
    /// The Node falls over its history again and again, and is put aside until it is released.
    #[error("the node is in quarantine")]
    Quarantined,
}
