//! `recovery.restart`, `actors.recover_all`: from a panic to running again.
//!
//! Law: the clock starts in the op that falls, and stops where its answer is, which the next life
//! has given. Nobody is said of a panic on the screen, in either contender.

use std::{
    panic,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use samsara_actors::{NodeRef, System};
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{NodeConfig, SnapshotConfig},
    graph::Graph,
    id::Incarnation,
    program::Program,
    recovery::NodeSpec,
};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Runtime, sync::oneshot};

use super::{limits, on, runtime, said};
use crate::{
    rounds::{Contender, interleave, median},
    row::{Context, Figure, Group, Promise, Row},
};

/// One Node that falls and comes back.
pub(crate) const RESTART: Group = Group {
    name: "recovery.restart",
    what: "from the panic of a hosted Node to its next answer, by the size of its state",
    rows: &[
        restart_row("recovery.restart.1k", 5.0),
        restart_row("recovery.restart.64k", 25.0),
        restart_row("recovery.restart.1m", 150.0),
    ],
    run: restarts,
};

/// Very many that fall at once.
pub(crate) const RECOVER_ALL: Group = Group {
    name: "actors.recover_all",
    what: "hosted Nodes of 1 KiB that all lose their actors at once, by the thousand",
    rows: &[Row {
        name: "actors.recover_all",
        unit: "us",
        baseline: "one restart of 1 KiB",
        promise: Promise::RatioAtMost(40.0),
    }],
    run: recover_all,
};

const fn restart_row(name: &'static str, most: f64) -> Row {
    Row { name, unit: "us", baseline: "task respawn", promise: Promise::RatioAtMost(most) }
}

const SIZES: [u64; 3] = [1 << 10, 1 << 16, 1 << 20];

/// The next that looks falls, and says when.
static IS_PLANTED: AtomicBool = AtomicBool::new(false);
static FELL: Mutex<Option<Instant>> = Mutex::new(None);

fn plant() {
    IS_PLANTED.store(true, Ordering::Release);
}

fn fall_if_planted() {
    if IS_PLANTED.swap(false, Ordering::AcqRel) {
        if let Ok(mut fell) = FELL.lock() {
            *fell = Some(Instant::now());
        }
        panic!("a planted fault");
    }
}

/// Microseconds since the fall.
fn since_the_fall() -> Result<f64, String> {
    let fell = FELL.lock().map_err(said)?.take().ok_or("nothing fell")?;
    Ok(fell.elapsed().as_secs_f64() * 1e6)
}

#[derive(Default, Serialize, Deserialize)]
struct Store {
    bytes: Vec<u8>,
}

impl Component for Store {
    const TYPE_NAME: &'static str = "bench.store@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("hold", |store: &mut Self, size: u64| {
            fall_if_planted();
            store.bytes.resize(size as usize, 0x5a);
            size
        });
    }
}

fn program() -> Result<Program, String> {
    let g = Graph::new("Store");
    g.output("holds", g.slot("store").op("hold", [g.input::<u64>("size")]));
    Compiler::new().bind::<Store>("store").compile(g.build().map_err(said)?).map_err(said)
}

fn config() -> NodeConfig {
    // Often captured, so that a restart loads its state and does not make it again.
    let snapshot = SnapshotConfig { every_events: 8, ..SnapshotConfig::default() };
    NodeConfig { snapshot, ..NodeConfig::default() }
}

async fn hold(node: &NodeRef, size: u64) -> Result<(), String> {
    let reply = node.ask("Store", [("size", size)]).await.map_err(said)?;
    let held = reply.get::<u64>("holds").map_err(said)?;
    (held == size).then_some(()).ok_or_else(|| "it holds something else".to_owned())
}

