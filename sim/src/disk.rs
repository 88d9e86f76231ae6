//! A disk whose process can be cut at each call that changes it, and that can fail in other ways.
//!
//! Law: what a disk has promised it keeps. What was not synced may go, and a process that is cut does
//! nothing any more.

use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
};

use samsara_runtime::{
    rng::Rng,
    storage::{FileName, MemoryDisk, PowerLoss, Storage, StorageError},
};

use crate::points::{Call, Kind};

/// The process ended here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

#[derive(Debug, Default)]
struct Inner {
    disk: MemoryDisk,
    /// Points that were passed since the fuse was set.
    passed: u64,
    /// The point that is not survived.
    fuse: Option<u64>,
    /// Syncs that are still to fail.
    failing: u32,
    /// What was asked for when the process ended.
    cut_at: Option<Call>,
}

/// A handle on the disk and on the fuse of its process.
///
/// ```
/// use samsara_runtime::storage::{FileName, Storage};
/// use samsara_sim::Disk;
///
/// let (mut disk, file) = (Disk::default(), FileName::new("notes")?);
/// disk.lock()?;
/// disk.set_fuse(Some(1));
/// disk.create(&file, 8)?;
/// assert!(disk.sync(&file).is_err(), "the process is no more");
/// assert!(disk.is_cut());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Disk(Rc<RefCell<Inner>>);

impl Disk {
    /// Lets the process end at this point, counted from now, or never.
    pub fn set_fuse(&self, fuse: Option<u64>) {
        let mut inner = self.0.borrow_mut();
        (inner.passed, inner.fuse, inner.cut_at) = (0, fuse, None);
    }

    /// Points that were passed since the fuse was set.
    pub fn passed(&self) -> u64 {
        self.0.borrow().passed
    }

    /// Whether the fuse has burned down.
    pub fn is_cut(&self) -> bool {
        let inner = self.0.borrow();
        inner.fuse.is_some_and(|fuse| inner.passed >= fuse)
    }

    /// A point at which the process may end.
    pub fn point(&self) -> Result<(), Cut> {
        self.point_of(Call::None)
    }

    fn point_of(&self, call: Call) -> Result<(), Cut> {
        if self.is_cut() {
            self.0.borrow_mut().cut_at.get_or_insert(call);
            return Err(Cut);
        }
        let mut inner = self.0.borrow_mut();
        inner.passed = inner.passed.saturating_add(1);
        Ok(())
    }

    /// What was asked for when the process ended.
    pub(crate) fn take_cut(&self) -> Call {
        self.0.borrow_mut().cut_at.take().unwrap_or(Call::Done)
    }

    /// The process is gone, and power perhaps.
    pub fn crash(&self, loss: PowerLoss<'_>) {
        self.0.borrow_mut().disk.crash(loss);
    }

    /// Lets no file grow any more, or all again.
    pub fn set_full(&self, is_full: bool) {
        self.0.borrow_mut().disk.set_capacity(if is_full { 0 } else { u64::MAX });
    }

    /// Lets so many syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.0.borrow_mut().failing = count;
    }

    /// Turns one bit of a file over, on the disk itself.
    pub(crate) fn rot(&mut self, file: &FileName, rng: &mut Rng) -> Result<(), StorageError> {
        let disk = &mut self.0.borrow_mut().disk;
        let at = rng.below(disk.size(file)?);
        let mut byte = [0];
        disk.read(file, at, &mut byte)?;
        disk.write_at(file, at, &[byte[0] ^ (1 << rng.below(8))])?;
        disk.sync(file)
    }

    fn changes(&self, call: Call) -> Result<RefMut<'_, Inner>, StorageError> {
        self.point_of(call).map_err(|Cut| failed("go on with", "the process was cut"))?;
        Ok(self.0.borrow_mut())
    }
}

fn failed(act: &'static str, detail: &str) -> StorageError {
    StorageError::Io { act, file: "the disk".to_owned(), detail: detail.to_owned() }
}

impl Storage for Disk {
    fn lock(&mut self) -> Result<(), StorageError> {
        self.0.borrow_mut().disk.lock()
    }

    fn unlock(&mut self) {
        self.0.borrow_mut().disk.unlock();
    }

    fn list(&self) -> Result<Vec<FileName>, StorageError> {
        self.0.borrow().disk.list()
    }

    fn size(&self, file: &FileName) -> Result<u64, StorageError> {
        self.0.borrow().disk.size(file)
    }

    fn read(&self, file: &FileName, at: u64, into: &mut [u8]) -> Result<usize, StorageError> {
        self.0.borrow().disk.read(file, at, into)
    }

    fn create(&mut self, file: &FileName, size: u64) -> Result<(), StorageError> {
        self.changes(Call::Create(Kind::of(file)))?.disk.create(file, size)
    }

    fn write_at(&mut self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.changes(Call::Write(Kind::of(file)))?.disk.write_at(file, at, bytes)
    }

    fn sync(&mut self, file: &FileName) -> Result<(), StorageError> {
        let mut inner = self.changes(Call::Sync(Kind::of(file)))?;
        if inner.failing > 0 {
            inner.failing -= 1;
            return Err(failed("sync", "the machine failed"));
        }
        inner.disk.sync(file)
    }

    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError> {
        self.changes(Call::Rename(Kind::of(from)))?.disk.rename(from, to)
    }

    fn sync_dir(&mut self) -> Result<(), StorageError> {
        self.changes(Call::SyncDir)?.disk.sync_dir()
    }

    fn remove(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.changes(Call::Remove(Kind::of(file)))?.disk.remove(file)
    }
}
