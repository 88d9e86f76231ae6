//! What an op may touch: the call it is in, other components, and what the syscall ops keep.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Ops},
    config::{NodeConfig, StateConfig},
    context::{Cx, DependencyError},
    error::{OpError, OpErrorKind},
    graph::{Graph, Wire},
    id::ExecId,
    module::{Diagnostics, Problem},
    node::{Node, install},
    role::Role,
    time::{Nanos, millis, seconds},
    value::Value,
};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Prices {
    apple: u64,
}

impl Component for Prices {
    const TYPE_NAME: &'static str = "test.prices@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("set", |prices: &mut Self, apple: u64| {
            prices.apple = apple;
            apple
        });
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Till {}

impl Component for Till {
    const TYPE_NAME: &'static str = "test.till@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.depends_on::<Prices>("prices");
        ops.on("apples", |_: &mut Self, cx: &mut Cx<'_>, count: u64| {
            cx.dependency::<Prices>("prices").map(|prices| count * prices.apple)
        });
    }
}

/// Looks around in every direction.
#[derive(Default, Serialize, Deserialize)]
struct Looking {}

impl Component for Looking {
    const TYPE_NAME: &'static str = "test.looking@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("call", |_: &mut Self, cx: &mut Cx<'_>, _: u64| -> Vec<String> {
            let at = cx.time().now();
            let call = cx.call();
            let attributes: Vec<_> = call.attributes().keys().cloned().collect();
            vec![
                call.op().to_owned(),
                call.slot().to_owned(),
                call.execution().to_string(),
                call.own_peer().to_string(),
                attributes.join(","),
                format!("{:?}", call.attribute("by")),
                at.get().to_string(),
            ]
        });
        ops.on("key", |_: &mut Self, cx: &mut Cx<'_>, _: u64| {
            cx.call().idempotency_key().to_string()
        });
        ops.on("find", |_: &mut Self, cx: &mut Cx<'_>, slot: String| {
            let there = cx.components();
            let answers = [
                there.for_slot(&slot).is_some(),
                there.for_slot_as::<Prices>(&slot).is_some(),
                matches!(cx.dependency::<Prices>(&slot), Err(DependencyError::NotBound { .. })),
                matches!(cx.dependency::<Prices>(&slot), Err(DependencyError::TypeMismatch { .. })),
            ];
            answers.to_vec()
        });
        ops.on("latch", |_: &mut Self, cx: &mut Cx<'_>, name: String| {
            let first = cx.call().latch(&name)?;
            Ok::<_, OpError>(vec![first, cx.call().latch(&name)?])
        });
        ops.on("keep", |_: &mut Self, cx: &mut Cx<'_>, n: u64| -> Result<Vec<u64>, OpError> {
            let mut kept = cx.syscalls();
            let count = kept.add_metric("seen", 2)?;
            kept.record("last", n)?;
            kept.stash("aside", n)?;
            kept.enqueue("line", n)?;
            let records = kept.records("last").count() as u64;
            let sizes = [records, kept.held("aside") as u64, kept.queued("line") as u64];
            let seen = kept.metric("seen").map_or(0, i64::unsigned_abs);
            Ok([&sizes[..], &[count.unsigned_abs(), seen]].concat())
        });
        ops.on("take", |_: &mut Self, cx: &mut Cx<'_>, _: u64| -> Result<Value, OpError> {
            let mut kept = cx.syscalls();
            let mut taken = kept.flush("aside");
            taken.extend(kept.dequeue("line"));
            taken.push((kept.held("aside") + kept.queued("line") == 0).into());
            Value::list(taken).map_err(|deep| deep.to_string().into())
        });
        ops.on("measure", |_: &mut Self, cx: &mut Cx<'_>, peer: PeerId| -> Result<_, OpError> {
            let known = cx.peers().is_known(&peer) && cx.peers().may_hear(&peer);
            let mut net = cx.net();
            let before = net.estimate_wire_budget_ns(&peer, 2);
            for _ in 0..8 {
                net.observe_wire_round_trip(&peer, millis(300))?;
            }
            let after = net.estimate_wire_budget_ns(&peer, 2);
            let addresses = net.own_addresses().count() + net.resolve(&peer).count();
            let has_chain = net.read_chain_context().is_some();
            Ok(vec![before, after, addresses as u64, u64::from(known), u64::from(has_chain)])
        });
        ops.on("wait", |_: &mut Self, cx: &mut Cx<'_>, _: u64| cx.time().deadline_left().is_none());
    }
}

fn node_of(config: NodeConfig, record: impl FnOnce(&Graph)) -> Node {
    let graph = Graph::new("Main");
    record(&graph);
    let program = Compiler::new()
        .bind::<Looking>("looking")
        .bind::<Prices>("prices")
        .bind::<Till>("till")
        .bind::<Looking>("watching")
        .compile(graph.build().expect("the module is sound"))
        .expect("the program is sound");
    install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs")
}

