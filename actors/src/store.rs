//! A store on a disk, as one host holds it: whose it is, its lives, its journal and its cursors.
//!
//! Law: a store belongs to one host, which is written into it before anything else is; and every
//! life of any Node of it has a number of its own, durable before the life begins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use samsara_proto::PeerId;
use samsara_runtime::{
    config::JournalConfig,
    hosting::{self, StoreFault},
    recovery::{
        Cursor, CursorSlot, Cursors, Cut, Head, Lives, LivesError, Log, Lsn, Opened, Record,
        RecordKind, ResumeError, StoreId, StoreLife,
    },
    rng::Rng,
    storage::{FileName, FileNameError, Storage, StorageError},
};

use crate::{
    disk::LocalDisk,
    journal::{Journal, JournalStopped},
};

const OWNER: &str = "owner";
/// The owner before it is whole.
const SPARE: &str = "owner.new";
/// More than the bytes of any id.
const OWNER_MAX: usize = 256;

/// Why a host cannot have a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it.
    #[error("store {store} is locked{}: stop that process, or use another directory", by(.process))]
    Locked {
        /// Where it is.
        store: String,
        /// The process that has it, as far as it said so.
        process: Option<u32>,
    },
    /// It belongs to another host.
    #[error(
        "store {store} belongs to {owner}, this is {host}: use that identity, or another store"
    )]
    OtherIdentity {
        /// Where it is.
        store: String,
        /// Whose it is.
        owner: Box<PeerId>,
        /// Who wants it.
        host: Box<PeerId>,
    },
    /// The file that says whose it is does not.
    #[error("store {store} has a damaged file {OWNER}")]
    DamagedOwner {
        /// Where it is.
        store: String,
    },
    /// It cannot be read or written as it has to be.
    #[error("store {store} cannot be opened")]
    Fault {
        /// Where it is.
        store: String,
        /// Why.
        #[source]
        fault: StoreFault,
    },
    /// No thread can be had for its journal.
    #[error("the journal of store {store} has no thread")]
    NoThread {
        /// Where it is.
        store: String,
        /// What the machine said.
        #[source]
        error: std::io::Error,
    },
}

fn by(process: &Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" by process {process}"))
}

/// A store at work.
#[derive(Debug)]
pub(crate) struct DiskStore {
    disk: LocalDisk,
    id: StoreId,
    journal: Arc<Journal>,
    lives: Mutex<(Lives, Rng)>,
    cursors: Arc<Mutex<Cursors>>,
    cut: Option<Cut>,
}

impl DiskStore {
    /// Takes a store for this process. Without a `host` it is whoever the store belongs to, or a new
    /// one.
    pub(crate) fn open(
        mut disk: LocalDisk,
        host: Option<PeerId>,
        config: JournalConfig,
        rng: &mut Rng,
    ) -> Result<(Self, PeerId), StoreError> {
        let store = disk.directory().display().to_string();
        let fault = |fault: StoreFault| StoreError::Fault { store: store.clone(), fault };
        match disk.lock() {
            Ok(()) => {}
            Err(StorageError::Locked) => {
                return Err(StoreError::Locked { store, process: disk.owner() });
            }
            Err(error) => return Err(fault(error.into())),
        }
        let owner = own(&mut disk, host, rng, &store)?;
        let open = |disk: &mut LocalDisk, rng: &mut Rng| -> Result<_, StoreFault> {
            let lives = Lives::open(disk, rng)?;
            let opened = Log::open(disk, lives.store(), config, rng.fork("log"))?;
            Ok((lives, opened, Cursors::open(disk)?))
        };
        let (lives, Opened { log, cut, .. }, cursors) = open(&mut disk, rng).map_err(fault)?;
        let id = lives.store();
        let journal = Journal::start(disk.clone(), log);
        let journal = journal.map_err(|error| StoreError::NoThread { store, error })?;
        let lives = Mutex::new((lives, rng.fork("lives")));
        let (journal, cursors) = (Arc::new(journal), Arc::new(Mutex::new(cursors)));
        Ok((Self { disk, id, journal, lives, cursors, cut }, owner))
    }

    /// Begins a life. This waits for the disk.
    pub(crate) fn begin_life(&self) -> Result<StoreLife, LivesError> {
        let (lives, rng) = &mut *locked(&self.lives);
        lives.bump(&mut self.disk.clone(), rng)
    }

    /// Where the log was torn when it was opened.
    pub(crate) fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Keeps what was appended, and lets the store go. This waits for the disk.
    pub(crate) fn close(&self) -> Result<(), JournalStopped> {
        let closed = self.journal.close();
        self.disk.clone().unlock();
        closed
    }

