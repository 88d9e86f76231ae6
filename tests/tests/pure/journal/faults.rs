//! A disk that fails: the log stops or waits, and what was acknowledged is there afterwards.

use samsara_runtime::storage::FileName;

use super::disk::{Failure, Watched};
use super::*;

/// What a log has acknowledged when it met a fault, and what it said.
struct Run {
    disk: Watched,
    log: Log,
    acknowledged: usize,
    appended: usize,
    met: Option<LogError>,
}

const GROUPS: u8 = 12;

fn payload(number: usize) -> Vec<u8> {
    vec![number as u8; 400]
}

/// Writes groups, over several segments and with a truncation, until the planted fault is met.
fn run(fails: Option<(usize, Failure)>) -> Run {
    let mut disk = Watched::new(locked());
    let log = open(&mut disk);
    // Opening an empty store is not what fails here.
    disk.calls.clear();
    disk.fails = fails;
    let mut run = Run { disk, log, acknowledged: 0, appended: 0, met: None };
    for group in 0..GROUPS {
        if let Err(error) = step(&mut run, group) {
            run.met = Some(error);
            break;
        }
    }
    run
}

fn step(run: &mut Run, group: u8) -> Result<(), LogError> {
    for _ in 0..2 {
        let payload = payload(run.appended);
        run.log.append(&node(u64::from(group % 3)), RecordKind::Batch, &payload).expect("room");
        run.appended += 1;
    }
    run.log.write(&mut run.disk)?;
    run.acknowledged = run.log.sync(&mut run.disk)?.get() as usize;
    if group == 5 {
        run.log.prepare(&mut run.disk)?;
    }
    if group == 9 {
        run.log.truncate(&mut run.disk, Lsn::new(4))?;
    }
    Ok(())
}

/// Reads what is on the disk after it failed.
fn assert_kept(run: Run) {
    let Run { mut disk, acknowledged, appended, .. } = run;
    disk.fails = None;
    disk.disk.crash(PowerLoss::Unsynced);
    disk.lock().expect("nobody has it");
    let log = open(&mut disk);
    let there = payloads(&log, &disk);
    let first = log.first().get() as usize - 1;
    let last = first + there.len();
    assert!((acknowledged..=appended).contains(&last), "{acknowledged} to {appended}, got {last}");
    assert!(there.iter().enumerate().all(|(place, bytes)| *bytes == payload(first + place)));
}

fn call_sites() -> usize {
    let whole = run(None);
    assert_eq!(whole.met, None);
    assert_eq!(whole.acknowledged, usize::from(GROUPS) * 2);
    for act in ["create", "write_at", "sync", "rename", "sync_dir", "remove"] {
        assert!(whole.disk.calls.contains(&act), "{act} is never called");
    }
    whole.disk.calls.len()
}

#[test]
fn a_failed_call_at_any_site_stops_the_log_and_loses_nothing_acknowledged() {
    for place in 0..call_sites() {
        let mut run = run(Some((place, Failure::Io)));
        assert!(matches!(run.met, Some(LogError::Failed(_))), "site {place}: {:?}", run.met);
        assert!(run.log.is_stopped());
        let calls = run.disk.calls.len();
        let batch = RecordKind::Batch;
        assert_eq!(run.log.append(&node(0), batch, b"x"), Err(AppendError::Stopped));
        assert_eq!(run.log.write(&mut run.disk), Err(LogError::Stopped));
        assert_eq!(run.log.sync(&mut run.disk), Err(LogError::Stopped));
        assert_eq!(run.log.prepare(&mut run.disk), Err(LogError::Stopped));
        assert_eq!(run.log.truncate(&mut run.disk, Lsn::ZERO), Err(LogError::Stopped));
        assert_eq!(run.disk.calls.len(), calls, "a stopped log touches nothing");
        assert_kept(run);
    }
}

#[test]
fn a_full_disk_at_any_site_keeps_what_waits_until_there_is_room() {
    for place in 0..call_sites() {
        let mut run = run(Some((place, Failure::Full)));
        assert!(matches!(run.met, Some(LogError::Full(_))), "site {place}: {:?}", run.met);
        assert!(!run.log.is_stopped());
        if run.disk.calls[place] == "create" {
            let files = run.disk.list().expect("a disk");
            let is_segment = |file: &FileName| file.as_str().ends_with(".log");
            assert!(files.iter().all(is_segment), "what is half made takes room: {files:?}");
        }
        run.log.write(&mut run.disk).expect("there is room again");
        run.acknowledged = run.log.sync(&mut run.disk).expect("a sound disk").get() as usize;
        assert_eq!(run.acknowledged, run.appended, "nothing that waited was lost");
        assert_kept(run);
    }
}

#[test]
fn a_disk_that_is_full_for_real_leaves_room_for_nothing_half_done() {
    let mut disk = MemoryDisk::with_capacity(10_000);
    disk.lock().expect("nobody has it");
    let mut log = open(&mut disk);
    let full = loop {
        log.append(&node(0), RecordKind::Batch, &[1; 400]).expect("few wait");
        if let Err(error) = log.write(&mut disk) {
            break error;
        }
    };
    assert!(matches!(full, LogError::Full(_)), "{full}");
    assert_eq!(files_of(&disk).len(), 2, "two segments fit and nothing else is left");
    log.sync(&mut disk).expect("what was written can be synced");
    log.truncate(&mut disk, log.durable()).expect("a sound disk");
    log.write(&mut disk).expect("there is room again");
    assert_eq!(log.sync(&mut disk), Ok(log.appended()));
}
