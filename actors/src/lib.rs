//! Hosts of samsara Nodes: what decides nothing, and does what `runtime` has decided.
//!
//! Law: this is where clocks, files, threads and tasks are. Nothing here is known by a Node.

pub mod disk;
pub mod journal;
pub mod panics;