fn looking<'g>(g: &'g Graph, op: &str, input: Wire<'g>) -> Wire<'g> {
    g.slot("looking").named(op).attribute("by", 3_u64).op(op, [input])
}

#[test]
fn an_op_knows_the_call_that_it_is_in() {
    let mut node = node_of(NodeConfig::default(), |g| {
        g.output("said", looking(g, "call", g.input::<u64>("n")));
    });
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    let said = node.run_until_idle(Nanos::new(9)).output::<Vec<String>>("said");
    let own = PeerId::from(1).to_string();
    let wanted = ["call", "looking", "1", &own, "by", "Some(3_u64)", "9"];
    assert_eq!(said.expect("it fired"), wanted);
}

#[test]
fn a_key_is_of_one_node_execution_and_op() {
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut node = node_of(NodeConfig::default(), |g| {
            let n = g.input::<u64>("n");
            g.output("one", g.slot("looking").named("one").op("key", [n]));
            g.output("two", g.slot("looking").named("two").op("key", [n]));
        });
        for _ in 0..2 {
            node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
            let steps = node.run_until_idle(Nanos::ZERO);
            keys.extend(["one", "two"].map(|port| steps.output::<String>(port)));
        }
    }
    let (first, second) = keys.split_at(4);
    assert_eq!(first, second, "the same in another life");
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 4);
}

#[test]
fn a_component_reads_the_one_that_it_depends_on() {
    let mut node = node_of(NodeConfig::default(), |g| {
        let set = g.slot("prices").op("set", [g.input::<u64>("price")]);
        let count = g.gate(g.input::<u64>("count"), set);
        g.output("sum", g.slot("till").op("apples", [count]));
    });
    node.invoke("Main", [("price", 7_u64), ("count", 3)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("sum"), Some(21_u64));
}

#[test]
fn components_are_found_by_slot_and_type_and_never_oneself() {
    let mut node = node_of(NodeConfig::default(), |g| {
        let slot = g.input::<String>("slot");
        g.output("first", g.slot("looking").op("find", [slot]));
        g.output("last", g.slot("watching").op("find", [slot]));
    });
    let (prices, another) = (vec![true, true, false, false], vec![true, false, false, true]);
    let nobody = vec![false, false, true, false];
    for (slot, first, last) in [
        ("prices", &prices, &prices),
        ("till", &another, &another),
        ("looking", &nobody, &another),
        ("watching", &another, &nobody),
        ("nowhere", &nobody, &nobody),
    ] {
        node.invoke("Main", [("slot", slot)]).expect("it is admitted");
        let steps = node.run_until_idle(Nanos::ZERO);
        assert_eq!(steps.output::<Vec<bool>>("first").as_ref(), Some(first), "{slot}");
        assert_eq!(steps.output::<Vec<bool>>("last").as_ref(), Some(last), "{slot}");
    }
}

/// Compiles a program of the till and this.
fn compile(bind: impl FnOnce(Compiler) -> Compiler) -> Result<(), Diagnostics> {
    let graph = Graph::new("Main");
    graph.output("sum", graph.slot("till").op("apples", [graph.input::<u64>("count")]));
    let draft = graph.build().expect("the module is sound");
    bind(Compiler::new().bind::<Till>("till")).compile(draft).map(drop)
}

#[test]
fn a_dependency_that_is_not_there_is_told_at_link_with_slot_and_type() {
    let (slot, wanted) = ("prices".to_owned(), "test.prices@1".to_owned());
    let found = compile(|compiler| compiler).expect_err("there are no prices");
    let problems: Vec<_> = found.iter().map(|found| (&*found.subject, &found.problem)).collect();
    let unbound = Problem::UnboundDependency { slot: slot.clone(), wanted: wanted.clone() };
    assert_eq!(problems, [("till", &unbound)]);

    let found = compile(|compiler| compiler.bind::<Looking>("prices")).expect_err("not prices");
    let problems: Vec<_> = found.iter().map(|found| (&*found.subject, &found.problem)).collect();
    let wrong = Problem::WrongDependency { slot, wanted, got: "test.looking@1".to_owned() };
    assert_eq!(problems, [("till", &wrong)]);
    compile(|compiler| compiler.bind::<Prices>("prices")).expect("these are prices");
}

/// Reads whatever holds prices.
#[derive(Default, Serialize, Deserialize)]
struct Reader {}

impl Component for Reader {
    const TYPE_NAME: &'static str = "test.reader@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.depends_on_role(Role::DataSource, "source");
        ops.on("look", |_: &mut Self, cx: &mut Cx<'_>, _: u64| {
            cx.components().for_slot("source").is_some()
        });
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Source {}

impl Component for Source {
    const TYPE_NAME: &'static str = "test.source@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.claims(Role::DataSource).on("len", |_: &mut Self, _: u64| 7_u64);
    }
}

