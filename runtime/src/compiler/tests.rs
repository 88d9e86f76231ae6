//! What the steps find, and what sealing promises.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{seal::sealed, *};
use crate::{
    component::{Component, Ops},
    graph::{Graph, Wire},
    module::{Activation, Module, Op, OpKind, PortPath},
    schema::PortType,
    value::Value,
};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    total: u64,
}

impl Component for Counter {
    const TYPE_NAME: &'static str = "demo.counter@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("add", |counter: &mut Self, n: u64| {
            counter.total += n;
            counter.total
        });
        ops.on("name", |_: &mut Self, total: u64| total.to_string());
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Other;

impl Component for Other {
    const TYPE_NAME: &'static str = "demo.other@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("take", |_: &mut Self, _: Vec<u64>| ());
    }
}

/// A program with something of everything.
fn draft() -> Draft {
    let leaf = Graph::new("Leaf");
    let n = leaf.input::<u64>("n");
    leaf.output("total", leaf.slot("counter").attribute("rate", 0.1).op("add", [n]));
    leaf.bootstrap(|b| b.emit("ready", b.constant("now")));
    let leaf = leaf.build().expect("sound");
    let g = Graph::new("Count");
    let n = g.input::<u64>("n");
    let [total] = g.call(&leaf, [n]);
    let (first, which) = g.race([("total", total), ("n", n)]);
    g.output("first", first);
    g.output("which", which);
    g.output("name", g.slot("counter").op("name", [total]));
    g.export("n");
    g.build().expect("sound")
}

fn compiler() -> Compiler {
    Compiler::new().bind::<Counter>("counter")
}

fn refusals(result: Result<Program, Diagnostics>) -> Vec<String> {
    result.expect_err("it is not sound").iter().map(ToString::to_string).collect()
}

fn op<'d>(draft: &'d mut Draft, module: &str, name: &str) -> &'d mut Op {
    let module = draft.modules.get_mut(module).expect("the module is there");
    module.body.ops.iter_mut().find(|op| op.name == name).expect("the op is there")
}

#[test]
fn two_compiles_give_the_same_bytes_and_another_draft_gives_others() {
    let first = compiler().compile(draft()).expect("sound");
    let second = compiler().compile(draft()).expect("sound");
    assert_eq!(first.bytes(), second.bytes());
    let mut changed = draft();
    op(&mut changed, "Leaf", "counter.add").attributes.insert("rate".into(), Value::F64(0.2));
    let third = compiler().compile(changed).expect("sound");
    assert_ne!(third.content_hash(), first.content_hash());
}

#[test]
fn every_value_has_a_type_once_compiled() {
    let program = compiler().compile(draft()).expect("sound");
    let types = |module: &Module| {
        let values = module.bodies().flat_map(|(_, body)| &body.values);
        values.map(|value| value.ty.clone().expect(&value.name)).collect::<Vec<_>>()
    };
    use PortType::{Text, U64};
    assert_eq!(types(&program.modules()["Count"]), [U64, U64, U64, Text, Text]);
    assert_eq!(types(&program.modules()["Leaf"]), [U64, U64, Text]);
}

#[test]
fn an_opened_program_is_the_compiled_one() {
    let program = compiler().compile(draft()).expect("sound");
    let opened = Program::open(program.bytes().clone(), Arc::clone(program.registry()));
    let opened = opened.expect("it was just sealed");
    assert_eq!(opened.draft(), program.draft());
    assert_eq!(opened.content_hash(), program.content_hash());
    let slots: Vec<_> =
        opened.slots().iter().map(|(slot, kind)| (slot, kind.type_name())).collect();
    assert_eq!(slots, [(&"counter".to_owned(), "demo.counter@1")]);
}

#[test]
fn one_flipped_bit_anywhere_is_a_seal_mismatch() {
    let program = compiler().compile(draft()).expect("sound");
    let open = |bytes: Vec<u8>| Program::open(bytes, Arc::clone(program.registry()));
    for at in 0..program.bytes().len() {
        for bit in [0, 7] {
            let mut bytes = program.bytes().to_vec();
            *bytes.get_mut(at).expect("within") ^= 1 << bit;
            assert_eq!(open(bytes), Err(OpenError::SealMismatch), "byte {at}");
        }
    }
    let bytes = program.bytes();
    for end in bytes.len() / 2..bytes.len() {
        assert!(open(bytes.slice(..end).to_vec()).is_err(), "cut at {end}");
    }
    let longer = [bytes.as_ref(), &[0]].concat();
    assert_eq!(open(longer), Err(OpenError::SealMismatch));
}

