//! The disk in memory: it keeps what was synced, loses the rest, and guards its lock and its room.

use samsara_runtime::rng::Rng;
use samsara_runtime::storage::{FileName, MemoryDisk, PowerLoss, Storage, StorageError};

fn name(text: &str) -> FileName {
    FileName::new(text).expect("a legal name")
}

/// A locked disk with one synced file of these bytes.
fn disk_with(file: &FileName, bytes: &[u8]) -> MemoryDisk {
    let mut disk = MemoryDisk::default();
    disk.lock().expect("nobody has it");
    disk.create(file, 0).expect("room");
    disk.write_at(file, 0, bytes).expect("room");
    disk.sync(file).expect("a sync");
    disk.sync_dir().expect("a sync");
    disk
}

fn content(disk: &MemoryDisk, file: &FileName) -> Vec<u8> {
    let mut bytes = vec![0; disk.size(file).expect("it is there") as usize];
    assert_eq!(disk.read(file, 0, &mut bytes), Ok(bytes.len()));
    bytes
}

#[test]
fn a_name_cannot_lead_out_of_the_store() {
    for legal in ["a", "journal-0f.log", "x_1", &"a".repeat(FileName::LEN_MAX)] {
        assert_eq!(FileName::new(legal).map(|name| name.to_string()), Ok(legal.to_owned()));
    }
    for other in ["", ".", "..", ".a", "a/b", "a\\b", "A", "é", "a b", "a\0", &"a".repeat(129)] {
        FileName::new(other).expect_err(other);
    }
}

#[test]
fn what_was_synced_survives_and_the_rest_goes_with_the_power() {
    let file = name("a");
    let mut disk = disk_with(&file, b"synced");
    disk.write_at(&file, 0, b"UNSYNCED").expect("room");
    let mut dead_process = disk.clone();
    dead_process.crash(PowerLoss::Nothing);
    assert_eq!(content(&dead_process, &file), b"UNSYNCED");
    disk.crash(PowerLoss::Unsynced);
    assert_eq!(content(&disk, &file), b"synced");
}

#[test]
fn a_name_is_lost_until_the_directory_is_synced() {
    let (old, new) = (name("a"), name("b"));
    let mut disk = disk_with(&old, b"x");
    disk.rename(&old, &new).expect("it is there");
    disk.create(&name("c"), 4).expect("room");
    disk.sync(&name("c")).expect("a sync");
    let mut kept = disk.clone();
    disk.crash(PowerLoss::Unsynced);
    assert_eq!(disk.list(), Ok(vec![old]));
    kept.sync_dir().expect("a sync");
    kept.crash(PowerLoss::Unsynced);
    assert_eq!(kept.list(), Ok(vec![new, name("c")]));
}

#[test]
fn chance_keeps_drops_and_tears_writes_but_never_what_was_synced() {
    let file = name("a");
    let (mut kept, mut dropped, mut torn) = (0, 0, 0);
    for seed in 0..200 {
        let mut disk = disk_with(&file, &[1; 2_048]);
        disk.write_at(&file, 512, &[2; 1_024]).expect("room");
        disk.crash(PowerLoss::Chance(&mut Rng::from_seed(seed)));
        let bytes = content(&disk, &file);
        assert!(bytes[..512].iter().chain(&bytes[1_536..]).all(|byte| *byte == 1));
        let sectors: Vec<&[u8]> = bytes[512..1_536].chunks(512).collect();
        assert!(sectors.iter().all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        match (sectors[0][0], sectors[1][0]) {
            (2, 2) => kept += 1,
            (1, 1) => dropped += 1,
            _ => torn += 1,
        }
    }
    assert!(kept > 20 && dropped > 20 && torn > 10, "{kept} {dropped} {torn}");
}

#[test]
fn only_one_owner_has_the_lock_and_only_who_has_it_changes_anything() {
    let file = name("a");
    let mut disk = disk_with(&file, b"x");
    assert_eq!(disk.lock(), Err(StorageError::Locked));
    disk.unlock();
    assert_eq!(disk.write_at(&file, 0, b"y"), Err(StorageError::NotLocked));
    assert_eq!(disk.sync(&file), Err(StorageError::NotLocked));
    assert_eq!(disk.create(&name("b"), 1), Err(StorageError::NotLocked));
    assert_eq!(disk.rename(&file, &name("b")), Err(StorageError::NotLocked));
    assert_eq!(disk.remove(&file), Err(StorageError::NotLocked));
    assert_eq!(disk.sync_dir(), Err(StorageError::NotLocked));
    assert_eq!(content(&disk, &file), b"x");
    disk.lock().expect("it was given back");
}

#[test]
fn a_full_disk_refuses_growth_to_the_byte_and_changes_nothing() {
    let (file, other) = (name("a"), name("b"));
    let mut disk = MemoryDisk::with_capacity(10);
    disk.lock().expect("nobody has it");
    disk.create(&file, 6).expect("room for ten");
    assert_eq!(disk.create(&other, 5), Err(StorageError::Full { file: other.clone(), wanted: 5 }));
    disk.create(&other, 4).expect("room for ten");
    assert!(matches!(disk.write_at(&file, 6, b"x"), Err(StorageError::Full { wanted: 1, .. })));
    disk.write_at(&file, 5, b"x").expect("no growth");
    assert_eq!(content(&disk, &file), b"\0\0\0\0\0x");
    disk.remove(&other).expect("it is there");
    disk.write_at(&file, 6, b"x").expect("room again");
}

#[test]
fn what_is_not_there_is_missing_by_name() {
    let (file, mut disk) = (name("a"), disk_with(&name("b"), b"x"));
    let missing = Err(StorageError::Missing { file: file.clone() });
    assert_eq!(disk.size(&file).map(|_| ()), missing);
    assert_eq!(disk.write_at(&file, 0, b"y"), missing);
    assert_eq!(disk.rename(&file, &name("c")), missing);
    assert_eq!(disk.remove(&file), missing);
    let mut nothing = [0; 4];
    assert_eq!(disk.read(&name("b"), u64::MAX, &mut nothing), Ok(0));
    let exists = Err(StorageError::Exists { file: name("b") });
    assert_eq!(disk.create(&name("b"), 0), exists);
}
