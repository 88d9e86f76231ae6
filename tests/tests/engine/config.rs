//! Components made with settings: sealed into the program, made at install or not at all.

use std::sync::Arc;

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    component::{Component, Configured, ConstructError, Ops, Registry},
    config::NodeConfig,
    graph::Graph,
    module::Draft,
    node::{InstallError, Node, install},
    program::Program,
    time::Nanos,
    value::{NativeCodec, TypeId, Value},
};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Shift {
    by: u64,
}

impl Component for Shift {
    const TYPE_NAME: &'static str = "test.shift@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("shift", |shift: &mut Self, n: u64| n.wrapping_add(shift.by));
    }
}

#[derive(Serialize, Deserialize)]
struct By {
    by: u64,
}

impl Configured for Shift {
    type Config = By;

    fn construct(By { by }: By) -> Result<Self, String> {
        if by < 1_000 { Ok(Self { by }) } else { Err(format!("{by} is too far")) }
    }
}

/// Shifts by the slots `a` and `b`.
fn draft() -> Draft {
    let g = Graph::new("Main");
    let once = g.slot("a").op("shift", [g.input::<u64>("n")]);
    g.output("shifted", g.slot("b").op("shift", [once]));
    g.build().expect("it is sound")
}

fn program(a: u64, b: u64) -> Program {
    let compiler = Compiler::new().bind_with::<Shift>("a", &By { by: a });
    compiler.bind_with::<Shift>("b", &By { by: b }).compile(draft()).expect("it is sound")
}

fn installed(program: &Program) -> Result<Node, InstallError> {
    install(PeerId::from(1), [], program, &["Main"], NodeConfig::default())
}

fn shifted(node: &mut Node) -> Option<u64> {
    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO).output("shifted")
}

