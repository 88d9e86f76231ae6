//! Tensor ops: claimed and compiled before a program exists, and run like any op.

pub(crate) mod naive;

use std::{collections::BTreeMap, sync::Arc};

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::{Compiler, OpenError},
    component::Registry,
    config::{EngineConfig, NodeConfig},
    error::OpErrorKind,
    module::{Activation, Body, Diagnostics, Draft, Module, Op, OpKind, Port, ValueId, ValueInfo},
    node::{Node, install},
    program::Program,
    schema::PortType,
    step::Steps,
    tensor::{Dtype, Tensor},
    time::Nanos,
    value::Value,
};

use self::naive::Naive;

/// One tensor op over the inputs `a` and `b`, with the output `c`.
fn draft(domain: &str, op_type: &str) -> Draft {
    let vector = || Some(PortType::tensor(Dtype::F32, [None]));
    let value = |name: &str, ty| ValueInfo { name: name.into(), ty };
    let port = |name: &str, at| Port { name: name.into(), value: ValueId(at) };
    let op = Op {
        name: "op".into(),
        kind: OpKind::Tensor { domain: domain.into(), op_type: op_type.into() },
        inputs: vec![Some(ValueId(0)), Some(ValueId(1))],
        outputs: vec![ValueId(2)],
        activation: Activation::All,
        attributes: BTreeMap::new(),
    };
    let body = Body {
        inputs: vec![port("a", 0), port("b", 1)],
        outputs: vec![port("c", 2)],
        values: vec![value("a", vector()), value("b", vector()), value("c", None)],
        ops: vec![op],
    };
    let module = Module { name: "Main".into(), body, bootstrap: None };
    Draft {
        modules: [("Main".to_owned(), module)].into(),
        targets: ["Main".to_owned()].into(),
        ..Draft::default()
    }
}

fn node(program: &Program, config: NodeConfig) -> Node {
    install(PeerId::from(1), [], program, &["Main"], config).expect("it installs")
}

fn vector(numbers: &[f32]) -> Tensor {
    Tensor::from_slice(&[numbers.len() as u64], numbers).expect("it is small")
}

/// What the Node makes of two vectors.
fn fed(node: &mut Node, a: &[f32], b: &[f32]) -> Steps {
    node.invoke("Main", [("a", vector(a)), ("b", vector(b))]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO)
}

fn numbers(steps: &Steps, port: &str) -> Vec<f32> {
    let tensor: Tensor = steps.output(port).expect("it gave a tensor");
    tensor.as_slice().expect("it is f32").to_vec()
}

fn refusals(result: Result<Program, Diagnostics>) -> Vec<String> {
    result.expect_err("it is refused").iter().map(ToString::to_string).collect()
}

#[test]
fn a_claimed_op_runs_as_its_backend_says() {
    let program = Compiler::new().backend(Naive::default()).compile(draft("", "Mul"));
    let mut node = node(&program.expect("it is claimed"), NodeConfig::default());
    assert_eq!(numbers(&fed(&mut node, &[1.5, -2.0], &[2.0, 4.0]), "c"), [3.0, -8.0]);
}

#[test]
fn the_first_backend_that_claims_an_op_runs_it() {
    let weaker = Naive { name: "test.weaker@1", without: &["Mul"], ..Naive::default() };
    let broken = Naive { name: "test.broken@1", breaks: &["Mul"], ..Naive::default() };
    let compiler = Compiler::new().backend(weaker).backend(Naive::default()).backend(broken);
    compiler.compile(draft("", "Mul")).expect("the second claims it, and the third is not asked");
}

#[test]
fn an_op_that_nobody_claims_is_refused_with_what_each_backend_says() {
    let weaker = Naive { name: "test.weaker@1", without: &["Add"], ..Naive::default() };
    let other = Naive { name: "test.other@1", without: &["Add"], ..Naive::default() };
    let compiler = Compiler::new().backend(weaker).backend(other);
    assert_eq!(
        refusals(compiler.compile(draft("", "Add"))),
        ["link: Main/op: no backend runs Add: test.weaker@1: it has no such loop; \
             test.other@1: it has no such loop"]
    );
    assert_eq!(
        refusals(Compiler::new().compile(draft("", "Add"))),
        ["link: Main/op: no backend runs Add: no backend is bound"]
    );
    let compiler = Compiler::new().backend(Naive::default());
    assert_eq!(
        refusals(compiler.compile(draft("acme", "Add"))),
        ["link: Main/op: no backend runs acme.Add: test.naive@1: it has no such loop"],
        "an op of another domain is another op"
    );
}

#[test]
fn a_claim_is_asked_with_the_release_that_the_op_is_meant_by() {
    let mut old = draft("", "Add");
    old.opsets.insert(String::new(), 7);
    let compiler = Compiler::new().backend(Naive::default());
    assert_eq!(
        refusals(compiler.compile(old.clone())),
        ["link: Main/op: no backend runs Add: test.naive@1: it knows release 13, not 7"]
    );
    let found = refusals(compiler.compile_all([old, {
        let mut newer = draft("", "Add");
        newer.opsets.insert(String::new(), 17);
        newer
    }]));
    assert_eq!(
        found.first().map(String::as_str),
        Some("record: tensor ops of \"\" are meant by release 7 and by release 17")
    );
}

