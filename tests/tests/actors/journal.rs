//! Group commit: nobody waits for the disk but those who ask, and they until it is there.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use samsara_actors::journal::{Health, Journal, JournalStopped};
use samsara_proto::PeerId;
use samsara_runtime::{
    config::JournalConfig,
    recovery::{AppendError, Log, LogError, Lsn, RecordKind, StoreId},
    rng::Rng,
    storage::{FileName, MemoryDisk, PowerLoss, Storage, StorageError},
};

const STORE: StoreId = StoreId([7; 16]);

/// A disk that a test can watch, fill, break, and hold up at its syncs.
#[derive(Clone, Debug)]
struct Watched {
    disk: Arc<Mutex<MemoryDisk>>,
    /// Held by a test: syncs wait until it is let go.
    gate: Arc<Mutex<()>>,
    syncs: Arc<AtomicU64>,
    /// Syncs that are still to fail.
    failing: Arc<AtomicU64>,
    /// The next sync panics.
    falling: Arc<AtomicU64>,
}

impl Watched {
    fn new() -> Self {
        let mut disk = MemoryDisk::default();
        disk.lock().expect("nobody has it");
        Self {
            disk: Arc::new(Mutex::new(disk)),
            gate: Arc::default(),
            syncs: Arc::default(),
            failing: Arc::default(),
            falling: Arc::default(),
        }
    }

    fn disk(&self) -> MutexGuard<'_, MemoryDisk> {
        self.disk.lock().expect("no panic under it")
    }
}

impl Storage for Watched {
    fn lock(&mut self) -> Result<(), StorageError> {
        self.disk().lock()
    }

    fn unlock(&mut self) {
        self.disk().unlock();
    }

    fn list(&self) -> Result<Vec<FileName>, StorageError> {
        self.disk().list()
    }

    fn size(&self, file: &FileName) -> Result<u64, StorageError> {
        self.disk().size(file)
    }

    fn read(&self, file: &FileName, at: u64, into: &mut [u8]) -> Result<usize, StorageError> {
        self.disk().read(file, at, into)
    }

    fn create(&mut self, file: &FileName, size: u64) -> Result<(), StorageError> {
        self.disk().create(file, size)
    }

    fn write_at(&mut self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.disk().write_at(file, at, bytes)
    }

    fn sync(&mut self, file: &FileName) -> Result<(), StorageError> {
        drop(self.gate.lock());
        assert_eq!(self.falling.load(Ordering::SeqCst), 0, "it was to fall");
        if self.failing.load(Ordering::SeqCst) > 0 {
            self.failing.fetch_sub(1, Ordering::SeqCst);
            let file = file.to_string();
            return Err(StorageError::Io { act: "sync", file, detail: "planted".to_owned() });
        }
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.disk().sync(file)
    }

    fn rename(&mut self, from: &FileName, to: &FileName) -> Result<(), StorageError> {
        self.disk().rename(from, to)
    }

    fn sync_dir(&mut self) -> Result<(), StorageError> {
        self.disk().sync_dir()
    }

    fn remove(&mut self, file: &FileName) -> Result<(), StorageError> {
        self.disk().remove(file)
    }
}

fn small() -> JournalConfig {
    JournalConfig {
        segment_bytes: 16_384,
        max_record_bytes: 8_192,
        pending_bytes: 16_384,
        ..JournalConfig::edge()
    }
}

fn journal_on(disk: &Watched, config: JournalConfig) -> Journal {
    let opened = Log::open(&mut disk.clone(), STORE, config, Rng::from_seed(1));
    Journal::start(disk.clone(), opened.expect("a log").log).expect("a thread")
}

fn append(journal: &Journal, node: u64, payload: &[u8]) -> Lsn {
    journal.append(&PeerId::from(node), RecordKind::Batch, payload).expect("room")
}

/// The first record makes the first segment, whose syncs a test does not want to count.
fn warm(journal: &Journal) -> Lsn {
    let lsn = append(journal, 1, b"first");
    journal.wait_durable(lsn).expect("a disk")
}