fn errors(program: &Program) -> Vec<ConstructError> {
    match installed(program) {
        Err(InstallError::Components { errors }) => errors,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_slot_is_made_with_its_own_config_also_when_opened() {
    let program = program(10, 200);
    assert_eq!(shifted(&mut installed(&program).expect("it installs")), Some(211));
    let mut registry = Registry::default();
    registry.register_configured::<Shift>().expect("it is sound");
    let opened = Program::open(program.bytes().clone(), Arc::new(registry)).expect("it opens");
    assert_eq!(shifted(&mut installed(&opened).expect("it installs")), Some(211));
}

#[test]
fn a_config_is_part_of_the_content_hash() {
    assert_eq!(program(1, 2).bytes(), program(1, 2).bytes());
    assert_ne!(program(1, 2).content_hash(), program(1, 3).content_hash());
}

#[test]
fn a_type_that_knows_both_ways_may_be_bound_either_way() {
    let compiler = Compiler::new().bind::<Shift>("a").bind_with::<Shift>("b", &By { by: 5 });
    let program = compiler.compile(draft()).expect("it is sound");
    assert_eq!(shifted(&mut installed(&program).expect("it installs")), Some(6));
}

#[test]
fn all_components_that_cannot_be_made_are_told_at_once() {
    let failed = |slot: &str, by: u64| ConstructError::ConstructionFailed {
        slot: slot.into(),
        type_name: Shift::TYPE_NAME,
        reason: format!("{by} is too far"),
    };
    assert_eq!(errors(&program(1_000, 2_000)), [failed("a", 1_000), failed("b", 2_000)]);
    assert_eq!(errors(&program(999, 2_000)), [failed("b", 2_000)]);
}

#[test]
fn a_missing_config_and_one_that_is_none_are_told_apart() {
    // The slot is bound plainly; where it is opened, the type is only made with settings.
    let plain = Compiler::new().bind::<Shift>("a").bind::<Shift>("b").compile(draft());
    let mut registry = Registry::default();
    registry.register_configured::<Shift>().expect("it is sound");
    let plain = plain.expect("it is sound");
    let opened = Program::open(plain.bytes().clone(), Arc::new(registry)).expect("it opens");
    let type_name = Shift::TYPE_NAME;
    let missing = |slot: &str| ConstructError::MissingConfig { slot: slot.to_owned(), type_name };
    assert_eq!(errors(&opened), [missing("a"), missing("b")]);

    let mut registry = Registry::default();
    registry.register::<Shift>().expect("it is sound");
    let opened = Program::open(program(1, 2).bytes().clone(), Arc::new(registry));
    let takes_none = |slot: &str| ConstructError::ConfigMismatch {
        slot: slot.to_owned(),
        type_name,
        reason: "it takes none".to_owned(),
    };
    assert_eq!(errors(&opened.expect("it opens")), [takes_none("a"), takes_none("b")]);
}

#[test]
fn a_config_of_another_form_is_a_mismatch_with_its_reason() {
    let mut other = draft();
    other.slots = ["a", "b"].map(|slot| (slot.to_owned(), Shift::TYPE_NAME.to_owned())).into();
    other.configs = [("a", "{\"by\":1}"), ("b", "{\"by\":\"far\"}")]
        .map(|(slot, config)| (slot.to_owned(), config.to_owned()))
        .into();
    let mut registry = Registry::default();
    registry.register_configured::<Shift>().expect("it is sound");
    let program = Compiler::over(registry).compile(other).expect("it is sound");
    let errors = errors(&program);
    let [ConstructError::ConfigMismatch { slot, reason, .. }] = errors.as_slice() else {
        panic!("{errors:?}")
    };
    assert_eq!(slot, "b");
    assert!(reason.starts_with("invalid type: string \"far\", expected u64"), "{reason}");
}

#[test]
fn a_slot_bound_in_two_ways_names_both_and_who_binds_it() {
    let mut first = draft();
    first.slots = [("a".to_owned(), Shift::TYPE_NAME.to_owned())].into();
    first.configs = [("a".to_owned(), "{\"by\":1}".to_owned())].into();
    let compiler = Compiler::new().bind::<Shift>("b").bind_with::<Shift>("a", &By { by: 2 });
    let found = compiler.compile(first.clone()).expect_err("it is bound twice");
    assert_eq!(
        found.to_string(),
        "record: a: the slot is bound to test.shift@1 with {\"by\":1} and to test.shift@1 with \
         {\"by\":2} by Main and the compiler"
    );
    let compiler = Compiler::new().bind::<Shift>("b").bind_with::<Shift>("a", &By { by: 1 });
    compiler.compile(first.clone()).expect("both say the same");
    let g = Graph::new("Other");
    g.output("n", g.pass_through(g.input::<u64>("n")));
    let mut second = g.build().expect("it is sound");
    second.slots.clone_from(&first.slots);
    let found = Compiler::new().bind::<Shift>("b").compile_all([first, second]);
    assert_eq!(
        found.expect_err("it is bound twice").to_string(),
        "record: a: the slot is bound to test.shift@1 with {\"by\":1} and to test.shift@1 by Main \
         and Other"
    );
}

#[derive(Debug, PartialEq)]
struct Celsius(u8);

impl NativeCodec for Celsius {
    const TYPE_ID: TypeId = TypeId::from_static("test.celsius@1");

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        match bytes {
            [degrees] => Ok(Self(*degrees)),
            _ => Err("wanted one byte".into()),
        }
    }

    fn byte_size(&self) -> u64 {
        1
    }
}

#[test]
fn a_native_constant_is_sealed_where_its_type_is_registered() {
    let draft = || {
        let g = Graph::new("Main");
        g.output("warm", g.gate(g.constant(Value::native_of(Celsius(21))), g.input::<()>("now")));
        g.build().expect("it is sound")
    };
    let refused = Compiler::new().compile(draft()).expect_err("the type is not known");
    assert!(refused.to_string().starts_with("seal: the program cannot be written"), "{refused}");
    let program = Compiler::new().native::<Celsius>().compile(draft()).expect("it is known");
    let mut node = installed(&program).expect("it installs");
    node.invoke("Main", [("now", ())]).expect("it is admitted");
    let warm: Option<Value> = node.run_until_idle(Nanos::ZERO).output("warm");
    assert_eq!(warm.as_ref().and_then(|warm| warm.native::<Celsius>()), Some(&Celsius(21)));
}
