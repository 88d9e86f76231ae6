//! `engine.suspended`, `engine.async`: ops that wait, and what wakes them.
//!
//! Law: both sides of `engine.async` are one trip over the same two channels between the same two
//! threads, so that they wait and wake alike; only one of them carries an op's answer. What is judged
//! is a trip on which both threads have gone to sleep before they are woken: one that finds them
//! still looking is a race between caches, and says nothing of a Node that waits.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

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
    rows: &[
        Row {
            name: "engine.async.trip",
            unit: "ns",
            baseline: "crossbeam trip",
            promise: Promise::RatioAtMost(1.5),
        },
        Row {
            name: "engine.async.spin",
            unit: "ns",
            baseline: "crossbeam trip",
            promise: Promise::Orientation,
        },
        Row {
            name: "engine.async.own",
            unit: "ns",
            baseline: "base step",
            promise: Promise::Orientation,
        },
    ],
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

/// What the other thread is sent: an op's completion, or nothing; and how long it is to wait for
/// before it answers.
type Errand = (Option<CompletionHandle<()>>, Duration);

/// Long enough for whoever waits to have gone to sleep: a channel looks for a few microseconds.
const ASLEEP: Duration = Duration::from_micros(60);

fn answered(context: &Context) -> Result<Vec<Figure>, String> {
    let (few, count) = (context.amount(1_000, 20), context.amount(20_000, 100));
    let mut node = node(&program([later("Later")?])?)?;
    let own = own_cost(context, &mut node)?;
    let (ask, errands) = bounded(1);
    let (done, dones) = bounded(1);
    let other = thread::spawn(move || run_errands(&errands, &done));
    // Both threads sleep whenever they wait, or neither ever does.
    let mut trips = |pause: Duration, count: usize| {
        let give = ask.clone();
        answer_with(Some(Box::new(move |handle| drop(give.send((Some(handle), pause))))))?;
        let figures = interleave(
            context,
            &mut [
                Box::new(|| node_trips(&mut node, &dones, pause, count)),
                Box::new(|| channel_trips(&ask, &dones, pause, count)),
            ],
        );
        answer_with(None)?;
        let [value, trip] = figures?[..] else { return Err("no contender ran".to_owned()) };
        Ok(Figure { value, baseline: Some(trip) })
    };
    let figures = (trips(ASLEEP, few), trips(Duration::ZERO, count));
    drop(ask);
    other.join().map_err(|_| "the other thread panicked")?;
    Ok(vec![figures.0?, figures.1?, own])
}

/// Answers each errand, and says how long it has waited before.
fn run_errands(errands: &Receiver<Errand>, done: &Sender<Duration>) {
    for (errand, pause) in errands {
        let waited = wait_for(pause);
        let is_answered = errand.is_none_or(|handle| handle.complete(()).is_ok());
        if !is_answered || done.send(waited).is_err() {
            break;
        }
    }
}

/// Passes the time without sleeping, and tells how much it was.
fn wait_for(pause: Duration) -> Duration {
    if pause.is_zero() {
        return pause;
    }
    let start = Instant::now();
    while start.elapsed() < pause {
        hint::spin_loop();
    }
    start.elapsed()
}

/// Nanoseconds of a trip, without what both threads only waited for.
fn trips(
    pause: Duration,
    count: usize,
    mut trip: impl FnMut() -> Result<Duration, String>,
) -> Result<f64, String> {
    let mut spent = Duration::ZERO;
    for _ in 0..count {
        wait_for(pause);
        let start = Instant::now();
        let waited = trip()?;
        spent += start.elapsed().saturating_sub(waited);
    }
    Ok(spent.as_secs_f64() * 1e9 / count.max(1) as f64)
}

fn node_trips(
    node: &mut Node,
    done: &Receiver<Duration>,
    pause: Duration,
    count: usize,
) -> Result<f64, String> {
    let mut steps = Vec::new();
    trips(pause, count, || {
        node.invoke("Later", [("in", ())]).map_err(|error| error.to_string())?;
        node.step(Nanos::ZERO, &mut steps);
        let waited = done.recv().map_err(|_| "the other thread has ended")?;
        node.step(Nanos::ZERO, &mut steps);
        is_trip(&mut steps)?;
        Ok(waited)
    })
}

fn is_trip(steps: &mut Vec<EngineStep>) -> Result<(), String> {
    match steps[..] {
        [EngineStep::AsyncSuspended { .. }, EngineStep::AppEvent { .. }] => steps.clear(),
        _ => return Err(format!("a trip gave {} steps, not two", steps.len())),
    }
    Ok(())
}

fn channel_trips(
    ask: &Sender<Errand>,
    done: &Receiver<Duration>,
    pause: Duration,
    count: usize,
) -> Result<f64, String> {
    trips(pause, count, || {
        ask.send((None, pause)).map_err(|_| "the other thread has ended")?;
        done.recv().map_err(|_| "the other thread has ended".to_owned())
    })
}

/// What an op that waits costs by itself, answered on the thread that it waits on.
fn own_cost(context: &Context, node: &mut Node) -> Result<Figure, String> {
    let count = context.amount(50_000, 100);
    let (give, kept) = bounded(1);
    answer_with(Some(Box::new(move |handle| drop(give.send(handle)))))?;
    let mut steps = Vec::new();
    let mut run = || {
        let start = Instant::now();
        for _ in 0..count {
            node.invoke("Later", [("in", ())]).map_err(|error| error.to_string())?;
            node.step(Nanos::ZERO, &mut steps);
            let handle: CompletionHandle<()> = kept.try_recv().map_err(|_| "no op waits")?;
            handle.complete(()).map_err(|error| error.to_string())?;
            node.step(Nanos::ZERO, &mut steps);
            is_trip(&mut steps)?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e9 / count as f64)
    };
    let figures = interleave(
        context,
        &mut [Box::new(&mut run), Box::new(|| Ok(base_step(count / 1000 + 1)))],
    );
    answer_with(None)?;
    let [value, base] = figures?[..] else { return Err("no contender ran".to_owned()) };
    Ok(Figure { value, baseline: Some(base) })
}
