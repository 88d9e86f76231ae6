//! What several test binaries and the bench share: instruments, never subjects.
//!
//! Law: nothing here is part of a published crate.

pub mod counting;
