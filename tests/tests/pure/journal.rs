//! The shared log: nothing durable is lost unseen, whatever is cut, garbled, flipped or torn.

mod damage;
mod disk;
mod faults;
mod power;

use samsara_proto::PeerId;
use samsara_runtime::config::JournalConfig;
use samsara_runtime::recovery::{
    AppendError, Head, Log, LogError, Lsn, OpenError, Opened, RecordKind, ResumeError, StoreId,
};
use samsara_runtime::rng::Rng;
use samsara_runtime::storage::{MemoryDisk, PowerLoss, Storage};

use self::disk::{files_of, locked};
use super::golden::assert_frozen;

const STORE: StoreId = StoreId(*b"a store's own id");

fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 4_096,
        max_record_bytes: 1_024,
        pending_bytes: 65_536,
        max_nodes: 8,
    }
}

fn open_with(disk: &mut impl Storage, seed: u64) -> Result<Opened, OpenError> {
    Log::open(disk, STORE, config(), Rng::from_seed(seed))
}

fn open(disk: &mut impl Storage) -> Log {
    open_with(disk, 1).expect("a sound log").log
}

fn node(number: u64) -> PeerId {
    PeerId::from(number)
}

/// The payloads of all records, in order.
fn payloads(log: &Log, disk: &impl Storage) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    log.read(disk, Lsn::ZERO, |record| list.push(record.payload.to_vec())).expect("a sound log");
    list
}

/// Appends these payloads as one group of two Nodes, writes and syncs it.
fn commit(log: &mut Log, disk: &mut impl Storage, group: &[&[u8]]) -> Lsn {
    for (place, payload) in group.iter().enumerate() {
        let node = node(place as u64 % 2);
        log.append(&node, RecordKind::Batch, payload).expect("there is room");
    }
    log.write(disk).expect("there is room");
    log.sync(disk).expect("the disk is sound")
}

#[test]
fn the_bytes_of_a_segment_header_and_of_a_record_are_frozen() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    commit(&mut log, &mut disk, &[b"first"]);
    commit(&mut log, &mut disk, &[b"the second one"]);
    let (name, bytes) = files_of(&disk).remove(0);
    assert_eq!(name.as_str(), "journal-0000000000000001.log");
    let file = include_str!("../../golden/journal.hex");
    assert_frozen(file, "segment header", &bytes[..64]);
    let len = |payload: &[u8]| (72 + node(0).encoded_len() + payload.len()).next_multiple_of(8);
    let start = 64 + len(b"first");
    let second = start..start + len(b"the second one");
    assert_frozen(file, "record", &bytes[second]);
}

#[test]
fn records_come_back_as_they_were_with_who_and_what_and_how_far() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    let kinds = [RecordKind::Batch, RecordKind::Abort, RecordKind::DeadLetter, RecordKind::Ack];
    let mut heads = [Head::default(); 2];
    for (place, kind) in kinds.into_iter().enumerate() {
        let node = node(place as u64 % 2);
        let payload = vec![place as u8; place * 7];
        let head = &mut heads[place % 2];
        *head = head.after(&node, kind, &payload).expect("few records");
        log.append(&node, kind, &payload).expect("there is room");
    }
    log.write(&mut disk).expect("there is room");
    log.sync(&mut disk).expect("a sound disk");
    disk.crash(PowerLoss::Unsynced);
    disk.lock().expect("nobody has it");
    let log = open(&mut disk);
    let mut place = 0_u64;
    log.read(&disk, Lsn::ZERO, |record| {
        let there = (record.lsn, record.node, record.kind, record.payload);
        let payload = vec![place as u8; place as usize * 7];
        let wanted = (Lsn::new(place + 1), node(place % 2), kinds[place as usize], &payload[..]);
        assert_eq!(there, wanted);
        assert_eq!((record.head.count, record.durable), (place / 2 + 1, Lsn::ZERO));
        place += 1;
    })
    .expect("a sound log");
    assert_eq!(place, 4);
    assert_eq!([log.head(&node(0)), log.head(&node(1))], heads.map(Some));
}

