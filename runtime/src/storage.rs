//! Files as a store sees them: one directory, whose every crash point can be cut.
//!
//! Law: a write holds once its file is synced, a name once the directory is; before that a loss of
//! power may drop, keep or tear each of them by itself. What follows from a failed sync is the
//! caller's to decide, and a journal decides to stop.
//!
//! ```
//! use samsara_runtime::storage::{FileName, MemoryDisk, PowerLoss, Storage};
//!
//! let mut disk = MemoryDisk::default();
//! disk.lock()?;
//! let file = FileName::new("notes")?;
//! disk.create(&file, 8)?;
//! disk.sync(&file)?;
//! disk.sync_dir()?;
//! disk.write_at(&file, 0, b"unsynced")?;
//!
//! disk.crash(PowerLoss::Unsynced);
//! let mut bytes = [1; 8];
//! assert_eq!(disk.read(&file, 0, &mut bytes)?, 8);
//! assert_eq!(bytes, [0; 8]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod memory;

use std::fmt;

pub use self::memory::{MemoryDisk, PowerLoss};

/// The files of one store. Only who holds the lock may change anything.
pub trait Storage {
    /// Takes the store for this owner alone, until it is unlocked or its process ends.
    fn lock(&mut self) -> Result<(), StorageError>;

    /// Lets others take the store.
    fn unlock(&mut self);

    /// The files there are, in the order of their names.
    fn list(&self) -> Result<Vec<FileName>, StorageError>;

    /// The bytes of a file.
    fn size(&self, file: &FileName) -> Result<u64, StorageError>;

    /// Reads from this place on as much as there is and fits, and says how much that was.
    fn read(&self, file: &FileName, at: u64, into: &mut [u8]) -> Result<usize, StorageError>;

    /// Makes a new file of so many zeros, with its blocks on the disk reserved.
    fn create(&mut self, file: &FileName, size: u64) -> Result<(), StorageError>;

    /// Writes all of these bytes; past the end the file grows, with zeros in a gap.
    fn write_at(&mut self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError>;

    /// Makes what was written to this file so far outlive a loss of power.
    fn sync(&mut self, file: &FileName) -> Result<(), StorageError>;

    /// Gives a file another name at once. A file that bore that name is gone.
    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError>;

    /// Makes the names there are now, and those that are gone, outlive a loss of power.
    fn sync_dir(&mut self) -> Result<(), StorageError>;

    /// Deletes a file.
    fn remove(&mut self, file: &FileName) -> Result<(), StorageError>;
}

/// Why a store could not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// There is no room. It may be tried again when there is.
    #[error("no room on the disk for {wanted} bytes of {file}")]
    Full {
        /// The file that was to grow.
        file: FileName,
        /// The bytes it wanted.
        wanted: u64,
    },
    /// The machine failed. What was asked for may have happened in part.
    #[error("could not {act} {file}: {detail}")]
    Io {
        /// What was asked for.
        act: &'static str,
        /// The file, or the directory.
        file: String,
        /// What the machine said.
        detail: String,
    },
    /// Another owner has the store.
    #[error("the store is locked by another owner")]
    Locked,
    /// Only who holds the lock may change anything.
    #[error("the store is not locked, wanted its lock before a change")]
    NotLocked,
    /// There is no such file.
    #[error("there is no file {file}")]
    Missing {
        /// The name that was asked for.
        file: FileName,
    },
    /// There is such a file already.
    #[error("there is a file {file} already")]
    Exists {
        /// The name that was asked for.
        file: FileName,
    },
}

/// The name of a file in a store. It cannot lead out of its directory, and means the same file on
/// every system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// A text is no name for a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no file name, wanted 1 to {} of a-z, 0-9, '-', '_' and '.', not a dot first",
    FileName::LEN_MAX
)]
#[non_exhaustive]
pub struct FileNameError {
    /// The text.
    pub text: String,
}

impl FileName {
    /// Letters of a name: any file system takes as many.
    pub const LEN_MAX: usize = 128;

    /// The name of this text.
    pub fn new(text: &str) -> Result<Self, FileNameError> {
        let legal = |letter: u8| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        let is_name = (1..=Self::LEN_MAX).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(legal);
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err(FileNameError { text: text.chars().take(Self::LEN_MAX).collect() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
