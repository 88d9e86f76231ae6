//! Fuzz targets as plain functions, and a deterministic mutator that feeds them.
//!
//! Law: a target panics only when a promise of the code under test is broken, never because its
//! input is nonsense; and the same seed gives the same inputs on every machine.
//!
//! ```
//! use samsara_fuzz::{Mutator, TARGETS, corpus};
//!
//! for (name, target) in TARGETS {
//!     let mut mutator = Mutator::new(7, &corpus(name).expect("a corpus"));
//!     for _ in 0..100 {
//!         target(mutator.next_input());
//!     }
//! }
//! ```

pub mod framing;
pub mod hostile;
pub mod mutate;
pub mod oracle;
mod random;
mod targets;

use std::io;
use std::path::Path;

pub use mutate::Mutator;
pub use targets::{address, envelope, peer_id, prescan_versus_prost};

/// A function that panics when an input makes the code under test break a promise.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("envelope", envelope),
    ("prescan_versus_prost", prescan_versus_prost),
    ("peer_id", peer_id),
    ("address", address),
];

/// The inputs that are kept for a target, in order of file name.
pub fn corpus(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths = folder
        .read_dir()?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(std::fs::read).collect()
}
