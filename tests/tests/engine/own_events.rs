//! What an op gives to its own Node: events of its modules, and whom the Node hears.

use std::collections::BTreeSet;

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{EngineConfig, NodeConfig},
    context::Cx,
    error::{DeliveryError, OpError, OpErrorKind},
    graph::Graph,
    node::{Batch, Node, install},
    schema::TypeTable,
    step::{EngineStep, Steps},
    time::Nanos,
    value::Value,
};
use serde::{Deserialize, Serialize};

use super::{
    parts::outputs,
    wire::{envelope, fill, peer},
};

#[derive(Default, Serialize, Deserialize)]
struct Clerk {
    total: u64,
}

impl Component for Clerk {
    const TYPE_NAME: &'static str = "test.clerk@2";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("split", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<u64, OpError> {
            for part in 1..=n {
                cx.ingress().deliver_event("Report", "n", part)?;
            }
            Ok(n)
        });
        ops.on("give", |_: &mut Self, cx: &mut Cx<'_>, to: String, value: Value| {
            let (module, input) = to.split_once('/').ok_or("no path")?;
            cx.ingress().deliver_event(module, input, value)?;
            Ok::<_, OpError>(to.clone())
        });
        ops.on("again", |_: &mut Self, cx: &mut Cx<'_>, _: Value| -> Result<u64, OpError> {
            cx.ingress().deliver_event("Report", "fail", 1_u64)?;
            Ok(1)
        });
        ops.on("fail", |_: &mut Self, _: u64| -> Result<u64, OpError> { Err("on purpose".into()) });
        ops.on("add", |clerk: &mut Self, n: u64| {
            clerk.total += n;
            clerk.total
        });
        ops.on("ban", |_: &mut Self, cx: &mut Cx<'_>, who: PeerId| {
            let first = cx.peers().block(&who)?;
            let second = cx.peers().block(&who)?;
            Ok::<_, OpError>((first, second || cx.peers().may_hear(&who)))
        });
        ops.on("pardon", |_: &mut Self, cx: &mut Cx<'_>, who: PeerId| {
            (cx.peers().unblock(&who), cx.peers().unblock(&who))
        });
        ops.on("only", |_: &mut Self, cx: &mut Cx<'_>, who: Vec<PeerId>| {
            let list: BTreeSet<_> = who.into_iter().collect();
            let some = (!list.is_empty()).then_some(list);
            cx.peers().set_allowlist(some).map(|()| 1_u64)
        });
    }
}

fn node_with(config: NodeConfig) -> Node {
    let main = Graph::new("Main");
    main.output("split", main.slot("clerk").op("split", [main.input::<u64>("split")]));
    let given = [main.input::<String>("to"), main.input::<Value>("value")];
    main.output("gave", main.slot("clerk").op("give", given));
    let [first, second] = main.slot("clerk").op_n("ban", [main.input::<PeerId>("ban")]);
    main.output("banned", main.bundle([first, second]));
    let [first, second] = main.slot("clerk").op_n("pardon", [main.input::<PeerId>("pardon")]);
    main.output("pardoned", main.bundle([first, second]));
    main.output("only", main.slot("clerk").op("only", [main.input::<Vec<PeerId>>("only")]));
    main.emit("blocked", main.on_event("infra.peer_blocked"));
    main.output("heard", main.input::<u64>("heard"));
    main.export("heard");

    let report = Graph::new("Report");
    report.output("total", report.slot("clerk").op("add", [report.input::<u64>("n")]));
    report.output("failed", report.slot("clerk").op("fail", [report.input::<u64>("fail")]));
    let failure = report.on_event("infra.op_failed");
    report.output("again", report.slot("clerk").op("again", [failure]));

    let inner = Graph::new("Unasked");
    inner.output("n", inner.input::<u64>("n"));
    let drafts = [main, report, inner].map(|graph| graph.build().expect("it is sound"));
    let program = Compiler::new().bind::<Clerk>("clerk").compile_all(drafts).expect("it is sound");
    let targets = ["Main", "Report"];
    install(peer(1), [], &program, &targets, config).expect("it installs")
}

fn node() -> Node {
    node_with(NodeConfig::default())
}

fn run<const N: usize>(node: &mut Node, inputs: [(&str, Value); N]) -> Steps {
    node.invoke("Main", inputs).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO)
}

fn totals(steps: &[EngineStep]) -> Vec<Value> {
    let all = outputs(steps).into_iter();
    all.filter(|(port, _)| *port == "total").map(|(_, value)| value).collect()
}

