//! Small models as other tools would write them.

use samsara_proto::onnx::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

pub(crate) fn node(op_type: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: Some(op_type.into()),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: outputs.iter().map(|name| (*name).into()).collect(),
        ..NodeProto::default()
    }
}

/// A value of f32; a dimension of 0 is one of any length, by name.
pub(crate) fn info(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |length: &i64| Dimension {
        denotation: None,
        value: Some(match length {
            0 => dimension::Value::DimParam("batch".into()),
            length => dimension::Value::DimValue(*length),
        }),
    };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: Some(1), shape };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(TypeProto {
            denotation: None,
            value: Some(type_proto::Value::TensorType(tensor)),
        }),
        ..ValueInfoProto::default()
    }
}

/// An initialiser whose elements are numbers.
pub(crate) fn weights(name: &str, dims: &[i64], elements: &[f32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(1),
        float_data: elements.to_vec(),
        ..TensorProto::default()
    }
}

/// The same, whose elements are raw bytes.
pub(crate) fn raw(name: &str, dims: &[i64], elements: &[f32]) -> TensorProto {
    let bytes: Vec<u8> = elements.iter().flat_map(|number| number.to_le_bytes()).collect();
    let plain = weights(name, dims, &[]);
    TensorProto { raw_data: Some(bytes.into()), ..plain }
}

fn opset(domain: &str, version: i64) -> OperatorSetIdProto {
    OperatorSetIdProto { domain: Some(domain.into()), version: Some(version) }
}

/// One layer with names as PyTorch gives them: relu(x · w + b), and the sum before it twice.
pub(crate) fn layer() -> ModelProto {
    let mut matmul = node("MatMul", &["x", "fc1.weight"], &["/fc1/MatMul_output_0"]);
    matmul.name = Some("/fc1/MatMul".into());
    let mut add = node("Add", &["/fc1/MatMul_output_0", "fc1.bias"], &["/fc1/Add_output_0"]);
    add.name = Some("/fc1/Add".into());
    let two = AttributeProto {
        name: Some("value".into()),
        r#type: Some(AttributeType::Tensor.into()),
        t: Some(raw("", &[1, 2], &[2.0, 2.0])),
        ..AttributeProto::default()
    };
    let mut constant = node("Constant", &[], &["two"]);
    constant.attribute = vec![two];
    let graph = GraphProto {
        name: Some("main_graph".into()),
        // Not in the order in which they can run.
        node: vec![
            node("Relu", &["/fc1/Add_output_0"], &["y"]),
            node("Twice", &["/fc1/Add_output_0", "two"], &["twice"]),
            matmul,
            add,
            constant,
        ]
        .into_iter()
        .map(|mut node| {
            if node.op_type() == "Twice" {
                node.domain = Some("local".into());
            }
            node
        })
        .collect(),
        initializer: vec![
            raw("fc1.weight", &[2, 2], &[1.0, -1.0, 0.5, 2.0]),
            weights("fc1.bias", &[1, 2], &[0.25, -10.0]),
            weights("unread", &[1], &[0.0]),
        ],
        // Old exporters list initialisers among the inputs.
        input: vec![info("x", &[0, 2]), info("fc1.bias", &[1, 2])],
        output: vec![info("y", &[0, 2]), info("twice", &[0, 2])],
        value_info: vec![info("/fc1/MatMul_output_0", &[0, 2])],
        ..GraphProto::default()
    };
    let twice = FunctionProto {
        name: Some("Twice".into()),
        domain: Some("local".into()),
        input: vec!["n".into(), "two".into()],
        output: vec!["m".into()],
        node: vec![node("Mul", &["n", "two"], &["m"])],
        opset_import: vec![opset("", 17)],
        ..FunctionProto::default()
    };
    ModelProto {
        ir_version: Some(8),
        producer_name: Some("pytorch".into()),
        opset_import: vec![opset("", 17), opset("local", 1)],
        graph: Some(graph),
        functions: vec![twice],
        ..ModelProto::default()
    }
}
