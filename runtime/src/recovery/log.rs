//! The end of the log: what is appended, written, synced and cut off at its beginning.
//!
//! Law: numbers rise by one and are given at append; records go out in that order; what could not be
//! written waits and is not lost. After a failed write or sync nothing is taken any more, but a disk
//! that is only full may be tried again.
//!
//! A log has two sides, since a sync takes thousands of times as long as an append: who may not wait
//! for a disk splits it, and lets another thread write what has gathered meanwhile.

mod back;
mod front;

use samsara_proto::PeerId;

pub use self::back::{LogBack, LogView};
pub use self::front::LogFront;

use super::heads::{ResumeError, StillInLog};
use super::record::{Head, Lsn, Record, RecordKind};
use super::scan::{self, Scan};
use super::segment::StoreId;
use super::{OpenError, Opened};
use crate::config::JournalConfig;
use crate::rng::Rng;
use crate::storage::{Storage, StorageError};

/// A log, open at its end.
#[derive(Debug)]
pub struct Log {
    front: LogFront,
    back: LogBack,
    group: LogGroup,
}

/// Records on their way from one side of a log to the other: written with one call and one sync.
#[derive(Debug, Default)]
pub struct LogGroup {
    bytes: Vec<u8>,
}

impl LogGroup {
    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Why a record was not appended. Nothing of it is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A write or a sync failed: only opening the log again tells what it holds.
    #[error("the log is stopped since a write or a sync failed")]
    Stopped,
    /// What waits to be written has to be written first.
    #[error("{bytes} bytes more than the {waiting} that wait to be written, the cap is {cap}")]
    Full {
        /// Bytes of the record, at most.
        bytes: u64,
        /// Bytes that wait.
        waiting: u64,
        /// Bytes that may wait.
        cap: u64,
    },
    /// No segment would take the record.
    #[error("a payload of {bytes} bytes, the cap is {cap}")]
    TooLarge {
        /// Bytes of the payload.
        bytes: u64,
        /// Bytes of the largest.
        cap: u64,
    },
    /// The log has records of as many Nodes as it may.
    #[error("no room for more nodes in the log, the cap is {cap}")]
    TooManyNodes {
        /// How many there may be.
        cap: u32,
    },
    /// Numbers have run out.
    #[error("no number is left for a record")]
    Exhausted,
}