#[test]
fn what_was_never_sealed_or_sealed_otherwise_is_told_apart() {
    use prost::Message as _;
    let registry = Arc::new(Registry::default());
    let open = |bytes: Bytes| Program::open(bytes, Arc::clone(&registry)).expect_err("none");
    let unsealed = crate::onnx_form::to_onnx(&draft()).encode_to_vec();
    assert_eq!(open(unsealed.into()), OpenError::NotCompiled);
    assert_eq!(open(Bytes::new()), OpenError::NotCompiled);
    let (got, expected) = ("2".to_owned(), 1);
    assert_eq!(open(sealed(&draft(), 2)), OpenError::IncompatibleVersion { got, expected });
    let bound = compiler().compile(draft()).expect("sound");
    let missing = vec!["counter: demo.counter@1".to_owned()];
    assert_eq!(open(bound.bytes().clone()), OpenError::UnregisteredComponent { missing });
}

#[test]
fn a_well_stamped_program_that_is_not_sound_is_refused() {
    let mut bad = draft();
    bad.slots.insert("counter".into(), Counter::TYPE_NAME.into());
    op(&mut bad, "Count", "Leaf").kind = OpKind::Call { module: "Count".into() };
    let mut registry = Registry::default();
    registry.register::<Counter>().expect("sound");
    let opened = Program::open(sealed(&bad, 1), Arc::new(registry));
    let Err(OpenError::Broken(found)) = opened else { panic!("{opened:?}") };
    assert!(found.to_string().contains("recursion: Count calls Count"), "{found}");
}

#[test]
fn a_stranger_with_a_good_stamp_gets_an_error_or_a_sound_program() {
    let program = compiler().compile(draft()).expect("sound");
    let content =
        program.bytes().slice(..program.bytes().len() - seal::stamp(program.content_hash()).len());
    let mut opened = 0;
    for at in 0..content.len() {
        for flip in [0x01, 0xFF] {
            let mut bytes = content.to_vec();
            *bytes.get_mut(at).expect("within") ^= flip;
            let stamp = seal::stamp(crate::program::ContentHash::of(&bytes));
            bytes.extend(stamp);
            let Ok(changed) = Program::open(bytes, Arc::clone(program.registry())) else {
                continue;
            };
            let again = compiler().compile(changed.draft().clone());
            assert_eq!(again.expect("it was opened").draft(), changed.draft(), "byte {at}");
            opened += 1;
        }
    }
    assert!(opened > 0, "a changed constant is still a program");
}

#[test]
fn a_program_that_was_compiled_within_wider_limits_opens_within_them() {
    let limits = PlanConfig { max_depth: 20, ..PlanConfig::default() };
    let program = Compiler::new().limits(limits).compile(chain(18, None)).expect("within");
    let registry = Arc::clone(program.registry());
    let default = Program::open(program.bytes().clone(), Arc::clone(&registry));
    assert!(matches!(default, Err(OpenError::Broken(_))), "{default:?}");
    let wide = Program::open_within(program.bytes().clone(), registry, &limits);
    assert_eq!(wide, Ok(program));
}

#[test]
fn steps_tell_all_they_find_at_once() {
    let g = Graph::new("Wrong");
    let n = g.input::<u64>("n");
    let text = g.slot("counter").op("name", [n]);
    g.output("a", g.slot("counter").op("add", [text]));
    g.output("b", g.slot("counter").op("sub", [n]));
    g.output("c", g.slot("nowhere").op("add", [n]));
    g.output("d", g.slot("counter").op("add", [n, n]));
    let mut draft = g.build().expect("the form is sound");
    draft.targets.insert("Absent".into());
    draft.exports.insert(PortPath { module: "Wrong".into(), port: "a".into() });
    let compiler = compiler().bind::<Other>("counter").stage(Step::Seal, |draft, _| draft);
    assert_eq!(
        refusals(compiler.compile(draft)),
        [
            "record: a stage cannot follow the seal",
            "record: counter: the slot is bound to demo.counter@1 and to demo.other@1 by \
             the compiler",
            "validate: Absent: there is no module \"Absent\", there are [\"Wrong\"]",
            "validate: Wrong/a: only an input of a target can be exported",
            "infer: Wrong/counter.add: counter.name gives text, input 0 takes u64",
            "link: Wrong/counter.sub: demo.counter@1 has no op \"sub\", it has [\"add\", \"name\"]",
            "link: Wrong/nowhere.add: slot \"nowhere\" is not bound, there are [\"counter\"]",
            "link: Wrong/counter.add_2: 2 inputs, wanted 1",
        ]
    );
}

