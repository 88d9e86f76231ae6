//! One file of the log: a header, records, and zeros up to its size.
//!
//! Law: a file that bears a segment's name has a whole header, since it gets the name only after the
//! header is synced; and its records bear its salt, so that those of no other file pass for its own.
//! The header's bytes, little-endian:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `samsaraJ` |
//! | 8 | 4 | version of the format |
//! | 12 | 4 | CRC of all else |
//! | 16 | 16 | id of the store |
//! | 32 | 8 | salt |
//! | 40 | 8 | lsn of the first record |
//! | 48 | 8 | size of the file |
//! | 56 | 8 | zero |

use std::fmt;

use super::record::{Lsn, u32_at, u64_at};
use super::{Corruption, Fault, OpenError};
use crate::storage::{FileName, Storage, StorageError};

/// Bytes before the first record.
pub(super) const HEADER: usize = 64;
/// The version of segments and records that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// No segment is larger: its rest is written as zeros when it is mended.
const SIZE_MAX: u64 = 1 << 32;

const MAGIC: &[u8; 8] = b"samsaraJ";
const PREFIX: &str = "journal-";
const SUFFIX: &str = ".log";
/// A segment that is not yet one.
const SPARE: &str = "journal.new";

/// Which store a file belongs to, so that a file of another one is not taken for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(pub [u8; 16]);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A segment by its file and what its header says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) file: FileName,
    pub(super) first: Lsn,
    pub(super) salt: u64,
    pub(super) size: u64,
}

impl Segment {
    pub(super) fn new(store: StoreId, first: Lsn, size: u64, drawn: u64) -> Option<Self> {
        // Equal draws, as of a seed that is used again, still give other salts elsewhere.
        let mut hasher = blake3::Hasher::new();
        hasher.update(&store.0).update(&first.get().to_le_bytes()).update(&drawn.to_le_bytes());
        let salt = u64_at(hasher.finalize().as_bytes(), 0)?;
        Some(Self { file: file_name(first)?, first, salt, size })
    }

    pub(super) fn header(&self, store: StoreId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        let mut rest = Vec::with_capacity(HEADER);
        rest.extend_from_slice(&store.0);
        for number in [self.salt, self.first.get(), self.size, 0] {
            rest.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&header_crc(&bytes, &rest).to_le_bytes());
        bytes.extend_from_slice(&rest);
        bytes
    }

    /// The segment of a file, checked against the file's name and the store's id.
    pub(super) fn read(file: &FileName, bytes: &[u8], store: StoreId) -> Result<Self, OpenError> {
        let first = first_lsn(file).unwrap_or_default();
        let fault = Fault::SegmentHeader;
        let corrupt = || Corruption { file: file.clone(), offset: 0, lsn: first, fault };
        let parsed = || {
            let (before, rest) = (bytes.get(..12)?, bytes.get(16..HEADER)?);
            let magic = before.starts_with(MAGIC) && u64_at(bytes, 56)? == 0;
            let whole = magic && header_crc(before, rest) == u32_at(bytes, 12)?;
            let found = StoreId(*bytes.get(16..)?.first_chunk()?);
            let (salt, size) = (u64_at(bytes, 32)?, u64_at(bytes, 48)?);
            let header_first = Lsn::new(u64_at(bytes, 40)?);
            whole.then_some((u32_at(bytes, 8)?, found, header_first, salt, size))
        };
        let (version, found, header_first, salt, size) = parsed().ok_or_else(corrupt)?;
        if version != FORMAT_VERSION {
            let (file, wanted) = (file.clone(), FORMAT_VERSION);
            return Err(OpenError::OtherFormat { file, wanted, found: version });
        }
        if found != store {
            return Err(OpenError::OtherStore { file: file.clone(), wanted: store, found });
        }
        if header_first != first || !(HEADER as u64..=SIZE_MAX).contains(&size) {
            return Err(corrupt().into());
        }
        Ok(Self { file: file.clone(), first, salt, size })
    }

    /// Makes the file of what was prepared: it appears under its name when it is whole.
    pub(super) fn create(
        &self,
        storage: &mut impl Storage,
        store: StoreId,
    ) -> Result<(), StorageError> {
        let Some(spare) = spare_name() else { return Ok(()) };
        storage.write_at(&spare, 0, &self.header(store))?;
        storage.sync(&spare)?;
        storage.rename(&spare, &self.file)?;
        storage.sync_dir()
    }
}

/// Makes the zeros of the next segment.
pub(super) fn prepare(storage: &mut impl Storage, size: u64) -> Result<(), StorageError> {
    let Some(spare) = spare_name() else { return Ok(()) };
    remove_spare(storage)?;
    if let Err(error) = storage.create(&spare, size) {
        // Half of a segment would take the room that others wait for.
        let _ = remove_spare(storage);
        return Err(error);
    }
    storage.sync(&spare)
}

/// Deletes what was to become a segment and did not.
pub(super) fn remove_spare(storage: &mut impl Storage) -> Result<(), StorageError> {
    let Some(spare) = spare_name() else { return Ok(()) };
    match storage.remove(&spare) {
        Err(StorageError::Missing { .. }) => Ok(()),
        other => other,
    }
}

/// The segments there are, by their first record.
pub(super) fn list(storage: &impl Storage) -> Result<Vec<FileName>, StorageError> {
    // Numbers are written with all their digits, so the order of names is that of numbers.
    let files = storage.list()?;
    Ok(files.into_iter().filter(|file| first_lsn(file).is_some()).collect())
}

fn header_crc(before: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(rest);
    hasher.finalize()
}

fn spare_name() -> Option<FileName> {
    FileName::new(SPARE).ok()
}

fn file_name(first: Lsn) -> Option<FileName> {
    FileName::new(&format!("{PREFIX}{:016x}{SUFFIX}", first.get())).ok()
}

pub(super) fn first_lsn(file: &FileName) -> Option<Lsn> {
    let digits = file.as_str().strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let first = Lsn::new(u64::from_str_radix(digits, 16).ok()?);
    (file_name(first).as_ref() == Some(file)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_claims_a_size_out_of_bounds_is_refused() {
        let store = StoreId([1; 16]);
        for (size, is_sound) in
            [(0, false), (63, false), (64, true), (SIZE_MAX, true), (SIZE_MAX + 1, false)]
        {
            let segment = Segment::new(store, Lsn::new(7), size, 3).expect("a legal name");
            let read = Segment::read(&segment.file, &segment.header(store), store);
            assert_eq!(read.is_ok(), is_sound, "{size}: {read:?}");
        }
    }

    #[test]
    fn equal_draws_give_equal_salts_only_to_the_same_segment() {
        let salt = |store, first, drawn| {
            Segment::new(StoreId([store; 16]), Lsn::new(first), 64, drawn).map(|new| new.salt)
        };
        assert_eq!(salt(1, 1, 1), salt(1, 1, 1));
        for other in [salt(2, 1, 1), salt(1, 2, 1), salt(1, 1, 2)] {
            assert_ne!(salt(1, 1, 1), other);
        }
    }

    #[test]
    fn only_the_name_that_a_segment_is_given_is_one() {
        let named = |text: &str| FileName::new(text).ok().and_then(|file| first_lsn(&file));
        assert_eq!(named("journal-00000000000000ff.log"), Some(Lsn::new(255)));
        for other in ["journal-ff.log", "journal-+0000000000000ff.log", SPARE, "journal-.log"] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
