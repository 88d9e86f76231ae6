//! `engine.chain`, `engine.programs`, `engine.fan`: what an op costs in a walk.
//!
//! Law: only `apply` is timed, over batches that were taken before and with all memory warm.

use std::cell::Cell;
use std::time::Instant;

use samsara_runtime::{node::Node, time::Nanos};
use samsara_tests::counting::Region;

use super::parts::{LENGTH, base_step, chain, fan, is_output, node, payload, program};
use crate::{
    rounds::{Contender, interleave, median},
    row::{Context, Figure, Group, Promise, Row},
};

const PROGRAMS: usize = 64;

/// A chain of ops.
pub(crate) const CHAIN: Group = Group {
    name: "engine.chain",
    what: "a thousand ops that pass a value on, in one execution",
    rows: &[
        Row {
            name: "engine.chain.op",
            unit: "ns",
            baseline: "base step",
            promise: Promise::RatioAtMost(4.0),
        },
        Row {
            name: "engine.chain.allocations",
            unit: "",
            baseline: "",
            promise: Promise::ValueAtMost(0.0),
        },
    ],
    run: chains,
};

/// The chain beside others.
pub(crate) const BESIDE: Group = Group {
    name: "engine.programs",
    what: "the same chain on a Node that runs 64 of them",
    rows: &[Row {
        name: "engine.programs.op",
        unit: "ns",
        baseline: "alone",
        promise: Promise::RatioAtMost(1.05),
    }],
    run: programs,
};

/// One value to many ops and back.
pub(crate) const FAN: Group = Group {
    name: "engine.fan",
    what: "one value to 100 and to 1000 ops, whose outputs meet two by two",
    rows: &[
        Row {
            name: "engine.fan.100",
            unit: "ns",
            baseline: "base step",
            promise: Promise::RatioAtMost(5.0),
        },
        Row {
            name: "engine.fan.1000",
            unit: "ns",
            baseline: "base step",
            promise: Promise::RatioAtMost(5.0),
        },
    ],
    run: fans,
};

fn chains(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(2_000, 10);
    let mut node = node(&program([chain("Chain", LENGTH)?])?)?;
    let mut counted = 0;
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let walked = walk(&mut node, "Chain", count, LENGTH)?;
            counted = walked.last_allocations;
            Ok(walked.nanos_an_op)
        }),
        Box::new(|| Ok(base_step(count))),
    ];
    let figures = interleave(context, &mut contenders)?;
    drop(contenders);
    let [value, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    let allocations = Figure { value: counted as f64, baseline: None };
    Ok(vec![Figure { value, baseline: Some(base) }, allocations])
}

fn programs(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(2_000, 10);
    let name = |number: usize| format!("Chain{number}");
    let middle = name(PROGRAMS / 2);
    let all = (0..PROGRAMS).map(|number| chain(&name(number), LENGTH));
    let mut many = node(&program(all.collect::<Result<Vec<_>, _>>()?)?)?;
    let mut alone = node(&program([chain(&middle, LENGTH)?])?)?;
    let beside = Cell::new(0.0);
    let mut contenders: [Contender<'_>; 2] = [
        Box::new(|| {
            let (of_many, of_one) = walk_in_turns(&mut many, &mut alone, &middle, count)?;
            beside.set(of_one);
            Ok(of_many)
        }),
        // As it was in those turns, or where this one comes first in those of the round before.
        Box::new(|| Ok(beside.get())),
    ];
    let figures = interleave(context, &mut contenders)?;
    let [value, alone] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: Some(alone) }])
}

/// Nanoseconds of an op of this module on either Node, walk for walk: what is promised is a
/// twentieth, and less than that is only seen between neighbours.
fn walk_in_turns(
    many: &mut Node,
    alone: &mut Node,
    module: &str,
    count: usize,
) -> Result<(f64, f64), String> {
    let (mut of_many, mut of_one) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        of_many.push(walk(many, module, 1, LENGTH)?.nanos_an_op);
        of_one.push(walk(alone, module, 1, LENGTH)?.nanos_an_op);
    }
    Ok((median(of_many), median(of_one)))
}

fn fans(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(1_000, 10);
    let ((narrow, narrow_ops), (wide, wide_ops)) = (fan("Narrow", 100)?, fan("Wide", 1000)?);
    let (mut few, mut many) = (node(&program([narrow])?)?, node(&program([wide])?)?);
    let figures = interleave(
        context,
        &mut [
            Box::new(|| Ok(walk(&mut few, "Narrow", 10 * count, narrow_ops)?.nanos_an_op)),
            Box::new(|| Ok(walk(&mut many, "Wide", count, wide_ops)?.nanos_an_op)),
            Box::new(|| Ok(base_step(count))),
        ],
    )?;
    let [few, many, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok([few, many].map(|value| Figure { value, baseline: Some(base) }).into())
}

struct Walked {
    nanos_an_op: f64,
    /// Blocks that the last walk asked the allocator for.
    last_allocations: u64,
}

/// So many executions of a module of so many ops.
fn walk(node: &mut Node, module: &str, count: usize, ops: usize) -> Result<Walked, String> {
    let value = payload();
    let mut steps = Vec::new();
    let mut walked = Walked { nanos_an_op: 0.0, last_allocations: 0 };
    for _ in 0..count {
        node.invoke(module, [("in", value.clone())]).map_err(|error| error.to_string())?;
        let batch = node.intake(Nanos::ZERO);
        steps.clear();
        let region = Region::start();
        let start = Instant::now();
        node.apply(&batch, &mut steps);
        walked.nanos_an_op += start.elapsed().as_secs_f64() * 1e9;
        walked.last_allocations = region.stop().allocations;
        if !is_output(&steps) {
            return Err(format!("{module} gave {} steps, not its one output", steps.len()));
        }
    }
    walked.nanos_an_op /= (count * ops).max(1) as f64;
    Ok(walked)
}