#[test]
fn requests_are_held_to_their_rows() {
    let g = Graph::new("Ask");
    let n = g.input::<u64>("n");
    g.emit("topic", n);
    g.incr_metric("seen", n);
    g.output("later", g.sleep(n, crate::time::seconds(1)));
    let mut draft = g.build().expect("the form is sound");
    op(&mut draft, "Ask", "AppEmit").kind = OpKind::Syscall("Shout".into());
    let sleep = op(&mut draft, "Ask", "Sleep");
    sleep.attributes = [("nanos".into(), Value::from("soon")), ("more".into(), Value::Unit)].into();
    sleep.inputs.clear();
    let found = refusals(compiler().compile(draft));
    assert_eq!(
        found[..2],
        [
            "infer: Ask/IncrMetric: n gives u64, input 0 takes i64",
            "infer: Ask/Sleep: attribute \"nanos\": expected u64, got text@1",
        ]
    );
    assert!(found[2].starts_with("link: Ask/Shout") || found[2].contains("no op \"Shout\""));
    assert_eq!(
        found[3..],
        [
            "link: Ask/Sleep: 0 inputs, wanted 1",
            "link: Ask/Sleep: attributes [\"more\", \"nanos\"], wanted [\"nanos\"]",
        ]
    );
}

/// `Level0` calls `Level1` and so on; the last calls whom `last` says, if anyone.
fn chain(levels: u32, last: Option<&str>) -> Draft {
    let leaf = Graph::new(format!("Level{levels}"));
    leaf.output("n", leaf.pass_through(leaf.input::<u64>("n")));
    let mut draft = leaf.build().expect("sound");
    if let Some(last) = last {
        let op = op(&mut draft, &format!("Level{levels}"), "PassThrough");
        op.kind = OpKind::Call { module: last.into() };
    }
    for level in (0..levels).rev() {
        let g = Graph::new(format!("Level{level}"));
        let [n] = g.call(&draft, [g.input::<u64>("n")]);
        g.output("n", n);
        draft = g.build().expect("sound");
    }
    draft
}

#[test]
fn calls_may_go_as_deep_as_the_limit_and_no_deeper() {
    let limits = PlanConfig { max_depth: 3, ..PlanConfig::default() };
    let compiler = Compiler::new().limits(limits);
    compiler.compile(chain(3, None)).expect("three levels of calls");
    assert_eq!(
        refusals(compiler.compile(chain(4, None))),
        ["link: Level0: calls are nested 4 deep, 3 levels are allowed"]
    );
}

#[test]
fn recursion_is_refused_naming_the_way_round() {
    assert_eq!(
        refusals(Compiler::new().compile(chain(2, Some("Level1")))),
        ["link: Level1: recursion: Level1 calls Level2 calls Level1"]
    );
    assert_eq!(
        refusals(Compiler::new().compile(chain(1, Some("Gone")))),
        [
            "link: Level1/PassThrough: there is no module \"Gone\", there are [\"Level0\", \"Level1\"]"
        ]
    );
}

#[test]
fn a_stage_runs_between_its_steps_and_only_on_what_is_sound() {
    let rename = |mut draft: Draft, _: &mut Diagnostics| {
        for module in draft.modules.values_mut() {
            module.body.ops.reverse();
        }
        draft
    };
    // Before validation the order of ops does not matter, after it nobody restores it.
    let before = compiler().stage(Step::Record, rename).compile(draft()).expect("sorted again");
    assert_eq!(before.modules()["Count"].body.ops.len(), 3);
    let found = refusals(compiler().stage(Step::Link, rename).compile(draft()));
    assert_eq!(found, ["seal: the program cannot be written down: it reads back as another one"]);
    let panics = compiler().stage(Step::Record, |_, _| panic!("something is wrong already"));
    let twice = panics.bind::<Other>("counter");
    assert_eq!(refusals(twice.compile(draft())).len(), 1);
}

#[test]
fn drafts_compile_together_into_one_program() {
    let other = Graph::new("Echo");
    other.output("same", other.pass_through(other.input::<u64>("n")));
    let other = other.build().expect("sound");
    let program = compiler().compile_all([draft(), other.clone()]).expect("sound");
    assert_eq!(program.targets().collect::<Vec<_>>(), ["Count", "Echo"]);
    let mut twin = other.clone();
    op(&mut twin, "Echo", "PassThrough").activation = Activation::Any;
    assert_eq!(
        refusals(Compiler::new().compile_all([other, twin])),
        ["record: Echo: two different modules bear this name"]
    );
    assert_eq!(refusals(Compiler::new().compile_all([])), ["validate: the program has no target"]);
}

#[test]
fn an_optional_input_needs_no_wire() {
    let g = Graph::new("Maybe");
    g.output("total", g.slot("counter").op("add", [Wire::ABSENT]));
    compiler().compile(g.build().expect("sound")).expect("the component decides");
}
