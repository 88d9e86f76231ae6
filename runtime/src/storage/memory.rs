//! A disk in memory that loses what a real one may lose.
//!
//! Law: what was synced survives everything. Of the rest each write, and each sector of a torn one,
//! survives or not by itself; a rename happens or not, never half.

use std::collections::BTreeMap;

use super::{FileName, Storage, StorageError};
use crate::rng::Rng;

/// Bytes that a disk writes as one.
const SECTOR: u64 = 512;

/// A disk in memory. The lock belongs to whoever holds the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryDisk {
    capacity: u64,
    locked: bool,
    files: BTreeMap<u64, Content>,
    made: u64,
    names: BTreeMap<FileName, u64>,
    synced_names: BTreeMap<FileName, u64>,
    /// Changes of names since the directory was synced.
    renames: Vec<NameChange>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// Writes since the file was synced.
    writes: Vec<Write>,
}

#[derive(Clone, Debug, PartialEq)]
enum Write {
    Zeros { size: usize },
    Bytes { at: usize, bytes: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq)]
enum NameChange {
    Create { name: FileName, file: u64 },
    Rename { from: FileName, to: FileName },
    Remove { name: FileName },
}

/// What is lost in a crash.
#[derive(Debug)]
pub enum PowerLoss<'a> {
    /// Nothing: the process died, the machine did not.
    Nothing,
    /// All that was not synced.
    Unsynced,
    /// Whatever chance takes of what was not synced, torn writes included.
    Chance(&'a mut Rng),
}

impl Default for MemoryDisk {
    /// A disk that is never full.
    fn default() -> Self {
        Self::with_capacity(u64::MAX)
    }
}

impl MemoryDisk {
    /// An empty disk of so many bytes.
    pub const fn with_capacity(capacity: u64) -> Self {
        Self {
            capacity,
            locked: false,
            files: BTreeMap::new(),
            made: 0,
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            renames: Vec::new(),
        }
    }

    /// Makes the disk larger or smaller. What is on it stays.
    pub const fn set_capacity(&mut self, capacity: u64) {
        self.capacity = capacity;
    }

    /// The process ends, and the lock with it; and power may be lost.
    pub fn crash(&mut self, loss: PowerLoss<'_>) {
        self.locked = false;
        match loss {
            PowerLoss::Nothing => return,
            PowerLoss::Unsynced => self.names.clone_from(&self.synced_names),
            PowerLoss::Chance(rng) => self.lose_by_chance(rng),
        }
        self.synced_names.clone_from(&self.names);
        self.renames.clear();
        let names = &self.names;
        self.files.retain(|file, _| names.values().any(|named| named == file));
        for content in self.files.values_mut() {
            content.writes.clear();
            content.bytes.clone_from(&content.synced);
        }
    }

    fn lose_by_chance(&mut self, rng: &mut Rng) {
        self.names.clone_from(&self.synced_names);
        for change in &self.renames {
            if rng.chance(1, 2) {
                change.apply(&mut self.names);
            }
        }
        for Content { synced, writes, .. } in self.files.values_mut() {
            for write in writes.drain(..) {
                match rng.below(4) {
                    0 => {}
                    1 => write.apply_torn(synced, rng),
                    _ => write.apply(synced),
                }
            }
        }
    }

    fn file(&self, name: &FileName) -> Result<u64, StorageError> {
        self.names.get(name).copied().ok_or_else(|| StorageError::Missing { file: name.clone() })
    }

    fn content(&self, name: &FileName) -> Result<&Content, StorageError> {
        let missing = || StorageError::Missing { file: name.clone() };
        self.files.get(&self.file(name)?).ok_or_else(missing)
    }

    fn content_mut(&mut self, name: &FileName) -> Result<&mut Content, StorageError> {
        let file = self.file(name)?;
        let missing = || StorageError::Missing { file: name.clone() };
        self.files.get_mut(&file).ok_or_else(missing)
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.renames.push(change);
    }

    fn must_be_locked(&self) -> Result<(), StorageError> {
        if self.locked { Ok(()) } else { Err(StorageError::NotLocked) }
    }

    /// Whether a file may grow to this size, as a size in memory.
    fn room(&self, name: &FileName, before: usize, after: u64) -> Result<usize, StorageError> {
        let wanted = after.saturating_sub(before as u64);
        let named = self.names.values().filter_map(|file| self.files.get(file));
        let used: u64 = named.map(|content| content.bytes.len() as u64).sum();
        let size = usize::try_from(after).ok().filter(|size| *size <= isize::MAX as usize);
        match size {
            Some(size) if wanted == 0 || wanted <= self.capacity.saturating_sub(used) => Ok(size),
            Some(_) | None => Err(StorageError::Full { file: name.clone(), wanted }),
        }
    }
}

