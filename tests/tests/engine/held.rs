//! Callbacks of components whose slot a bootstrap keeps, and bootstraps at places.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    completion::{CompletionHandle, Promise},
    component::{Component, Ops},
    config::{EngineConfig, NodeConfig},
    context::{ComponentTimerKind, Cx},
    error::{OpError, OpErrorKind},
    graph::Graph,
    id::CommandId,
    node::{BootstrapTarget, Installation, Node, install},
    snapshot::NodeSnapshot,
    step::{Cancelled, EngineStep, Steps},
    time::{Nanos, seconds},
    value::Value,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

const BELL: ComponentTimerKind = ComponentTimerKind::new(1);
const ALARM: ComponentTimerKind = ComponentTimerKind::new(2);

thread_local! {
    static DESK: RefCell<Vec<CompletionHandle<u64>>> = const { RefCell::new(Vec::new()) };
}

/// Writes down what it is told, in order.
#[derive(Default, Serialize, Deserialize)]
struct Diary {
    waits: Option<u64>,
}

fn note(cx: &mut Cx<'_>, entry: &str) -> Result<(), OpError> {
    cx.syscalls().record("diary", entry)
}

impl Component for Diary {
    const TYPE_NAME: &'static str = "test.diary@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("note", |_: &mut Self, cx: &mut Cx<'_>, entry: String| -> Result<u64, OpError> {
            note(cx, &entry)?;
            Ok(1)
        });
        ops.on("wait", |_: &mut Self, cx: &mut Cx<'_>, _: u64| {
            note(cx, "begins")?;
            let (handle, promise) = cx.open_completion::<u64>()?;
            DESK.with_borrow_mut(|desk| desk.push(handle));
            Ok::<Promise<u64>, OpError>(promise)
        });
        ops.on("doze", |diary: &mut Self, cx: &mut Cx<'_>, _: u64| {
            let command = cx.allocate_command_id()?;
            diary.waits = Some(command.get());
            let at = cx.now() + seconds(5);
            cx.time().schedule(ALARM, at)?;
            Ok::<Promise<u64>, OpError>(Promise::under(command))
        });
        ops.on("set", |_: &mut Self, cx: &mut Cx<'_>, at: u64| -> Result<u64, OpError> {
            cx.time().schedule(BELL, Nanos::new(at))?;
            Ok(at)
        });
        ops.on("unset", |_: &mut Self, cx: &mut Cx<'_>, _: u64| cx.time().cancel(BELL));
        ops.on_timer(|diary, cx, kind| {
            note(cx, if kind == BELL { "bell" } else { "alarm" })?;
            if let (ALARM, Some(command)) = (kind, diary.waits.take().and_then(CommandId::new)) {
                cx.complete_command(command, vec![Value::U64(1)]);
            }
            Ok::<_, OpError>(())
        });
        ops.on_event("app.news", |_: &mut Self, cx: &mut Cx<'_>, news: String| note(cx, &news));
    }
}

/// A module that tells its slot things, with this bootstrap.
fn node_with(config: NodeConfig, bootstrap: impl FnOnce(&Graph)) -> Node {
    let g = Graph::new("Main");
    g.bootstrap(bootstrap);
    g.output("noted", g.slot("diary").op("note", [g.input::<String>("note")]));
    g.output("set", g.slot("diary").op("set", [g.input::<u64>("set")]));
    g.notify("news", g.input::<String>("news"));
    let program = Compiler::new().bind::<Diary>("diary");
    let program = program.compile(g.build().expect("sound")).expect("sound");
    install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs")
}

/// The bootstrap waits for its completion.
fn node() -> Node {
    node_with(NodeConfig::default(), |b| {
        b.output("ended", b.slot("diary").op("wait", [b.constant(1_u64)]));
    })
}

fn diary(node: &Node) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.as_ref().to_owned(),
        other => panic!("{other:?}"),
    };
    node.record("diary").map(text).collect()
}

fn set(node: &mut Node, at: Nanos) {
    node.invoke("Main", [("set", at.get())]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO);
}

fn say(node: &mut Node, input: &str, text: &str, now: Nanos) -> Steps {
    node.invoke("Main", [(input, text)]).expect("it is admitted");
    node.run_until_idle(now)
}

fn bootstrap(node: &mut Node) {
    node.run_bootstrap(Nanos::ZERO, BootstrapTarget::All).expect("it is asked for");
}

fn end_bootstrap(node: &mut Node, now: Nanos) -> Steps {
    for handle in DESK.with_borrow_mut(std::mem::take) {
        handle.complete(1).expect("there is room for an answer");
    }
    node.run_until_idle(now)
}

/// A Node whose bell has rung and whose news has come while the bootstrap waits, an op between.
fn waiting() -> Node {
    let mut node = node();
    set(&mut node, seconds(2));
    bootstrap(&mut node);
    say(&mut node, "news", "news", seconds(1));
    say(&mut node, "note", "op", seconds(1));
    node.run_until_idle(seconds(2));
    node
}

#[test]
fn callbacks_wait_for_a_bootstrap_in_order_with_the_ops_that_do() {
    let mut node = waiting();
    assert_eq!(diary(&node), ["begins"]);
    assert_eq!(node.engine_stats().depths.gated, 3);
    end_bootstrap(&mut node, seconds(3));
    assert_eq!(diary(&node), ["begins", "news", "op", "bell"]);
    assert_eq!((node.engine_stats().depths.gated, node.execution_count()), (0, 0));
    say(&mut node, "news", "more", seconds(4));
    assert_eq!(diary(&node)[4..], ["more"]);
}

