//! A Node whose host loses power again and again: what was acknowledged is in the log, so the next
//! life counts on from there. Every tenth power cut comes before the log is synced.

use std::sync::Arc;

use samsara::{
    prelude::*,
    runtime::{
        config::JournalConfig,
        id::Incarnation,
        recovery::{Log, Lsn, RecordKind, StoreId},
        rng::Rng,
        schema::TypeTable,
        snapshot::NodeSnapshot,
        storage::{MemoryDisk, PowerLoss, Storage},
    },
};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    total: u64,
}

impl Component for Counter {
    const TYPE_NAME: &'static str = "demo.counter@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |counter: &mut Self, n: u64| {
            counter.total += n;
            counter.total
        });
    }
}

/// What outlives a loss of power: the disk, and here the last snapshot beside it.
struct Host {
    program: Program,
    disk: MemoryDisk,
    snapshot: Option<(Lsn, Vec<u8>)>,
    lives: u64,
}

impl Host {
    /// Brings the Node back: the newest snapshot, then every batch that the log has behind it.
    fn recover(&mut self) -> Result<(Node, Log)> {
        self.lives += 1;
        self.disk.lock()?;
        let (config, rng) = (JournalConfig::edge(), Rng::from_seed(self.lives));
        let log = Log::open(&mut self.disk, StoreId([7; 16]), config, rng)?.log;
        let peer = PeerId::from(1);
        let mut node = install(peer, [], &self.program, &["Count"], NodeConfig::default())?;
        let mut behind = Lsn::ZERO;
        if let Some((lsn, bytes)) = &self.snapshot {
            node.restore(&NodeSnapshot::decode(bytes.clone())?)?;
            behind = *lsn;
        }
        let (mut batches, natives) = (Vec::new(), Arc::new(TypeTable::default()));
        log.read(&self.disk, behind, |record| {
            if record.lsn > behind {
                batches.push(Batch::read(&record.payload.to_vec().into(), &natives));
            }
        })?;
        for batch in batches {
            node.replay(&batch?, &mut Vec::new());
        }
        node.begin_life(Incarnation::new(self.lives), None)?;
        Ok((node, log))
    }
}

fn main() -> Result<()> {
    let g = Graph::new("Count");
    g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
    let program = Compiler::new().bind::<Counter>("counter").compile(g.build()?)?;
    let mut host = Host { program, disk: MemoryDisk::default(), snapshot: None, lives: 0 };
    let (mut acknowledged, mut given) = (0, 0);
    for life in 1..=100_u64 {
        let (mut node, mut log) = host.recover()?;
        for turn in 1..=7_u64 {
            node.invoke("Count", [("n", turn)])?;
            let taken = node.take(millis(life));
            log.append(&node.peer_id(), RecordKind::Batch, &node.encode(&taken)?)?;
            log.write(&mut host.disk)?;
            if life.is_multiple_of(10) && turn == 7 {
                break; // the power goes before the sync: nobody was told that this one counts
            }
            let durable = log.sync(&mut host.disk)?;
            acknowledged += turn;
            let batch = node.commit(taken)?;
            let mut steps = Vec::new();
            node.apply(&batch, &mut steps);
            given = Steps(steps).output::<u64>("total").unwrap_or(given);
            if turn == 5 && life.is_multiple_of(3) {
                host.snapshot = Some((durable, node.snapshot()?.encode().to_vec()));
            }
        }
        host.disk.crash(PowerLoss::Unsynced);
    }
    let (node, _) = host.recover()?;
    let total = node.slot::<Counter>("counter").map(|counter| counter.total);
    println!("acknowledged {acknowledged}, counted {given}, in life {}", node.incarnation());
    assert_eq!((total, given), (Some(acknowledged), acknowledged));
    Ok(())
}
