//! `recovery.replay`: a history told again, beside the first time.
//!
//! Law: both go through the shipped cycle, log and replay, on a disk in memory, and end in one state.
//! The first time is that of a durable Node: its batches are written and synced before they are
//! applied.

use std::sync::Arc;
use std::time::Instant;

use samsara_proto::PeerId;
use samsara_runtime::{
    config::{JournalConfig, NodeConfig, SnapshotConfig},
    node::{Batch, Node, Taken, Wakeup},
    recovery::{
        Act, Durability, History, HostCycle, HostPart, Log, Lsn, NodeSpec, RecordKind, Replay,
        StoreId,
    },
    rng::Rng,
    storage::{MemoryDisk, Storage as _},
    time::Nanos,
};

use super::engine::{chain, payload, program};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
};

/// A history, and how it came about.
pub(crate) const REPLAY: Group = Group {
    name: "recovery.replay",
    what: "batches of one event replayed from a log, and applied when they were new",
    rows: &[Row {
        name: "recovery.replay.rate",
        unit: "k/s",
        baseline: "live",
        promise: Promise::RatioAtLeast(1.0),
    }],
    run,
};

fn say(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn run(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(20_000, 100);
    // A snapshot would spare the replay what the first time has done.
    let snapshot = SnapshotConfig { every_events: u64::MAX, every_bytes: u64::MAX };
    let config = NodeConfig { snapshot, ..NodeConfig::default() };
    let spec = NodeSpec::new("replayed", program([chain("Ten", 10)?])?).config(config);
    let written = std::cell::RefCell::new(None);
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            if written.borrow().is_none() {
                *written.borrow_mut() = Some(live(&spec, count)?);
            }
            let written = written.borrow();
            let told = written.as_ref().ok_or("nothing was written")?;
            let start = Instant::now();
            let replayed = replay(&spec, told)?;
            let rate = count as f64 / start.elapsed().as_secs_f64() / 1e3;
            (replayed == told.digest).then_some(rate).ok_or("a replay ended elsewhere".to_owned())
        }),
        Box::new(|| {
            let start = Instant::now();
            live(&spec, count)?;
            Ok(count as f64 / start.elapsed().as_secs_f64() / 1e3)
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    let [value, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: Some(base) }])
}

/// What a life leaves behind.
struct Written {
    disk: MemoryDisk,
    log: Log,
    /// The state that the Node ended in.
    digest: [u8; 32],
}

fn host() -> PeerId {
    PeerId::from(7)
}

fn digest(node: &mut Node) -> Result<[u8; 32], String> {
    Ok(node.snapshot().map_err(say)?.digest())
}

/// A life of so many batches, each durable before it is applied.
fn live(spec: &NodeSpec, count: usize) -> Result<Written, String> {
    let mut disk = MemoryDisk::default();
    disk.lock().map_err(say)?;
    let config = JournalConfig::default();
    let opened = Log::open(&mut disk, StoreId([7; 16]), config, Rng::from_seed(1));
    let mut log = opened.map_err(say)?.log;
    let (peer, mut node) = (spec.peer_id(&host()), spec.install(&host()).map_err(say)?);
    let mut cycle = HostCycle::new(Durability::Durable, spec.settings());
    let (mut steps, mut batch, value) = (Vec::new(), Batch::default(), payload());
    let mut taken: Option<Taken> = None;
    for _ in 0..count {
        node.invoke("Ten", [("in", value.clone())]).map_err(say)?;
        loop {
            match cycle.next(node.next_wakeup(), Nanos::ZERO) {
                Act::Take => {
                    let next = node.take(Nanos::ZERO);
                    cycle.took(next.events()).map_err(say)?;
                    taken = Some(next);
                }
                Act::Append => {
                    let next = taken.take().ok_or("nothing was taken")?;
                    let record = cycle.record(&node, &next).map_err(say)?;
                    let lsn = log.append(&peer, RecordKind::Batch, &record).map_err(say)?;
                    cycle.appended(lsn, record.len()).map_err(say)?;
                    batch = node.commit(next).map_err(say)?;
                }
                Act::Sync(_) => {
                    log.write(&mut disk).map_err(say)?;
                    cycle.synced(log.sync(&mut disk).map_err(say)?).map_err(say)?;
                }
                Act::Ack(_) => {
                    if let Some(next) = taken.take() {
                        batch = node.commit(next).map_err(say)?;
                    }
                    cycle.acked().map_err(say)?;
                }
                Act::Apply(_) => {
                    steps.clear();
                    node.apply(&batch, &mut steps);
                    cycle.applied(&steps).map_err(say)?;
                }
                Act::Release => {
                    cycle.released(steps.drain(..), drop).map_err(say)?;
                    cycle.taken_up_to(cycle.outputs().count);
                }
                Act::Capture => return Err("a snapshot is wanted".to_owned()),
                Act::Rest(Wakeup::Now) => return Err("it rests while there is work".to_owned()),
                Act::Rest(_) => break,
            }
        }
    }
    log.write(&mut disk).map_err(say)?;
    log.sync(&mut disk).map_err(say)?;
    let digest = digest(&mut node)?;
    Ok(Written { disk, log, digest })
}

/// Tells a new Node all that was written, and gives the state that it ends in.
fn replay(spec: &NodeSpec, written: &Written) -> Result<[u8; 32], String> {
    let Written { disk, log, .. } = written;
    let mut node = spec.install(&host()).map_err(say)?;
    let natives = Arc::new(spec.program().registry().natives().clone());
    let mut history = History::default();
    let mut went = Ok(());
    log.read(disk, Lsn::ZERO, |record| {
        if went.is_ok() {
            went = history.note(&record);
        }
    })
    .map_err(say)?;
    went.map_err(say)?;
    let settings = spec.settings();
    let part = HostPart::new(settings, 1);
    let mut replay = Replay::new(&history, &natives, part, settings.snapshot, None);
    let mut went = Ok(());
    log.read(disk, Lsn::ZERO, |record| {
        if went.is_ok() {
            went = replay.go_on(&mut node, &record, &mut |_| {});
        }
    })
    .map_err(say)?;
    went.map_err(say)?;
    replay.end();
    digest(&mut node)
}
