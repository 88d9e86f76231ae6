//! `engine.node`: what one more Node costs whose plan is there already.
//!
//! Law: the bytes are all that the Node holds, itself included.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use samsara_proto::PeerId;
use samsara_runtime::{
    config::NodeConfig,
    node::{Node, install},
    program::Program,
};
use samsara_tests::counting::Region;

use super::parts::{chain, program};
use crate::{
    rounds::interleave,
    row::{Context, Figure, Group, Promise, Row},
};

/// One more Node.
pub(crate) const NODE: Group = Group {
    name: "engine.node",
    what: "one more idle Node of a plan that is shared",
    rows: &[
        Row {
            name: "engine.node.bytes",
            unit: "B",
            baseline: "",
            promise: Promise::ValueAtMost(1024.0),
        },
        Row {
            name: "engine.node.install",
            unit: "us",
            baseline: "",
            promise: Promise::ValueAtMost(5.0),
        },
    ],
    run,
};

fn run(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(10_000, 10);
    let program = program([chain("Ten", 10)?])?;
    let mut bytes = 0;
    let figures = interleave(
        context,
        &mut [Box::new(|| {
            let config = Arc::new(NodeConfig::default());
            let mut nodes = Vec::with_capacity(count);
            let region = Region::start();
            let start = Instant::now();
            for number in 0..count {
                nodes.push(black_box(one_more(&program, number, &config)?));
            }
            let micros = start.elapsed().as_secs_f64() * 1e6 / count as f64;
            bytes = region.stop().peak_live / count as u64 + size_of::<Node>() as u64;
            Ok(micros)
        })],
    )?;
    let [micros] = figures[..] else { return Err("no contender ran".to_owned()) };
    let alone = |value| Figure { value, baseline: None };
    Ok(vec![alone(bytes as f64), alone(micros)])
}

fn one_more(program: &Program, number: usize, config: &Arc<NodeConfig>) -> Result<Node, String> {
    let peer = PeerId::from(number as u64 + 1);
    let node = install(peer, [], program, &["Ten"], Arc::clone(config));
    node.map_err(|error| error.to_string())
}