/// A System with so many Nodes that hold so much.
async fn holding(count: usize, size: u64) -> Result<(System, Vec<NodeRef>), String> {
    let system = System::builder().limits(limits()).start().await.map_err(said)?;
    let (program, mut nodes) = (program()?, Vec::new());
    for number in 0..count {
        let spec = NodeSpec::new(format!("store-{number}"), program.clone()).config(config());
        let node = system.spawn(spec).await.map_err(said)?;
        for _ in 0..16 {
            hold(&node, size).await?;
        }
        nodes.push(node);
    }
    Ok((system, nodes))
}

async fn restart(node: NodeRef, size: u64, falls: usize) -> Result<f64, String> {
    let mut figures = Vec::with_capacity(falls);
    for _ in 0..falls {
        let life = node.incarnation();
        plant();
        hold(&node, size).await?;
        figures.push(since_the_fall()?);
        if node.incarnation() <= life {
            return Err("no new life".to_owned());
        }
    }
    Ok(median(figures))
}

/// The baseline: a task that panics, and its follower, started by who waited for its end.
async fn respawn(falls: usize) -> Result<f64, String> {
    let mut figures = Vec::with_capacity(falls);
    for _ in 0..falls {
        plant();
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            // However it ended, it has.
            let _ = tokio::spawn(async { fall_if_planted() }).await;
            tokio::spawn(async move { answer.send(()) });
        });
        answered.await.map_err(said)?;
        figures.push(since_the_fall()?);
    }
    Ok(median(figures))
}

/// Keeps the screen clear of the panics of tasks: those of Nodes are not said there anyway.
fn hush() {
    panic::set_hook(Box::new(|info| {
        if info.payload().downcast_ref::<&str>() != Some(&"a planted fault") {
            eprintln!("{info}");
        }
    }));
}

fn restarts(context: &Context) -> Result<Vec<Figure>, String> {
    hush();
    let falls = context.amount(200, 2);
    let runtime = runtime()?;
    let mut systems = Vec::new();
    for size in SIZES {
        let (system, nodes) = runtime.block_on(holding(1, size))?;
        systems.push((system, nodes, size));
    }
    let mut contenders: Vec<Contender<'_>> = systems
        .iter()
        .map(|(_, nodes, size)| -> Contender<'_> {
            Box::new(|| {
                let node = nodes.first().cloned().ok_or("there is no Node")?;
                on(&runtime, restart(node, *size, falls))?
            })
        })
        .collect();
    contenders.push(Box::new(|| on(&runtime, respawn(falls))?));
    let mut figures = interleave(context, &mut contenders)?;
    let baseline = figures.pop();
    Ok(figures.into_iter().map(|value| Figure { value, baseline }).collect())
}

/// Microseconds until all of a thousand Nodes that lost their actors run again.
fn fall_together(runtime: &Runtime, system: &System, nodes: &[NodeRef]) -> Result<f64, String> {
    runtime.block_on(async {
        for node in nodes {
            // Only who has an actor can lose it.
            hold(node, 1 << 10).await?;
        }
        let lives: Vec<Incarnation> = nodes.iter().map(NodeRef::incarnation).collect();
        let start = Instant::now();
        system.kill_supervisor();
        for (node, life) in nodes.iter().zip(lives) {
            while node.incarnation() <= life || node.look(|_| ()).is_none() {
                tokio::task::yield_now().await;
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / nodes.len() as f64 * 1e3)
    })
}

fn recover_all(context: &Context) -> Result<Vec<Figure>, String> {
    hush();
    let (count, falls) = (context.amount(10_000, 20), context.amount(200, 2));
    let runtime = runtime()?;
    let (system, nodes) = runtime.block_on(holding(count, 1 << 10))?;
    let (_alone, one) = runtime.block_on(holding(1, 1 << 10))?;
    let one = one.into_iter().next().ok_or("there is no Node")?;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| fall_together(&runtime, &system, &nodes)),
        Box::new(|| on(&runtime, restart(one.clone(), 1 << 10, falls))?),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [value, baseline] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: Some(baseline) }])
}
