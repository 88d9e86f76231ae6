//! The lives of a store: which it is, and how often somebody has begun to act for it.
//!
//! Law: a number is durable before anything is done under it, and never given again: not after a
//! crash at any instruction, not to two owners. One counter serves all Nodes of the store, so a
//! start of many costs one sync.
//!
//! The file has two slots of 64 bytes in sectors of their own, written in turn, so that a torn one
//! leaves the other; its number is passed over, since it may have been in use. A slot, little-endian:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `samsaraL` |
//! | 8 | 16 | id of the store |
//! | 24 | 8 | number of the life |
//! | 32 | 8 | boot nonce |
//! | 40 | 20 | zero |
//! | 60 | 4 | CRC of all else |
//!
//! ```
//! use samsara_runtime::{
//!     recovery::Lives, rng::Rng, storage::{MemoryDisk, PowerLoss, Storage},
//! };
//!
//! let (mut disk, mut rng) = (MemoryDisk::default(), Rng::from_seed(1));
//! disk.lock()?;
//! let mut lives = Lives::open(&mut disk, &mut rng)?;
//! let first = lives.bump(&mut disk, &mut rng)?;
//!
//! disk.crash(PowerLoss::Unsynced);
//! disk.lock()?;
//! let mut again = Lives::open(&mut disk, &mut rng)?;
//! assert_eq!(again.store(), lives.store());
//! assert!(again.bump(&mut disk, &mut rng)?.incarnation > first.incarnation);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{
    record::{u32_at, u64_at},
    segment::{self, StoreId},
};
use crate::{
    id::Incarnation,
    planted::{self, Bug},
    rng::Rng,
    storage::{FileName, FileNameError, Storage, StorageError},
};

const FILE: &str = "lives";
/// The file before it is whole.
const SPARE: &str = "lives.new";
const MAGIC: &[u8; 8] = b"samsaraL";
/// Bytes of a slot, and of the sector that it has for itself.
const SLOT: usize = 64;
const SECTOR: u64 = 512;

/// One life of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLife {
    /// Its number.
    pub incarnation: Incarnation,
    /// Drawn for it: two owners that claim one number are told apart by it.
    pub boot_nonce: u64,
}

/// The counter of lives, open.
#[derive(Debug)]
pub struct Lives {
    store: StoreId,
    last: u64,
    /// Where the next one is written: never over the last one.
    next_at: u64,
    is_stopped: bool,
}