#[test]
fn callbacks_that_wait_are_taken_down_with_the_node() {
    let mut node = waiting();
    let bytes = node.snapshot().expect("it can be written").encode();
    let snapshot = NodeSnapshot::decode(bytes).expect("it was just written");
    node.restore(&snapshot).expect("it is its own");
    let again = node.snapshot().expect("it can be written");
    assert_eq!(again.parts().collect::<Vec<_>>(), snapshot.parts().collect::<Vec<_>>());
    assert_eq!(node.engine_stats().depths.gated, 3);
    node.begin_life(node.incarnation(), None).expect("it is the life that the restore began");
    node.run_until_idle(seconds(2));
    // What the bootstrap waited for is lost with the life that owed it, which ends it too.
    assert_eq!(diary(&node), ["begins", "news", "op", "bell"]);
}

#[test]
fn a_timer_that_is_set_anew_while_it_waits_rings_at_its_new_time_alone() {
    let mut node = node_with(NodeConfig::default(), |b| {
        let waited = b.slot("diary").op("wait", [b.constant(1_u64)]);
        b.output("set", b.slot("diary").op("set", [b.gate(b.constant(seconds(9).get()), waited)]));
    });
    set(&mut node, seconds(2));
    bootstrap(&mut node);
    node.run_until_idle(seconds(2));
    end_bootstrap(&mut node, seconds(3));
    assert_eq!(diary(&node), ["begins"]);
    node.run_until_idle(seconds(9));
    assert_eq!(diary(&node), ["begins", "bell"]);
}

#[test]
fn a_timer_that_is_taken_back_while_it_waits_does_not_ring() {
    let mut node = node_with(NodeConfig::default(), |b| {
        let waited = b.slot("diary").op("wait", [b.constant(1_u64)]);
        b.output("taken", b.slot("diary").op("unset", [waited]));
    });
    set(&mut node, seconds(2));
    bootstrap(&mut node);
    node.run_until_idle(seconds(2));
    let steps = end_bootstrap(&mut node, seconds(3));
    assert_eq!(steps.output("taken"), Some(true), "it was still there to take back");
    node.run_until_idle(seconds(9));
    assert_eq!(diary(&node), ["begins"]);
}

#[test]
fn a_timer_that_the_bootstrap_has_set_may_end_it() {
    let mut node = node_with(NodeConfig::default(), |b| {
        b.output("ended", b.slot("diary").op("doze", [b.constant(1_u64)]));
    });
    set(&mut node, seconds(2));
    bootstrap(&mut node);
    node.run_until_idle(seconds(3));
    assert_eq!(diary(&node), [""; 0], "what others have set waits");
    let steps = node.run_until_idle(seconds(5));
    let ended = |step: &EngineStep| matches!(step, EngineStep::BootstrapComplete { .. });
    assert!(steps.0.iter().any(ended));
    assert_eq!(diary(&node), ["alarm", "bell"]);
}

#[test]
fn beyond_the_cap_a_callback_that_would_wait_fails() {
    let engine = EngineConfig { max_ready_ops: 2, ..EngineConfig::default() };
    let mut node = node_with(NodeConfig { engine, ..NodeConfig::default() }, |b| {
        b.output("ended", b.slot("diary").op("wait", [b.constant(1_u64)]));
    });
    set(&mut node, seconds(2));
    bootstrap(&mut node);
    for news in ["first", "second"] {
        assert_eq!(say(&mut node, "news", news, seconds(1)).0, []);
    }
    let failed = |steps: &Steps| -> Vec<(String, OpErrorKind)> {
        let failure = |step: &EngineStep| match step {
            EngineStep::OpFailed { op, error, .. } => Some((op.to_string(), error.kind())),
            _ => None,
        };
        steps.0.iter().filter_map(failure).collect()
    };
    let third = say(&mut node, "news", "third", seconds(1));
    assert_eq!(failed(&third), [("diary.on_event".to_owned(), OpErrorKind::Limit)]);
    let bell = node.run_until_idle(seconds(2));
    assert_eq!(failed(&bell), [("diary.on_timer".to_owned(), OpErrorKind::Limit)]);
    end_bootstrap(&mut node, seconds(3));
    assert_eq!(diary(&node), ["begins", "first", "second"]);
}

#[test]
fn a_clear_tells_of_events_that_wait_and_keeps_timers() {
    let mut node = waiting();
    node.clear();
    let steps = node.run_until_idle(seconds(3));
    let event = |step: &&EngineStep| matches!(step, EngineStep::Cancelled(Cancelled::BusEvent { kind }) if **kind == *"app.news");
    assert_eq!(steps.0.iter().filter(event).count(), 1);
    node.run_until_idle(seconds(4));
    assert_eq!(diary(&node), ["bell"], "what was recorded was forgotten, but not the timer");
}

#[test]
fn a_bootstrap_is_asked_for_by_the_plain_name_of_its_module() {
    let g = Graph::new("Round");
    let (server, client) = (g.place("server"), g.place("client"));
    g.bootstrap(|b| {
        b.at(b.place("server")).emit("ready", b.constant(1_u64));
    });
    let n = g.at(client).input::<u64>("n");
    let seen = g.channel("update").from(client).to(server).send(n);
    g.at(server).output("seen", seen[0]);
    let program = Compiler::new().compile(g.build().expect("sound")).expect("sound");
    for name in ["Round", "Round@server"] {
        let server = Installation::new(PeerId::from(1), &program).place("server").install();
        let mut node = server.expect("it sends to nobody");
        let target = BootstrapTarget::ModuleNames(vec![name.to_owned()]);
        let steps = node.run_bootstrap(Nanos::ZERO, target).expect("it is known");
        let module = "Round@server".into();
        assert_eq!(steps.0.last(), Some(&EngineStep::BootstrapComplete { module }));
    }
}
