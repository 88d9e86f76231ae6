//! `actors.spawn` and `recovery.restart`: how fast Nodes come, and come back.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Instant,
};

use ractor::Actor;
use samsara_actors::System;
use samsara_runtime::{config::HostConfig, recovery::NodeSpec};

use super::{plain::Idle, row, runtime, said};
use crate::{
    rounds::{Contender, interleave, median},
    row::{Context, Figure, Group, Promise},
    rows::engine::{chain, payload, program},
};

/// Idle Nodes, which need no actor.
pub(crate) const SPAWN: Group = Group {
    name: "actors.spawn",
    what: "idle Nodes spawned one after another",
    rows: &[row("actors.spawn", "k/s", "ractor spawn", Promise::RatioAtLeast(1.0))],
    run: spawn,
};

/// From a fall to the next answer.
pub(crate) const RESTART: Group = Group {
    name: "recovery.restart",
    what: "a fall of a Node in memory until it answers again, the first restart, little state",
    rows: &[row("recovery.restart", "µs", "tokio respawn", Promise::RatioAtMost(5.0))],
    run: restart,
};

fn spawn(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(10_000, 50);
    let runtime = runtime()?;
    let program = program([chain("One", 1)?])?;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            runtime.block_on(async {
                let system = System::builder().start().await.map_err(said)?;
                let start = Instant::now();
                for number in 0..count {
                    let spec = NodeSpec::new(number.to_string(), program.clone());
                    system.spawn(spec).await.map_err(said)?;
                }
                let rate = count as f64 / start.elapsed().as_secs_f64() / 1e3;
                system.stop().await.map_err(said)?;
                Ok(rate)
            })
        }),
        Box::new(|| {
            runtime.block_on(async {
                let seen = Arc::new(AtomicUsize::new(0));
                let (mut actors, start) = (Vec::new(), Instant::now());
                for _ in 0..count {
                    let spawned = Actor::spawn(None, Idle, Arc::clone(&seen)).await;
                    actors.push(spawned.map_err(said)?);
                }
                let rate = count as f64 / start.elapsed().as_secs_f64() / 1e3;
                for (actor, join) in actors {
                    actor.stop(None);
                    join.await.map_err(said)?;
                }
                Ok(rate)
            })
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    let [ours, theirs] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value: ours, baseline: Some(theirs) }])
}

fn restart(context: &Context) -> Result<Vec<Figure>, String> {
    let falls = context.amount(200, 3);
    let runtime = runtime()?;
    let mut limits = HostConfig::default();
    limits.supervision.max_restarts = u32::MAX;
    // Each restart is to count as a first one, which waits for nothing.
    limits.supervision.healthy_after = samsara_runtime::time::Nanos::new(1);
    let (system, node) = runtime.block_on(hosted_with(limits))?;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let node = node.clone();
            let measured = runtime.spawn(async move {
                let mut times = Vec::new();
                for _ in 0..falls {
                    node.ask("One", [("in", payload())]).await.map_err(said)?;
                    let (life, start) = (node.incarnation(), Instant::now());
                    if !node.fall() {
                        return Err("there was nobody to fall".to_owned());
                    }
                    while node.incarnation() == life {
                        tokio::task::yield_now().await;
                    }
                    node.ask("One", [("in", payload())]).await.map_err(said)?;
                    times.push(start.elapsed().as_secs_f64() * 1e6);
                }
                Ok(median(times))
            });
            runtime.block_on(measured).map_err(said)?
        }),
        Box::new(|| {
            let measured = runtime.spawn(async move {
                let mut times = Vec::new();
                for _ in 0..falls {
                    let start = Instant::now();
                    let fell = tokio::spawn(async {
                        std::panic::resume_unwind(Box::new("as it was told"));
                    });
                    let _: Result<(), _> = fell.await;
                    tokio::spawn(async {}).await.map_err(said)?;
                    times.push(start.elapsed().as_secs_f64() * 1e6);
                }
                Ok(median(times))
            });
            runtime.block_on(measured).map_err(said)?
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    runtime.block_on(system.stop()).map_err(said)?;
    let [ours, theirs] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value: ours, baseline: Some(theirs) }])
}

async fn hosted_with(limits: HostConfig) -> Result<(System, samsara_actors::NodeRef), String> {
    let system = System::builder().limits(limits).start().await.map_err(said)?;
    let spec = NodeSpec::new("one", program([chain("One", 1)?])?);
    let node = system.spawn(spec).await.map_err(said)?;
    Ok((system, node))
}
