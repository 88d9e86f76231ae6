//! Roles: claimed by types, demanded by programs, held against each other before anything runs.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, ComponentType, Ops, RegistrationError},
    config::NodeConfig,
    graph::Graph,
    module::{Diagnostics, Draft},
    node::install,
    program::Program,
    role::Role,
    time::Nanos,
};
use serde::{Deserialize, Serialize};

/// Claims two roles, and has a part of each.
#[derive(Default, Serialize, Deserialize)]
struct Learner {
    sum: f64,
}

impl Component for Learner {
    const TYPE_NAME: &'static str = "test.learner@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.claims(Role::Model)
            .on("train", |learner: &mut Self, batch: Vec<f64>| {
                learner.sum += batch.iter().sum::<f64>();
                learner.sum
            })
            .on("predict", |learner: &mut Self, n: f64| learner.sum * n);
        ops.claims(Role::Aggregator)
            .on("aggregate", |_: &mut Self, all: Vec<f64>| all.iter().sum::<f64>());
    }
}

/// Claims nothing, although it has an op of the right name.
#[derive(Default, Serialize, Deserialize)]
struct Modest;

impl Component for Modest {
    const TYPE_NAME: &'static str = "test.modest@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("predict", |_: &mut Self, n: f64| n);
    }
}

fn draft(record: impl FnOnce(&Graph)) -> Draft {
    let g = Graph::new("Main");
    record(&g);
    g.build().expect("it is sound")
}

fn refusals(result: Result<Program, Diagnostics>) -> Vec<String> {
    result.expect_err("it is refused").iter().map(ToString::to_string).collect()
}