#[test]
fn a_backend_that_cannot_compile_what_it_claims_is_named() {
    let broken = Naive { breaks: &["Add"], ..Naive::default() };
    assert_eq!(
        refusals(Compiler::new().backend(broken).compile(draft("", "Add"))),
        ["seal: op: test.naive@1 claims Add and cannot compile it: out of registers"]
    );
}

#[test]
fn a_sealed_program_opens_only_where_its_backends_are_known() {
    let compiler = Compiler::new().backend(Naive::default());
    let program = compiler.compile(draft("", "Add")).expect("it is claimed");
    let missing = vec!["backend: test.naive@1".to_owned()];
    assert_eq!(
        Program::open(program.bytes().clone(), Arc::new(Registry::default())),
        Err(OpenError::UnregisteredComponent { missing })
    );
    let mut registry = Registry::default();
    registry.register_backend(Naive::default()).expect("the only one");
    let opened = Program::open(program.bytes().clone(), Arc::new(registry.clone()));
    let mut node = node(&opened.expect("it is known"), NodeConfig::default());
    assert_eq!(numbers(&fed(&mut node, &[1.0], &[2.0]), "c"), [3.0]);

    let again = Compiler::over(registry).backend_named("test.naive@1");
    assert_eq!(again.compile(draft("", "Add")).as_ref(), Ok(&program));
    let nobody = Compiler::new().backend_named("test.naive@1").compile(draft("", "Add"));
    assert_eq!(refusals(nobody).first().map(String::as_str), {
        Some("link: the backend test.naive@1 is not registered")
    });
}

#[test]
fn a_run_that_fails_is_a_failed_op_and_the_node_goes_on() {
    let program = Compiler::new().backend(Naive::default()).compile(draft("", "Add"));
    let mut node = node(&program.expect("it is claimed"), NodeConfig::default());
    let steps = fed(&mut node, &[1.0], &[2.0, 3.0]);
    assert_eq!(steps.failures().map(|error| error.reason()).collect::<Vec<_>>(), ["[1] and [2]"]);
    assert_eq!(node.execution_count(), 0);
    assert_eq!(numbers(&fed(&mut node, &[1.0], &[2.0]), "c"), [3.0], "nothing was left over");
}

#[test]
fn a_run_ends_with_its_fuel_and_one_that_costs_more_does_not_begin() {
    let engine = EngineConfig { run_fuel: Nanos::new(4), ..EngineConfig::default() };
    let config = NodeConfig { engine, ..NodeConfig::default() };
    let compiler = Compiler::new().backend(Naive::default());
    let spin = compiler.compile(draft("test", "Spin")).expect("it is claimed");
    let mut spinning = node(&spin, config);
    let failed = |steps: &Steps| {
        let all = steps.failures().map(|error| (error.kind(), error.reason().to_owned()));
        all.collect::<Vec<_>>()
    };
    let steps = fed(&mut spinning, &[1.0, 1.0], &[1.0, 1.0]);
    assert_eq!(failed(&steps), [(OpErrorKind::Limit, "it ran out of fuel".to_owned())]);

    let add = compiler.compile(draft("", "Add")).expect("it is claimed");
    let mut adding = node(&add, config);
    let steps = fed(&mut adding, &[1.0, 1.0], &[1.0, 1.0]);
    assert_eq!(numbers(&steps, "c"), [2.0, 2.0], "as much as there is fuel for");
    let steps = fed(&mut adding, &[1.0; 3], &[1.0; 3]);
    let reason = "costs 6 ns, one run has fuel for 4".to_owned();
    assert_eq!(failed(&steps), [(OpErrorKind::Limit, reason)]);
}

#[test]
fn a_tensor_op_is_expanded_with_its_module() {
    let compiler = Compiler::new().backend(Naive::default());
    let inner = draft("", "Add");
    let g = samsara_runtime::graph::Graph::new("Main2");
    let (a, b) = (g.input::<Tensor>("a"), g.input::<Tensor>("b"));
    let [once] = g.call(&inner, [a, b]);
    let [twice] = g.call(&inner, [once, b]);
    g.output("c", twice);
    let program = compiler.compile(g.build().expect("it is sound")).expect("it is claimed");
    let mut node = install(PeerId::from(1), [], &program, &["Main2"], NodeConfig::default())
        .expect("it installs");
    let inputs = [("a", Value::from(vector(&[1.0]))), ("b", Value::from(vector(&[10.0])))];
    node.invoke("Main2", inputs).expect("it is admitted");
    assert_eq!(numbers(&node.run_until_idle(Nanos::ZERO), "c"), [21.0]);
}
