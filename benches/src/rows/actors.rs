//! `actors.*`, `recovery.restart`, `durable.*`: Nodes in a System, beside ractor and bare loops.
//!
//! Law: subject and baseline run on runtimes of the same shape, in the same run, and each proves that
//! it did all that was counted.

mod durable;
mod many;
mod plain;
mod restart;

use std::{future::Future, time::Instant};

use samsara_actors::{CallError, NodeRef, System};
use samsara_runtime::{
    config::HostConfig,
    program::Program,
    recovery::{Durability, NodeSpec},
    time::Nanos,
    value::Value,
};
use tokio::runtime::{Builder, Runtime};

use self::plain::Plain;
use super::engine::{chain, node, payload, program};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
};

pub(crate) use self::{
    durable::{DURABLE, OVERHEAD},
    many::{SCALE, SPAWN},
    restart::{RECOVER_ALL, RESTART},
};

/// Events into hosted Nodes.
pub(crate) const INVOKE: Group = Group {
    name: "actors.invoke",
    what: "invokes of 64 bytes and one op, from one producer to a hosted Node",
    rows: &[
        row("actors.invoke.engine", "M/s", "bare node", Promise::RatioAtLeast(0.8)),
        row("actors.invoke.ractor", "M/s", "ractor cast", Promise::RatioAtLeast(1.0)),
    ],
    run: invoke,
};

/// Requests and replies.
pub(crate) const ASK: Group = Group {
    name: "actors.ask",
    what: "requests and replies, one at a time",
    rows: &[row("actors.ask", "k/s", "ractor call", Promise::RatioAtLeast(1.0))],
    run: ask,
};

const fn row(
    name: &'static str,
    unit: &'static str,
    baseline: &'static str,
    promise: Promise,
) -> Row {
    Row { name, unit, baseline, promise }
}

/// Two threads: one for who asks, one for who answers.
pub(crate) fn runtime() -> Result<Runtime, String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())
}

pub(crate) fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Runs it as a task, so that all contenders have the same two threads.
fn on<F>(runtime: &Runtime, task: F) -> Result<F::Output, String>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    runtime.block_on(runtime.spawn(task)).map_err(said)
}

/// Limits for more Nodes than most hosts have, which fall more often than a Node should, each time
/// as if it were the first.
fn limits() -> HostConfig {
    let mut limits = HostConfig::default();
    limits.supervision.max_children = u32::MAX;
    limits.supervision.max_restarts = u32::MAX;
    limits.supervision.healthy_after = Nanos::new(1);
    limits
}

/// The program of one op, which passes on what it gets.
fn one() -> Result<Program, String> {
    program([chain("One", 1)?])
}

/// A System with a Node of it.
async fn hosted(durability: Durability) -> Result<(System, NodeRef), String> {
    let system = System::builder().limits(limits()).start().await.map_err(said)?;
    let spec = NodeSpec::new("one", one()?).durability(durability);
    let node = system.spawn(spec).await.map_err(said)?;
    Ok((system, node))
}

/// Pushes so many events as fast as they are taken, and waits until all are done.
fn flood(node: &NodeRef, count: usize) -> Result<f64, String> {
    let done = |node: &NodeRef| node.look(|node| node.engine_stats().counters.ops_fired);
    let before = done(node).unwrap_or_default();
    let start = Instant::now();
    for _ in 0..count {
        let mut inputs = vec![("in".to_owned(), Value::from(payload()))];
        while let Err(refused) = node.cast_with("One", inputs) {
            let CallError::Busy { inputs: back, .. } = refused else { return Err(said(refused)) };
            inputs = back;
            std::thread::yield_now();
        }
    }
    while done(node).unwrap_or_default() < before + count as u64 {
        std::thread::yield_now();
    }
    Ok(count as f64 / start.elapsed().as_secs_f64() / 1e6)
}

fn invoke(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(1_000_000, 2_000);
    let (ours, theirs) = (runtime()?, runtime()?);
    let (system, one) = ours.block_on(hosted(Durability::Memory))?;
    let plain = theirs.block_on(Plain::start())?;
    let mut bare = node(&program([chain("One", 1)?])?)?;
    let mut steps = Vec::new();
    let mut contenders: [Contender<'_>; 3] = [
        Box::new(|| flood(&one, count)),
        Box::new(|| {
            let start = Instant::now();
            for _ in 0..count.div_ceil(256) {
                for _ in 0..256 {
                    bare.invoke("One", [("in", payload())]).map_err(said)?;
                }
                steps.clear();
                bare.step(Nanos::ZERO, &mut steps);
            }
            Ok((count.div_ceil(256) * 256) as f64 / start.elapsed().as_secs_f64() / 1e6)
        }),
        Box::new(|| theirs.block_on(plain.flood(count))),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    ours.block_on(system.stop()).map_err(said)?;
    let [hosted, bare, ractor] = figures[..] else { return Err("no contender ran".to_owned()) };
    let over = |baseline| Figure { value: hosted, baseline: Some(baseline) };
    Ok(vec![over(bare), over(ractor)])
}

fn ask(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(50_000, 200);
    let (ours, theirs) = (runtime()?, runtime()?);
    let (system, one) = ours.block_on(hosted(Durability::Memory))?;
    let plain = theirs.block_on(Plain::start())?;
    let per_second = |start: Instant| count as f64 / start.elapsed().as_secs_f64() / 1e3;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let one = one.clone();
            let asked = ours.spawn(async move {
                let start = Instant::now();
                for _ in 0..count {
                    let reply = one.ask("One", [("in", payload())]).await.map_err(said)?;
                    if reply.outputs.is_empty() {
                        return Err("a reply is empty".to_owned());
                    }
                }
                Ok(start)
            });
            let start = ours.block_on(asked).map_err(said)??;
            Ok(per_second(start))
        }),
        Box::new(|| {
            let plain = plain.clone();
            let asked = theirs.spawn(async move {
                let start = Instant::now();
                plain.call(count).await.map(|()| start)
            });
            let start = theirs.block_on(asked).map_err(said)??;
            Ok(per_second(start))
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    ours.block_on(system.stop()).map_err(said)?;
    let [hosted, ractor] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value: hosted, baseline: Some(ractor) }])
}