#[test]
fn a_component_may_depend_on_a_role() {
    let draft = || {
        let graph = Graph::new("Main");
        graph.output("seen", graph.slot("reader").op("look", [graph.input::<u64>("n")]));
        graph.build().expect("the module is sound")
    };
    let compiler = || Compiler::new().bind::<Reader>("reader");
    let found = compiler().bind::<Prices>("source").compile(draft()).expect_err("no source");
    assert_eq!(
        found.to_string(),
        "link: reader: depends on the role data_source in slot \"source\", which holds test.prices@1"
    );
    let program = compiler().bind::<Source>("source").compile(draft()).expect("a source");
    let config = NodeConfig::default();
    let mut node = install(PeerId::from(1), [], &program, &["Main"], config).expect("it installs");
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("seen"), Some(true));
}

#[test]
fn a_component_cannot_depend_on_itself() {
    let found = compile(|compiler| compiler.bind::<Prices>("other").bind::<Till>("prices"));
    let found = found.expect_err("it is no price list");
    assert!(found.to_string().contains("which holds the component itself"), "{found}");
}

#[test]
fn a_latch_is_set_once_in_an_op_and_execution() {
    let config = NodeConfig {
        state: StateConfig { max_latches: 2, ..StateConfig::default() },
        ..NodeConfig::default()
    };
    let mut node = node_of(config, |g| {
        let name = g.input::<String>("name");
        g.output("one", g.slot("looking").named("one").op("latch", [name]));
        g.output("two", g.slot("looking").named("two").op("latch", [name]));
        g.output("slept", g.sleep(name, seconds(1)));
    });
    for round in 0..2 {
        node.invoke("Main", [("name", "x")]).expect("it is admitted");
        let steps = node.run_until_idle(seconds(2 * round));
        for port in ["one", "two"] {
            assert_eq!(steps.output::<Vec<bool>>(port), Some(vec![true, false]), "{port}");
        }
        // The execution sleeps and keeps its latches, so there is no room for another one's.
        node.invoke("Main", [("name", "x")]).expect("it is admitted");
        let steps = node.run_until_idle(seconds(2 * round));
        let failures: Vec<_> = steps.failures().map(|error| error.kind()).collect();
        assert_eq!(failures, [OpErrorKind::Limit; 2]);
        node.run_until_idle(seconds(2 * round + 1));
        assert_eq!(node.execution_count(), 0);
    }
}

#[test]
fn what_syscall_ops_keep_can_be_read_and_changed_by_components() {
    let mut node = node_of(NodeConfig::default(), |g| {
        g.output("kept", looking(g, "keep", g.input::<u64>("n")));
        g.output("alone", looking(g, "wait", g.input::<u64>("m")));
        g.output("taken", looking(g, "take", g.input::<u64>("take")));
        g.output("item", g.dequeue("line", g.input::<u64>("dequeue")));
    });
    let mut run = |input, port| {
        node.invoke("Main", [(input, 5_u64)]).expect("it is admitted");
        node.run_until_idle(Nanos::ZERO).output::<Value>(port)
    };
    let numbers = |numbers: &[u64]| {
        Value::list(numbers.iter().map(|number| (*number).into()).collect()).expect("shallow")
    };
    assert_eq!(run("n", "kept"), Some(numbers(&[1, 1, 1, 2, 2])));
    assert_eq!(run("n", "kept"), Some(numbers(&[2, 2, 2, 4, 4])));
    assert_eq!(run("dequeue", "item"), Some(5_u64.into()));
    let taken = Value::list(vec![5_u64.into(), 5_u64.into(), 5_u64.into(), true.into()]);
    assert_eq!(run("take", "taken"), Some(taken.expect("shallow")));
    assert_eq!(run("dequeue", "item"), None, "the line is empty");
    assert_eq!(run("n", "item"), Some(5_u64.into()), "who waits gets what a component puts in");
    assert_eq!(node.metric("seen"), Some(6));
    assert_eq!(node.record("last").count(), 3);
}

#[test]
fn an_op_knows_the_net_and_what_it_has_measured_there() {
    let mut node = node_of(NodeConfig::default(), |g| {
        g.output("seen", g.slot("looking").op("measure", [g.input::<PeerId>("peer")]));
    });
    let other = PeerId::from(2);
    node.invoke("Main", [("peer", other)]).expect("it is admitted");
    let seen = node.run_until_idle(Nanos::ZERO).output::<Vec<u64>>("seen").expect("it fired");
    let two_hops = NodeConfig::default().rtt.per_hop.get() * 2;
    assert_eq!((seen[0], &seen[2..]), (two_hops, &[0, 0, 0][..]), "nothing is known of it");
    let measured = millis(300).get();
    assert!(seen[1] > measured && seen[1] < 2 * measured, "{} after 300 ms each", seen[1]);
}

#[test]
fn an_execution_without_a_peer_has_no_deadline() {
    let mut node = node_of(NodeConfig::default(), |g| {
        g.output("alone", looking(g, "wait", g.input::<u64>("n")));
    });
    let exec = node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    assert_eq!(Some(exec), ExecId::new(1));
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("alone"), Some(true));
}