impl Storage for MemoryDisk {
    fn lock(&mut self) -> Result<(), StorageError> {
        if std::mem::replace(&mut self.locked, true) {
            return Err(StorageError::Locked);
        }
        Ok(())
    }

    fn unlock(&mut self) {
        self.locked = false;
    }

    fn list(&self) -> Result<Vec<FileName>, StorageError> {
        Ok(self.names.keys().cloned().collect())
    }

    fn size(&self, file: &FileName) -> Result<u64, StorageError> {
        self.content(file).map(|content| content.bytes.len() as u64)
    }

    fn read(&self, file: &FileName, at: u64, into: &mut [u8]) -> Result<usize, StorageError> {
        let bytes = &self.content(file)?.bytes;
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let there = bytes.get(from..).unwrap_or_default();
        let read = there.len().min(into.len());
        if let (Some(there), Some(into)) = (there.get(..read), into.get_mut(..read)) {
            into.copy_from_slice(there);
        }
        Ok(read)
    }

    fn create(&mut self, file: &FileName, size: u64) -> Result<(), StorageError> {
        self.must_be_locked()?;
        if self.names.contains_key(file) {
            return Err(StorageError::Exists { file: file.clone() });
        }
        let size = self.room(file, 0, size)?;
        self.made = self.made.saturating_add(1);
        let mut content = Content::default();
        content.write(Write::Zeros { size });
        self.files.insert(self.made, content);
        self.change_names(NameChange::Create { name: file.clone(), file: self.made });
        Ok(())
    }

    fn write_at(&mut self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let before = self.content(file)?.bytes.len();
        let after = at.saturating_add(bytes.len() as u64).max(before as u64);
        let at = self.room(file, before, after)?.min(usize::try_from(at).unwrap_or(usize::MAX));
        self.content_mut(file)?.write(Write::Bytes { at, bytes: bytes.to_vec() });
        Ok(())
    }

    fn sync(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let Content { synced, writes, .. } = self.content_mut(file)?;
        for write in writes.drain(..) {
            write.apply(synced);
        }
        Ok(())
    }

    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError> {
        self.must_be_locked()?;
        self.file(from)?;
        self.change_names(NameChange::Rename { from: from.clone(), to: to.clone() });
        Ok(())
    }

    fn sync_dir(&mut self) -> Result<(), StorageError> {
        self.must_be_locked()?;
        self.renames.clear();
        self.synced_names.clone_from(&self.names);
        let names = &self.names;
        self.files.retain(|file, _| names.values().any(|named| named == file));
        Ok(())
    }

    fn remove(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.must_be_locked()?;
        self.file(file)?;
        self.change_names(NameChange::Remove { name: file.clone() });
        Ok(())
    }
}

impl Content {
    fn write(&mut self, write: Write) {
        write.apply(&mut self.bytes);
        self.writes.push(write);
    }
}

impl Write {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Zeros { size } => to.resize(to.len().max(*size), 0),
            Self::Bytes { at, bytes } => put(to, *at, bytes),
        }
    }

    /// Applies those sectors that chance leaves.
    fn apply_torn(&self, to: &mut Vec<u8>, rng: &mut Rng) {
        let Self::Bytes { at, bytes } = self else { return };
        let (mut at, mut left) = (*at, bytes.as_slice());
        while !left.is_empty() {
            let to_boundary = (SECTOR - at as u64 % SECTOR) as usize;
            let (sector, rest) = left.split_at(to_boundary.min(left.len()));
            if rng.chance(1, 2) {
                put(to, at, sector);
            }
            (at, left) = (at.saturating_add(sector.len()), rest);
        }
    }
}

fn put(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at.saturating_add(bytes.len());
    to.resize(to.len().max(end), 0);
    if let Some(place) = to.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

impl NameChange {
    /// Changes the names, as far as what is to change is there.
    fn apply(&self, names: &mut BTreeMap<FileName, u64>) {
        match self {
            Self::Create { name, file } => {
                names.insert(name.clone(), *file);
            }
            Self::Rename { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Self::Remove { name } => {
                names.remove(name);
            }
        }
    }
}
