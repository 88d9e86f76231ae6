//! Drafts through ONNX and back, and models that are no drafts.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use samsara_proto::{
    PeerId,
    onnx::{AttributeProto, FunctionProto, ModelProto, NodeProto, attribute_proto::AttributeType},
};

use super::*;
use crate::{
    graph::{Graph, Wire},
    module::{Activation, Body, Draft, Module, Op, OpKind, Port, PortPath, ValueId, ValueInfo},
    role::Role,
    schema::{PortType, TypeTable},
    tensor::{Dtype, Tensor},
    value::Value,
};

fn back(draft: &Draft) -> Result<Draft, OnnxError> {
    let bytes = to_onnx(draft).encode_to_vec();
    let model = ModelProto::decode(Bytes::from(bytes)).expect("just encoded");
    from_onnx(&model, &TypeTable::default())
}

/// One op with these attributes.
fn with_attributes(attributes: BTreeMap<String, Value>) -> Draft {
    let op = Op {
        name: "a/ny".into(),
        kind: OpKind::Component { slot: "s".into(), op: "with/slash".into() },
        inputs: vec![None, Some(ValueId(0)), None],
        outputs: vec![ValueId(2)],
        activation: Activation::Count(1),
        attributes,
    };
    let value = |name: &str, ty| ValueInfo { name: name.into(), ty };
    let body = Body {
        inputs: vec![Port { name: "in".into(), value: ValueId(0) }],
        outputs: vec![Port { name: "in".into(), value: ValueId(2) }],
        values: vec![value("x", Some(PortType::Any)), value("unused", None), value("y", None)],
        ops: vec![op],
    };
    let module = Module { name: "M".into(), body: body.clone(), bootstrap: Some(body) };
    Draft {
        modules: [("M".to_owned(), module)].into(),
        targets: ["M".to_owned()].into(),
        slots: [("s".to_owned(), "demo.s@1".to_owned())].into(),
        configs: [("s".to_owned(), "{\"rate\":0.5}".to_owned())].into(),
        roles: [("s".to_owned(), [Role::Model, Role::Index].into())].into(),
        backends: vec!["demo.cpu@2".to_owned(), "demo.cpu@1".to_owned()],
        opsets: [(String::new(), 17)].into(),
        exports: [PortPath { module: "M".into(), port: "in".into() }].into(),
        ..Draft::default()
    }
}

#[test]
fn every_attribute_value_comes_back() {
    let list = |items: Vec<Value>| Value::list(items).expect("shallow");
    let tensor = Tensor::from_slice(&[2], &[1.5_f32, -0.0]).expect("small");
    let empty = Tensor::zeros(Dtype::I64, &[0, 3]).expect("small");
    let values = [
        Value::Unit,
        Value::Bool(true),
        Value::I64(i64::MIN),
        Value::U64(u64::MAX),
        Value::F64(0.5),
        Value::F64(0.1),
        Value::F64(f64::from_bits(0x7FF0_0000_0000_0001)),
        Value::F64(-0.0),
        Value::from(""),
        Value::from("größe"),
        Value::from(Bytes::from_static(b"\0\xFF")),
        Value::from(Bytes::new()),
        Value::from(PeerId::from(12)),
        Value::from(tensor.clone()),
        Value::from(empty),
        list(vec![]),
        list(vec![Value::I64(1), Value::I64(-1)]),
        list(vec![Value::F64(1.5)]),
        list(vec![Value::F64(0.1)]),
        list(vec![Value::from("a"), Value::from("")]),
        list(vec![Value::I64(1), Value::from("mixed")]),
        list(vec![Value::from(tensor.clone()), Value::from(tensor.clone())]),
        Value::record([("weights", Value::from(tensor))]).expect("shallow"),
    ];
    let named = values.into_iter().enumerate().map(|(at, value)| (format!("v{at}"), value));
    let draft = with_attributes(named.collect());
    assert_eq!(back(&draft), Ok(draft));
}

#[test]
fn numbers_texts_and_tensors_are_what_other_tools_expect() {
    let kind = |value: Value| attribute::write("a", &value).r#type();
    let list = |item: Value| Value::list(vec![item]).expect("shallow");
    assert_eq!(kind(Value::I64(1)), AttributeType::Int);
    assert_eq!(kind(Value::F64(0.5)), AttributeType::Float);
    assert_eq!(kind(Value::from("text")), AttributeType::String);
    assert_eq!(kind(list(Value::I64(1))), AttributeType::Ints);
    assert_eq!(kind(list(Value::F64(0.5))), AttributeType::Floats);
    assert_eq!(kind(list(Value::from("text"))), AttributeType::Strings);
    assert_eq!(kind(Tensor::scalar(1_u8).expect("small").into()), AttributeType::Tensor);
    // 0.1 as a 32-bit float is another number.
    assert_eq!(kind(Value::F64(0.1)), AttributeType::Tensors);
}

