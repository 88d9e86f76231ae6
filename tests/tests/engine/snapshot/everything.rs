//! A program that uses everything a Node can keep, and a history that leaves it all under way.
//!
//! Law: a turn fires few ops, so that whatever there is stands half done at some cut.

use samsara_proto::{
    PeerId,
    wire::{Correlation, WireEnvelope},
};
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{ExchangeConfig, NodeConfig, PeerConfig},
    context::{ComponentTimerKind, Cx},
    error::OpError,
    event::SendFailure,
    graph::Graph,
    id::RequestId,
    job::{IdempotencyKey, Resources},
    node::{Batch, BootstrapTarget, Node, Wakeup, install},
    program::Program,
    step::EngineStep,
    time::{Nanos, millis, seconds},
    value::Value,
};
use serde::{Deserialize, Serialize};

use super::super::wire::{address, envelope, fill, peer};

#[derive(Default, Serialize, Deserialize)]
struct Clerk {
    total: u64,
    rings: u64,
}

#[derive(Serialize, Deserialize)]
struct Letter {
    key: IdempotencyKey,
    number: u64,
}

impl Component for Clerk {
    const TYPE_NAME: &'static str = "test.clerk@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |clerk: &mut Self, n: u64| {
            clerk.total += n;
            clerk.total
        });
        ops.on("once", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<u64, OpError> {
            Ok(n + u64::from(cx.call().latch("seen")?))
        });
        ops.on("alarm", |clerk: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<u64, OpError> {
            let at = cx.now() + millis(700);
            cx.time().schedule(ComponentTimerKind::new(1), at)?;
            Ok(n + clerk.rings)
        });
        ops.on_timer(|clerk: &mut Self, _: &mut Cx<'_>, _: ComponentTimerKind| {
            clerk.rings += 1;
        });
        ops.job(
            "post",
            |_: &mut Self, cx: &mut Cx<'_>, number: u64| Letter {
                key: cx.call().idempotency_key(),
                number,
            },
            |letter: Letter, _: &Resources| Ok::<u64, OpError>(letter.number + 100),
        );
    }
}

/// Touched by the bootstrap alone, and by what must wait for it.
#[derive(Default, Serialize, Deserialize)]
struct Vault {
    opened: u64,
}

impl Component for Vault {
    const TYPE_NAME: &'static str = "test.vault@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("open", |vault: &mut Self, n: u64| {
            vault.opened += n;
            vault.opened
        });
    }
}

fn main_module() -> Graph {
    let g = Graph::new("Main");
    let n = g.input::<u64>("n");
    let clerk = || g.slot("clerk");
    let total = clerk().op("add", [n]);
    g.output("total", total);
    g.output("chance", g.rng_u64(total));
    g.output("slept", g.sleep(total, seconds(1)));
    let [in_time, late] = g.deadline(g.sleep(total, millis(900)), millis(800));
    g.output("in_time", in_time);
    g.output("late", late);
    let inside = g.acquire("door", 1, total);
    g.output("out", g.release("door", g.sleep(inside, millis(600))));
    g.stash("basket", total);
    g.enqueue("line", total);
    g.record_as("ring", total);
    g.incr_metric("seen", g.input::<i64>("by"));
    g.output("basket", g.flush("basket", g.input::<()>("flush")));
    g.output("next", g.dequeue("line", g.input::<()>("take")));
    g.notify("news", total);
    g.output("heard", g.sleep(g.on_event("app.news"), millis(50)));
    g.output("once", clerk().op("once", [g.sleep(clerk().op("once", [n]), millis(300))]));
    g.output("alarm", clerk().op("alarm", [n]));
    g.output("posted", clerk().within(seconds(3)).op("post", [n]));
    g.output("asked", g.request("Main/n", g.constant(peer(2)), n));
    g.net_out("Main/n", g.constant(peer(3)), n);
    g.net_out_best_effort("Main/n", g.constant(peer(3)), n);
    g.output("counted", clerk().op("add", [g.input::<u64>("m")]));
    g.output("tick", g.interval(millis(400)));
    g.output("opened", g.slot("vault").op("open", [n]));
    g.bootstrap(|g| {
        let rested = g.sleep(g.constant(7_u64), millis(500));
        g.output("ready", g.slot("vault").op("open", [rested]));
    });
    g.export("n");
    g.export("m");
    g
}

/// The program.
pub(super) struct Everything {
    program: Program,
}

impl Everything {
    pub(super) fn new() -> Self {
        let compiler = Compiler::new().bind::<Clerk>("clerk").bind::<Vault>("vault");
        let draft = main_module().build().expect("it is sound");
        Self { program: compiler.compile(draft).expect("it is sound") }
    }

    /// A Node of it, fresh.
    pub(super) fn node(&self) -> Node {
        let config = NodeConfig {
            cycle_op_budget: 4,
            ingress_capacity: 16,
            max_outbound_queue: 16,
            exchange: ExchangeConfig { dedup_window: 64, ..ExchangeConfig::default() },
            peers: PeerConfig { ingress_share_percent: 100, max_peers: 8, ..PeerConfig::default() },
            ..NodeConfig::default()
        };
        install(peer(1), [address()], &self.program, &["Main"], config).expect("it installs")
    }
}

