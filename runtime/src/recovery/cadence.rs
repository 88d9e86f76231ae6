//! When a Node is captured, and how far the log may be cut for it.
//!
//! Law: never further than to the older of two snapshots that were read back whole, so that one of
//! them may rot.
//!
//! ```
//! use samsara_runtime::{
//!     config::SnapshotConfig,
//!     recovery::{Cadence, Lsn, keep_for_all},
//! };
//!
//! let config = SnapshotConfig { every_events: 2, ..SnapshotConfig::default() };
//! let mut cadence = Cadence::new(config);
//! cadence.note(Lsn::new(1), 2, 100);
//! assert!(cadence.is_due());
//! cadence.captured(Lsn::new(1));
//! assert_eq!(cadence.keep(), Some(Lsn::new(1)), "one snapshot may be the one that rots");
//! cadence.note(Lsn::new(9), 2, 100);
//! cadence.captured(Lsn::new(9));
//! assert_eq!(cadence.keep(), Some(Lsn::new(2)));
//! assert_eq!(keep_for_all([&cadence, &Cadence::new(config)]), Some(Lsn::new(2)));
//! ```

use super::record::Lsn;
use crate::config::SnapshotConfig;
use crate::planted::{self, Bug};

/// What has come since the last snapshot, and which ones there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cadence {
    config: SnapshotConfig,
    events: u64,
    bytes: u64,
    is_asked: bool,
    /// The Node's first record, until two snapshots are behind it.
    first: Option<Lsn>,
    newer: Option<Lsn>,
    older: Option<Lsn>,
}

impl Cadence {
    /// The cadence of a Node without records.
    pub fn new(config: SnapshotConfig) -> Self {
        Self { config, events: 0, bytes: 0, is_asked: false, first: None, newer: None, older: None }
    }

    /// Notes a record, so many events and bytes of it.
    pub fn note(&mut self, lsn: Lsn, events: u64, bytes: u64) {
        self.first.get_or_insert(lsn);
        self.events = self.events.saturating_add(events);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Asks for a snapshot whatever has come, as of a Node that pins the oldest segment.
    pub fn ask(&mut self) {
        self.is_asked = true;
    }

    /// Whether it is time.
    pub fn is_due(&self) -> bool {
        let SnapshotConfig { every_events, every_bytes } = self.config;
        self.is_asked || self.events >= every_events || self.bytes >= every_bytes
    }

    /// Notes a snapshot that holds all up to this record, and was read back whole.
    pub fn captured(&mut self, lsn: Lsn) {
        (self.events, self.bytes, self.is_asked) = (0, 0, false);
        if self.newer != Some(lsn) {
            self.older = self.newer.replace(lsn);
        }
    }

    /// Notes that a snapshot from before the last one was found whole, as at a restart.
    pub fn found_older(&mut self, lsn: Lsn) {
        if self.newer.is_some_and(|newer| lsn < newer) {
            self.older.get_or_insert(lsn);
        }
    }

    /// The snapshot before the last, if there are two.
    pub fn older(&self) -> Option<Lsn> {
        self.older
    }

    /// The first record that must stay; nothing if the Node needs none.
    pub fn keep(&self) -> Option<Lsn> {
        match (self.older, self.newer) {
            (Some(_), Some(newer)) if planted::is(Bug::CutTooFar) => newer.next(),
            (Some(older), _) => older.next(),
            // Whatever stands behind the only one has to stay, even if it was not noted here.
            (None, Some(newer)) => self.first.into_iter().chain(newer.next()).min(),
            (None, None) => self.first,
        }
    }
}

/// The first record that must stay for all Nodes of a log.
pub fn keep_for_all<'c>(nodes: impl IntoIterator<Item = &'c Cadence>) -> Option<Lsn> {
    nodes.into_iter().filter_map(Cadence::keep).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_was_raised_keeps_all_behind_its_older_snapshot() {
        let mut raised = Cadence::new(SnapshotConfig::default());
        raised.captured(Lsn::new(9));
        assert_eq!(raised.keep(), Some(Lsn::new(10)), "a record that is no batch is not noted");
        raised.note(Lsn::new(12), 1, 1);
        assert_eq!(raised.keep(), Some(Lsn::new(10)));
        raised.found_older(Lsn::new(4));
        assert_eq!(raised.keep(), Some(Lsn::new(5)), "the newer one may rot");
    }
}
