//! `engine.pingpong`: two Nodes of one process, their envelopes encoded, decoded and carried by
//! hand.
//!
//! Law: every byte goes through the codec and the door that a transport would use, and every trip is
//! checked for its answer.

use std::time::Instant;

use bytes::Bytes;
use samsara_proto::{Address, EnvelopeCodec, PeerId};
use samsara_runtime::{
    compiler::Compiler,
    config::{BackpressureConfig, NodeConfig, PeerConfig},
    graph::Graph,
    node::{Node, PeerDoor, install},
    step::EngineStep,
    time::Nanos,
};
use samsara_tests::counting::Region;

use super::parts::{base_step, payload};
use crate::{
    rounds::{Contender, interleave},
    row::{Context, Figure, Group, Promise, Row},
};

/// Envelopes that are under way at once.
const PIPELINED: usize = 256;

/// There and back, and one way.
pub(crate) const PINGPONG: Group = Group {
    name: "engine.pingpong",
    what: "two nodes that exchange envelopes of 64 bytes, encoded and decoded",
    rows: &[
        Row {
            name: "engine.pingpong.trip",
            unit: "ns",
            baseline: "base step",
            promise: Promise::RatioAtMost(180.0),
        },
        Row {
            name: "engine.pingpong.envelope",
            unit: "ns",
            baseline: "base step",
            promise: Promise::RatioAtMost(64.0),
        },
        Row {
            name: "engine.pingpong.allocations",
            unit: "",
            baseline: "",
            promise: Promise::Orientation,
        },
    ],
    run: pingpong,
};

/// A Node, the other one's way into it, and what it does.
struct Side {
    node: Node,
    door: PeerDoor,
    steps: Vec<EngineStep>,
}

fn side(own: u64, other: u64, record: impl FnOnce(&Graph)) -> Result<Side, String> {
    let g = Graph::new("Main");
    record(&g);
    let draft = g.build().map_err(|error| error.to_string())?;
    let program = Compiler::new().compile(draft).map_err(|error| error.to_string())?;
    // One peer may fill the mailbox, since there is no other.
    let config = NodeConfig {
        peers: PeerConfig { ingress_share_percent: 100, ..PeerConfig::default() },
        backpressure: BackpressureConfig { high_percent: 100, ..BackpressureConfig::default() },
        ..NodeConfig::default()
    };
    let installed = install(PeerId::from(own), [], &program, &["Main"], config);
    let mut node = installed.map_err(|error| error.to_string())?;
    let address: Address = "/memory/1".parse().map_err(|_| "it is an address")?;
    let other = PeerId::from(other);
    node.add_peer(other, [address]).map_err(|error| error.to_string())?;
    node.run_until_idle(Nanos::ZERO);
    let door = node.wire_door().peer(&other).map_err(|error| error.to_string())?;
    Ok(Side { node, door, steps: Vec::new() })
}

impl Side {
    /// Takes one turn and hands over what it sends; tells how many outputs it gave.
    fn turn(&mut self, codec: &EnvelopeCodec, to: &PeerDoor) -> Result<usize, String> {
        self.node.step(Nanos::ZERO, &mut self.steps);
        let mut outputs = 0;
        for step in self.steps.drain(..) {
            match step {
                EngineStep::SendEnvelope { envelope, .. } => {
                    let frame = codec.encode(&envelope).map_err(|error| error.to_string())?;
                    to.deliver_inbound(frame.to_bytes()).map_err(|error| error.to_string())?;
                }
                EngineStep::AppEvent { .. } => outputs += 1,
                EngineStep::AsyncSuspended { .. } => {}
                other => return Err(format!("a trip gave {other:?}")),
            }
        }
        Ok(outputs)
    }
}

fn trips(pair: &mut (Side, Side), count: usize) -> Result<f64, String> {
    let (value, codec) = (payload(), EnvelopeCodec::default());
    let (a, b) = pair;
    let start = Instant::now();
    for _ in 0..count {
        let asked = a.node.invoke("Main", [("in", value.clone())]);
        asked.map_err(|error| error.to_string())?;
        a.turn(&codec, &b.door)?;
        b.turn(&codec, &a.door)?;
        if a.turn(&codec, &b.door)? != 1 {
            return Err("a trip gave no answer".to_owned());
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / count as f64)
}

fn pipeline(pair: &mut (Side, Side), count: usize) -> Result<f64, String> {
    let (value, codec) = (payload(), EnvelopeCodec::default());
    let (a, b) = pair;
    let start = Instant::now();
    for _ in 0..count {
        for _ in 0..PIPELINED {
            let told = a.node.invoke("Main", [("in", value.clone())]);
            told.map_err(|error| error.to_string())?;
        }
        a.turn(&codec, &b.door)?;
        let outputs = b.turn(&codec, &a.door)?;
        if outputs != PIPELINED {
            return Err(format!("{outputs} of {PIPELINED} arrived"));
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / (count * PIPELINED) as f64)
}

fn pingpong(context: &Context) -> Result<Vec<Figure>, String> {
    let count = context.amount(20_000, 100);
    let peer = PeerId::from(2);
    let mut asking = (
        side(1, 2, |g| {
            let value = g.input::<Bytes>("in");
            g.output("out", g.request("Main/in", g.constant(peer), value));
        })?,
        side(2, 1, |g| {
            g.reply(g.input::<Bytes>("in"));
            g.export("in");
        })?,
    );
    let mut telling = (
        side(1, 2, |g| {
            g.net_out("Main/in", g.constant(peer), g.input::<Bytes>("in"));
        })?,
        side(2, 1, |g| {
            g.output("out", g.input::<Bytes>("in"));
            g.export("in");
        })?,
    );
    let region = Region::start();
    trips(&mut asking, count / 10 + 1)?;
    let allocations = region.stop().allocations as f64 / (count / 10 + 1) as f64;
    let mut contenders: [Contender<'_>; 3] = [
        Box::new(|| trips(&mut asking, count)),
        Box::new(|| pipeline(&mut telling, count / 100 + 1)),
        Box::new(|| Ok(base_step(count / 1000 + 1))),
    ];
    let figures = interleave(context, &mut contenders)?;
    let [trip, envelope, base] = figures[..] else { return Err("no contender ran".to_owned()) };
    Ok(vec![
        Figure { value: trip, baseline: Some(base) },
        Figure { value: envelope, baseline: Some(base) },
        Figure { value: allocations, baseline: None },
    ])
}
