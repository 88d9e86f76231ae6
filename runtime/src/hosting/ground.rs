//! What a process gives the Nodes that it carries.
//!
//! Law: a Node reaches the outside through these two traits and nothing else. What it says there is
//! borrowed, so that who does not listen pays nothing.

use samsara_ingress::Admitted;
use samsara_proto::PeerId;

use super::fault::StoreFault;
use crate::{
    delivery::CourierStep,
    event::IngressEvent,
    recovery::{
        AbortRecord, Cursor, CursorSlot, Head, Lsn, Record, RecordKind, ResumeError, StoreId,
    },
    step::EngineStep,
    storage::{FileName, Storage},
};

/// Where a Node stands.
pub trait Ground {
    /// What keeps the Node's history.
    type Journal: Journal;

    /// Where its history is kept. Nodes that outlive a loss of power have theirs on a disk, those
    /// that outlive only their own fall in memory.
    fn journal(&mut self) -> &mut Self::Journal;

    /// Hears what the Node says, in order.
    fn hear(&mut self, node: &PeerId, word: Word<'_>);
}

/// Where histories are kept: a log, the snapshots beside it, and what was at work.
/// [`Store`](super::Store) is one whose every call waits for its disk.
pub trait Journal {
    /// Where snapshots are.
    type Disk: Storage;

    /// Where snapshots are.
    fn disk(&mut self) -> &mut Self::Disk;

    /// Which store it is.
    fn store(&self) -> StoreId;

    /// Takes a record of a Node and gives its number.
    fn append(
        &mut self,
        node: &PeerId,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<Lsn, StoreFault>;

    /// Makes the log durable up to this record, and says how far it is now. Less than was asked for
    /// means that it is being done, on another thread and for many at once.
    fn sync(&mut self, upto: Lsn) -> Result<Lsn, StoreFault>;

    /// As [`sync`](Self::sync), and waits. It is asked for when a Node is raised and something of it
    /// is given up, and only then.
    fn force(&mut self, upto: Lsn) -> Result<(), StoreFault>;

    /// Hands out the records of a Node, in order, those included that were appended last.
    fn read(&mut self, node: &PeerId, visit: &mut dyn FnMut(&Record<'_>))
    -> Result<(), StoreFault>;

    /// How far the records of a Node go, if any are known.
    fn head(&self, node: &PeerId) -> Option<Head>;

    /// Lets the records of a Node go on from its snapshot.
    fn resume(&mut self, node: &PeerId, head: Head) -> Result<(), ResumeError>;

    /// A place for the cursor of a Node whose history ends with this batch, and what a dead process
    /// has left there.
    fn take_cursor(&mut self, last: Lsn) -> (CursorSlot, Option<Cursor>);

    /// Writes what is at work, before it is; `None` when it has succeeded.
    fn write_cursor(&mut self, slot: CursorSlot, cursor: Option<Cursor>) -> Result<(), StoreFault>;
}

/// What a Node says to its host.
#[derive(Debug)]
#[non_exhaustive]
pub enum Word<'w> {
    /// These events are kept: who waits for them may be told.
    Acked {
        /// The record; nothing if no journal is kept.
        lsn: Option<Lsn>,
        /// The events.
        events: &'w [Admitted<IngressEvent>],
    },
    /// An output. What is to be carried to a peer goes to the courier by itself.
    Left {
        /// Its number among all outputs of the Node.
        number: u64,
        /// The output.
        step: &'w EngineStep,
        /// An earlier life may have let it out. What the host has, by its number, it has.
        is_again: bool,
    },
    /// Something between the Node and its peers is to be done, or to be known.
    Carry(CourierStep),
    /// A snapshot was written that holds all up to this record: the log may be cut.
    Captured {
        /// The record.
        lsn: Lsn,
    },
    /// A snapshot was passed over, since it is not whole any more.
    Rotten {
        /// The file.
        file: &'w FileName,
    },
    /// What the Node fell over too often was given up.
    GaveUp {
        /// What, and where.
        abort: &'w AbortRecord,
    },
    /// The Node was brought to the end of its history.
    Raised {
        /// The record of its last batch; zero if there is none.
        batch: Lsn,
    },
}
