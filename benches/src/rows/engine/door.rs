//! `engine.invoke`, `engine.overload`: from an invoke to its output, and more invokes than fit.
//!
//! Law: an overloaded Node refuses at its door, with a type; what it has let in it completes.

use std::time::{Duration, Instant};

use samsara_runtime::{
    config::{EngineConfig, NodeConfig, TurnConfig},
    error::DeliveryError,
    node::Node,
    step::EngineStep,
    time::Nanos,
};
use samsara_tests::counting::Region;

use super::parts::{base_step, chain, is_output, node, node_with, payload, program};
use crate::{
    rounds::{Contender, interleave, nanos_each},
    row::{Context, Figure, Group, Promise, Row},
};

/// Invokes that one poll's budget serves, and the ops of each.
const SERVED: u32 = 10;
const OPS: u32 = 100;
/// Executions from which on a Node leaves in its mailbox what waits there.
const AT_ONCE: u32 = SERVED;

/// One invoke, one op, one output.
pub(crate) const INVOKE: Group = Group {
    name: "engine.invoke",
    what: "an invoke of 64 bytes, its one op and its output, poll by poll",
    rows: &[
        Row {
            name: "engine.invoke.time",
            unit: "ns",
            baseline: "base step",
            promise: Promise::RatioAtMost(45.0),
        },
        Row {
            name: "engine.invoke.allocations",
            unit: "",
            baseline: "",
            promise: Promise::ValueAtMost(2.0),
        },
    ],
    run: invokes,
};

/// Twice what can be served.
pub(crate) const OVERLOAD: Group = Group {
    name: "engine.overload",
    what: "twice as many invokes as the polls' budget serves, each of a hundred ops",
    rows: &[
        Row {
            name: "engine.overload.rate",
            unit: "M/s",
            baseline: "unloaded",
            promise: Promise::RatioAtLeast(0.9),
        },
        Row {
            name: "engine.overload.growth",
            unit: "B",
            baseline: "",
            promise: Promise::ValueAtMost(64.0 * 1024.0),
        },
    ],
    run: overloads,
};

fn invokes(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(200_000, 100);
    let mut node = node(&program([chain("One", 1)?])?)?;
    let (value, mut steps, mut allocations) = (payload(), Vec::new(), 0);
    let mut invoke = || {
        steps.clear();
        let admitted = node.invoke("One", [("in", value.clone())]);
        node.step(Nanos::ZERO, &mut steps);
        admitted.is_ok() && is_output(&steps)
    };
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let mut is_whole = true;
            let nanos = nanos_each(count, || is_whole &= invoke());
            let region = Region::start();
            is_whole &= invoke();
            allocations = region.stop().allocations;
            is_whole.then_some(nanos).ok_or_else(|| "an invoke gave not its one output".to_owned())
        }),
        Box::new(|| Ok(base_step(count / 100))),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [value, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    let allocations = Figure { value: allocations as f64, baseline: None };
    Ok(vec![Figure { value, baseline: Some(base) }, allocations])
}

fn overloads(context: &Context) -> Result<Vec<Figure>, String> {
    let time = Duration::from_millis(context.amount(2_000, 20) as u64);
    let config = NodeConfig {
        cycle_op_budget: SERVED * OPS,
        turn: TurnConfig { events: AT_ONCE, ..TurnConfig::default() },
        engine: EngineConfig { max_executions: AT_ONCE, ..EngineConfig::default() },
        // Soon full, so that also a short run sees what is refused.
        ingress_capacity: 512,
        ..NodeConfig::default()
    };
    let program = program([chain("Chain", OPS as usize)?])?;
    let (mut calm, mut loaded) = (node_with(&program, config)?, node_with(&program, config)?);
    let mut growth = 0_u64;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let served = serve(&mut loaded, 2 * SERVED, time)?;
            growth = growth.max(served.growth);
            if served.refused == 0 {
                return Err("nothing was refused, so nothing was overloaded".to_owned());
            }
            Ok(served.millions_a_second)
        }),
        Box::new(|| Ok(serve(&mut calm, SERVED, time)?.millions_a_second)),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [value, calm] = figures[..] else { return Err("no contender ran".to_owned()) };
    let growth = Figure { value: growth as f64, baseline: None };
    Ok(vec![Figure { value, baseline: Some(calm) }, growth])
}

struct Served {
    millions_a_second: f64,
    refused: u64,
    /// Bytes that the second half of the time held at most, beyond the most of the first half.
    growth: u64,
}

/// Offers so many invokes a poll, and counts the outputs.
fn serve(node: &mut Node, offered: u32, time: Duration) -> Result<Served, String> {
    let (value, mut steps) = (payload(), Vec::new());
    let (mut completed, mut refused) = (0_u64, 0_u64);
    let (whole, mut half) = (Region::start(), Some(Region::start()));
    let mut first_peak = 0;
    let start = Instant::now();
    while start.elapsed() < time {
        if start.elapsed() > time / 2
            && let Some(half) = half.take()
        {
            first_peak = half.stop().peak_live;
        }
        for _ in 0..offered {
            match node.invoke("Chain", [("in", value.clone())]) {
                Ok(_) => {}
                Err(DeliveryError::IngressFull { .. }) => refused += 1,
                Err(other) => return Err(other.to_string()),
            }
        }
        steps.clear();
        node.step(Nanos::ZERO, &mut steps);
        let is_output = |step: &&EngineStep| matches!(step, EngineStep::AppEvent { .. });
        completed += steps.iter().filter(is_output).count() as u64;
    }
    let millions_a_second = completed as f64 / start.elapsed().as_secs_f64() / 1e6;
    let growth = whole.stop().peak_live.saturating_sub(first_peak);
    Ok(Served { millions_a_second, refused, growth })
}