#[test]
fn what_was_authored_comes_back() {
    let leaf = Graph::new("Leaf");
    let n = leaf.input::<Vec<String>>("texts");
    leaf.output(
        "texts",
        leaf.slot("s").any().attribute("rate", 0.25).op("pick", [n, Wire::ABSENT]),
    );
    leaf.bootstrap(|b| b.emit("ready", b.constant(7_u64)));
    let leaf = leaf.build().expect("sound");
    let g = Graph::new("Top");
    let [once] = g.call(&leaf, [g.input::<Vec<String>>("texts")]);
    g.export("texts");
    g.output("first", once);
    g.output("second", once);
    let draft = g.build().expect("sound");
    assert_eq!(back(&draft), Ok(draft));
}

#[test]
fn a_tensor_op_keeps_its_own_domain() {
    let mut draft = with_attributes(BTreeMap::new());
    let module = draft.modules.get_mut("M").expect("it is there");
    let op = module.body.ops.first_mut().expect("it has one");
    op.kind = OpKind::Tensor { domain: "ai.onnx.ml".into(), op_type: "Scaler".into() };
    let domains: Vec<_> =
        to_onnx(&draft).opset_import.into_iter().filter_map(|opset| opset.domain).collect();
    assert!(domains.contains(&"ai.onnx.ml".to_owned()), "{domains:?}");
    assert_eq!(back(&draft), Ok(draft));
}

/// What reading a sound model says after this change.
fn refused(change: impl FnOnce(&mut ModelProto)) -> String {
    let mut model = to_onnx(&with_attributes(BTreeMap::new()));
    change(&mut model);
    from_onnx(&model, &TypeTable::default()).expect_err("it was changed").to_string()
}

fn body(model: &mut ModelProto) -> &mut FunctionProto {
    model.functions.first_mut().expect("it has one")
}

fn node(model: &mut ModelProto) -> &mut NodeProto {
    body(model).node.first_mut().expect("it has one")
}

#[test]
fn functions_that_are_no_modules_are_refused() {
    let foreign = refused(|model| body(model).domain = Some("acme".into()));
    assert_eq!(foreign, "M has the domain \"acme\"");
    let overload = refused(|model| body(model).overload = Some("b".into()));
    assert_eq!(overload, "M has an overload");
    let alone = refused(|model| drop(model.functions.remove(0)));
    assert_eq!(alone, "M has a bootstrap and no body");
    let twice = refused(|model| {
        let again = body(model).clone();
        model.functions.push(again);
    });
    assert_eq!(twice, "two functions are named \"M\"");
    let values = refused(|model| {
        let again = body(model).value_info.last().cloned();
        body(model).value_info.extend(again);
    });
    assert_eq!(values, "two values are named \"y\"");
    let nameless = refused(|model| body(model).metadata_props.clear());
    assert_eq!(nameless, "M lacks samsara.inputs");
    let ports = refused(|model| body(model).input.push("y".into()));
    assert_eq!(ports, "M has 1 names of ports for 2 values");
    let exports = refused(|model| model.metadata_props = vec![entry("samsara.exports", "M")]);
    assert_eq!(exports, "samsara.exports has a module without a port");
}

#[test]
fn nodes_that_are_no_ops_are_refused() {
    let whole = refused(|model| node(model).op_type = Some("op".into()));
    assert_eq!(whole, "a/ny lacks a slash between slot and op");
    let soon = vec![entry("samsara.activation", "soon")];
    let activation = refused(|model| node(model).metadata_props = soon);
    assert_eq!(activation, "a/ny has the activation \"soon\"");
    let unknown = refused(|model| node(model).input.push("z".into()));
    assert_eq!(unknown, "a/ny names the value \"z\", which its function does not list");
    let by_name = attribute::write("a", &Value::Unit);
    let by_name = AttributeProto { ref_attr_name: Some("b".into()), ..by_name };
    let by_name = refused(|model| node(model).attribute.push(by_name));
    assert_eq!(by_name, "a/ny has the attribute \"a\" by name");
    let twice = vec![attribute::write("a", &Value::Unit); 2];
    let twice = refused(|model| node(model).attribute = twice);
    assert_eq!(twice, "two attributes are named \"a\"");
    let native = AttributeProto {
        doc_string: Some(format!("{}acme.matrix@2", attribute::ENCODED)),
        ..attribute::write("a", &Value::Unit)
    };
    let native = refused(|model| node(model).attribute = vec![native]);
    assert_eq!(native, "a/ny: the attribute \"a\" cannot be read");
}