#[test]
fn a_group_of_many_nodes_is_one_write_and_one_sync() {
    let mut disk = disk::Watched::new(locked());
    let mut log = open(&mut disk);
    commit(&mut log, &mut disk, &[b"opens the segment"]);
    let before = disk.calls.len();
    commit(&mut log, &mut disk, &[b"a".as_slice(); 16]);
    assert_eq!(disk.calls[before..], ["write_at", "sync"]);
    log.sync(&mut disk).expect("nothing to do");
    assert_eq!(disk.calls.len(), before + 2, "what is durable is not synced again");
}

#[test]
fn a_log_goes_on_over_segments_and_lives_and_reads_from_anywhere() {
    let mut disk = locked();
    let mut wanted = Vec::new();
    for life in 0..5_u8 {
        let mut log = open_with(&mut disk, life.into()).expect("a sound log").log;
        for group in 0..6_u8 {
            let payload = [life * 10 + group; 300];
            commit(&mut log, &mut disk, &[&payload, &payload]);
            wanted.extend([payload.to_vec(), payload.to_vec()]);
        }
        log.prepare(&mut disk).expect("there is room");
        disk.crash(PowerLoss::Unsynced);
        disk.lock().expect("nobody has it");
    }
    assert!(disk.list().expect("a disk").len() > 4, "there are several segments");
    let log = open(&mut disk);
    for from in 0..=wanted.len() {
        let mut list = Vec::new();
        let lsn = Lsn::new(from as u64 + 1);
        log.read(&disk, lsn, |record| list.push(record.payload.to_vec())).expect("a sound log");
        assert_eq!(list, wanted[from..], "from {lsn}");
    }
}

#[test]
fn truncation_removes_whole_segments_and_chains_go_on_behind_it() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    for _ in 0..40 {
        commit(&mut log, &mut disk, &[&[7; 300]]);
    }
    let last = log.appended();
    log.truncate(&mut disk, Lsn::new(20)).expect("a sound disk");
    assert!(log.first() > Lsn::new(5) && log.first() <= Lsn::new(20), "first is {}", log.first());
    log.truncate(&mut disk, last).expect("a sound disk");
    assert_eq!(files_of(&disk).len(), 1, "the last segment stays");
    let head = log.head(&node(0));
    disk.crash(PowerLoss::Unsynced);
    disk.lock().expect("nobody has it");
    let mut log = open(&mut disk);
    assert_eq!((log.appended(), log.head(&node(0))), (last, head));
    commit(&mut log, &mut disk, &[b"goes on"]);
    assert_eq!(payloads(&open_again(&mut disk), &disk).last().expect("one"), b"goes on");
}

fn open_again(disk: &mut MemoryDisk) -> Log {
    disk.crash(PowerLoss::Unsynced);
    disk.lock().expect("nobody has it");
    open(disk)
}

#[test]
fn a_node_whose_records_are_gone_goes_on_from_its_snapshot() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    commit(&mut log, &mut disk, &[b"of node 0"]);
    let head = log.head(&node(0)).expect("it has one record");
    for _ in 0..40 {
        log.append(&node(1), RecordKind::Batch, &[1; 300]).expect("there is room");
        log.write(&mut disk).expect("there is room");
    }
    log.truncate(&mut disk, log.appended()).expect("a sound disk");
    let mut log = open_again(&mut disk);
    assert_eq!(log.head(&node(0)), None);
    log.resume(&node(0), head).expect("there is room");
    commit(&mut log, &mut disk, &[b"again"]);
    assert_eq!(open_again(&mut disk).head(&node(0)).map(|head| head.count), Some(2));
}

#[test]
fn a_snapshot_that_knows_more_or_otherwise_than_the_log_is_refused() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    for payload in [b"one", b"two"] {
        log.append(&node(0), RecordKind::Batch, payload).expect("there is room");
    }
    let head = log.head(&node(0)).expect("it has two records");
    let behind = Head { count: 3, ..head };
    let other = Head { chain: [1; 32], ..head };
    assert_eq!(log.resume(&node(0), Head::default()), Ok(()), "the log goes beyond it");
    assert_eq!(log.resume(&node(0), head), Ok(()));
    let refused = log.resume(&node(0), behind);
    assert_eq!(refused, Err(ResumeError::Behind { log: 2, snapshot: 3 }));
    assert_eq!(log.resume(&node(0), other), Err(ResumeError::OtherHistory { count: 2 }));
    assert_eq!(log.head(&node(0)), Some(head), "a refusal changes nothing");
    for other in 1..8 {
        log.resume(&node(other), head).expect("eight nodes");
    }
    let refused = log.resume(&node(8), head);
    assert_eq!(refused, Err(ResumeError::TooManyNodes { cap: 8 }));
}

