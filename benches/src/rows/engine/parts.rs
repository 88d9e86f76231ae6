//! What the engine's rows are made of: one component, the modules, and the base step.
//!
//! Law: the base step is the least that any walk must do for an op, over as many ops and values as
//! the walk that it is held against.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    config::NodeConfig,
    context::Cx,
    error::OpError,
    graph::{Graph, Wire},
    module::Draft,
    node::{Node, install},
    program::Program,
    step::EngineStep,
    value::Value,
};
use serde::{Deserialize, Serialize};

/// Ops in a chain.
pub(crate) const LENGTH: usize = 1000;

/// Whoever answers the ops that wait.
pub(crate) type Answerer = Box<dyn FnMut(CompletionHandle<()>) + Send>;

/// Whom `later` gives its completions to.
pub(crate) static ANSWERER: Mutex<Option<Answerer>> = Mutex::new(None);

#[derive(Default, Serialize, Deserialize)]
struct Parts;

impl Component for Parts {
    const TYPE_NAME: &'static str = "bench.parts@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("pass", |_: &mut Self, value: Bytes| value);
        ops.on("first", |_: &mut Self, first: Bytes, second: Bytes| {
            drop(second);
            first
        });
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, (): ()| -> Result<Promise<()>, OpError> {
            let (handle, promise) = cx.open_completion::<()>()?;
            let mut answerer = ANSWERER.lock().map_err(|_| "a row panicked")?;
            answerer.as_mut().ok_or("nobody answers")?(handle);
            Ok(promise)
        });
    }
}

/// The 64 bytes that flow.
pub(crate) fn payload() -> Bytes {
    Bytes::from(vec![0x5a; 64])
}

/// A module that passes its input on through so many ops.
pub(crate) fn chain(name: &str, ops: usize) -> Result<Draft, String> {
    let g = Graph::new(name);
    let mut wire = g.input::<Bytes>("in");
    for _ in 0..ops {
        wire = g.slot("parts").op("pass", [wire]);
    }
    g.output("out", wire);
    g.build().map_err(|error| error.to_string())
}

/// A module whose input goes to so many ops, whose outputs meet two by two until one is left; and
/// how many ops that makes.
pub(crate) fn fan(name: &str, width: usize) -> Result<(Draft, usize), String> {
    let g = Graph::new(name);
    let input = g.input::<Bytes>("in");
    let mut wires: Vec<Wire<'_>> =
        (0..width).map(|_| g.slot("parts").op("pass", [input])).collect();
    while let [_, _, ..] = wires[..] {
        let pairs = wires.chunks(2).map(|pair| {
            let op = if pair.len() == 2 { "first" } else { "pass" };
            g.slot("parts").op(op, pair.iter().copied())
        });
        wires = pairs.collect();
    }
    for wire in wires {
        g.output("out", wire);
    }
    let draft = g.build().map_err(|error| error.to_string())?;
    let ops = draft.modules.values().map(|module| module.body.ops.len()).sum();
    Ok((draft, ops))
}

/// A module whose one op answers later.
pub(crate) fn later(name: &str) -> Result<Draft, String> {
    let g = Graph::new(name);
    g.output("out", g.slot("parts").op("later", [g.input::<()>("in")]));
    g.build().map_err(|error| error.to_string())
}

/// The modules as one program.
pub(crate) fn program(drafts: impl IntoIterator<Item = Draft>) -> Result<Program, String> {
    let program = Compiler::new().bind::<Parts>("parts").compile_all(drafts);
    program.map_err(|error| error.to_string())
}

/// A Node that runs all of a program, each poll to its end.
pub(crate) fn node(program: &Program) -> Result<Node, String> {
    node_with(program, NodeConfig { cycle_op_budget: 1 << 20, ..NodeConfig::default() })
}

/// The same, with settings of its own.
pub(crate) fn node_with(program: &Program, config: NodeConfig) -> Result<Node, String> {
    let targets: Vec<&str> = program.targets().collect();
    install(PeerId::from(1), [], program, &targets, config).map_err(|error| error.to_string())
}

/// Whether these steps are one output and nothing else.
pub(crate) fn is_output(steps: &[EngineStep]) -> bool {
    matches!(steps, [EngineStep::AppEvent { .. }])
}

trait Step {
    fn step(&mut self, value: Value);
}

struct Discard;

impl Step for Discard {
    fn step(&mut self, value: Value) {
        black_box(&value);
    }
}

/// Nanoseconds of one dyn call that takes one value and drops it.
pub(crate) fn base_step(rounds: usize) -> f64 {
    let mut steps: Vec<Box<dyn Step>> = (0..LENGTH).map(|_| Box::new(Discard) as _).collect();
    let value = Value::Bytes(payload());
    let mut values = Vec::with_capacity(LENGTH);
    let mut seconds = 0.0;
    for _ in 0..rounds {
        values.resize(LENGTH, value.clone());
        let start = Instant::now();
        for (step, value) in black_box(&mut steps).iter_mut().zip(values.drain(..)) {
            step.step(value);
        }
        seconds += start.elapsed().as_secs_f64();
    }
    seconds * 1e9 / (rounds * LENGTH).max(1) as f64
}