#[derive(Default)]
struct Counted(AtomicU64);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_gathers_during_a_sync_goes_out_in_one_more() {
    let disk = Watched::new();
    let journal = journal_on(&disk, small());
    warm(&journal);
    let gate = disk.gate.lock().expect("nobody has it");
    let before = disk.syncs.load(Ordering::SeqCst);
    let one = append(&journal, 1, b"this is being synced, or about to be");
    // Whatever the thread has taken by now, all that comes later waits for one more sync.
    let last = (0..50).map(|_| append(&journal, 2, b"gathers")).last().expect("fifty");
    assert!(journal.durable() < one, "nothing is durable while the sync waits");
    drop(gate);
    assert_eq!(journal.wait_durable(last), Ok(last));
    let syncs = disk.syncs.load(Ordering::SeqCst) - before;
    assert!((1..=2).contains(&syncs), "{syncs} syncs for 51 records");
}

#[test]
fn who_waits_is_woken_when_it_is_durable_and_no_other() {
    let disk = Watched::new();
    let journal = journal_on(&disk, small());
    warm(&journal);
    let gate = disk.gate.lock().expect("nobody has it");
    let lsn = append(&journal, 1, b"wanted");
    let beyond = Lsn::new(lsn.get() + 1);
    let (wanted, other) = (Arc::new(Counted::default()), Arc::new(Counted::default()));
    let (first, second) = (Waker::from(Arc::clone(&wanted)), Waker::from(Arc::clone(&other)));
    assert!(journal.poll_durable(lsn, 1, &mut Context::from_waker(&first)).is_pending());
    assert!(journal.poll_durable(beyond, 2, &mut Context::from_waker(&second)).is_pending());
    drop(gate);
    assert_eq!(journal.wait_durable(lsn), Ok(lsn));
    // Those who wait for one record are woken one after the other.
    while wanted.0.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!(other.0.load(Ordering::SeqCst), 0, "its record is not even there");
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(journal.poll_durable(lsn, 1, &mut cx), Poll::Ready(Ok(lsn)));
}

#[test]
fn a_failed_sync_is_the_end_and_everybody_is_told() {
    let disk = Watched::new();
    let journal = journal_on(&disk, small());
    let kept = warm(&journal);
    disk.failing.store(1, Ordering::SeqCst);
    let lsn = append(&journal, 1, b"not durable");
    let stopped = journal.wait_durable(lsn).expect_err("the sync failed");
    assert!(matches!(stopped, JournalStopped::Failed(LogError::Failed(_))), "{stopped}");
    assert_eq!(journal.health(), Health::Stopped(stopped.clone()));
    let refused = journal.append(&PeerId::from(1), RecordKind::Batch, b"more");
    assert_eq!(refused, Err(AppendError::Stopped), "it is not tried again as if nothing were");
    assert!(journal.view().is_err());
    assert_eq!(journal.durable(), kept);
    assert_eq!(journal.close(), Err(stopped));
}

#[test]
fn a_thread_that_falls_wakes_who_waits() {
    let disk = Watched::new();
    let journal = journal_on(&disk, small());
    warm(&journal);
    disk.falling.store(1, Ordering::SeqCst);
    let lsn = append(&journal, 1, b"not durable");
    assert_eq!(journal.wait_durable(lsn), Err(JournalStopped::Fell));
    assert_eq!(journal.close(), Err(JournalStopped::Fell));
}

