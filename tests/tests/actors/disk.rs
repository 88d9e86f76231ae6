//! The store in a directory: what its law says, on the machine's own files.

use std::{env, fs, io::Write, os::unix::fs::PermissionsExt, process};

use samsara_actors::disk::{DiskError, LocalDisk};
use samsara_proto::PeerId;
use samsara_runtime::{
    config::JournalConfig,
    recovery::{Lives, Log, Lsn, RecordKind},
    rng::Rng,
    storage::{FileName, MemoryDisk, Storage, StorageError},
};

use super::place::Place;

/// Names the directory that the child process is to lock.
const LOCK_THIS: &str = "SAMSARA_LOCK";

fn name(text: &str) -> FileName {
    FileName::new(text).expect("a legal name")
}

fn locked(place: &Place) -> LocalDisk {
    let mut disk = LocalDisk::open(place.path()).expect("a directory");
    disk.lock().expect("nobody has it");
    disk
}

/// What a store sees of the same calls on any disk.
fn story(disk: &mut impl Storage) -> Vec<String> {
    let mut bytes = [7; 12];
    let (a, b) = (name("a"), name("b"));
    let mut said = Vec::new();
    said.push(format!("{:?}", disk.create(&a, 6)));
    said.push(format!("{:?}", disk.create(&a, 6)));
    said.push(format!("{:?}", disk.write_at(&a, 9, b"far")));
    said.push(format!("{:?} {bytes:?}", disk.read(&a, 2, &mut bytes)));
    said.push(format!("{:?}", disk.read(&a, 100, &mut bytes)));
    said.push(format!("{:?}", disk.read(&a, u64::MAX, &mut bytes)));
    said.push(format!("{:?}", disk.sync(&a)));
    said.push(format!("{:?}", disk.rename(&a, &b)));
    said.push(format!("{:?}", disk.write_at(&a, 0, b"gone")));
    said.push(format!("{:?}", disk.write_at(&b, 0, b"near")));
    said.push(format!("{:?} {:?}", disk.size(&b), disk.list()));
    said.push(format!("{:?} {:?}", disk.rename(&a, &b), disk.remove(&a)));
    said.push(format!("{:?}", disk.create(&a, 0)));
    said.push(format!("{:?}", disk.rename(&b, &a)));
    said.push(format!("{:?} {bytes:?}", disk.read(&a, 0, &mut bytes)));
    said.push(format!("{:?} {:?}", disk.remove(&a), disk.sync_dir()));
    said.push(format!("{:?} {:?}", disk.size(&a), disk.sync(&a)));
    said
}

#[test]
fn a_directory_does_what_the_disk_in_memory_does() {
    let place = Place::new();
    let mut memory = MemoryDisk::default();
    memory.lock().expect("nobody has it");
    assert_eq!(story(&mut locked(&place)), story(&mut memory));
}

#[test]
fn only_who_has_the_lock_changes_anything() {
    let (place, file) = (Place::new(), name("a"));
    let mut disk = LocalDisk::open(place.path()).expect("a directory");
    let refused = Err(StorageError::NotLocked);
    assert_eq!(disk.create(&file, 1), refused);
    assert_eq!(disk.write_at(&file, 0, b"x"), refused);
    assert_eq!(disk.sync(&file), refused);
    assert_eq!(disk.rename(&file, &name("b")), refused);
    assert_eq!(disk.remove(&file), refused);
    assert_eq!(disk.sync_dir(), refused);
    disk.lock().expect("nobody has it");
    disk.clone().create(&file, 1).expect("a clone is the same store");
    disk.unlock();
    assert_eq!(disk.write_at(&file, 0, b"x"), refused);
}

#[test]
fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let place = Place::new();
    let mut first = locked(&place);
    let mut second = LocalDisk::open(place.path()).expect("a directory");
    assert_eq!(second.lock(), Err(StorageError::Locked));
    assert_eq!(second.owner(), Some(process::id()));
    first.unlock();
    second.lock().expect("it was given back");
}

