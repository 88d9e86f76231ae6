//! The history of a Node that is to outlive its falls and not its process.
//!
//! Law: what a later life needs and no more: once a snapshot was read back, the records before the
//! older of two are gone.

use std::collections::VecDeque;

use bytes::Bytes;
use samsara_proto::PeerId;
use samsara_runtime::{
    hosting::{Journal, StoreFault},
    recovery::{Cursor, CursorSlot, Head, Lsn, Record, RecordKind, ResumeError, StoreId},
    storage::{MemoryDisk, Storage},
};

/// A log of one Node, and its snapshots beside it.
#[derive(Debug)]
pub(crate) struct MemoryJournal {
    disk: MemoryDisk,
    records: VecDeque<Kept>,
    last: Lsn,
    head: Head,
}

#[derive(Debug)]
struct Kept {
    lsn: Lsn,
    head: Head,
    kind: RecordKind,
    payload: Bytes,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        let mut disk = MemoryDisk::default();
        // It is this Node's alone.
        disk.lock().ok();
        let (records, last, head) = (VecDeque::new(), Lsn::ZERO, Head::default());
        Self { disk, records, last, head }
    }
}

impl MemoryJournal {
    /// Forgets what no snapshot needs to be followed by.
    pub(crate) fn truncate(&mut self, keep: Lsn) {
        while self.records.front().is_some_and(|record| record.lsn < keep) {
            self.records.pop_front();
        }
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

    fn append(&mut self, _: &PeerId, kind: RecordKind, payload: &Bytes) -> Result<Lsn, StoreFault> {
        let next = self.last.next().ok_or(StoreFault::Stopped)?;
        // A chain of hashes tells what a disk has lost. Memory has no such way to lose anything.
        let head = Head { count: self.head.count.saturating_add(1), ..self.head };
        (self.last, self.head) = (next, head);
        self.records.push_back(Kept { lsn: next, head, kind, payload: payload.clone() });
        Ok(next)
    }

    fn sync(&mut self, upto: Lsn) -> Result<Lsn, StoreFault> {
        Ok(self.last.max(upto))
    }

    fn force(&mut self, _: Lsn) -> Result<(), StoreFault> {
        Ok(())
    }

    fn read(
        &mut self,
        node: &PeerId,
        visit: &mut dyn FnMut(&Record<'_>),
    ) -> Result<(), StoreFault> {
        for Kept { lsn, head, kind, payload } in &self.records {
            let (lsn, head, kind, node) = (*lsn, *head, *kind, *node);
            visit(&Record { lsn, durable: lsn, node, head, kind, payload });
        }
        Ok(())
    }

    fn head(&self, _: &PeerId) -> Option<Head> {
        Some(self.head)
    }

    fn resume(&mut self, _: &PeerId, _: Head) -> Result<(), ResumeError> {
        Ok(())
    }

    fn take_cursor(&mut self, _: Lsn) -> (CursorSlot, Option<Cursor>) {
        // Only what is to outlive its process leaves a cursor behind, and that is not kept here.
        (CursorSlot::default(), None)
    }

    fn write_cursor(&mut self, _: CursorSlot, _: Option<Cursor>) -> Result<(), StoreFault> {
        Ok(())
    }
}
