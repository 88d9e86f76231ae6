//! Power that fails at any moment: what was acknowledged is there, and nothing that was not written.

use super::*;

/// A store over many lives, and what each was promised.
struct World {
    disk: MemoryDisk,
    rng: Rng,
    /// All that was appended and may be in the log, in order.
    appended: Vec<Vec<u8>>,
    acknowledged: usize,
    cuts: usize,
    seed: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let rng = Rng::from_seed(seed);
        Self { disk: locked(), rng, appended: Vec::new(), acknowledged: 0, cuts: 0, seed }
    }

    /// One life: it opens the log, checks it against what was promised, and goes on for a while.
    fn live(&mut self) {
        let opened = open_with(&mut self.disk, self.rng.next_u64());
        let Opened { mut log, cut, .. } =
            opened.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        self.cuts += usize::from(cut.is_some());
        let there = payloads(&log, &self.disk);
        let first = log.first().get() as usize - 1;
        let last = first + there.len();
        assert!(last >= self.acknowledged, "seed {}: {last} < {}", self.seed, self.acknowledged);
        assert_eq!(there, self.appended[first..last], "seed {}", self.seed);
        self.appended.truncate(last);
        for _ in 0..self.rng.below(40) {
            self.act(&mut log);
        }
    }

    fn act(&mut self, log: &mut Log) {
        let disk = &mut self.disk;
        match self.rng.below(12) {
            0..6 => {
                let payload = vec![self.rng.next_u64() as u8; self.rng.below(900) as usize];
                let node = node(self.rng.below(4));
                log.append(&node, RecordKind::Batch, &payload).expect("there is room");
                self.appended.push(payload);
            }
            6..9 => {
                log.write(disk).expect("a sound disk");
            }
            9..11 => {
                let durable = log.sync(disk).expect("a sound disk");
                self.acknowledged = self.acknowledged.max(durable.get() as usize);
            }
            _ if self.rng.chance(1, 2) => log.prepare(disk).expect("a sound disk"),
            _ => {
                let keep = Lsn::new(self.rng.below(log.durable().get() + 1));
                log.truncate(disk, keep).expect("a sound disk");
            }
        }
        // Going over to another segment syncs the one before.
        self.acknowledged = self.acknowledged.max(log.durable().get() as usize);
    }

    fn crash(&mut self) {
        match self.rng.below(4) {
            0 => self.disk.crash(PowerLoss::Nothing),
            1 => self.disk.crash(PowerLoss::Unsynced),
            _ => self.disk.crash(PowerLoss::Chance(&mut self.rng)),
        }
        self.disk.lock().expect("the dead hold no lock");
    }
}

#[test]
fn no_loss_of_power_takes_a_synced_record_or_makes_a_log_unreadable() {
    let mut cuts = 0;
    for seed in 0..400 {
        let mut world = World::new(seed);
        for _ in 0..6 {
            world.live();
            world.crash();
        }
        cuts += world.cuts;
    }
    assert!(cuts > 100, "tails were torn only {cuts} times");
}

#[test]
fn a_process_that_dies_alone_loses_nothing_that_it_wrote() {
    let mut disk = locked();
    let mut log = open(&mut disk);
    log.append(&node(0), RecordKind::Batch, b"written").expect("there is room");
    log.write(&mut disk).expect("a sound disk");
    disk.crash(PowerLoss::Nothing);
    disk.lock().expect("nobody has it");
    let log = open(&mut disk);
    assert_eq!(log.durable(), Lsn::new(1), "it was synced before anyone acts on it");
    disk.crash(PowerLoss::Unsynced);
    disk.lock().expect("nobody has it");
    assert_eq!(payloads(&open(&mut disk), &disk), [b"written"]);
    assert!(!log.is_stopped());
}
