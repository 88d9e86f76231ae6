//! `actors.spawn`, `actors.bytes`, `scale.nodes`: very many Nodes that rest.
//!
//! Law: the bytes are all that the process holds for them, on any of its threads.

use std::{future::Future, time::Instant};

use samsara_actors::{NodeRef, System};
use samsara_runtime::{
    program::Program,
    recovery::{Durability, NodeSpec},
};
use samsara_tests::counting::Everywhere;
use tokio::runtime::Runtime;

use super::{hosted, limits, on, one, plain::Plain, runtime, said};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
    rows::engine::payload,
};

/// Nodes that are brought to life and rest.
pub(crate) const SPAWN: Group = Group {
    name: "actors",
    what: "hosted Nodes that rest: to bring one to life, and to hold it",
    rows: &[
        Row {
            name: "actors.spawn",
            unit: "k/s",
            baseline: "ractor spawn",
            promise: Promise::RatioAtLeast(1.0),
        },
        Row {
            name: "actors.bytes",
            unit: "B",
            baseline: "ractor actor",
            promise: Promise::RatioAtMost(0.4),
        },
    ],
    run: spawns,
};

/// A process full of Nodes.
pub(crate) const SCALE: Group = Group {
    name: "scale.nodes",
    what: "a process full of hosted Nodes that rest, and one of them called",
    rows: &[
        Row {
            name: "scale.nodes.bytes",
            unit: "B",
            baseline: "",
            // Two GiB for a million.
            promise: Promise::ValueAtMost(2_147.0),
        },
        Row {
            name: "scale.nodes.invoke",
            unit: "us",
            baseline: "one alone",
            promise: Promise::RatioAtMost(3.0),
        },
    ],
    run: scale,
};

struct Measured {
    thousands_a_second: f64,
    bytes: f64,
}

/// Brings so many to life one after the other, and holds all of them.
async fn measure<T, F>(
    count: usize,
    one_more: impl Fn(usize) -> F,
) -> Result<(Measured, Vec<T>), String>
where
    F: Future<Output = Result<T, String>>,
{
    let mut all = Vec::with_capacity(count);
    let everywhere = Everywhere::start().ok_or("bytes are counted twice at once")?;
    let start = Instant::now();
    for number in 0..count {
        all.push(one_more(number).await?);
    }
    let thousands_a_second = count as f64 / start.elapsed().as_secs_f64() / 1e3;
    let bytes = everywhere.held() as f64 / count as f64;
    Ok((Measured { thousands_a_second, bytes }, all))
}

async fn nodes(
    system: System,
    program: Program,
    count: usize,
) -> Result<(Measured, Vec<NodeRef>), String> {
    let one_more = |number: usize| {
        let spec = NodeSpec::new(format!("node-{number}"), program.clone());
        let system = system.clone();
        async move { system.spawn(spec).await.map_err(said) }
    };
    measure(count, one_more).await
}

fn start(runtime: &Runtime) -> Result<System, String> {
    runtime.block_on(System::builder().limits(limits()).start()).map_err(said)
}

fn spawns(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(100_000, 100);
    let (runtime, program) = (runtime()?, one()?);
    let (mut ours, mut theirs) = (0.0, 0.0);
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let system = start(&runtime)?;
            let (measured, _nodes) = on(&runtime, nodes(system.clone(), program.clone(), count))??;
            ours = measured.bytes;
            runtime.block_on(system.stop()).map_err(said)?;
            Ok(measured.thousands_a_second)
        }),
        Box::new(|| {
            let (measured, actors) = on(&runtime, measure(count, |_| Plain::start()))??;
            theirs = measured.bytes;
            runtime.block_on(async {
                for actor in actors {
                    actor.stop().await?;
                }
                Ok::<_, String>(())
            })?;
            Ok(measured.thousands_a_second)
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [value, baseline] = figures[..] else { return Err("no contender ran".to_owned()) };
    let bytes = Figure { value: ours, baseline: Some(theirs) };
    Ok(vec![Figure { value, baseline: Some(baseline) }, bytes])
}

/// Microseconds that one of the Nodes takes to answer.
async fn ask(nodes: &[NodeRef], calls: usize) -> Result<f64, String> {
    let (value, start) = (payload(), Instant::now());
    // A step that is prime to all counts visits far places.
    let at = |call: usize| call.wrapping_mul(7_919) % nodes.len().max(1);
    for call in 0..calls {
        let node = nodes.get(at(call)).ok_or("there is no Node")?;
        node.ask("One", [("in", value.clone())]).await.map_err(said)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / calls.max(1) as f64)
}

fn scale(context: &Context) -> Result<Vec<Figure>, String> {
    let (count, calls) = (context.amount(1_000_000, 100), context.amount(1_000, 10));
    let runtime = runtime()?;
    let (alone, node) = runtime.block_on(hosted(Durability::Memory))?;
    let system = start(&runtime)?;
    let (measured, nodes) = on(&runtime, nodes(system.clone(), one()?, count))??;
    // Nobody is called twice: the first call of a Node has an actor made for it.
    let mut rounds = nodes.chunks(calls);
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let some = rounds.next().ok_or("more rounds than Nodes")?;
            runtime.block_on(ask(some, some.len()))
        }),
        Box::new(|| runtime.block_on(ask(std::slice::from_ref(&node), calls))),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [value, baseline] = figures[..] else { return Err("no contender ran".to_owned()) };
    for system in [alone, system] {
        runtime.block_on(system.stop()).map_err(said)?;
    }
    let bytes = Figure { value: measured.bytes, baseline: None };
    Ok(vec![bytes, Figure { value, baseline: Some(baseline) }])
}
