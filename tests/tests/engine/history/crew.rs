//! The program that histories happen to: one of everything that can be under way in a Node.

use std::cell::RefCell;

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    context::{ComponentTimerKind, Cx},
    error::OpError,
    graph::Graph,
    job::Resources,
    program::Program,
    time::Nanos,
};
use serde::{Deserialize, Serialize};

thread_local! {
    /// Completions that ops of this thread have opened, oldest first.
    static DESK: RefCell<Vec<CompletionHandle<u64>>> = const { RefCell::new(Vec::new()) };
}

/// Takes the open completions of this thread.
pub(super) fn take_desk() -> Vec<CompletionHandle<u64>> {
    DESK.take()
}

/// Its op names are what it does.
#[derive(Default, Serialize, Deserialize)]
struct Crew {
    total: u64,
}

impl Component for Crew {
    const TYPE_NAME: &'static str = "test.crew@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |crew: &mut Self, n: u64| {
            crew.total = crew.total.wrapping_add(n);
            crew.total
        });
        ops.on("even", |_: &mut Self, n: u64| match n % 2 {
            0 => Ok(n),
            _ => Err(format!("{n} is odd")),
        });
        ops.on("later", |_: &mut Self, cx: &mut Cx<'_>, _: u64| -> Result<Promise<u64>, OpError> {
            let (handle, promise) = cx.open_completion::<u64>()?;
            DESK.with_borrow_mut(|desk| desk.push(handle));
            Ok(promise)
        });
        ops.on("ring", |_: &mut Self, cx: &mut Cx<'_>, n: u64| {
            let at = cx.now() + Nanos::new(n * 40);
            cx.time().schedule(ComponentTimerKind::new(1), at).map(|()| n)
        });
        ops.on("latched", |_: &mut Self, cx: &mut Cx<'_>, n: u64| {
            let chance = cx.rng().below(n + 1);
            let left = cx.time().deadline_left().map_or(0, Nanos::get);
            cx.call().latch("once").map(|is_new| u64::from(is_new) + left + chance)
        });
        ops.job(
            "work",
            |crew: &mut Self, n: u64| crew.total.wrapping_mul(3).wrapping_add(n),
            |n: u64, _: &Resources| -> Result<u64, OpError> {
                if n.is_multiple_of(5) { Err("no such work".into()) } else { Ok(n / 2) }
            },
        );
        ops.on_timer(|crew, cx, _| {
            crew.total = crew.total.wrapping_add(100);
            let n = crew.total;
            cx.syscalls().record("rung", n)
        });
        ops.on_event("app.news", |crew: &mut Self, _, n: u64| {
            crew.total = crew.total.wrapping_add(n);
        });
    }
}

/// Peers that histories know.
pub(super) fn peer(number: u64) -> PeerId {
    PeerId::from(number)
}

/// What is heard on the bus, beside what components hear.
const KINDS: [&str; 10] = [
    "app.news",
    "infra.op_failed",
    "infra.ingress_error",
    "infra.peer_up",
    "infra.peer_down",
    "infra.peer_blocked",
    "wire.decode_failed",
    "wire.receive_failed",
    "wire.resolve_failed",
    "wire.timeout",
];

/// The inputs that a host and its peers may feed.
pub(super) const INPUTS: [&str; 5] = ["n", "m", "wait", "talk", "keep"];

fn waits(g: &Graph) {
    let wait = g.input::<u64>("wait");
    g.output("later", g.within(g.slot("crew").op("later", [wait]), Nanos::new(300)));
    let [in_time, late] = g.deadline(g.slot("crew").op("later", [wait]), Nanos::new(250));
    g.output("in_time", in_time);
    g.output("late", late);
    g.output("worked", g.slot("crew").op("work", [wait]));
    g.output("slept", g.sleep(wait, Nanos::new(70)));
    g.output("rings", g.slot("crew").op("ring", [wait]));
    g.output("tick", g.interval(Nanos::new(400)));
}

fn talks(g: &Graph) {
    let talk = g.input::<u64>("talk");
    g.output("answer", g.request("Main/m", g.constant(peer(2)), talk));
    g.net_out("Main/n", g.constant(peer(3)), talk);
    g.net_out_best_effort("Main/n", g.constant(peer(9)), g.slot("crew").op("even", [talk]));
    let m = g.input::<u64>("m");
    g.reply(g.slot("crew").op("add", [m]));
    g.output("latched", g.slot("crew").op("latched", [m]));
    g.notify("news", m);
    g.peers_block(g.input::<PeerId>("foe"));
    g.peers_unblock(g.input::<PeerId>("friend"));
    for kind in KINDS {
        g.output(kind, g.on_event(kind));
    }
}

fn keeps(g: &Graph) {
    let keep = g.input::<u64>("keep");
    let held = g.acquire("one", 1, keep);
    g.output("held", g.within(held, Nanos::new(500)));
    g.output("slept on it", g.sleep(held, Nanos::new(90)));
    g.stash("basket", keep);
    g.output("flushed", g.flush("basket", g.on_lifecycle("Snapshot")));
    g.output("drained", g.on_lifecycle("Drain"));
    g.record_as("kept", keep);
    g.enqueue("line", g.slot("crew").op("even", [keep]));
    g.output("taken", g.dequeue("line", keep));
    g.output("random", g.rng_u64(keep));
    g.dispatch_bootstrap("Side", g.input::<()>("go"));
}

/// The program, whose module `Main` calls nobody and `Side` has a bootstrap too.
pub(super) fn program() -> Program {
    let main = Graph::new("Main");
    main.bootstrap(|b| {
        let begun = b.slot("crew").op("later", [b.constant(1_u64)]);
        b.output("first", b.slot("crew").op("add", [begun]));
    });
    main.output("total", main.slot("crew").op("add", [main.input::<u64>("n")]));
    waits(&main);
    talks(&main);
    keeps(&main);
    for input in INPUTS {
        main.export(input);
    }
    let side = Graph::new("Side");
    side.bootstrap(|b| b.emit("side", b.sleep(b.constant(2_u64), Nanos::new(60))));
    side.emit("pulse", side.pulse());
    side.output("n", side.slot("crew").op("even", [side.input::<u64>("n")]));
    let drafts = [main, side].map(|graph| graph.build().expect("the module is sound"));
    let compiler = Compiler::new().bind::<Crew>("crew");
    compiler.compile_all(drafts).expect("the program is sound")
}
