//! `engine.suspended`, `engine.async`: ops that wait, and what wakes them.
//!
//! Law: both sides of `engine.async` are one trip over the same two channels between the same two
//! threads, so that they wait and wake alike; only one of them carries an op's answer.

use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use samsara_runtime::{completion::CompletionHandle, node::Node, step::EngineStep, time::Nanos};
use samsara_tests::counting::Region;

use super::parts::{ANSWERER, Answerer, base_step, later, node, program};
use crate::{
    rounds::{interleave, nanos_each},
    row::{Context, Figure, Group, Promise, Row},
};

/// Executions that wait.
const PARKED: usize = 10_000;

/// Polls that have nothing to do.
pub(crate) const SUSPENDED: Group = Group {
    name: "engine.suspended",
    what: "an idle poll beside ten thousand executions that wait, and beside none",
    rows: &[
        Row {
            name: "engine.suspended.poll",
            unit: "ns",
            baseline: "none wait",
            promise: Promise::RatioAtMost(1.5),
        },
        Row {
            name: "engine.suspended.idle",
            unit: "ns",
            baseline: "base step",
            promise: Promise::Orientation,
        },
        Row {
            name: "engine.suspended.reserved",
            unit: "B",
            baseline: "",
            promise: Promise::ValueAtMost(0.0),
        },
    ],
    run: suspended,
};

/// There and back.
pub(crate) const ASYNC: Group = Group {
    name: "engine.async",
    what: "an op that waits, its answer from another thread, and the op's output",
    rows: &[Row {
        name: "engine.async.trip",
        unit: "ns",
        baseline: "crossbeam trip",
        promise: Promise::RatioAtMost(1.5),
    }],
    run: answered,
};

fn answer_with(answerer: Option<Answerer>) -> Result<(), String> {
    *ANSWERER.lock().map_err(|_| "a row panicked")? = answerer;
    Ok(())
}

fn suspended(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(1_000_000, 100);
    let program = program([later("Later")?])?;
    let (mut idle, mut waiting) = (node(&program)?, node(&program)?);
    let (give, kept) = unbounded();
    answer_with(Some(Box::new(move |handle| drop(give.send(handle)))))?;
    for _ in 0..PARKED {
        waiting.invoke("Later", [("in", ())]).map_err(|error| error.to_string())?;
        waiting.step(Nanos::ZERO, &mut Vec::new());
    }
    answer_with(None)?;
    if waiting.pending_async_count() != PARKED || kept.len() != PARKED {
        return Err(format!("{} wait, not {PARKED}", waiting.pending_async_count()));
    }
    let reserved = waiting.ingress().stats().bytes;
    let poll = |node: &mut Node| {
        let mut steps = Vec::new();
        // The first poll of all makes the engine.
        node.step(Nanos::ZERO, &mut steps);
        let region = Region::start();
        let nanos = nanos_each(count, || node.step(Nanos::ZERO, &mut steps));
        match (region.stop().bytes_allocated, steps.len()) {
            (0, 0) => Ok(nanos),
            (bytes, steps) => Err(format!("idle polls gave {steps} steps and took {bytes} bytes")),
        }
    };
    let figures = interleave(
        context,
        &mut [
            Box::new(|| poll(&mut waiting)),
            Box::new(|| poll(&mut idle)),
            Box::new(|| Ok(base_step(count / 1000))),
        ],
    )?;
    let [waiting, idle, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![
        Figure { value: waiting, baseline: Some(idle) },
        Figure { value: idle, baseline: Some(base) },
        Figure { value: reserved as f64, baseline: None },
    ])
}

/// What the other thread is sent: an op's completion, or nothing.
type Errand = Option<CompletionHandle<()>>;

fn answered(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(20_000, 100);
    let mut node = node(&program([later("Later")?])?)?;
    let (ask, errands) = bounded(1);
    let (done, dones) = bounded(1);
    let other = thread::spawn(move || run_errands(&errands, &done));
    let give = ask.clone();
    answer_with(Some(Box::new(move |handle| drop(give.send(Some(handle))))))?;
    let figures = interleave(
        context,
        &mut [
            Box::new(|| node_trips(&mut node, &dones, count)),
            Box::new(|| channel_trips(&ask, &dones, count)),
        ],
    );
    answer_with(None)?;
    drop(ask);
    other.join().map_err(|_| "the other thread panicked")?;
    let [value, trip] = figures?[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: Some(trip) }])
}

fn run_errands(errands: &Receiver<Errand>, done: &Sender<()>) {
    for errand in errands {
        let is_answered = errand.is_none_or(|handle| handle.complete(()).is_ok());
        if !is_answered || done.send(()).is_err() {
            break;
        }
    }
}

fn node_trips(node: &mut Node, done: &Receiver<()>, count: usize) -> Result<f64, String> {
    let mut steps = Vec::new();
    let start = Instant::now();
    for _ in 0..count {
        node.invoke("Later", [("in", ())]).map_err(|error| error.to_string())?;
        node.step(Nanos::ZERO, &mut steps);
        done.recv().map_err(|_| "the other thread has ended")?;
        node.step(Nanos::ZERO, &mut steps);
        match steps[..] {
            [EngineStep::AsyncSuspended { .. }, EngineStep::AppEvent { .. }] => steps.clear(),
            _ => return Err(format!("a trip gave {} steps, not two", steps.len())),
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / count as f64)
}

fn channel_trips(ask: &Sender<Errand>, done: &Receiver<()>, count: usize) -> Result<f64, String> {
    let start = Instant::now();
    for _ in 0..count {
        ask.send(None).map_err(|_| "the other thread has ended")?;
        done.recv().map_err(|_| "the other thread has ended")?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / count as f64)
}