/// Not a test of its own: what the child of the next one does.
#[test]
fn child_that_locks() {
    let Some(directory) = env::var_os(LOCK_THIS) else { return };
    let mut disk = LocalDisk::open(directory).expect("a directory");
    let outcome = disk.lock().map(|()| process::id());
    println!("said: {outcome:?} owner {:?}", disk.owner());
    std::io::stdout().flush().expect("somebody listens");
}

#[test]
fn a_store_that_another_process_has_is_locked() {
    let place = Place::new();
    let child = || {
        let binary = env::current_exe().expect("this test has a binary");
        let mut child = process::Command::new(binary);
        child.args(["--exact", "actors::disk::child_that_locks", "--nocapture"]);
        let output = child.env(LOCK_THIS, place.path()).output().expect("it runs again");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let disk = locked(&place);
    let said = child();
    let own = format!("said: Err(Locked) owner Some({})", process::id());
    assert!(said.contains(&own), "{said}");
    drop(disk);
    let said = child();
    assert!(said.contains("said: Ok("), "the lock went with its owner: {said}");
    locked(&place);
}

#[test]
fn a_file_where_the_directory_should_be_is_told() {
    let place = Place::new();
    let path = place.path().join("file");
    fs::write(&path, b"x").expect("a file");
    let error = LocalDisk::open(&path).expect_err("a file is no directory");
    assert_eq!(error, DiskError::NotADirectory { path: path.clone() });
    let beneath = LocalDisk::open(path.join("store")).expect_err("nor is what is beneath");
    assert!(matches!(beneath, DiskError::NotADirectory { .. }), "{beneath}");
}

#[test]
fn a_directory_that_may_not_be_written_to_is_told() {
    let place = Place::new();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o555)).expect("it is ours");
    let outcome = LocalDisk::open(place.path());
    let is_almighty = fs::write(place.path().join("probe"), b"x").is_ok();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    if !is_almighty {
        let error = outcome.expect_err("nobody may write there");
        assert!(matches!(error, DiskError::NotWritable { .. }), "{error}");
    }
}

#[test]
fn a_disk_without_room_is_full_and_keeps_no_half_file() {
    // The machine has a device that is always full: a link to it is a file without room.
    let (place, file) = (Place::new(), name("full"));
    let mut disk = locked(&place);
    std::os::unix::fs::symlink("/dev/full", place.path().join("full")).expect("a link");
    let written = disk.write_at(&file, 0, b"four");
    assert_eq!(written, Err(StorageError::Full { file, wanted: 4 }));
}

#[test]
fn what_a_log_wrote_is_there_for_the_next_owner() {
    let place = Place::new();
    let config =
        JournalConfig { segment_bytes: 8_192, max_record_bytes: 4_096, ..JournalConfig::edge() };
    let mut rng = Rng::from_seed(1);
    let node = PeerId::from(1);
    let mut disk = locked(&place);
    let store = Lives::open(&mut disk, &mut rng).expect("a new store").store();
    let mut log = Log::open(&mut disk, store, config, rng.fork("log")).expect("a new log").log;
    for number in 0..20_u8 {
        log.append(&node, RecordKind::Batch, &[number; 1_000]).expect("room");
        log.write(&mut disk).expect("a disk");
        log.sync(&mut disk).expect("a disk");
    }
    drop(disk);
    let mut disk = locked(&place);
    assert_eq!(Lives::open(&mut disk, &mut rng).expect("the same").store(), store);
    let opened = Log::open(&mut disk, store, config, rng.fork("log")).expect("the same log");
    assert_eq!((opened.cut, opened.log.durable()), (None, Lsn::new(20)));
    let mut read = Vec::new();
    let all = opened.log.read(&disk, Lsn::ZERO, |record| read.push(record.payload[0]));
    all.expect("it reads back");
    assert_eq!(read, (0..20).collect::<Vec<u8>>());
}
