//! `durable.*`: acknowledged means synced, and what it costs to remember.
//!
//! Law: the bare file is written as the journal writes its own: zeros that are there already, and one
//! write and one sync for all callers together.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use bytes::Bytes;
use samsara_actors::{Disk, System};
use samsara_runtime::recovery::{Durability, NodeSpec};

use super::{flood, hosted, row, runtime, said};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise},
    rows::engine::{chain, program},
};

/// Callers at a time.
const CALLERS: usize = 64;
/// Bytes of an input.
const INPUT: usize = 1_024;

/// Invokes that are durable.
pub(crate) const DURABLE: Group = Group {
    name: "durable.invoke",
    what: "invokes of 1 KiB by 64 callers, each waiting until its own is synced",
    rows: &[row("durable.invoke", "k/s", "write and sync", Promise::RatioAtLeast(0.7))],
    run,
};

/// A directory that is gone with its owner.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, String> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("samsara-bench-{}-{number}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).map_err(said)?;
        Ok(Self(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A bench that failed says why; what is left of it is nobody's concern.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(context: &Context) -> Result<Vec<Figure>, String> {
    let calls = context.amount(300, 2);
    let (runtime, place, bare) = (runtime()?, Place::new()?, Place::new()?);
    let disk = Disk::open(&place.0).map_err(said)?;
    let program = program([chain("One", 1)?])?;
    let (system, node) = runtime.block_on(async {
        let system = System::builder().store(disk).start().await.map_err(said)?;
        let node = system.spawn(NodeSpec::new("one", program)).await.map_err(said)?;
        Ok::<_, String>((system, node))
    })?;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let start = Instant::now();
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    let node = node.clone();
                    runtime.spawn(async move {
                        for _ in 0..calls {
                            let input = Bytes::from(vec![7; INPUT]);
                            node.invoke("One", [("in", input)]).await.map_err(said)?;
                        }
                        Ok::<_, String>(())
                    })
                })
                .collect();
            for caller in callers {
                runtime.block_on(caller).map_err(said)??;
            }
            Ok((CALLERS * calls) as f64 / start.elapsed().as_secs_f64() / 1e3)
        }),
        Box::new(|| {
            // The same bytes in groups of as many as there are callers, into zeros that are there.
            let (group, zeros) = (vec![7; CALLERS * INPUT], vec![0; 1 << 20]);
            let path = bare.0.join("log");
            let mut file = File::create(&path).map_err(said)?;
            for _ in 0..(calls * group.len()).div_ceil(zeros.len()) {
                file.write_all(&zeros).map_err(said)?;
            }
            file.sync_all().map_err(said)?;
            let mut file = File::options().write(true).open(&path).map_err(said)?;
            let start = Instant::now();
            for _ in 0..calls {
                file.write_all(&group).and_then(|()| file.sync_data()).map_err(said)?;
            }
            Ok((CALLERS * calls) as f64 / start.elapsed().as_secs_f64() / 1e3)
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    runtime.block_on(system.stop()).map_err(said)?;
    let [ours, bare] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value: ours, baseline: Some(bare) }])
}

/// The journal in memory.
pub(crate) const OVERHEAD: Group = Group {
    name: "durable.overhead",
    what: "events to a hosted Node whose history is recorded, over one without a history",
    rows: &[row("durable.overhead", "M/s", "volatile", Promise::RatioAtLeast(0.9))],
    run: overhead,
};

fn overhead(context: &Context) -> Result<Vec<Figure>, String> {
    let events = context.amount(500_000, 200);
    let runtime = runtime()?;
    let (_one, memory) = runtime.block_on(hosted(Durability::Memory))?;
    let (_other, volatile) = runtime.block_on(hosted(Durability::Volatile))?;
    let mut contenders: [Contender<'_>; 2] =
        [Box::new(|| flood(&memory, events)), Box::new(|| flood(&volatile, events))];
    let figures = interleave(context, &mut contenders)?;
    let [value, volatile] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: Some(volatile) }])
}
