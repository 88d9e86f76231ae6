//! Group commit: one thread writes and syncs what all Nodes of a store append.
//!
//! Law: an append never waits for the disk. What gathered while a sync was under way goes out in the
//! next one, and so does soon what nobody waits for, and who waits for a record is woken when that has returned. A failed sync is the end of
//! the journal, told to everybody; a full disk is tried again, and nothing of it is lost.
//!
//! ```
//! use std::task::{Context, Waker};
//!
//! use samsara_actors::journal::Journal;
//! use samsara_proto::PeerId;
//! use samsara_runtime::config::JournalConfig;
//! use samsara_runtime::recovery::{Log, RecordKind, StoreId};
//! use samsara_runtime::rng::Rng;
//! use samsara_runtime::storage::{MemoryDisk, Storage};
//!
//! let mut disk = MemoryDisk::default();
//! disk.lock()?;
//! let opened = Log::open(&mut disk, StoreId([7; 16]), JournalConfig::edge(), Rng::from_seed(1))?;
//! let journal = Journal::start(disk, opened.log)?;
//!
//! let lsn = journal.append(&PeerId::from(1), RecordKind::Batch, b"a turn")?;
//! assert!(journal.wait_durable(lsn)? >= lsn);
//! journal.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod writer;

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    task::{Context, Poll},
    thread::{self, JoinHandle},
};

use samsara_ingress::{Watermark, sync::block_on};
use samsara_proto::PeerId;
use samsara_runtime::{
    recovery::{
        AppendError, Head, Log, LogError, LogFront, LogView, Lsn, RecordKind, ResumeError,
        StillInLog,
    },
    storage::{Storage, StorageError},
};

use self::writer::Writer;

/// The journal of a store, for any number of threads.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How it stands with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It takes and keeps.
    Well,
    /// Its disk is full: what was appended waits, and nothing new should begin.
    Full(StorageError),
    /// It takes nothing any more.
    Stopped(JournalStopped),
}

/// A journal has ended, and why: what is on its disk is known only when it is opened again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalStopped {
    /// It was closed in good order.
    #[error("the journal was closed")]
    Closed,
    /// A write or a sync failed.
    #[error("the journal stopped")]
    Failed(#[source] LogError),
    /// Its thread is no more.
    #[error("the thread of the journal fell")]
    Fell,
}

/// How much a journal has written, for people and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalStats {
    /// Groups that were synced: one sync each.
    pub groups: u64,
    /// Records that were appended.
    pub records: u64,
    /// Bytes that wait to be written.
    pub waiting: u64,
}

#[derive(Debug)]
struct Shared {
    work: Mutex<Work>,
    bell: Condvar,
    durable: Watermark,
}

#[derive(Debug)]
struct Work {
    front: LogFront,
    orders: Vec<Order>,
    /// For each Node of the log, the first record that must stay; nothing if it needs none.
    keeps: BTreeMap<PeerId, Option<Lsn>>,
    /// How far the log was cut, or was asked to be.
    cut: Lsn,
    health: Health,
    is_closing: bool,
    /// Somebody waits, or will, for what is to be written.
    is_urgent: bool,
    groups: u64,
}

/// What the thread is to do beside writing.
#[derive(Debug)]
enum Order {
    /// Say what is written, once all that was appended is.
    View(mpsc::Sender<LogView>),
    Truncate(Lsn),
}

impl Journal {
    /// A journal that goes on at the end of this log, on a disk whose lock is held.
    ///
    /// Each Node that the log knows keeps all its records until it says [what it
    /// needs](Self::keep), since one that is not here now may come back.
    pub fn start<D>(disk: D, log: Log) -> io::Result<Self>
    where
        D: Storage + Send + 'static,
    {
        let (cut, durable) = (log.first(), Watermark::new(log.durable().get()));
        let (front, back) = log.split();
        let keeps = front.nodes().map(|node| (node, Some(cut))).collect();
        let work = Work {
            front,
            orders: Vec::new(),
            keeps,
            cut,
            health: Health::Well,
            is_closing: false,
            is_urgent: false,
            groups: 0,
        };
        let work = Mutex::new(work);
        let shared = Arc::new(Shared { work, bell: Condvar::new(), durable });
        let writer = Writer::new(disk, back, Arc::clone(&shared));
        let thread = thread::Builder::new().name("samsara journal".to_owned());
        let thread = Mutex::new(Some(thread.spawn(|| writer.run())?));
        Ok(Self { shared, thread })
    }

