//! Every fault of form, planted and named.

use super::*;
use crate::{module::ValueInfo, value::Value};

/// A module that gives its one input back through an op; faults are planted into it.
fn sound() -> Module {
    let value = |name: &str, ty| ValueInfo { name: name.into(), ty };
    let op = Op {
        name: "pass".into(),
        kind: OpKind::Syscall("PassThrough".into()),
        inputs: vec![Some(ValueId(0))],
        outputs: vec![ValueId(1)],
        activation: Activation::All,
        attributes: BTreeMap::new(),
    };
    let body = Body {
        inputs: vec![Port { name: "n".into(), value: ValueId(0) }],
        outputs: vec![Port { name: "same".into(), value: ValueId(1) }],
        values: vec![value("n", Some(PortType::U64)), value("pass", None)],
        ops: vec![op],
    };
    Module { name: "Echo".into(), body, bootstrap: None }
}

fn faults(change: impl FnOnce(&mut Module)) -> Vec<String> {
    let mut module = sound();
    change(&mut module);
    let mut found = Diagnostics::default();
    check(&module, &mut found);
    found.iter().map(ToString::to_string).collect()
}

fn op(module: &mut Module) -> &mut Op {
    module.body.ops.first_mut().expect("the sound module has an op")
}

#[test]
fn a_sound_module_has_no_faults() {
    assert_eq!(faults(|_| {}), Vec::<String>::new());
}

#[test]
fn a_name_that_is_none_is_refused_wherever_it_stands() {
    let slash = faults(|module| module.name = "a/b".into());
    assert_eq!(
        slash,
        ["validate: a/b: the module name \"a/b\": wanted no slash and no control character"]
    );
    let empty = faults(|module| op(module).name.clear());
    assert_eq!(empty, ["validate: Echo: the op name \"\": wanted at least one character"]);
    let long = faults(|module| module.name = "x".repeat(NAME_BYTES + 1));
    assert!(long.iter().any(|fault| fault.ends_with("wanted at most 255 bytes")), "{long:?}");
    assert_eq!(faults(|module| module.name = "x".repeat(NAME_BYTES)).len(), 0);
    let tab = faults(|module| {
        op(module).kind = OpKind::Component { slot: "a\tb".into(), op: String::new() };
    });
    assert_eq!(tab.len(), 2, "{tab:?}");
}

#[test]
fn names_borne_twice_are_refused() {
    let ports = faults(|module| {
        module.body.inputs.push(Port { name: "n".into(), value: ValueId(1) });
        module.body.outputs.push(Port { name: "same".into(), value: ValueId(1) });
    });
    assert_eq!(
        ports,
        [
            "validate: Echo/n: 2 inputs bear this name",
            "validate: Echo/same: 2 outputs bear this name",
            "validate: Echo/n: the input declares no type",
            "validate: Echo/pass: the value is written 2 times",
        ]
    );
    let ops = faults(|module| {
        let mut twin = op(module).clone();
        twin.outputs = vec![ValueId(2)];
        module.body.ops.push(twin);
        module.body.values.push(ValueInfo { name: "n".into(), ty: None });
    });
    assert_eq!(
        ops,
        ["validate: Echo/n: 2 values bear this name", "validate: Echo/pass: 2 ops bear this name",]
    );
}

#[test]
fn a_value_that_does_not_hang_together_is_refused() {
    let dangling = faults(|module| op(module).inputs = vec![Some(ValueId(9))]);
    assert_eq!(dangling, ["validate: Echo/pass: value 9 does not exist, the body has 2"]);
    let unwritten = faults(|module| op(module).outputs.clear());
    assert_eq!(unwritten, ["validate: Echo/pass: the value is read and nothing writes it"]);
    let twice = faults(|module| {
        module.body.outputs.push(Port { name: "again".into(), value: ValueId(1) });
    });
    assert_eq!(
        twice,
        ["validate: Echo/again: the value leaves by \"same\" already; a pass-through gives it \
         another name"]
    );
    let untyped = faults(|module| module.body.values.iter_mut().for_each(|value| value.ty = None));
    assert_eq!(untyped, ["validate: Echo/n: the input declares no type"]);
}

#[test]
fn a_cycle_is_named_op_by_op_and_a_mere_disorder_is_none() {
    let second =
        |inputs, outputs| Op { name: "back".into(), inputs, outputs, ..op(&mut sound()).clone() };
    let grown = |module: &mut Module, second: Op| {
        module.body.values.push(ValueInfo { name: "back".into(), ty: None });
        module.body.ops.push(second);
        op(module).inputs = vec![Some(ValueId(2))];
    };
    let cycle = faults(|module| grown(module, second(vec![Some(ValueId(1))], vec![ValueId(2)])));
    assert_eq!(cycle, ["validate: Echo/pass: a cycle: pass reads back reads pass"]);
    let disorder = faults(|module| grown(module, second(vec![Some(ValueId(0))], vec![ValueId(2)])));
    assert_eq!(disorder, Vec::<String>::new());
}

#[test]
fn an_op_that_cannot_be_is_refused() {
    let count = faults(|module| op(module).activation = Activation::Count(2));
    assert_eq!(count, ["validate: Echo/pass: waits for 2 of 1 given inputs"]);
    let none = faults(|module| op(module).activation = Activation::Count(0));
    assert_eq!(none, ["validate: Echo/pass: waits for 0 of 1 given inputs"]);
    let constant = faults(|module| op(module).kind = OpKind::Constant);
    assert_eq!(constant, ["validate: Echo/pass: wanted one attribute, the value"]);
    let call = faults(|module| {
        op(module).kind = OpKind::Call { module: "Echo".into() };
        op(module).attributes.insert("a".into(), Value::Unit);
    });
    assert_eq!(
        call,
        ["validate: Echo/pass: a call waits for all its inputs and has no attributes"]
    );
    let tensor = faults(|module| {
        let (domain, op_type) = ("samsara.module".into(), "Echo".into());
        op(module).kind = OpKind::Tensor { domain, op_type };
    });
    assert_eq!(tensor.len(), 1, "{tensor:?}");
    let empty = faults(|module| {
        *op(module) = Op { inputs: vec![], outputs: vec![], ..op(module).clone() };
        module.body.outputs.clear();
    });
    assert_eq!(empty, ["validate: Echo/pass: the op has no inputs and no outputs"]);
}

#[test]
fn a_module_that_comes_to_nothing_is_refused() {
    let idle = faults(|module| module.body.outputs.clear());
    assert_eq!(idle, ["validate: Echo: the module has no output and no op with an effect"]);
}

#[test]
fn a_type_that_no_file_can_hold_is_refused() {
    let mut deep = PortType::U64;
    for _ in 0..=MAX_DEPTH {
        deep = PortType::list(deep);
    }
    let wide = PortType::tensor(crate::tensor::Dtype::U8, [Some(u64::MAX)]);
    let long = PortType::tensor(crate::tensor::Dtype::U8, vec![None; MAX_RANK + 1]);
    for ty in [deep, wide, long] {
        let bad = faults(|module| {
            module.body.values.first_mut().expect("the input").ty = Some(ty);
        });
        assert_eq!(bad.len(), 1, "{bad:?}");
    }
}
