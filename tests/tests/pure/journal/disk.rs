//! Disks for these tests: made of bytes, watched, and failing on demand.

use samsara_runtime::storage::{FileName, MemoryDisk, Storage, StorageError};

pub(super) fn locked() -> MemoryDisk {
    let mut disk = MemoryDisk::default();
    disk.lock().expect("nobody has it");
    disk
}

pub(super) fn files_of(disk: &impl Storage) -> Vec<(FileName, Vec<u8>)> {
    let files = disk.list().expect("a disk").into_iter().map(|file| {
        let mut bytes = vec![0; disk.size(&file).expect("it is there") as usize];
        disk.read(&file, 0, &mut bytes).expect("it is there");
        (file, bytes)
    });
    files.collect()
}

/// A locked disk on which all of this is synced.
pub(super) fn disk_of(files: &[(FileName, Vec<u8>)]) -> MemoryDisk {
    let mut disk = locked();
    for (file, bytes) in files {
        disk.create(file, 0).expect("room");
        disk.write_at(file, 0, bytes).expect("room");
        disk.sync(file).expect("a sync");
    }
    disk.sync_dir().expect("a sync");
    disk
}

/// What the call of a fault does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Failure {
    Io,
    Full,
}

/// A disk that notes each change asked of it, and fails at one of them.
pub(super) struct Watched {
    pub(super) disk: MemoryDisk,
    pub(super) calls: Vec<&'static str>,
    /// The place among the calls that fails, and how.
    pub(super) fails: Option<(usize, Failure)>,
}

impl Watched {
    pub(super) fn new(disk: MemoryDisk) -> Self {
        Self { disk, calls: Vec::new(), fails: None }
    }

    fn note(&mut self, act: &'static str, file: &str) -> Result<(), StorageError> {
        self.calls.push(act);
        match self.fails {
            Some((place, failure)) if place + 1 == self.calls.len() => Err(match failure {
                Failure::Io => {
                    StorageError::Io { act, file: file.to_owned(), detail: "planted".to_owned() }
                }
                Failure::Full => StorageError::Full {
                    file: FileName::new("planted").expect("a legal name"),
                    wanted: 1,
                },
            }),
            _ => Ok(()),
        }
    }
}

impl Storage for Watched {
    fn lock(&mut self) -> Result<(), StorageError> {
        self.disk.lock()
    }

    fn unlock(&mut self) {
        self.disk.unlock();
    }

    fn list(&self) -> Result<Vec<FileName>, StorageError> {
        self.disk.list()
    }

    fn size(&self, file: &FileName) -> Result<u64, StorageError> {
        self.disk.size(file)
    }

    fn read(&self, file: &FileName, at: u64, into: &mut [u8]) -> Result<usize, StorageError> {
        self.disk.read(file, at, into)
    }

    fn create(&mut self, file: &FileName, size: u64) -> Result<(), StorageError> {
        let noted = self.note("create", file.as_str());
        if let Err(StorageError::Full { .. }) = noted {
            // A disk notices half-way that it is full.
            self.disk.create(file, size / 2)?;
        }
        noted.and_then(|()| self.disk.create(file, size))
    }

    fn write_at(&mut self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.note("write_at", file.as_str())?;
        self.disk.write_at(file, at, bytes)
    }

    fn sync(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.note("sync", file.as_str())?;
        self.disk.sync(file)
    }

    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError> {
        self.note("rename", from.as_str())?;
        self.disk.rename(from, to)
    }

    fn sync_dir(&mut self) -> Result<(), StorageError> {
        self.note("sync_dir", "the directory")?;
        self.disk.sync_dir()
    }

    fn remove(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.note("remove", file.as_str())?;
        self.disk.remove(file)
    }
}
