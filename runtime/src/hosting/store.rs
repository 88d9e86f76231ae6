//! A store whose every call waits for its disk: for memory, for tests and for small hosts.
//!
//! Law: what was appended is written before anything is read, and before the log says that it is
//! full.

use samsara_proto::PeerId;

use super::{Journal, fault::StoreFault};
use crate::{
    config::JournalConfig,
    recovery::{
        AppendError, Cursor, CursorSlot, Cursors, Cut, Head, Lives, Log, Lsn, Opened, Record,
        RecordKind, ResumeError, StoreId, StoreLife,
    },
    rng::Rng,
    storage::Storage,
};

/// The disk of a store, its counter of lives, its log and its cursors.
///
/// ```
/// use samsara_runtime::{
///     config::JournalConfig, hosting::Store, rng::Rng, storage::{MemoryDisk, PowerLoss},
/// };
///
/// let mut rng = Rng::from_seed(1);
/// let (mut store, cut) = Store::open(MemoryDisk::default(), JournalConfig::edge(), &mut rng)?;
/// let first = store.begin_life(&mut rng)?;
/// assert_eq!(cut, None);
///
/// let mut disk = store.into_disk();
/// disk.crash(PowerLoss::Unsynced);
/// let (mut store, _) = Store::open(disk, JournalConfig::edge(), &mut rng)?;
/// assert!(store.begin_life(&mut rng)?.incarnation > first.incarnation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Store<D> {
    disk: D,
    lives: Lives,
    log: Log,
    cursors: Cursors,
}

impl<D: Storage> Store<D> {
    /// Takes a store for this process, and tells where its log was torn. `rng` has to be seeded anew
    /// for each process.
    pub fn open(
        mut disk: D,
        config: JournalConfig,
        rng: &mut Rng,
    ) -> Result<(Self, Option<Cut>), StoreFault> {
        disk.lock()?;
        let lives = Lives::open(&mut disk, rng)?;
        let Opened { log, cut } = Log::open(&mut disk, lives.store(), config, rng.fork("log"))?;
        let cursors = Cursors::open(&mut disk)?;
        Ok((Self { disk, lives, log, cursors }, cut))
    }

    /// Begins a life: that of the process, or a further one of a Node that fell in it.
    pub fn begin_life(&mut self, rng: &mut Rng) -> Result<StoreLife, StoreFault> {
        Ok(self.lives.bump(&mut self.disk, rng)?)
    }

    /// Cuts the log behind the last record that no Node needs:
    /// [`Resident::needs_from`](super::Resident::needs_from) of all of them.
    pub fn truncate(&mut self, keep: Lsn) -> Result<(), StoreFault> {
        Ok(self.log.truncate(&mut self.disk, keep)?)
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The disk, for another process.
    pub fn into_disk(self) -> D {
        self.disk
    }
}

impl<D: Storage> Journal for Store<D> {
    type Disk = D;

    fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    fn store(&self) -> StoreId {
        self.lives.store()
    }

    fn append(
        &mut self,
        node: &PeerId,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<Lsn, StoreFault> {
        match self.log.append(node, kind, payload) {
            Err(AppendError::Full { .. }) => {
                self.log.write(&mut self.disk)?;
                Ok(self.log.append(node, kind, payload)?)
            }
            appended => Ok(appended?),
        }
    }

    fn sync(&mut self, _: Lsn) -> Result<Lsn, StoreFault> {
        self.log.write(&mut self.disk)?;
        Ok(self.log.sync(&mut self.disk)?)
    }

    fn force(&mut self, upto: Lsn) -> Result<(), StoreFault> {
        self.sync(upto).map(drop)
    }

    fn read(
        &mut self,
        node: &PeerId,
        visit: &mut dyn FnMut(&Record<'_>),
    ) -> Result<(), StoreFault> {
        self.log.write(&mut self.disk)?;
        Ok(self.log.read(&self.disk, Lsn::ZERO, |record| {
            if record.node == *node {
                visit(&record);
            }
        })?)
    }

    fn head(&self, node: &PeerId) -> Option<Head> {
        self.log.head(node)
    }

    fn resume(&mut self, node: &PeerId, head: Head) -> Result<(), ResumeError> {
        self.log.resume(node, head)
    }

    fn take_cursor(&mut self, last: Lsn) -> (CursorSlot, Option<Cursor>) {
        self.cursors.take(last)
    }

    fn write_cursor(&mut self, slot: CursorSlot, cursor: Option<Cursor>) -> Result<(), StoreFault> {
        Ok(self.cursors.write(&mut self.disk, slot, cursor)?)
    }
}