#[test]
fn a_full_disk_holds_up_and_loses_nothing() {
    let disk = Watched::new();
    let journal = journal_on(&disk, small());
    warm(&journal);
    disk.disk().set_capacity(0);
    let payload = [1; 4_000];
    let mut appended = Vec::new();
    // The segment at work still has room, and what waits is bounded: so it ends in a refusal.
    let refused = loop {
        match journal.append(&PeerId::from(1), RecordKind::Batch, &payload) {
            Ok(lsn) => appended.push(lsn),
            Err(_) if journal.health() == Health::Well => thread::yield_now(),
            Err(error) => break error,
        }
        assert!(appended.len() < 1_000, "what waits is bounded");
    };
    assert!(matches!(refused, AppendError::Full { .. }), "{refused}");
    let last = *appended.last().expect("some were taken");
    assert!(matches!(journal.health(), Health::Full(_)));
    disk.disk().set_capacity(u64::MAX);
    assert_eq!(journal.wait_durable(last), Ok(last), "it goes on by itself");
    assert_eq!(journal.health(), Health::Well);
    let mut read = 0;
    let view = journal.view().expect("it goes on");
    view.read(&disk, Lsn::new(2), |record| read += usize::from(record.payload == payload))
        .expect("it reads back");
    assert_eq!(read, appended.len());
}

#[test]
fn a_view_has_all_that_was_appended_before() {
    let disk = Watched::new();
    let journal = journal_on(&disk, small());
    let mut last = Lsn::ZERO;
    for number in 0..30 {
        last = append(&journal, 1, &[number; 1_000]);
        if number % 10 == 0 {
            journal.wait_durable(last).expect("a disk");
        }
    }
    let mut read = Vec::new();
    let view = journal.view().expect("a disk");
    view.read(&disk, Lsn::ZERO, |record| read.push(record.payload[0])).expect("it reads back");
    assert_eq!(read, (0..30).collect::<Vec<u8>>());
    assert_eq!(journal.last(&PeerId::from(1)), last);
}

#[test]
fn the_log_is_cut_only_as_far_as_no_node_needs_it() {
    let disk = Watched::new();
    let config = small();
    {
        let journal = journal_on(&disk, config);
        for _ in 0..40 {
            let lsn = append(&journal, 1, &[1; 1_000]);
            journal.wait_durable(lsn).expect("a disk");
        }
        append(&journal, 2, b"a node that is not spawned this time");
        journal.close().expect("a disk");
    }
    let journal = journal_on(&disk, config);
    let segments = || {
        let files = disk.disk().list().expect("a disk");
        files.iter().filter(|file| file.as_str().starts_with("journal-")).count()
    };
    let before = segments();
    journal.keep(&PeerId::from(1), None);
    journal.view().expect("the orders before are done");
    assert_eq!(segments(), before, "the other node may come back");
    journal.keep(&PeerId::from(2), Some(Lsn::new(41)));
    journal.view().expect("the orders before are done");
    assert!(segments() < before, "{before} segments stayed");
    let mut first = None;
    let view = journal.view().expect("a disk");
    view.read(&disk, Lsn::ZERO, |record| first = first.or(Some(record.lsn))).expect("whole");
    assert!(first <= Some(Lsn::new(41)), "{first:?}");
}

#[test]
fn what_was_durable_survives_the_power_from_many_threads() {
    let disk = Watched::new();
    let journal = Arc::new(journal_on(&disk, small()));
    let callers: Vec<_> = (1..=8)
        .map(|node| {
            let journal = Arc::clone(&journal);
            thread::spawn(move || {
                (0..50_u8)
                    .map(|number| {
                        let lsn = append(&journal, node, &[number; 100]);
                        journal.wait_durable(lsn).expect("a disk");
                        (lsn, number)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut acknowledged: Vec<_> =
        callers.into_iter().flat_map(|caller| caller.join().expect("no panic")).collect();
    acknowledged.sort_unstable();
    disk.disk().crash(PowerLoss::Unsynced);
    disk.disk().lock().expect("the process is gone");
    let log = Log::open(&mut disk.clone(), STORE, small(), Rng::from_seed(2)).expect("whole").log;
    let mut read = Vec::new();
    log.read(&disk, Lsn::ZERO, |record| read.push((record.lsn, record.payload[0]))).expect("whole");
    assert_eq!(read, acknowledged);
    let groups = journal.stats().groups;
    assert!(groups <= 400, "a sync serves whoever waits: {groups} groups for 400 records");
}
