//! Hosts of samsara Nodes: what decides nothing, and does what `runtime` has decided.
//!
//! Law: this is where clocks, files, threads and tasks are. Nothing here is known by a Node. An
//! actor owns nothing that matters: Nodes, their mailboxes, their histories and those who wait for
//! them are outside, where a fall does not reach.
//!
//! | you want | you use |
//! |---|---|
//! | Nodes in your process | [`System`], [`NodeRef`] |
//! | a store in a directory | [`Disk`] |
//! | Nodes of several Systems to reach each other | [`Switch`] |
//! | to know what a store holds | [`inspect()`] |
//! | links to other hosts, over TCP or what you have | [`SystemBuilder::listen`], [`LinkStats`] |
//! | group commit alone | [`journal`] |

mod builder;
mod call;
mod chief;
pub mod disk;
mod ears;
mod error;
mod host;
mod inspect;
mod jobs;
pub mod journal;
mod ledger;
mod links;
mod node_actor;
mod node_ref;
pub mod panics;
mod reign;
mod revival;
mod slot;
mod store;
mod switch;
pub mod system;
mod turn;

pub use self::{
    builder::SystemBuilder,
    call::{Busy, CallError, Inputs, Invocation, Reply, ReplyError},
    disk::LocalDisk as Disk,
    ears::Output,
    error::{SpawnError, StartError},
    inspect::{NodeReport, StoreReport, inspect},
    links::{HostStatus, LinkConfig, LinkError, LinkStats, Who},
    node_ref::NodeRef,
    store::StoreError,
    switch::Switch,
    system::{NodeStatus, System},
};
