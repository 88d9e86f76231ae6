//! Functions with attribute parameters: what a call gives stands where the function names it.

use samsara_proto::{
    PeerId,
    onnx::{
        AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
        attribute_proto::AttributeType,
    },
};
use samsara_runtime::{
    compiler::Compiler,
    config::{NodeConfig, PlanConfig},
    module::Draft,
    node::install,
    onnx_form::ImportError,
    tensor::Tensor,
    time::Nanos,
};

use prost::Message as _;

use super::{
    import,
    model::{info, node, raw},
};
use crate::engine::backend::naive::Naive;

fn tensor(name: &str, number: f32) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(AttributeType::Tensor.into()),
        t: Some(raw("", &[1], &[number])),
        ..AttributeProto::default()
    }
}

/// The attribute that is whatever the function was called with.
fn named(name: &str, parameter: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(AttributeType::Tensor.into()),
        ref_attr_name: Some(parameter.into()),
        ..AttributeProto::default()
    }
}

fn call(function: &str, input: &str, output: &str, attributes: Vec<AttributeProto>) -> NodeProto {
    let call = node(function, &[input], &[output]);
    NodeProto { domain: Some("local".into()), attribute: attributes, ..call }
}

fn function(name: &str, nodes: Vec<NodeProto>) -> FunctionProto {
    FunctionProto {
        name: Some(name.into()),
        domain: Some("local".into()),
        input: vec!["n".into()],
        output: vec!["m".into()],
        node: nodes,
        ..FunctionProto::default()
    }
}

fn constant(attribute: AttributeProto) -> NodeProto {
    NodeProto { attribute: vec![attribute], ..node("Constant", &[], &["by"]) }
}

/// `Scaled` multiplies by what it is called with, or by ten; `Twice` does that two times over, by
/// what it is called with itself.
fn model() -> ModelProto {
    let scaled = FunctionProto {
        attribute_proto: vec![tensor("by", 10.0)],
        ..function(
            "Scaled",
            vec![constant(named("value", "by")), node("Mul", &["n", "by"], &["m"])],
        )
    };
    let twice = FunctionProto {
        attribute: vec!["factor".into()],
        ..function(
            "Twice",
            vec![
                call("Scaled", "n", "once", vec![named("by", "factor")]),
                call("Scaled", "once", "m", vec![named("by", "factor")]),
            ],
        )
    };
    let nodes = vec![
        call("Scaled", "x", "three", vec![tensor("by", 3.0)]),
        call("Scaled", "x", "ten", vec![]),
        call("Twice", "x", "nine", vec![tensor("factor", 3.0)]),
        call("Twice", "x", "hundred", vec![]),
    ];
    let outputs = ["three", "ten", "nine", "hundred"];
    let opset =
        |domain: &str| OperatorSetIdProto { domain: Some(domain.into()), version: Some(17) };
    ModelProto {
        opset_import: vec![opset(""), opset("local")],
        graph: Some(GraphProto {
            name: Some("main".into()),
            node: nodes,
            input: vec![info("x", &[1])],
            output: outputs.iter().map(|name| info(name, &[1])).collect(),
            ..GraphProto::default()
        }),
        functions: vec![scaled, twice],
        ..ModelProto::default()
    }
}

fn refused(change: impl FnOnce(&mut ModelProto)) -> String {
    let mut model = model();
    change(&mut model);
    import(&model).expect_err("it was changed").to_string()
}

fn calls(model: &mut ModelProto) -> &mut Vec<NodeProto> {
    &mut model.graph.as_mut().expect("it has one").node
}

#[test]
fn each_call_computes_with_what_it_gives() {
    let draft = import(&model()).expect("it is sound");
    // One copy for three, which two calls share, one for the default, two of the caller.
    let modules: Vec<_> = draft.modules.keys().map(String::as_str).collect();
    assert_eq!(modules.len(), 1 + 2 + 2, "{modules:?}");
    let program = Compiler::new().backend(Naive::default()).compile(draft);
    let program = program.expect("every op is claimed");
    let mut node = install(PeerId::from(1), [], &program, &["main"], NodeConfig::default())
        .expect("it installs");
    let x = Tensor::from_slice(&[1], &[2.0_f32]).expect("it is small");
    node.invoke("main", [("x", x)]).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    let number = |port: &str| {
        let tensor: Tensor = steps.output(port).expect("it gave a tensor");
        tensor.as_slice::<f32>().expect("it is f32").to_vec()
    };
    let given = ["three", "ten", "nine", "hundred"].map(number);
    assert_eq!(given, [6.0, 20.0, 18.0, 200.0].map(|number| vec![number]));
}

#[test]
fn what_a_function_does_not_take_is_refused_by_name() {
    let unknown = refused(|model| calls(model)[0].attribute.push(tensor("bye", 1.0)));
    assert_eq!(unknown, "Scaled has the attribute \"bye\", which Scaled has not");
    let twice = refused(|model| calls(model)[0].attribute.push(tensor("by", 1.0)));
    assert_eq!(twice, "two attributes are named \"by\"");
    let other = refused(|model| {
        calls(model)[0].attribute[0].r#type = Some(AttributeType::Float.into());
    });
    assert_eq!(other, "Scaled has the attribute \"by\" of another type than Tensor");
    let nobody = refused(|model| {
        model.functions[0].node[0].attribute = vec![named("value", "buy")];
    });
    assert_eq!(nobody, "Constant has the attribute \"buy\" of Scaled, which has none such");
    let outside = refused(|model| calls(model)[0].attribute = vec![named("by", "by")]);
    assert_eq!(outside, "Scaled has the attribute \"by\" by name");
}

#[test]
fn a_parameter_that_is_not_given_is_not_there() {
    let missing = refused(|model| {
        let scaled = &mut model.functions[0];
        scaled.attribute_proto.clear();
        scaled.attribute = vec!["by".into()];
    });
    assert!(missing.contains("Constant"), "a constant without its value: {missing}");
}

#[test]
fn copies_count_among_the_nodes_of_a_model() {
    // Each calls the next one twice, with a number more: two to the tenth copies.
    let mut model = model();
    model.functions.clear();
    for depth in 0..10 {
        let parameters: Vec<String> = (0..=depth).map(|at| format!("p{at}")).collect();
        let next = format!("F{}", depth + 1);
        let body = [1.0, 2.0].map(|number| {
            let own = parameters.iter().map(|name| named(name, name));
            let new = tensor(&format!("p{}", depth + 1), number);
            call(&next, "n", &format!("m{number}"), own.chain([new]).collect())
        });
        let mut function = function(&format!("F{depth}"), body.into());
        function.output = vec!["m1".into()];
        function.attribute = parameters;
        model.functions.push(function);
    }
    let mut last = function("F10", vec![node("Neg", &["n"], &["m"])]);
    last.attribute = (0..=10).map(|at| format!("p{at}")).collect();
    model.functions.push(last);
    let graph = model.graph.as_mut().expect("it has one");
    graph.node = vec![call("F0", "x", "y", vec![])];
    graph.output = vec![info("y", &[1])];
    let limits = PlanConfig { max_nodes: 500, ..PlanConfig::default() };
    let refused = Draft::from_onnx_within(model.encode_to_vec(), &limits);
    assert!(matches!(refused, Err(ImportError::TooMany { cap: 500, .. })), "{refused:?}");
}
