//! The journal of Nodes that outlive only their own fall: their records, as they were given.
//!
//! Law: nothing is copied, hashed or written, since what could damage it would end its process. It
//! is cut for each Node by itself, so that no Node keeps the records of another.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use samsara_proto::PeerId;

use super::{Journal, StoreFault};
use crate::{
    recovery::{
        AppendError, Cursor, CursorSlot, Head, Lsn, Record, RecordKind, ResumeError, StoreId,
    },
    storage::{MemoryDisk, Storage},
};

/// Records in memory, for the Nodes of one process.
///
/// ```
/// use bytes::Bytes;
/// use samsara_proto::PeerId;
/// use samsara_runtime::{
///     hosting::{Journal, MemoryJournal},
///     recovery::RecordKind,
/// };
///
/// let (mut journal, node) = (MemoryJournal::default(), PeerId::from(1));
/// let first = journal.append(&node, RecordKind::Batch, &Bytes::from_static(b"one"))?;
/// let second = journal.append(&node, RecordKind::Batch, &Bytes::from_static(b"two"))?;
/// journal.truncate(&node, second);
/// let mut said = Vec::new();
/// journal.read(&node, &mut |record| said.push(record.payload.to_vec()))?;
/// assert_eq!((first < second, said), (true, vec![b"two".to_vec()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryJournal {
    /// Where snapshots are.
    disk: MemoryDisk,
    nodes: BTreeMap<PeerId, Chain>,
    last: Lsn,
}

/// The records of one Node.
#[derive(Debug, Default)]
struct Chain {
    head: Head,
    records: VecDeque<(Lsn, Head, RecordKind, Bytes)>,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        let mut disk = MemoryDisk::default();
        // It was made just now, and nobody else has it.
        disk.lock().ok();
        Self { disk, nodes: BTreeMap::new(), last: Lsn::ZERO }
    }
}

impl MemoryJournal {
    /// Cuts off the records of a Node before this one:
    /// [`Resident::needs_from`](super::Resident::needs_from).
    pub fn truncate(&mut self, node: &PeerId, keep: Lsn) {
        let Some(chain) = self.nodes.get_mut(node) else { return };
        while chain.records.front().is_some_and(|(lsn, ..)| *lsn < keep) {
            chain.records.pop_front();
        }
    }

    /// Forgets a Node that has left.
    pub fn forget(&mut self, node: &PeerId) {
        self.nodes.remove(node);
    }

    /// Bytes of all records that are kept.
    pub fn bytes(&self) -> u64 {
        let records = self.nodes.values().flat_map(|chain| &chain.records);
        records.map(|(.., payload)| payload.len() as u64).fold(0, u64::saturating_add)
    }
}

impl Journal for MemoryJournal {
    type Disk = MemoryDisk;

    fn disk(&mut self) -> &mut MemoryDisk {
        &mut self.disk
    }

    fn store(&self) -> StoreId {
        StoreId([0; 16])
    }

    fn append(
        &mut self,
        node: &PeerId,
        kind: RecordKind,
        payload: &Bytes,
    ) -> Result<Lsn, StoreFault> {
        let chain = self.nodes.entry(*node).or_default();
        let lsn = self.last.next().ok_or(AppendError::Exhausted)?;
        let count = chain.head.count.checked_add(1).ok_or(AppendError::Exhausted)?;
        chain.head.count = count;
        chain.records.push_back((lsn, chain.head, kind, payload.clone()));
        self.last = lsn;
        Ok(lsn)
    }

    fn sync(&mut self, _: Lsn) -> Result<Lsn, StoreFault> {
        Ok(self.last)
    }

    fn force(&mut self, _: Lsn) -> Result<(), StoreFault> {
        Ok(())
    }

    fn read(
        &mut self,
        node: &PeerId,
        visit: &mut dyn FnMut(&Record<'_>),
    ) -> Result<(), StoreFault> {
        let records = self.nodes.get(node).into_iter().flat_map(|chain| &chain.records);
        for (lsn, head, kind, payload) in records {
            let (lsn, head, kind, node) = (*lsn, *head, *kind, *node);
            visit(&Record { lsn, durable: lsn, node, head, kind, payload });
        }
        Ok(())
    }

    fn head(&self, node: &PeerId) -> Option<Head> {
        self.nodes.get(node).map(|chain| chain.head)
    }

    fn resume(&mut self, _: &PeerId, _: Head) -> Result<(), ResumeError> {
        Ok(())
    }

    /// Nodes whose process takes all with it have their cursors in the process.
    fn take_cursor(&mut self, _: Lsn) -> (CursorSlot, Option<Cursor>) {
        (CursorSlot::default(), None)
    }

    fn write_cursor(&mut self, _: CursorSlot, _: Option<Cursor>) -> Result<(), StoreFault> {
        Ok(())
    }
}
