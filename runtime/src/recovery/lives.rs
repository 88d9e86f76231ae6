//! The lives of a store: which it is, and how often somebody has begun to act for it.
//!
//! Law: a number is durable before anything is done under it, and never given again: not after a
//! crash at any instruction, not to two owners. One counter serves all Nodes of the store, so a
//! start of many costs one sync.
//!
//! The file has two slots of 64 bytes in sectors of their own, written in turn, so that a torn one
//! leaves the other. A slot, little-endian:
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
        let slots = [0, SECTOR].map(|at| read(storage, &file, at));
        let (one, other) = (slots[0].clone()?, slots[1].clone()?);
        let is_one_store = one.zip(other).is_none_or(|(one, other)| one.0 == other.0);
        match one.into_iter().chain(other).max_by_key(|(_, number)| *number) {
            Some((store, last)) if is_one_store => Ok(Self { store, last, is_stopped: false }),
            Some(_) | None => Err(LivesError::Damaged { file }),
        }
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
        Ok(Self { store, last: 0, is_stopped: false })
    }

    /// Which store it is.
    pub fn store(&self) -> StoreId {
        self.store
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
        let at = if number.is_multiple_of(2) { 0 } else { SECTOR };
        let written = storage
            .write_at(&file, at, &slot(self.store, number, boot_nonce))
            .and_then(|()| storage.sync(&file));
        // Whether the number is on the disk is not known any more.
        self.is_stopped = written.is_err();
        written?;
        self.last = number;
        Ok(StoreLife { incarnation: Incarnation::new(number), boot_nonce })
    }
}

fn slot(store: StoreId, number: u64, nonce: u64) -> Vec<u8> {
    let parts = [&MAGIC[..], &store.0, &number.to_le_bytes(), &nonce.to_le_bytes(), &[0; 20]];
    let mut bytes = parts.concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The store and the number that a slot bears, if it is whole.
fn read(
    storage: &impl Storage,
    file: &FileName,
    at: u64,
) -> Result<Option<(StoreId, u64)>, StorageError> {
    let mut bytes = [0; SLOT];
    storage.read(file, at, &mut bytes)?;
    let whole = || {
        let (body, _) = bytes.split_at_checked(SLOT - 4)?;
        let is_whole =
            body.starts_with(MAGIC) && u32_at(&bytes, SLOT - 4)? == crc32fast::hash(body);
        is_whole.then_some((StoreId(*body.get(8..)?.first_chunk()?), u64_at(body, 24)?))
    };
    Ok(whole())
}
