//! Plain ONNX models: in by their bytes, run by a backend; hostile ones end in an error.

mod model;
mod parameters;

use prost::Message as _;
use samsara_proto::{
    PeerId,
    onnx::{
        AttributeProto, GraphProto, ModelProto, StringStringEntryProto,
        attribute_proto::AttributeType, tensor_proto::DataLocation,
    },
};
use samsara_runtime::{
    compiler::Compiler,
    config::{NodeConfig, PlanConfig},
    module::{Draft, OpKind},
    node::install,
    onnx_form::{ImportError, OnnxError},
    program::Program,
    tensor::Tensor,
    time::Nanos,
};

use self::model::{info, layer, node, raw};
use super::backend::naive::Naive;

fn import(model: &ModelProto) -> Result<Draft, ImportError> {
    Draft::from_onnx(model.encode_to_vec())
}

/// What importing the layer says after this change.
fn refused(change: impl FnOnce(&mut ModelProto)) -> String {
    let mut model = layer();
    change(&mut model);
    import(&model).expect_err("it was changed").to_string()
}

fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.as_mut().expect("it has one")
}

#[test]
fn an_exported_model_runs_as_a_module() {
    let draft = import(&layer()).expect("it is sound");
    let program = Compiler::new().backend(Naive::default()).compile(draft);
    let program = program.expect("every op is claimed");
    assert_eq!(program.targets().collect::<Vec<_>>(), ["main_graph"]);
    let opened = Program::open(program.bytes().clone(), program.registry().clone());
    let opened = opened.expect("it was just sealed");
    let mut node = install(PeerId::from(1), [], &opened, &["main_graph"], NodeConfig::default())
        .expect("it installs");
    let x = Tensor::from_slice(&[1, 2], &[3.0_f32, 4.0]).expect("it is small");
    node.invoke("main_graph", [("x", x)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    let numbers = |port: &str| {
        let tensor: Tensor = steps.output(port).expect("it gave a tensor");
        tensor.as_slice::<f32>().expect("it is f32").to_vec()
    };
    // [3, 4] · [[1, -1], [0.5, 2]] + [0.25, -10] = [5.25, -5]
    assert_eq!(numbers("y"), [5.25, 0.0]);
    assert_eq!(numbers("twice"), [10.5, -10.0]);
}

#[test]
fn parts_keep_their_names_and_releases_as_far_as_ours_allow() {
    let draft = import(&layer()).expect("it is sound");
    assert_eq!(draft.opsets, [(String::new(), 17)].into());
    assert_eq!(draft.modules.keys().collect::<Vec<_>>(), ["Twice", "main_graph"]);
    let body = &draft.modules["main_graph"].body;
    let ports = |ports: &[samsara_runtime::module::Port]| {
        ports.iter().map(|port| port.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!((ports(&body.inputs), ports(&body.outputs)), {
        (vec!["x".into()], vec!["y".into(), "twice".into()])
    });
    let ops: Vec<_> = body.ops.iter().map(|op| op.name.as_str()).collect();
    assert_eq!(
        ops,
        ["fc1.weight", "fc1.bias", "Relu", "Twice", "fc1.MatMul", "fc1.Add", "Constant"]
    );
    let kinds = body.ops.iter().filter(|op| matches!(op.kind, OpKind::Constant));
    assert_eq!(kinds.count(), 3, "two initialisers that are read, and a constant");
    assert_eq!(
        body.values[0].ty.as_ref().map(ToString::to_string),
        Some("tensor f32[?, 2]".into())
    );
}

#[test]
fn an_output_that_a_node_leaves_out_keeps_its_position() {
    let mut model = layer();
    graph(&mut model).node.push(node("Split", &["x"], &["", "second", ""]));
    let draft = import(&model).expect("it is sound");
    let split = draft.modules["main_graph"].body.ops.last().expect("it has ops").clone();
    assert_eq!((split.inputs.len(), split.outputs.len()), (1, 2));
    let mut model = layer();
    graph(&mut model).node.push(node("Clip", &["x", "", "two", ""], &["clipped"]));
    let draft = import(&model).expect("it is sound");
    let clip = draft.modules["main_graph"].body.ops.last().expect("it has ops").clone();
    assert_eq!(clip.inputs.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn what_is_no_plain_model_is_refused() {
    assert!(matches!(Draft::from_onnx(vec![0xFF; 9]), Err(ImportError::Undecodable(_))));
    assert_eq!(import(&ModelProto::default()), Err(ImportError::NoGraph));
    let draft = import(&layer()).expect("it is sound");
    let program = Compiler::new().backend(Naive::default()).compile(draft).expect("claimed");
    assert_eq!(Draft::from_onnx(program.bytes().clone()), Err(ImportError::IsProgram));
}

#[test]
fn a_model_of_too_many_nodes_is_refused_and_one_at_the_cap_is_not() {
    let bytes = layer().encode_to_vec();
    // Five nodes, three initialisers, and the function's node.
    let within = |max_nodes| PlanConfig { max_nodes, ..PlanConfig::default() };
    Draft::from_onnx_within(bytes.clone(), &within(9)).expect("as many as are allowed");
    let (what, got, cap) = ("nodes and initialisers", 9, 8);
    assert_eq!(
        Draft::from_onnx_within(bytes, &within(8)),
        Err(ImportError::TooMany { what, got, cap })
    );
}

#[test]
fn names_that_two_parts_share_are_refused() {
    let value = refused(|model| graph(model).node.push(node("Relu", &["x"], &["y"])));
    assert_eq!(value, "two values are named \"y\"");
    let input = refused(|model| graph(model).input.push(info("x", &[0])));
    assert_eq!(input, "two values are named \"x\"");
    let output = refused(|model| graph(model).output.push(info("y", &[0])));
    assert_eq!(output, "two outputs are named \"y\"");
    let held = refused(|model| {
        let again = graph(model).initializer.first().cloned();
        graph(model).initializer.extend(again);
    });
    assert_eq!(held, "two values are named \"fc1.weight\"");
    let function = refused(|model| model.functions.extend(model.functions.first().cloned()));
    assert_eq!(function, "two functions are named \"Twice\"");
    let domain = refused(|model| model.opset_import.extend(model.opset_import.first().cloned()));
    assert_eq!(domain, "two domains are named \"\"");
    let mut ops = layer();
    graph(&mut ops).node.iter_mut().for_each(|node| node.name = Some("same".into()));
    import(&ops).expect("nodes are not told apart by name");
}

#[test]
fn a_circle_and_a_value_from_nowhere_are_refused() {
    let circle = refused(|model| {
        graph(model).node.push(node("Add", &["x", "q"], &["p"]));
        graph(model).node.push(node("Relu", &["p"], &["q"]));
    });
    assert!(circle.contains("a cycle: Add"), "{circle}");
    let nowhere = refused(|model| graph(model).node.push(node("Relu", &["gone"], &["p"])));
    assert_eq!(nowhere, "Relu names the value \"gone\", which its function does not list");
}

#[test]
fn elements_in_a_file_are_refused() {
    let location =
        StringStringEntryProto { key: Some("location".into()), value: Some("../../secret".into()) };
    let mut outside = layer();
    let held = graph(&mut outside).initializer.first_mut().expect("it has one");
    held.external_data = vec![location];
    let of = "fc1.weight".to_owned();
    assert_eq!(import(&outside), Err(ImportError::Model(OnnxError::ExternalData { of })));
    let by_flag = refused(|model| {
        let held = graph(model).initializer.first_mut().expect("it has one");
        held.data_location = Some(DataLocation::External as i32);
    });
    assert_eq!(by_flag, "fc1.weight keeps its elements outside of the model");
}

#[test]
fn a_shape_that_its_elements_do_not_fill_is_refused() {
    let few = refused(|model| graph(model).initializer.push(raw("w", &[2], &[1.0])));
    assert_eq!(few, "w has f32 of shape [2] is 8 bytes, got 4");
    let vast = refused(|model| graph(model).initializer.push(raw("w", &[1 << 40, 1 << 40], &[])));
    assert!(vast.ends_with("is more than an address can span"), "{vast}");
    let deep = refused(|model| graph(model).initializer.push(raw("w", &[1; 33], &[1.0])));
    assert_eq!(deep, "w has 33 dimensions, at most 32 are supported");
}

#[test]
fn what_an_op_means_must_be_told() {
    let none = refused(|model| model.opset_import.retain(|opset| !opset.domain().is_empty()));
    assert_eq!(none, "Mul has an op of \"\", of which the model imports no release");
    let zero = refused(|model| model.opset_import[0].version = Some(0));
    assert_eq!(zero, "the model has release 0 of \"\"");
    let other = refused(|model| model.functions[0].opset_import[0].version = Some(9));
    assert_eq!(other, "Twice has release 9 of \"\", another than the model");
    let ours = refused(|model| {
        let mut emit = node("AppEmit", &["x"], &["p"]);
        emit.domain = Some("samsara.syscall".into());
        graph(model).node.push(emit);
        let mut opset = model.opset_import[1].clone();
        opset.domain = Some("samsara.syscall".into());
        model.opset_import.push(opset);
    });
    assert!(ours.contains("\"samsara.syscall\".\"AppEmit\" is no op for a backend"), "{ours}");
}

#[test]
fn what_no_draft_can_hold_is_refused_by_name() {
    let branch = AttributeProto {
        name: Some("then_branch".into()),
        r#type: Some(AttributeType::Graph.into()),
        g: Some(GraphProto::default()),
        ..AttributeProto::default()
    };
    let graph_inside = refused(|model| {
        let mut branching = node("If", &["x"], &["p"]);
        branching.attribute = vec![branch];
        graph(model).node.push(branching);
    });
    assert_eq!(
        graph_inside,
        "If has the attribute \"then_branch\", a graph: ops have no bodies here"
    );
    let sparse = refused(|model| graph(model).sparse_initializer.push(Default::default()));
    assert_eq!(sparse, "main_graph has sparse initialisers");
    let fewer = refused(|model| {
        let mut call = node("Twice", &["x"], &["p"]);
        call.domain = Some("local".into());
        graph(model).node.push(call);
    });
    assert_eq!(fewer, "Twice has a call of Twice without all inputs");
    let untyped = refused(|model| graph(model).input[0].r#type = None);
    assert_eq!(untyped, "x lacks a type");
}

#[test]
fn functions_that_call_each_other_are_refused_when_compiled() {
    let mut model = layer();
    let function = model.functions.first_mut().expect("it has one");
    let mut again = node("Twice", &["n", "two"], &["m"]);
    again.domain = Some("local".into());
    function.node = vec![again];
    let draft = import(&model).expect("its form is sound");
    let found = Compiler::new().backend(Naive::default()).compile(draft);
    let found = found.expect_err("it never ends").to_string();
    assert!(found.contains("recursion: Twice calls Twice"), "{found}");
}

#[test]
fn no_change_of_a_byte_makes_the_import_panic() {
    let bytes = layer().encode_to_vec();
    let mut imported = 0;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            imported += usize::from(Draft::from_onnx(changed).is_ok());
        }
    }
    assert!(imported > 0, "some changes, as of a weight, are sound");
}