    /// Takes a record of a Node, and gives its number. It is durable when the journal is that far.
    /// What says only that outputs were taken waits a little for others to go with.
    pub fn append(
        &self,
        node: &PeerId,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<Lsn, AppendError> {
        let mut work = self.shared.lock();
        let was_idle = !work.front.has_pending();
        let lsn = work.front.append(node, kind, payload)?;
        let is_news = kind != RecordKind::Ack && !std::mem::replace(&mut work.is_urgent, true);
        drop(work);
        if was_idle || is_news {
            self.shared.bell.notify_one();
        }
        Ok(lsn)
    }

    /// How far it is durable.
    pub fn durable(&self) -> Lsn {
        Lsn::new(self.shared.durable.level())
    }

    /// How far it is durable, once that is this record; until then the waker is left for `who`.
    pub fn poll_durable(
        &self,
        lsn: Lsn,
        who: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Lsn, JournalStopped>> {
        let reached = self.shared.durable.poll_reached(lsn.get(), who, cx);
        if reached.is_pending() {
            self.shared.hurry();
        }
        reached.map(|level| level.map(Lsn::new).map_err(|_| self.cause()))
    }

    /// Waits on this thread until the journal is durable up to this record.
    pub fn wait_durable(&self, lsn: Lsn) -> Result<Lsn, JournalStopped> {
        // No Node bears this name: names are given from one on.
        block_on(poll_fn(|cx| self.poll_durable(lsn, 0, cx)))
    }

    fn cause(&self) -> JournalStopped {
        match &self.shared.lock().health {
            Health::Stopped(cause) => cause.clone(),
            Health::Well | Health::Full(_) => JournalStopped::Closed,
        }
    }

    /// What is written, with all that was appended before. This waits for the disk.
    pub fn view(&self) -> Result<LogView, JournalStopped> {
        let (answer, view) = mpsc::channel();
        self.order(Order::View(answer));
        view.recv().map_err(|_| self.cause())
    }

    /// Notes the first record that a Node needs, or that it needs none, and cuts the log as far as
    /// no Node needs it.
    pub fn keep(&self, node: &PeerId, first: Option<Lsn>) {
        let mut work = self.shared.lock();
        work.keeps.insert(*node, first);
        let next = work.front.appended().next().unwrap_or(work.front.appended());
        let needed = work.keeps.values().copied().flatten().min().unwrap_or(next);
        if needed > work.cut {
            work.cut = needed;
            drop(work);
            self.order(Order::Truncate(needed));
        }
    }

    fn order(&self, order: Order) {
        let mut work = self.shared.lock();
        if !matches!(work.health, Health::Stopped(_)) {
            work.orders.push(order);
        }
        drop(work);
        self.shared.bell.notify_one();
    }

    /// How far the records of a Node go, if the log knows any.
    pub fn head(&self, node: &PeerId) -> Option<Head> {
        self.shared.lock().front.head(node)
    }

    /// The last record of a Node; zero if the log never had one.
    pub fn last(&self, node: &PeerId) -> Lsn {
        self.shared.lock().front.last(node)
    }

    /// Lets the records of a Node go on from its snapshot, and checks one against the other.
    pub fn resume(&self, node: &PeerId, head: Head) -> Result<(), ResumeError> {
        self.shared.lock().front.resume(node, head)
    }

    /// Forgets a Node that has left the store.
    pub fn forget(&self, node: &PeerId) -> Result<(), StillInLog> {
        let mut work = self.shared.lock();
        let cut = work.cut;
        work.front.forget(node, cut)?;
        work.keeps.remove(node);
        Ok(())
    }

    /// Whether it takes nothing any more.
    pub fn has_stopped(&self) -> bool {
        matches!(self.shared.lock().health, Health::Stopped(_))
    }

    /// How it stands.
    pub fn health(&self) -> Health {
        self.shared.lock().health.clone()
    }

    /// What it did.
    pub fn stats(&self) -> JournalStats {
        let work = self.shared.lock();
        JournalStats {
            groups: work.groups,
            records: work.front.appended().get(),
            waiting: work.front.waiting(),
        }
    }

    /// Keeps all that was appended, and ends. It is an error if something of it could not be kept.
    pub fn close(&self) -> Result<(), JournalStopped> {
        self.shared.lock().is_closing = true;
        self.shared.bell.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Its fall is noted where its health is.
            let _ = thread.join();
        }
        match self.cause() {
            JournalStopped::Closed => Ok(()),
            cause => Err(cause),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // What was appended and nobody waited for is kept all the same.
        let _ = self.close();
    }
}

impl Shared {
    /// Has what was appended be written at once.
    fn hurry(&self) {
        let mut work = self.lock();
        if work.front.has_pending() && !std::mem::replace(&mut work.is_urgent, true) {
            drop(work);
            self.bell.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is woken before the cause can be read.
    fn stop(&self, cause: JournalStopped) {
        let mut work = self.lock();
        work.front.stop();
        if !matches!(work.health, Health::Stopped(_)) {
            work.health = Health::Stopped(cause);
        }
        // Who waits for an answer learns by its end that there is none.
        work.orders.clear();
        drop(work);
        self.durable.stop();
    }
}
