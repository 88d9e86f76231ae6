//! A disk that many hold, whose process can be cut at each call that changes it.

use std::{cell::RefCell, rc::Rc};

use samsara_runtime::storage::{FileName, MemoryDisk, PowerLoss, Storage, StorageError};

/// The process ended here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut;

#[derive(Debug, Default)]
struct Inner {
    disk: MemoryDisk,
    /// Points that were passed.
    passed: u64,
    /// The point that is not survived.
    fuse: Option<u64>,
}

/// A handle on the disk and on the fuse of its process.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Rc<RefCell<Inner>>);

impl Disk {
    /// Lets the process end at this point, counted from now, or never.
    pub(super) fn set_fuse(&self, fuse: Option<u64>) {
        let mut inner = self.0.borrow_mut();
        (inner.passed, inner.fuse) = (0, fuse);
    }

    /// Points that were passed since the fuse was set.
    pub(super) fn passed(&self) -> u64 {
        self.0.borrow().passed
    }

    /// A point at which the process may end.
    pub(super) fn point(&self) -> Result<(), Cut> {
        let mut inner = self.0.borrow_mut();
        let at = inner.passed;
        if inner.fuse.is_some_and(|fuse| at >= fuse) {
            return Err(Cut);
        }
        inner.passed += 1;
        Ok(())
    }

    /// The process is gone, and power perhaps.
    pub(super) fn crash(&self, loss: PowerLoss<'_>) {
        self.0.borrow_mut().disk.crash(loss);
    }

    pub(super) fn read_all(&self, file: &FileName) -> Vec<u8> {
        let mut bytes = vec![0; self.size(file).expect("it is there") as usize];
        self.read(file, 0, &mut bytes).expect("it is there");
        bytes
    }

    fn changes(&self) -> Result<std::cell::RefMut<'_, Inner>, StorageError> {
        let cut = |Cut| StorageError::Io {
            act: "go on with",
            file: "anything".to_owned(),
            detail: "the process was cut".to_owned(),
        };
        self.point().map_err(cut)?;
        Ok(self.0.borrow_mut())
    }
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
        self.changes()?.disk.create(file, size)
    }

    fn write_at(&mut self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.changes()?.disk.write_at(file, at, bytes)
    }

    fn sync(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.changes()?.disk.sync(file)
    }

    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError> {
        self.changes()?.disk.rename(from, to)
    }

    fn sync_dir(&mut self) -> Result<(), StorageError> {
        self.changes()?.disk.sync_dir()
    }

    fn remove(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.changes()?.disk.remove(file)
    }
}
