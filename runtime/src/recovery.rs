//! The log that all Nodes of a store share: what was acknowledged is in it.
//!
//! Law: a record is durable when a sync after its write has returned, and from then on it is read
//! back as it was or its loss is told. Each record says which ones were durable when it was written:
//! a hole among those is corruption and refused with its place; a hole above them is where power was
//! lost, and is cut and told. A log whose sync failed takes nothing any more, since nobody knows
//! what of it is on the disk.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::config::JournalConfig;
//! use samsara_runtime::recovery::{Log, Lsn, RecordKind, StoreId};
//! use samsara_runtime::rng::Rng;
//! use samsara_runtime::storage::{MemoryDisk, PowerLoss, Storage};
//!
//! let config = JournalConfig { segment_bytes: 1 << 20, ..JournalConfig::edge() };
//! let (store, mut disk) = (StoreId([7; 16]), MemoryDisk::default());
//! disk.lock()?;
//! let mut log = Log::open(&mut disk, store, config, Rng::from_seed(1))?.log;
//!
//! // Records of many Nodes go out in one write and one sync.
//! log.append(&PeerId::from(1), RecordKind::Batch, b"ping")?;
//! log.append(&PeerId::from(2), RecordKind::Batch, b"pong")?;
//! log.write(&mut disk)?;
//! assert_eq!(log.sync(&mut disk)?, Lsn::new(2));
//! log.append(&PeerId::from(1), RecordKind::Batch, b"never synced")?;
//! log.write(&mut disk)?;
//!
//! disk.crash(PowerLoss::Unsynced);
//! disk.lock()?;
//! let log = Log::open(&mut disk, store, config, Rng::from_seed(2))?.log;
//! let mut said = Vec::new();
//! log.read(&disk, Lsn::ZERO, |record| said.push(record.payload.to_vec()))?;
//! assert_eq!(said, [b"ping", b"pong"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cadence;
mod cursors;
mod cycle;
mod heads;
mod letters;
mod lives;
mod log;
mod offers;
mod outputs;
mod part;
mod payload;
mod record;
mod replay;
mod scan;
mod segment;
mod snapshots;
mod spec;
mod strikes;

pub use self::cadence::{Cadence, keep_for_all};
pub use self::cursors::{CursorSlot, Cursors, CursorsError};
pub use self::cycle::{Act, Durability, HostCycle, OutOfOrder};
pub use self::heads::{ResumeError, StillInLog};
pub use self::letters::{DeadLetter, DeadLetters, LetterId, LetterOf, LetterSource};
pub use self::lives::{Lives, LivesError, StoreLife};
pub use self::log::{AppendError, Log, LogBack, LogError, LogFront, LogGroup, LogView};
pub use self::offers::{Offer, Offers};
pub use self::outputs::{OutputMark, StepMarks};
pub use self::part::HostPart;
pub use self::payload::{AbortRecord, GiveUp, TurnRecord, ack_payload, gone_payload};
pub use self::record::{Fault, Head, Lsn, Record, RecordKind};
pub use self::replay::{Heard, History, Replay, ReplayError, Replayed};
pub use self::segment::{FORMAT_VERSION, StoreId};
pub use self::snapshots::{Found, KeepError, Snapshots, StoredSnapshot};
pub use self::spec::NodeSpec;
pub use self::strikes::{Cursor, Verdict};

use crate::storage::{FileName, StorageError};

/// A log that was opened, and what had to be given up for it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The log.
    pub log: Log,
    /// The torn tail that was cut off.
    pub cut: Option<Cut>,
}

/// Where a log ended in bytes that were being written when power was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// The file.
    pub file: FileName,
    /// Where in it.
    pub offset: u64,
    /// The first record that is not there.
    pub lsn: Lsn,
    /// What is there instead.
    pub fault: Fault,
    /// Whole records behind it, given up with it: none of them was known to be durable.
    pub whole_behind: u64,
}

/// A record that was durable is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {lsn} was durable and is lost at byte {offset} of {file}: {fault}")]
#[non_exhaustive]
pub struct Corruption {
    /// The file.
    pub file: FileName,
    /// Where in it.
    pub offset: u64,
    /// The record.
    pub lsn: Lsn,
    /// What is there instead.
    pub fault: Fault,
}

/// Why a log cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Something durable is lost.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// A file is another store's.
    #[error("{file} belongs to store {found}, wanted {wanted}")]
    OtherStore {
        /// The file.
        file: FileName,
        /// This store.
        wanted: StoreId,
        /// The file's.
        found: StoreId,
    },
    /// A file is of another version.
    #[error("{file} is of format {found}, wanted {wanted}")]
    OtherFormat {
        /// The file.
        file: FileName,
        /// The format that is understood.
        wanted: u32,
        /// The file's.
        found: u32,
    },
    /// The disk does not do what it is to.
    #[error("the log cannot be read")]
    Storage(#[from] StorageError),
}
