//! A host's calls where there is no memory: refused by type, and nothing else has happened.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::NodeConfig,
    error::DeliveryError,
    graph::Graph,
    node::{BootstrapError, BootstrapRequest, BootstrapTarget, Node, install},
    reserve::{AllocFailReason, Reserve},
    step::Steps,
    time::Nanos,
    value::Value,
};

use super::parts::{Parts, outputs};

/// Each has a bootstrap with inputs, a body, and an ear for refusals.
fn node() -> Node {
    let drafts = ["First", "Second"].map(|name| {
        let g = Graph::new(name);
        g.bootstrap(|b| {
            let [one, two] = ["one", "two"].map(|input| b.input::<u64>(input));
            b.output("sum", b.slot("parts").op("plus", [one, two]));
        });
        let [left, right] = ["left", "right"].map(|input| g.input::<u64>(input));
        g.output("total", g.slot("parts").op("add", [g.slot("parts").op("plus", [left, right])]));
        g.output("refused", g.on_event("infra.ingress_error"));
        g.build().expect("it is sound")
    });
    let program = Compiler::new().bind::<Parts>("parts").compile_all(drafts).expect("it is sound");
    let targets = ["First", "Second"];
    install(PeerId::from(1), [], &program, &targets, NodeConfig::default()).expect("it installs")
}

fn invoke(node: &mut Node) -> Result<(), AllocFailReason> {
    match node.invoke("First", [("left", 20_u64), ("right", 22)]) {
        Ok(_) => Ok(()),
        Err(DeliveryError::AllocationFailed(reason)) => Err(reason),
        Err(other) => panic!("refused for another reason: {other}"),
    }
}

fn bootstrap(node: &mut Node) -> Result<(), AllocFailReason> {
    let request = |target: &str| BootstrapRequest {
        target: target.to_owned(),
        inputs: ["one", "two"].map(|input| (input.to_owned(), Value::U64(1))).into(),
    };
    let both = BootstrapTarget::ModuleRequests(["First", "Second"].map(request).into());
    match node.request_bootstrap(both) {
        Ok(()) => Ok(()),
        Err(BootstrapError::AllocationFailed(reason)) => Err(reason),
        Err(other) => panic!("refused for another reason: {other}"),
    }
}

/// What the outputs gave but for what was heard of refusals, and how much was heard of those.
fn given(steps: &Steps) -> (Vec<(String, Value)>, usize) {
    let all = outputs(&steps.0).into_iter().map(|(port, value)| (port.to_owned(), value));
    let (heard, given): (Vec<_>, Vec<_>) = all.partition(|(port, _)| port == "refused");
    (given, heard.len())
}

#[test]
fn at_every_reservation_a_refusal_leaves_the_node_as_it_was() {
    type Call = fn(&mut Node) -> Result<(), AllocFailReason>;
    let calls: [(&str, Call, usize); 2] = [("invoke", invoke, 1), ("bootstrap", bootstrap, 2)];
    let mut sites = 0;
    for (name, call, outputs) in calls {
        let mut sound = node();
        call(&mut sound).expect("there is memory");
        let reached = sound.reserve().asked();
        let wanted = given(&sound.run_until_idle(Nanos::ZERO));
        assert_eq!((wanted.0.len(), wanted.1), (outputs, 0));
        for nth in 0..reached {
            let mut node = node();
            let before = node.snapshot().expect("it is written").digest();
            *node.reserve() = Reserve::failing_at(nth);
            let refused = call(&mut node).expect_err("its memory is gone");
            assert!(matches!(refused, AllocFailReason::OutOfMemory { bytes } if bytes > 0));
            assert_eq!(node.snapshot().expect("it is written").digest(), before, "{name} {nth}");
            let stats = node.ingress().stats();
            assert_eq!((stats.items, stats.bytes, stats.tickets), (0, 0, 0), "{name} {nth}");

            call(&mut node).expect("now there is memory");
            let (after, heard) = given(&node.run_until_idle(Nanos::ZERO));
            assert_eq!(after, wanted.0, "nothing of it was lost");
            assert_eq!(heard, if name == "invoke" { 2 } else { 0 }, "both modules hear of it once");
        }
        println!("{name}: {reached} reservations");
        sites += reached;
    }
    assert!(sites >= 3, "{sites} reservations were reached");
}