#[test]
fn a_slot_taken_for_two_roles_does_the_ops_of_both() {
    let draft = draft(|g| {
        let batch = g.input::<Vec<f64>>("batch");
        let sum = g.model("learner").train(batch);
        g.output("seen", g.model("learner").predict(sum));
        g.output("all", g.slot("learner").named("total").as_aggregator().aggregate(batch));
    });
    let compiler = Compiler::new().bind_model::<Learner>("learner");
    let program = compiler.as_role("learner", Role::Aggregator).compile(draft);
    let program = program.expect("it claims both");
    let mut node = install(PeerId::from(1), [], &program, &["Main"], NodeConfig::default())
        .expect("it installs");
    node.invoke("Main", [("batch", vec![1.0, 2.0])]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!((steps.output("seen"), steps.output("all")), (Some(9.0), Some(3.0)));

    let roles: Vec<_> = node.roles_for("learner").collect();
    assert_eq!(roles, [Role::Model, Role::Aggregator]);
    assert_eq!(node.roles_for("nobody").count(), 0);
    assert_eq!(node.linked_components().collect::<Vec<_>>(), [Learner::TYPE_NAME]);
    let kinds = node.slots_iter().map(|(slot, kind)| (slot, kind.type_name()));
    assert_eq!(kinds.collect::<Vec<_>>(), [("learner", Learner::TYPE_NAME)]);
    assert_eq!(node.slot::<Learner>("learner").map(|learner| learner.sum), Some(3.0));
    assert!(node.slot::<Modest>("learner").is_none(), "it holds another type");
}

#[test]
fn a_role_that_the_type_does_not_claim_is_refused_however_its_ops_are_named() {
    let by_graph = draft(|g| g.output("n", g.model("m").predict(g.input::<f64>("n"))));
    let refused = ["link: m: the slot is taken for model, which test.modest@1 does not claim"];
    assert_eq!(refusals(Compiler::new().bind::<Modest>("m").compile(by_graph)), refused);
    let plain = || draft(|g| g.output("n", g.slot("m").op("predict", [g.input::<f64>("n")])));
    assert_eq!(refusals(Compiler::new().bind_model::<Modest>("m").compile(plain())), refused);
    Compiler::new().bind::<Modest>("m").compile(plain()).expect("nobody takes it for a model");
}

#[test]
fn an_op_of_a_claimed_role_that_the_type_does_not_have_is_refused_by_role_and_op() {
    let missing = "link: Main/m.weights: test.learner@1 is model without the op \"weights\", \
                   it has [\"aggregate\", \"predict\", \"train\"]";
    let by_role = draft(|g| g.output("w", g.model("m").weights(g.input::<()>("now"))));
    assert_eq!(refusals(Compiler::new().bind_model::<Learner>("m").compile(by_role)), [missing]);
    let by_name = draft(|g| g.output("w", g.slot("m").op("weights", [g.input::<()>("now")])));
    assert_eq!(refusals(Compiler::new().bind::<Learner>("m").compile(by_name)), [missing]);
}

#[test]
fn each_of_the_eight_bindings_demands_its_role() {
    let plain = || draft(|g| g.output("n", g.slot("m").op("predict", [g.input::<f64>("n")])));
    type Bind = fn(Compiler) -> Compiler;
    let bind: [(Role, Bind); 8] = [
        (Role::Backend, |compiler| compiler.bind_backend::<Modest>("m")),
        (Role::Model, |compiler| compiler.bind_model::<Modest>("m")),
        (Role::Index, |compiler| compiler.bind_index::<Modest>("m")),
        (Role::Aggregator, |compiler| compiler.bind_aggregator::<Modest>("m")),
        (Role::Codec, |compiler| compiler.bind_codec::<Modest>("m")),
        (Role::DataSource, |compiler| compiler.bind_data_source::<Modest>("m")),
        (Role::PeerSelector, |compiler| compiler.bind_peer_selector::<Modest>("m")),
        (Role::Protocol, |compiler| compiler.bind_protocol::<Modest>("m")),
    ];
    assert_eq!(bind.map(|(role, _)| role), Role::ALL);
    for (role, bind) in bind {
        assert_eq!(
            refusals(bind(Compiler::new()).compile(plain())),
            [format!("link: m: the slot is taken for {role}, which test.modest@1 does not claim")]
        );
    }
}

#[test]
fn what_a_slot_is_taken_for_is_sealed() {
    let draft = draft(|g| g.output("n", g.model("m").predict(g.input::<f64>("n"))));
    let compiler = Compiler::new().bind::<Learner>("m");
    let program = compiler.compile(draft).expect("it claims it");
    let opened = Program::open(program.bytes().clone(), program.registry().clone());
    let roles = opened.expect("it was just sealed").draft().roles.clone();
    assert_eq!(roles, [("m".to_owned(), [Role::Model].into())].into());
}

macro_rules! liar {
    ($name:ident, $id:literal, $declare:expr) => {
        #[derive(Default, Serialize, Deserialize)]
        struct $name;

        impl Component for $name {
            const TYPE_NAME: &'static str = $id;

            fn ops(ops: &mut Ops<Self>) {
                let declare: fn(&mut Ops<Self>) = $declare;
                declare(ops);
            }
        }
    };
}

liar!(WrongType, "test.wrong@1", |ops| {
    ops.on("encode", |_: &mut Self, n: u64| n).claims(Role::Codec);
});
liar!(WrongCount, "test.count@1", |ops| {
    ops.claims(Role::PeerSelector).on("select", |_: &mut Self, all: Vec<PeerId>| all);
});
liar!(Empty, "test.empty@1", |ops| {
    ops.claims(Role::Index).on("find", |_: &mut Self, n: u64| n);
});

#[test]
fn a_claim_that_the_ops_do_not_keep_is_no_type() {
    fn told<C: Component + Default>() -> String {
        ComponentType::of::<C>().expect_err("it lies").to_string()
    }
    assert_eq!(
        told::<WrongType>(),
        "\"test.wrong@1\" claims codec: wanted encode(any value) -> (bytes), \
         got encode(u64) -> (u64)"
    );
    assert_eq!(
        told::<WrongCount>(),
        "\"test.count@1\" claims peer_selector: wanted select(list of peer, u64) -> \
         (list of peer), got select(list of peer) -> (list of peer)"
    );
    let (type_name, role) = ("test.empty@1", Role::Index);
    let empty = ComponentType::of::<Empty>().expect_err("it has none");
    assert_eq!(empty, RegistrationError::EmptyClaim { type_name, role });
}
