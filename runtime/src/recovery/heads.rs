//! How far the records of each Node go, and where the last of them is.
//!
//! Law: what a log has of one Node is one chain. A head may be taken from outside, or forgotten,
//! only where the log has no record that it would have to follow from or lead up to.

use std::collections::BTreeMap;

use samsara_proto::PeerId;

use super::record::{Fault, Head, Lsn, Record};

/// The heads of all Nodes of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heads {
    nodes: BTreeMap<PeerId, Place>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    head: Head,
    /// The Node's last record; zero if the log never had one.
    last: Lsn,
}

/// Why the records of a Node cannot go on from a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// Records that the snapshot holds the effects of are not in the log.
    #[error("the log ends after {log} records of the node, its snapshot after {snapshot}")]
    Behind {
        /// The node's records up to the end of the log.
        log: u64,
        /// Those up to the snapshot.
        snapshot: u64,
    },
    /// After as many records the log and the snapshot tell of different ones.
    #[error("after {count} records of the node its log and its snapshot differ")]
    OtherHistory {
        /// The records of both.
        count: u64,
    },
    /// The log has records of as many Nodes as it may.
    #[error("no room for more nodes in the log, the cap is {cap}")]
    TooManyNodes {
        /// How many there may be.
        cap: u32,
    },
}

/// A Node cannot be forgotten while the log has records of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {last} of the node is in the log, wanted one truncated beyond it, not at {first}")]
#[non_exhaustive]
pub struct StillInLog {
    /// The Node's last record.
    pub last: Lsn,
    /// The first record of the log.
    pub first: Lsn,
}

impl Heads {
    pub(super) fn head(&self, node: &PeerId) -> Option<Head> {
        self.nodes.get(node).map(|place| place.head)
    }

    pub(super) fn last(&self, node: &PeerId) -> Lsn {
        self.nodes.get(node).map_or(Lsn::ZERO, |place| place.last)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = PeerId> {
        self.nodes.keys().copied()
    }

    /// Whether one more Node, or this one, has room among so many.
    pub(super) fn has_room(&self, node: &PeerId, cap: u32) -> bool {
        self.nodes.contains_key(node) || self.nodes.len() < cap as usize
    }

    pub(super) fn advance(&mut self, node: &PeerId, head: Head, last: Lsn) {
        self.nodes.insert(*node, Place { head, last });
    }

    /// Takes a record that is read, if it follows from those before it of its Node. The first one
    /// that the log still has is taken as it is: a snapshot knows what it follows from.
    pub(super) fn follow(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        if let Some(before) = self.head(&record.node)
            && before.after(&record.node, record.kind, record.payload) != Some(record.head)
        {
            return Err(Fault::Chain);
        }
        self.advance(&record.node, record.head, record.lsn);
        Ok(())
    }

    pub(super) fn resume(
        &mut self,
        node: &PeerId,
        head: Head,
        cap: u32,
    ) -> Result<(), ResumeError> {
        match self.head(node) {
            Some(known) if known.count < head.count => {
                Err(ResumeError::Behind { log: known.count, snapshot: head.count })
            }
            Some(known) if known.count == head.count && known.chain != head.chain => {
                Err(ResumeError::OtherHistory { count: head.count })
            }
            Some(_) => Ok(()),
            None if !self.has_room(node, cap) => Err(ResumeError::TooManyNodes { cap }),
            None => {
                self.advance(node, head, Lsn::ZERO);
                Ok(())
            }
        }
    }

    pub(super) fn forget(&mut self, node: &PeerId, first: Lsn) -> Result<(), StillInLog> {
        match self.nodes.get(node) {
            Some(Place { last, .. }) if *last >= first => Err(StillInLog { last: *last, first }),
            Some(_) | None => {
                self.nodes.remove(node);
                Ok(())
            }
        }
    }
}
