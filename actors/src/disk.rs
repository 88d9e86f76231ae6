//! A store in a directory of the machine.
//!
//! Law: one process has the directory at a time, and only it writes there. A call that returns has
//! done all of what it says, however often the machine interrupted it; a failure names the act and
//! the file, and says of a full disk that it is only that.
//!
//! ```
//! use samsara_actors::disk::LocalDisk;
//! use samsara_runtime::storage::{FileName, Storage, StorageError};
//!
//! # let directory = std::env::temp_dir().join(format!("samsara-disk-{}", std::process::id()));
//! let mut disk = LocalDisk::open(&directory)?;
//! disk.lock()?;
//! assert_eq!(LocalDisk::open(&directory)?.lock(), Err(StorageError::Locked));
//!
//! let file = FileName::new("notes")?;
//! disk.create(&file, 8)?;
//! disk.write_at(&file, 2, b"kept")?;
//! disk.sync(&file)?;
//! disk.sync_dir()?;
//! let mut bytes = [1; 8];
//! assert_eq!(disk.read(&file, 0, &mut bytes)?, 8);
//! assert_eq!(&bytes, b"\0\0kept\0\0");
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, DirEntry, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use samsara_runtime::storage::{FileName, Storage, StorageError};

/// Held for as long as a process has the store. It is no name that a store could give.
const LOCK: &str = ".lock";
/// Zeros that are written at a time.
const ZEROS: &[u8] = &[0; 256 * 1024];
/// Files that are kept open: the segment at work, the cursors, and those just written.
const OPEN_MAX: usize = 32;

/// A directory, and all that is in it. Clones are the same store, for other threads of its process.
#[derive(Clone, Debug)]
pub struct LocalDisk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    /// Locked, or nothing: the machine lets go of it when the process ends, however it ends.
    lock: Mutex<Option<File>>,
    open: Mutex<BTreeMap<FileName, Arc<File>>>,
}

/// Why a directory cannot be a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// Something else is there.
    #[error("{} is no directory, wanted one that the store has for itself", path.display())]
    NotADirectory {
        /// What was given.
        path: PathBuf,
    },
    /// The process may not write there.
    #[error("{} cannot be written to, wanted a directory with the right to: {detail}", path.display())]
    NotWritable {
        /// What was given.
        path: PathBuf,
        /// What the machine said.
        detail: String,
    },
    /// The machine failed.
    #[error("{} cannot be opened as a store: {detail}", path.display())]
    Io {
        /// What was given.
        path: PathBuf,
        /// What the machine said.
        detail: String,
    },
}

impl LocalDisk {
    /// The store in this directory, which is made if it is not there. Nothing is locked yet.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, DiskError> {
        let path = directory.into();
        fs::create_dir_all(&path).map_err(|error| refused(&path, &error))?;
        // Asked for here, so that who may not write learns it before anything is begun.
        open_lock(&path).map_err(|error| refused(&path, &error))?;
        let (lock, open) = (Mutex::default(), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { directory: path, lock, open }) })
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// The process that has the lock, as far as it said so.
    pub fn owner(&self) -> Option<u32> {
        let said = fs::read_to_string(self.inner.directory.join(LOCK)).ok()?;
        said.trim().parse().ok()
    }

    fn path(&self, file: &FileName) -> PathBuf {
        self.inner.directory.join(file.as_str())
    }

    fn must_be_locked(&self) -> Result<(), StorageError> {
        if locked(&self.inner.lock).is_some() { Ok(()) } else { Err(StorageError::NotLocked) }
    }

    /// The file, kept open if it was.
    fn file(&self, name: &FileName) -> Result<Arc<File>, StorageError> {
        let mut open = locked(&self.inner.open);
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        let opened = OpenOptions::new().read(true).write(true).open(self.path(name));
        let file = Arc::new(opened.map_err(|error| of_file("open", name, 0, &error))?);
        if open.len() >= OPEN_MAX {
            open.pop_first();
        }
        open.insert(name.clone(), Arc::clone(&file));
        Ok(file)
    }

    /// Names mean other files from now on.
    fn forget(&self, names: &[&FileName]) {
        let mut open = locked(&self.inner.open);
        for name in names {
            open.remove(*name);
        }
    }

    fn fill(&self, name: &FileName, size: u64) -> Result<(), StorageError> {
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(self.path(name));
        let file = made.map_err(|error| of_file("create", name, size, &error))?;
        // Written and not only reserved: a sync of a write into blocks that were never written
        // would have to sync the file's own description as well.
        let (mut at, mut left) = (0, size);
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
            let zeros = ZEROS.get(..len).unwrap_or(ZEROS);
            file.write_all_at(zeros, at).map_err(|error| of_file("create", name, size, &error))?;
            (at, left) = (at.saturating_add(len as u64), left.saturating_sub(len as u64));
        }
        Ok(())
    }
}