#[test]
fn an_op_gives_events_to_another_module_each_in_an_execution_of_its_own() {
    let mut node = node();
    let asked = node.invoke("Main", [("split", 3_u64)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(totals(&steps.0), [1_u64, 3, 6].map(Value::U64));
    let exec = |step: &EngineStep| match step {
        EngineStep::AppEvent { exec, port, .. } if **port == *"total" => Some(*exec),
        _ => None,
    };
    let execs: BTreeSet<_> = steps.0.iter().filter_map(exec).collect();
    assert!(execs.len() == 3 && !execs.contains(&asked));
    assert_eq!((node.execution_count(), node.ingress().stats().bytes), (0, 0));
}

#[test]
fn a_replay_gives_them_once_more_and_pushes_nothing() {
    let mut node = node();
    node.invoke("Main", [("split", 3_u64)]).expect("it is admitted");
    let (mut history, mut steps) = (Vec::new(), Vec::new());
    while node.next_wakeup() == samsara_runtime::node::Wakeup::Now {
        let batch = node.intake(Nanos::ZERO);
        node.apply(&batch, &mut steps);
        history.push(batch.to_bytes());
    }
    assert_eq!(node.ingress().stats().items, 0);

    let mut again = self::node();
    let mut repeated = Vec::new();
    for batch in &history {
        let batch = Batch::read(batch, &TypeTable::default().into()).expect("just written");
        again.replay(&batch, &mut repeated);
    }
    assert_eq!((again.ingress().stats().items, &repeated), (0, &steps));
    let digests = [&mut node, &mut again].map(|node| node.snapshot().expect("written").digest());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(again.run_until_idle(Nanos::ZERO).0, [], "nothing is left to do twice");
}

#[test]
fn what_is_no_input_of_a_module_that_runs_here_is_refused_by_name() {
    let config = NodeConfig { max_app_event_bytes: 8, ..NodeConfig::default() };
    let mut node = node_with(config);
    let mut refusal = |to: &str, value: Value| -> String {
        let steps = run(&mut node, [("to", to.into()), ("value", value)]);
        let mut failures = steps.failures().filter(|error| error.reason() != "on purpose");
        failures.next().map(|error| error.reason().to_owned()).unwrap_or_default()
    };
    assert_eq!(refusal("Report/n", 1_u64.into()), "");
    let unknown = "no module \"Unasked\", there are [\"Main\", \"Report\"]";
    assert_eq!(refusal("Unasked/n", 1_u64.into()), unknown);
    let unknown = "module \"Report\" has no input \"m\", it has [\"n\", \"fail\"]";
    assert_eq!(refusal("Report/m", 1_u64.into()), unknown);
    assert_eq!(refusal("Report/n", true.into()), "input Report/n takes u64, got bool@1");
    assert_eq!(refusal("Main/value", "ninebytes".into()), "9 bytes, the cap is 8");
}

#[test]
fn one_execution_more_than_may_be_is_refused() {
    let engine = EngineConfig { max_executions: 4, ..EngineConfig::default() };
    let mut node = node_with(NodeConfig { engine, ..NodeConfig::default() });
    let steps = run(&mut node, [("split", 5_u64.into())]);
    let failures: Vec<_> = steps.failures().map(|error| (error.kind(), error.reason())).collect();
    assert_eq!(failures[0], (OpErrorKind::Limit, "no room for more executions, the cap is 4"));
    // Those before it stand.
    assert_eq!(totals(&steps.0), [1_u64, 3, 6, 10].map(Value::U64));
}

#[test]
fn what_an_echo_gives_is_an_echo() {
    let mut node = node();
    let steps = run(&mut node, [("to", "Report/fail".into()), ("value", 1_u64.into())]);
    // The failure is heard, and who hears it brings about another one, which nobody hears.
    assert_eq!(steps.failures().count(), 2);
    let again = outputs(&steps.0).iter().filter(|(port, _)| *port == "again").count();
    assert_eq!((again, node.execution_count()), (1, 0));
}

#[test]
fn an_op_blocks_a_peer_for_all_that_comes_after() {
    let mut node = node();
    let door = node.wire_door().peer(&peer(2)).expect("there is room");
    let steps = run(&mut node, [("ban", peer(2).into())]);
    assert_eq!(steps.output("banned"), Some(vec![true, false]));
    let blocked = |step: &&EngineStep| **step == EngineStep::PeerBlocked { peer: peer(2) };
    assert_eq!(steps.0.iter().filter(blocked).count(), 1, "it is told once");
    let emitted = |step: &EngineStep| matches!(step, EngineStep::AppEmitted { topic, .. } if **topic == *"blocked");
    assert!(steps.0.iter().any(emitted), "and heard inside");
    let late = door.deliver_envelope(envelope(1, vec![fill("Main/heard", 1_u64)]), None);
    assert!(late.is_err(), "the door of another thread is shut");

    let steps = run(&mut node, [("pardon", peer(2).into())]);
    assert_eq!(steps.output("pardoned"), Some(vec![true, false]));
    door.deliver_envelope(envelope(1, vec![fill("Main/heard", 1_u64)]), None).expect("it is heard");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("heard"), Some(1_u64));
}

#[test]
fn an_op_says_whom_the_node_hears_alone() {
    let mut config = NodeConfig::default();
    config.peers.max_listed = 1;
    let mut node = node_with(config);
    let list = |peers: &[u64]| -> Value {
        let peers = peers.iter().map(|number| Value::from(peer(*number))).collect();
        Value::list(peers).expect("shallow")
    };
    let heard = |node: &mut Node, from: u64, seq: u64| {
        let value = envelope(seq, vec![fill("Main/heard", 1_u64)]);
        let let_in = node.deliver_envelope(peer(from), value, None);
        let steps = node.run_until_idle(Nanos::ZERO);
        let is_denied = matches!(let_in, Err(DeliveryError::Denied(_)));
        (steps.output::<u64>("heard").is_some(), is_denied)
    };
    let two = run(&mut node, [("only", list(&[2, 3]))]);
    assert_eq!(two.failures().map(OpError::kind).next(), Some(OpErrorKind::Limit));
    assert_eq!(heard(&mut node, 3, 1), (true, false), "a refused list changes nothing");
    assert_eq!(run(&mut node, [("only", list(&[2]))]).output("only"), Some(1_u64));
    assert_eq!(heard(&mut node, 3, 2), (false, true));
    assert_eq!(heard(&mut node, 2, 1), (true, false));
    run(&mut node, [("only", list(&[]))]);
    assert_eq!(heard(&mut node, 3, 2), (true, false));
}