/// Why the log could not be brought to its disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A write or a sync failed before this.
    #[error("the log is stopped since a write or a sync failed")]
    Stopped,
    /// The disk is full. What was appended waits, and it may be tried again.
    #[error("the log has no room on its disk")]
    Full(#[source] StorageError),
    /// A write or a sync failed just now, and the log is stopped.
    #[error("the log is stopped")]
    Failed(#[source] StorageError),
}

impl Log {
    /// Reads the log of a store whose lock is held, cuts a torn tail, and goes on at its end.
    ///
    /// `rng` has to be seeded anew for each life of the store.
    pub fn open(
        storage: &mut impl Storage,
        store: StoreId,
        config: JournalConfig,
        rng: Rng,
    ) -> Result<Opened, OpenError> {
        let Scan { segments, heads, last, end, cut } = scan::open(storage, store)?;
        let front = LogFront::new(config, heads, last);
        let back = LogBack::new(config, store, rng, segments, (last, end));
        Ok(Opened { log: Self { front, back, group: LogGroup::default() }, cut })
    }

    /// Its two sides, for two threads: records are taken from the [front](LogFront::hand_over) in
    /// groups, each [written](LogBack::write) and [synced](LogBack::sync) while others gather.
    ///
    /// ```
    /// use samsara_proto::PeerId;
    /// use samsara_runtime::config::JournalConfig;
    /// use samsara_runtime::recovery::{Log, LogGroup, Lsn, RecordKind, StoreId};
    /// use samsara_runtime::rng::Rng;
    /// use samsara_runtime::storage::{MemoryDisk, Storage};
    ///
    /// let mut disk = MemoryDisk::default();
    /// disk.lock()?;
    /// let opened = Log::open(&mut disk, StoreId([7; 16]), JournalConfig::edge(), Rng::from_seed(1))?;
    /// let (mut front, mut back) = opened.log.split();
    /// let mut group = LogGroup::default();
    ///
    /// front.append(&PeerId::from(1), RecordKind::Batch, b"first")?;
    /// front.hand_over(&mut group);
    /// front.append(&PeerId::from(1), RecordKind::Batch, b"while the first is written")?;
    /// back.write(&mut disk, &mut group)?;
    /// front.note_written(&group);
    /// assert_eq!(back.sync(&mut disk)?, Lsn::new(1));
    /// assert_eq!(front.appended(), Lsn::new(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split(self) -> (LogFront, LogBack) {
        let Self { mut front, back, group } = self;
        front.take_back(group);
        (front, back)
    }

    /// Takes a record of a Node, to be written with those of others, and gives its number.
    pub fn append(
        &mut self,
        node: &PeerId,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<Lsn, AppendError> {
        self.front.append(node, kind, payload)
    }

    /// Writes what was appended. It is durable after the next [`Log::sync`].
    pub fn write(&mut self, storage: &mut impl Storage) -> Result<Lsn, LogError> {
        self.front.hand_over(&mut self.group);
        let written = self.back.write(storage, &mut self.group);
        self.front.note_written(&self.group);
        self.heed(written)
    }

    /// Makes durable what was written, and says how far that is.
    pub fn sync(&mut self, storage: &mut impl Storage) -> Result<Lsn, LogError> {
        let synced = self.back.sync(storage);
        self.heed(synced)
    }

    /// Makes the zeros of the next segment ahead of time, so that no write waits for them.
    pub fn prepare(&mut self, storage: &mut impl Storage) -> Result<(), LogError> {
        let prepared = self.back.prepare(storage);
        self.heed(prepared)
    }

    /// Deletes the segments of which no record is at or above this one.
    pub fn truncate(&mut self, storage: &mut impl Storage, keep: Lsn) -> Result<(), LogError> {
        let truncated = self.back.truncate(storage, keep);
        self.heed(truncated)
    }

    /// What becomes of one side is true of the other.
    fn heed<T>(&mut self, outcome: Result<T, LogError>) -> Result<T, LogError> {
        if self.back.is_stopped() {
            self.front.stop();
        }
        outcome
    }

    /// Hands out the written records from this one on, in order.
    pub fn read(
        &self,
        storage: &impl Storage,
        from: Lsn,
        visit: impl FnMut(Record<'_>),
    ) -> Result<(), OpenError> {
        self.back.read(storage, from, visit)
    }

    /// How far the records of a Node go, if the log knows any.
    pub fn head(&self, node: &PeerId) -> Option<Head> {
        self.front.head(node)
    }

    /// The last record of a Node; zero if the log never had one.
    pub fn last(&self, node: &PeerId) -> Lsn {
        self.front.last(node)
    }

    /// Lets the records of a Node go on from its snapshot, and checks one against the other.
    pub fn resume(&mut self, node: &PeerId, head: Head) -> Result<(), ResumeError> {
        self.front.resume(node, head)
    }

    /// Forgets a Node that has left the store; should it come back, it begins anew.
    pub fn forget(&mut self, node: &PeerId) -> Result<(), StillInLog> {
        self.front.forget(node, self.first())
    }

    /// The first record that the log still has, or would have.
    pub fn first(&self) -> Lsn {
        let next = || self.appended().next().unwrap_or(self.appended());
        self.back.first().unwrap_or_else(next)
    }

    /// The last record that was appended.
    pub const fn appended(&self) -> Lsn {
        self.front.appended()
    }

    /// The last record that is durable.
    pub const fn durable(&self) -> Lsn {
        self.back.durable()
    }

    /// Whether a write or a sync failed.
    pub const fn is_stopped(&self) -> bool {
        self.back.is_stopped()
    }
}
