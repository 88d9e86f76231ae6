//! The files beside the log: lives, cursors and snapshots that were damaged, or are gone.

use samsara_runtime::{
    id::ExecId,
    recovery::{Cursor, Durability, Lives, LivesError, Lsn, ReplayError},
    rng::Rng,
    storage::{FileName, MemoryDisk, PowerLoss, Storage},
};
use samsara_sim::Disk;

use super::{
    driver::{End, Host, World},
    tally::{spec, tally},
};

fn name(text: &str) -> FileName {
    FileName::new(text).expect("a legal name")
}

/// Damages a file where it stands.
fn spoil(disk: &mut impl Storage, file: &FileName, at: u64) {
    let mut byte = [0];
    disk.read(file, at, &mut byte).expect("it is there");
    disk.write_at(file, at, &[byte[0] ^ 1]).expect("it is there");
    disk.sync(file).expect("a sync");
}

fn read_all(disk: &impl Storage, file: &FileName) -> Vec<u8> {
    let mut bytes = vec![0; disk.size(file).expect("it is there") as usize];
    disk.read(file, 0, &mut bytes).expect("it is there");
    bytes
}

fn counter() -> (MemoryDisk, Lives, Rng) {
    let (mut disk, mut rng) = (MemoryDisk::default(), Rng::from_seed(1));
    disk.lock().expect("nobody has it");
    let lives = Lives::open(&mut disk, &mut rng).expect("it is made");
    (disk, lives, rng)
}

#[test]
fn a_damaged_slot_of_the_counter_leaves_the_other_and_no_number_is_given_twice() {
    // The last number is in one slot or the other; whichever is damaged, it is not given again.
    for last in [5, 6] {
        let (mut disk, mut lives, mut rng) = counter();
        for number in 1..=last {
            let life = lives.bump(&mut disk, &mut rng).expect("it is durable");
            assert_eq!(life.incarnation.get(), number);
        }
        for slot in [25, 512 + 25] {
            let mut disk = disk.clone();
            spoil(&mut disk, &name("lives"), slot);
            let mut again = Lives::open(&mut disk, &mut rng).expect("one slot is whole");
            assert_eq!(again.store(), lives.store());
            for _ in 0..3 {
                let life = again.bump(&mut disk, &mut rng).expect("it is durable");
                assert!(life.incarnation.get() > last, "{life:?} after {last}");
            }
        }
    }
}

#[test]
fn a_counter_without_a_whole_slot_is_refused() {
    let (mut disk, mut lives, mut rng) = counter();
    lives.bump(&mut disk, &mut rng).expect("it is durable");
    for at in [20, 532] {
        spoil(&mut disk, &name("lives"), at);
    }
    let refused = Lives::open(&mut disk, &mut rng).expect_err("no slot is whole");
    assert!(matches!(refused, LivesError::Damaged { .. }), "{refused}");
}

#[test]
fn a_store_with_a_log_and_no_counter_is_refused() {
    let mut world = World::new(spec(tally(), Durability::Durable));
    Host::boot(&mut world).expect("it lives").settle(&mut world).expect("it goes on");
    world.disk.remove(&name("lives")).expect("it is there");
    let refused = Lives::open(&mut world.disk, &mut Rng::from_seed(1)).expect_err("it is gone");
    assert!(matches!(refused, LivesError::Missing { .. }), "{refused}");
}

#[test]
fn no_flipped_bit_of_a_cursor_strikes_another_batch() {
    let exec = ExecId::new(7).expect("not zero");
    let bytes = Cursor::before(Lsn::new(9), None).within(exec).to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Cursor::read(&flipped), None, "bit {bit}");
    }
    assert_eq!(Cursor::read(&Cursor::CLEAR), None);
    assert_eq!(Cursor::read(&bytes[..23]), None);
}

/// A world in which some snapshots were taken, without its host.
fn captured() -> (World, Vec<u64>) {
    let mut world = World::new(spec(tally(), Durability::Durable));
    let mut host = Host::boot(&mut world).expect("it lives");
    for n in 1..=20_u64 {
        host.node_mut().invoke("Main", [("n", n)]).expect("there is room");
        host.settle(&mut world).expect("it goes on");
    }
    let seen = host.seen().to_vec();
    world.disk.crash(PowerLoss::Unsynced);
    (world, seen)
}

fn snapshots(disk: &Disk) -> Vec<FileName> {
    let files = disk.list().expect("a disk").into_iter();
    files.filter(|file| file.as_str().ends_with(".snap")).collect()
}

#[test]
fn a_newest_snapshot_that_has_rotten_leaves_the_one_before_and_a_longer_log() {
    let (mut world, seen) = captured();
    let files = snapshots(&world.disk);
    assert_eq!(files.len(), 2, "two are kept");
    let newest = read_all(&world.disk, &files[1]);
    for at in (0..newest.len()).step_by(97) {
        world.disk.lock().expect("nobody has it");
        spoil(&mut world.disk, &files[1], at as u64);
        world.disk.crash(PowerLoss::Unsynced);
        let host = Host::boot(&mut world).expect("the older one is whole");
        assert_eq!(host.seen(), seen, "byte {at}");
        drop(host);
        spoil(&mut world.disk, &files[1], at as u64);
        world.disk.crash(PowerLoss::Unsynced);
    }
    assert_eq!(read_all(&world.disk, &files[1]), newest);
}

#[test]
fn a_log_that_was_cut_for_snapshots_that_are_gone_is_no_history() {
    let (mut world, _) = captured();
    world.disk.lock().expect("nobody has it");
    for file in snapshots(&world.disk) {
        world.disk.remove(&file).expect("it is there");
    }
    world.disk.sync_dir().expect("a sync");
    world.disk.crash(PowerLoss::Unsynced);
    match Host::boot(&mut world).map(drop) {
        Err(End::Replay(ReplayError::Gap { wanted: 1, found, .. })) => assert!(found > 1),
        other => panic!("{other:?}"),
    }
}