/// What came over the wire from peer 4.
fn received(seq: u64) -> WireEnvelope {
    envelope(seq, vec![fill("Main/n", 5_u64)])
}

/// The answer of peer 2 to a request.
fn answer(request: RequestId) -> WireEnvelope {
    let correlation = Correlation::Response as i32;
    let request_id = request.get();
    WireEnvelope { correlation, request_id, ..envelope(request_id, vec![fill("Main/n", 9_u64)]) }
}

/// So many best-effort messages of strangers and of peer 4 that they are asked to slow down.
fn flood(node: &mut Node, round: u64) {
    for number in 0..8 {
        let message = envelope(8 * round + number, vec![fill("Main/m", 1_u64)]);
        let source = if number < 4 { 20 + 4 * round + number } else { 4 };
        let message = WireEnvelope { stream: 0, stream_epoch: 0, ..message };
        node.deliver_envelope(peer(source), message, None).expect("it is admitted");
    }
}

/// What a host can see of a Node beside its steps.
pub(super) fn seen(node: &mut Node) -> String {
    let peers: Vec<_> = (1..40)
        .map(|number| {
            let addresses = node.resolve_peer_addresses(&peer(number));
            format!("{addresses:?} {:?}", node.peer_health(&peer(number)))
        })
        .collect();
    let ring: Vec<_> = node.record("ring").collect();
    let jobs: Vec<_> = node.jobs().collect();
    let (seen, stats) = (node.metric("seen"), node.engine_stats().counters);
    format!("{peers:?} {ring:?} {jobs:?} {seen:?} {stats:?} {:?}", node.watermark(&peer(4), 1))
}

/// The batches of a life in which all kinds of things happen, and what they brought about.
pub(super) fn history(everything: &Everything) -> Vec<(Batch, Vec<EngineStep>)> {
    let mut node = everything.node();
    let mut turns = Vec::new();
    let mut turn = |node: &mut Node, now: Nanos| {
        let batch = node.intake(now);
        let mut steps = Vec::new();
        node.apply(&batch, &mut steps);
        turns.push((batch, steps));
    };
    for other in 2..=4 {
        node.add_peer(peer(other), [address()]).expect("there is room");
    }
    turn(&mut node, Nanos::ZERO);
    node.request_bootstrap(BootstrapTarget::All).expect("there is one");
    let resources = Resources::default();
    for round in 0..4_u64 {
        let now = millis(250 * round);
        node.invoke("Main", [("n", Value::U64(round)), ("by", Value::I64(2))]).expect("admitted");
        if round == 1 {
            node.deliver_event("Main", "take", ()).expect("it is admitted");
            node.deliver_event("Main", "flush", ()).expect("it is admitted");
            node.deliver_envelope(peer(4), received(1), None).expect("it is admitted");
            node.block_peer(PeerId::from(9)).expect("there is room");
            node.note_send_result(peer(3), None, Ok(())).expect("it is admitted");
        }
        if round > 0 {
            flood(&mut node, round);
            node.add_peer(peer(5 + round), [address()]).expect("there is room");
            let failed = node.note_send_result(peer(3), None, Err(SendFailure::Unreachable));
            failed.expect("it is admitted");
        }
        if round == 2 {
            node.deliver_envelope(peer(4), received(2), None).expect("it is admitted");
            node.run_jobs(&resources).expect("answers have places");
        }
        (0..12).for_each(|_| turn(&mut node, now));
        let request = RequestId::new(round + 1).expect("it is not zero");
        node.deliver_envelope(peer(2), answer(request), None).expect("it is admitted");
        (0..4).for_each(|_| turn(&mut node, now + millis(40)));
    }
    let mut now = seconds(1);
    for _ in 0..200 {
        match node.next_wakeup() {
            Wakeup::Never => break,
            Wakeup::At(at) if at > seconds(8) => break,
            Wakeup::At(at) => now = at,
            Wakeup::Now => {}
        }
        turn(&mut node, now);
    }
    turns
}

/// How much was under way at any cut, at most.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    jobs: usize,
    gated: usize,
    parked: usize,
    ready: usize,
    timers: usize,
    bus: usize,
    executions: usize,
}

impl UnderWay {
    pub(super) fn note(&mut self, node: &Node) {
        let depths = node.engine_stats().depths;
        for (most, now) in [
            (&mut self.jobs, node.jobs().count()),
            (&mut self.gated, depths.gated),
            (&mut self.parked, depths.parked),
            (&mut self.ready, depths.ready),
            (&mut self.timers, depths.timers),
            (&mut self.bus, depths.bus),
            (&mut self.executions, depths.executions),
        ] {
            *most = now.max(*most);
        }
    }

    pub(super) fn assert_all(&self) {
        let Self { jobs, gated, parked, ready, timers, bus, executions } = self;
        for (what, most) in [
            ("jobs", jobs),
            ("gated ops", gated),
            ("parked ops", parked),
            ("ready ops", ready),
            ("timers", timers),
            ("bus", bus),
            ("executions", executions),
        ] {
            assert!(*most > 0, "no {what} at any cut");
        }
    }
}