/// Why a store cannot begin a life.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LivesError {
    /// The store has a log and no counter: what it acted under is not known any more.
    #[error("the store has a log and no file {file}")]
    Missing {
        /// The counter's file.
        file: FileName,
    },
    /// No slot of the counter is whole, or they are of two stores.
    #[error("{file} is damaged: no slot of it is whole, or they contradict each other")]
    Damaged {
        /// The counter's file.
        file: FileName,
    },
    /// A write or a sync failed before this.
    #[error("no life can begin since a write or a sync failed")]
    Stopped,
    /// Every number was used.
    #[error("no number is left for a life")]
    Exhausted,
    /// The disk does not do what it is to.
    #[error("the counter of lives cannot be reached")]
    Storage(#[from] StorageError),
    /// The name of the file is none.
    #[error(transparent)]
    Name(#[from] FileNameError),
}

impl Lives {
    /// Opens the counter of a store whose lock is held, or makes one where nothing is.
    ///
    /// `rng` has to be seeded anew for each process.
    pub fn open(storage: &mut impl Storage, rng: &mut Rng) -> Result<Self, LivesError> {
        let file = FileName::new(FILE)?;
        if !storage.list()?.contains(&file) {
            return Self::create(storage, &file, rng);
        }
        let (one, other) = (read(storage, &file, 0)?, read(storage, &file, SECTOR)?);
        let (store, last, next_at) = match (one, other) {
            (Slot::Whole(store, one), Slot::Whole(same, other)) if store == same => {
                (store, one.max(other), if one > other { SECTOR } else { 0 })
            }
            (Slot::Whole(store, last), Slot::Empty) => (store, last, SECTOR),
            // The one that is not whole may have been the last, and in use.
            (Slot::Whole(store, last), Slot::Torn) => (store, last.saturating_add(1), SECTOR),
            (Slot::Torn, Slot::Whole(store, last)) => (store, last.saturating_add(1), 0),
            _ => return Err(LivesError::Damaged { file }),
        };
        Ok(Self { store, last, next_at, is_stopped: false })
    }

    fn create(
        storage: &mut impl Storage,
        file: &FileName,
        rng: &mut Rng,
    ) -> Result<Self, LivesError> {
        if !segment::list(storage)?.is_empty() {
            return Err(LivesError::Missing { file: file.clone() });
        }
        let spare = FileName::new(SPARE)?;
        match storage.remove(&spare) {
            Ok(()) | Err(StorageError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut id = [0; 16];
        for (byte, drawn) in
            id.iter_mut().zip([rng.next_u64(), rng.next_u64()].map(u64::to_le_bytes).as_flattened())
        {
            *byte = *drawn;
        }
        let store = StoreId(id);
        storage.create(&spare, 2 * SECTOR)?;
        storage.write_at(&spare, 0, &slot(store, 0, 0))?;
        storage.sync(&spare)?;
        storage.rename(&spare, file)?;
        storage.sync_dir()?;
        Ok(Self { store, last: 0, next_at: SECTOR, is_stopped: false })
    }

    /// Which store it is.
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// The number that was given last; zero if there was none. One that was torn counts as given.
    pub fn last(&self) -> Incarnation {
        Incarnation::new(self.last)
    }

    /// Begins a life: when this has returned, it is durable that its number was given.
    pub fn bump(
        &mut self,
        storage: &mut impl Storage,
        rng: &mut Rng,
    ) -> Result<StoreLife, LivesError> {
        if self.is_stopped {
            return Err(LivesError::Stopped);
        }
        let number = self.last.checked_add(1).ok_or(LivesError::Exhausted)?;
        let (file, boot_nonce) = (FileName::new(FILE)?, rng.next_u64());
        let bytes = slot(self.store, number, boot_nonce);
        let written = if planted::is(Bug::NoBump) {
            Ok(())
        } else {
            storage.write_at(&file, self.next_at, &bytes).and_then(|()| storage.sync(&file))
        };
        // Whether the number is on the disk is not known any more.
        self.is_stopped = written.is_err();
        written?;
        self.last = number;
        self.next_at = SECTOR.saturating_sub(self.next_at);
        Ok(StoreLife { incarnation: Incarnation::new(number), boot_nonce })
    }
}

fn slot(store: StoreId, number: u64, nonce: u64) -> Vec<u8> {
    let parts = [&MAGIC[..], &store.0, &number.to_le_bytes(), &nonce.to_le_bytes(), &[0; 20]];
    let mut bytes = parts.concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// What a slot holds.
enum Slot {
    /// It was never written.
    Empty,
    /// It was, and is not whole.
    Torn,
    /// The store and the number.
    Whole(StoreId, u64),
}

fn read(storage: &impl Storage, file: &FileName, at: u64) -> Result<Slot, StorageError> {
    let mut bytes = [0; SLOT];
    storage.read(file, at, &mut bytes)?;
    if bytes == [0; SLOT] {
        return Ok(Slot::Empty);
    }
    let whole = || {
        let (body, _) = bytes.split_at_checked(SLOT - 4)?;
        let is_whole =
            body.starts_with(MAGIC) && u32_at(&bytes, SLOT - 4)? == crc32fast::hash(body);
        is_whole.then_some(Slot::Whole(StoreId(*body.get(8..)?.first_chunk()?), u64_at(body, 24)?))
    };
    Ok(whole().unwrap_or(Slot::Torn))
}