impl Storage for LocalDisk {
    fn lock(&mut self) -> Result<(), StorageError> {
        let mut held = locked(&self.inner.lock);
        if held.is_some() {
            return Err(StorageError::Locked);
        }
        let mut file =
            open_lock(&self.inner.directory).map_err(|error| self.failed("lock", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::Locked),
            Err(TryLockError::Error(error)) => return Err(self.failed("lock", &error)),
        }
        // For people: who cannot have the store wants to know who has it. Nothing depends on it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        *held = Some(file);
        Ok(())
    }

    fn unlock(&mut self) {
        locked(&self.inner.open).clear();
        *locked(&self.inner.lock) = None;
    }

    fn list(&self) -> Result<Vec<FileName>, StorageError> {
        let name = |entry: io::Result<DirEntry>| match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
                let name = entry.file_name();
                Ok(name.to_str().filter(|_| is_file).and_then(|name| FileName::new(name).ok()))
            }
            Err(error) => Err(error),
        };
        let entries = fs::read_dir(&self.inner.directory);
        let names: io::Result<Vec<_>> =
            entries.and_then(|entries| entries.map(name).filter_map(Result::transpose).collect());
        let mut names = names.map_err(|error| self.failed("list", &error))?;
        names.sort_unstable();
        Ok(names)
    }

    fn size(&self, file: &FileName) -> Result<u64, StorageError> {
        let metadata = fs::metadata(self.path(file));
        metadata.map(|data| data.len()).map_err(|error| of_file("measure", file, 0, &error))
    }

    fn read(&self, name: &FileName, at: u64, into: &mut [u8]) -> Result<usize, StorageError> {
        let file = self.file(name)?;
        let (mut at, mut read) = (at, 0_usize);
        while let Some(rest) = into.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, at) {
                Ok(0) => break,
                Ok(count) => {
                    read = read.saturating_add(count);
                    at = at.saturating_add(count as u64);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Behind the last place that a file may have there is nothing.
                Err(error) if error.kind() == ErrorKind::InvalidInput => break,
                Err(error) => return Err(of_file("read", name, 0, &error)),
            }
        }
        Ok(read)
    }

    fn create(&mut self, file: &FileName, size: u64) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let filled = self.fill(file, size);
        if matches!(filled, Err(ref error) if !matches!(error, StorageError::Exists { .. })) {
            // Half a file would take the room that the next attempt needs.
            let _ = fs::remove_file(self.path(file));
        }
        filled
    }

    fn write_at(&mut self, name: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let written = self.file(name)?.write_all_at(bytes, at);
        written.map_err(|error| of_file("write", name, bytes.len() as u64, &error))
    }

    fn sync(&mut self, name: &FileName) -> Result<(), StorageError> {
        self.must_be_locked()?;
        self.file(name)?.sync_data().map_err(|error| of_file("sync", name, 0, &error))
    }

    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let renamed = fs::rename(self.path(from), self.path(to));
        self.forget(&[from, to]);
        renamed.map_err(|error| of_file("rename", from, 0, &error))
    }

    fn sync_dir(&mut self) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let synced = File::open(&self.inner.directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| self.failed("sync", &error))
    }

    fn remove(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.must_be_locked()?;
        let removed = fs::remove_file(self.path(file));
        self.forget(&[file]);
        removed.map_err(|error| of_file("remove", file, 0, &error))
    }
}

impl LocalDisk {
    fn failed(&self, act: &'static str, error: &io::Error) -> StorageError {
        let file = self.inner.directory.display().to_string();
        StorageError::Io { act, file, detail: error.to_string() }
    }
}

fn open_lock(directory: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(LOCK))
}

fn refused(path: &Path, error: &io::Error) -> DiskError {
    let (path, detail) = (path.to_path_buf(), error.to_string());
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => DiskError::NotADirectory { path },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            DiskError::NotWritable { path, detail }
        }
        _ => DiskError::Io { path, detail },
    }
}

fn of_file(act: &'static str, file: &FileName, wanted: u64, error: &io::Error) -> StorageError {
    let file = file.clone();
    match error.kind() {
        ErrorKind::NotFound => StorageError::Missing { file },
        ErrorKind::AlreadyExists => StorageError::Exists { file },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StorageError::Full { file, wanted },
        _ => StorageError::Io { act, file: file.to_string(), detail: error.to_string() },
    }
}

/// What is guarded here is whole at every instruction: a thread that fell leaves nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