#[test]
fn a_node_is_forgotten_only_when_the_log_has_nothing_of_it() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    commit(&mut log, &mut disk, &[b"of node 0"]);
    let kept = log.forget(&node(0)).expect_err("its record is there");
    assert_eq!((kept.last, kept.first), (Lsn::new(1), Lsn::new(1)));
    for _ in 0..20 {
        log.append(&node(1), RecordKind::Batch, &[1; 300]).expect("there is room");
        log.write(&mut disk).expect("there is room");
    }
    log.truncate(&mut disk, log.appended()).expect("a sound disk");
    log.forget(&node(0)).expect("it is truncated");
    assert_eq!(log.head(&node(0)), None);
    commit(&mut log, &mut disk, &[b"anew"]);
    assert_eq!(open_again(&mut disk).head(&node(0)).map(|head| head.count), Some(1));
}

#[test]
fn a_record_is_refused_at_each_limit_and_leaves_no_trace() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    let batch = RecordKind::Batch;
    log.append(&node(0), batch, &[0; 1_024]).expect("the largest");
    let refused = log.append(&node(0), batch, &[0; 1_025]);
    assert_eq!(refused, Err(AppendError::TooLarge { bytes: 1_025, cap: 1_024 }));
    for other in 1..8 {
        log.append(&node(other), batch, b"").expect("eight nodes");
    }
    assert_eq!(log.append(&node(8), batch, b""), Err(AppendError::TooManyNodes { cap: 8 }));
    let refused = loop {
        if let Err(refused) = log.append(&node(0), batch, &[0; 1_024]) {
            break refused;
        }
    };
    assert!(matches!(refused, AppendError::Full { cap: 65_536, .. }), "{refused}");
    let appended = log.appended();
    log.write(&mut disk).expect("there is room");
    assert_eq!(log.append(&node(0), batch, b""), Ok(appended.next().expect("few")));
}

#[test]
fn an_empty_segment_of_smaller_settings_makes_way_for_a_larger_record() {
    let mut disk = locked();
    let small = JournalConfig { segment_bytes: 512, ..config() };
    let mut log = Log::open(&mut disk, STORE, small, Rng::from_seed(1)).expect("no log").log;
    log.append(&node(0), RecordKind::Batch, b"never synced").expect("there is room");
    log.write(&mut disk).expect("a sound disk");
    let mut log = open_again(&mut disk);
    let files: Vec<usize> = files_of(&disk).iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!((files, log.appended()), (vec![512], Lsn::ZERO));
    commit(&mut log, &mut disk, &[&[5; 1_000]]);
    log.truncate(&mut disk, log.appended()).expect("a sound disk");
    assert_eq!(payloads(&open_again(&mut disk), &disk), [[5; 1_000]]);
}

#[test]
fn settings_that_leave_no_room_for_a_record_refuse_each_and_never_loop() {
    let tiny = JournalConfig { segment_bytes: 100, ..config() };
    let mut disk = locked();
    let mut log = Log::open(&mut disk, STORE, tiny, Rng::from_seed(1)).expect("no log").log;
    let refused = log.append(&node(0), RecordKind::Batch, b"");
    assert_eq!(refused, Err(AppendError::TooLarge { bytes: 0, cap: 0 }));
    assert_eq!(log.write(&mut disk), Ok(Lsn::ZERO));
}

#[test]
fn a_log_of_another_store_or_format_is_refused_by_name() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    commit(&mut log, &mut disk, &[b"x"]);
    let other = StoreId([9; 16]);
    let refused = Log::open(&mut disk, other, config(), Rng::from_seed(1)).expect_err("not its");
    assert!(
        matches!(refused, OpenError::OtherStore { wanted, found, .. } if (wanted, found) == (other, STORE)),
        "{refused}"
    );
}