    /// What one Node sees of it.
    pub(crate) fn desk(&self) -> Desk {
        Desk {
            disk: self.disk.clone(),
            id: self.id,
            journal: Arc::clone(&self.journal),
            cursors: Arc::clone(&self.cursors),
        }
    }
}

/// The place of one Node at a store.
#[derive(Debug)]
pub(crate) struct Desk {
    disk: LocalDisk,
    id: StoreId,
    journal: Arc<Journal>,
    cursors: Arc<Mutex<Cursors>>,
}

impl Desk {
    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }
}

impl hosting::Journal for Desk {
    type Disk = LocalDisk;

    fn disk(&mut self) -> &mut LocalDisk {
        &mut self.disk
    }

    fn store(&self) -> StoreId {
        self.id
    }

    fn append(
        &mut self,
        node: &PeerId,
        kind: RecordKind,
        payload: &Bytes,
    ) -> Result<Lsn, StoreFault> {
        Ok(self.journal.append(node, kind, payload)?)
    }

    fn sync(&mut self, upto: Lsn) -> Result<Lsn, StoreFault> {
        let durable = self.journal.durable();
        if durable < upto && self.journal.has_stopped() {
            return Err(StoreFault::Stopped);
        }
        Ok(durable)
    }

    fn force(&mut self, upto: Lsn) -> Result<(), StoreFault> {
        self.journal.wait_durable(upto).map(drop).map_err(|_| StoreFault::Stopped)
    }

    fn read(
        &mut self,
        node: &PeerId,
        visit: &mut dyn FnMut(&Record<'_>),
    ) -> Result<(), StoreFault> {
        let view = self.journal.view().map_err(|_| StoreFault::Stopped)?;
        Ok(view.read(&self.disk, Lsn::ZERO, |record| {
            if record.node == *node {
                visit(&record);
            }
        })?)
    }

    fn head(&self, node: &PeerId) -> Option<Head> {
        self.journal.head(node)
    }

    fn resume(&mut self, node: &PeerId, head: Head) -> Result<(), ResumeError> {
        self.journal.resume(node, head)
    }

    fn take_cursor(&mut self, last: Lsn) -> (CursorSlot, Option<Cursor>) {
        locked(&self.cursors).take(last)
    }

    fn write_cursor(&mut self, slot: CursorSlot, cursor: Option<Cursor>) -> Result<(), StoreFault> {
        Ok(locked(&self.cursors).write(&mut self.disk, slot, cursor)?)
    }
}

/// Whose the store is: written into one that is new.
fn own(
    disk: &mut LocalDisk,
    host: Option<PeerId>,
    rng: &mut Rng,
    store: &str,
) -> Result<PeerId, StoreError> {
    let fault = |fault: StoreFault| StoreError::Fault { store: store.to_owned(), fault };
    let read = read_owner(disk).map_err(fault)?;
    let Some(bytes) = read else {
        let drawn = || PeerId::from(rng.next_u64()).derive(&format!("{:016x}", rng.next_u64()));
        let host = host.unwrap_or_else(drawn);
        write_owner(disk, &host).map_err(fault)?;
        return Ok(host);
    };
    let store = store.to_owned();
    let Ok(owner) = PeerId::from_bytes(&bytes) else {
        return Err(StoreError::DamagedOwner { store });
    };
    match host {
        Some(host) if host != owner => {
            Err(StoreError::OtherIdentity { store, owner: Box::new(owner), host: Box::new(host) })
        }
        Some(_) | None => Ok(owner),
    }
}

pub(crate) fn read_owner(disk: &LocalDisk) -> Result<Option<Vec<u8>>, StoreFault> {
    let mut bytes = vec![0; OWNER_MAX];
    match disk.read(&name(OWNER)?, 0, &mut bytes) {
        Ok(len) => {
            bytes.truncate(len);
            Ok(Some(bytes))
        }
        Err(StorageError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write_owner(disk: &mut LocalDisk, host: &PeerId) -> Result<(), StoreFault> {
    let (owner, spare) = (name(OWNER)?, name(SPARE)?);
    match disk.remove(&spare) {
        Ok(()) | Err(StorageError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    disk.create(&spare, 0)?;
    disk.write_at(&spare, 0, &host.to_bytes())?;
    disk.sync(&spare)?;
    disk.rename(&spare, &owner)?;
    Ok(disk.sync_dir()?)
}

fn name(text: &str) -> Result<FileName, FileNameError> {
    FileName::new(text)
}

/// What is guarded here is changed in one step: a thread that fell leaves nothing half done.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
