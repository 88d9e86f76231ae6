//! `snapshot.save`, `snapshot.load`, `snapshot.dirty`: what taking a Node down costs, and setting one.
//!
//! Law: all components have the same state; what is compared moves the same bytes.

use std::{hint::black_box, time::Instant};

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::NodeConfig,
    graph::Graph,
    node::{Node, install},
    program::{ContentHash, Program},
    snapshot::NodeSnapshot,
    time::Nanos,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
};

/// Down, up, and down again.
pub(crate) const SNAPSHOT: Group = Group {
    name: "snapshot",
    what: "64 MiB of component state there and back, and one changed component of a thousand",
    rows: &[
        Row {
            name: "snapshot.save",
            unit: "GB/s",
            baseline: "copy + checksum",
            promise: Promise::RatioAtLeast(0.5),
        },
        Row {
            name: "snapshot.load",
            unit: "GB/s",
            baseline: "copy + checksum",
            promise: Promise::RatioAtLeast(0.5),
        },
        Row {
            name: "snapshot.dirty",
            unit: "us",
            baseline: "all changed",
            promise: Promise::RatioAtMost(0.02),
        },
    ],
    run,
};

fn run(context: &Context) -> Result<Vec<Figure>, String> {
    let mut figures = cost(context)?;
    figures.extend(dirty(context)?);
    Ok(figures)
}

/// Bytes that are written as bytes, and not one by one.
struct Block(Vec<u8>);

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Block;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Block, E> {
                Ok(Block(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// A component of so many bytes.
#[derive(Serialize, Deserialize)]
struct Store<const BYTES: usize> {
    block: Block,
    touched: u64,
}

impl<const BYTES: usize> Default for Store<BYTES> {
    fn default() -> Self {
        Self { block: Block(vec![7; BYTES]), touched: 0 }
    }
}

impl<const BYTES: usize> Component for Store<BYTES> {
    const TYPE_NAME: &'static str = "bench.store@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("touch", |store: &mut Self, n: u64| {
            store.touched += n;
            store.touched
        });
    }
}

fn say(error: impl ToString) -> String {
    error.to_string()
}

/// So many slots of this component, each with an input of its own, and one that feeds all.
fn stores<const BYTES: usize>(count: usize) -> Result<Program, String> {
    let g = Graph::new("Stores");
    let mut compiler = Compiler::new();
    let all = g.input::<u64>("all");
    for number in 0..count {
        let slot = format!("store{number}");
        if number == 0 {
            g.output("one", g.slot(&slot).op("touch", [g.input::<u64>("one")]));
        }
        g.output(&format!("touched{number}"), g.slot(&slot).op("touch", [all]));
        compiler = compiler.bind::<Store<BYTES>>(&slot);
    }
    compiler.compile(g.build().map_err(say)?).map_err(say)
}

fn node<const BYTES: usize>(count: usize) -> Result<Node, String> {
    let program = stores::<BYTES>(count)?;
    let config = NodeConfig { cycle_op_budget: 1_000_000, ..NodeConfig::default() };
    install(PeerId::from(1), [], &program, &["Stores"], config).map_err(say)
}

/// Has the components called that an input feeds.
fn touch(node: &mut Node, input: &str) -> Result<(), String> {
    node.invoke("Stores", [(input, 1_u64)]).map_err(say)?;
    node.run_until_idle(Nanos::ZERO);
    Ok(())
}

const MIB: usize = 1024 * 1024;

fn cost(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(64, 8);
    let gigabytes = (count * MIB) as f64 / 1e9;
    let (mut saving, mut loading) = (node::<MIB>(count)?, node::<MIB>(count)?);
    let bytes = loading.snapshot().map_err(say)?.encode();
    let source = vec![7_u8; count * MIB];
    let mut contenders: [Contender<'_>; 3] = [
        Box::new(|| {
            touch(&mut saving, "all")?;
            let start = Instant::now();
            black_box(saving.snapshot().map_err(say)?.encode());
            Ok(gigabytes / start.elapsed().as_secs_f64())
        }),
        Box::new(|| {
            let start = Instant::now();
            loading.restore(&NodeSnapshot::decode(bytes.clone()).map_err(say)?).map_err(say)?;
            Ok(gigabytes / start.elapsed().as_secs_f64())
        }),
        Box::new(|| {
            let start = Instant::now();
            let copy = black_box(source.clone());
            black_box(ContentHash::of(&copy));
            Ok(gigabytes / start.elapsed().as_secs_f64())
        }),
    ];
    let figures = interleave(context, &mut contenders)?;
    let [save, load, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok([save, load].map(|value| Figure { value, baseline: Some(base) }).into())
}

fn dirty(context: &Context) -> Result<Vec<Figure>, String> {
    const BYTES: usize = 4096;
    let count = context.amount(1_000, 100);
    let (mut one, mut all) = (node::<BYTES>(count)?, node::<BYTES>(count)?);
    for node in [&mut one, &mut all] {
        node.snapshot().map_err(say)?;
    }
    let time = |node: &mut Node, input: &str| {
        touch(node, input)?;
        let start = Instant::now();
        black_box(node.snapshot().map_err(say)?);
        Ok(start.elapsed().as_secs_f64() * 1e6)
    };
    let mut contenders: [Contender<'_>; 2] =
        [Box::new(|| time(&mut one, "one")), Box::new(|| time(&mut all, "all"))];
    let figures = interleave(context, &mut contenders)?;
    let [value, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![Figure { value, baseline: Some(base) }])
}
