//! Plain ONNX models, as other tools export them, as drafts.
//!
//! Law: a model becomes one module of tensor ops and constants, each of its functions a module
//! beside it, or one error says why not. Nothing is left out silently, and no file is read. A function
//! with attribute parameters is a module for each set of attributes that it is called with.
//!
//! An initialiser is a constant, also where the graph lists it among its inputs. Names lose what no
//! name of ours may hold: a slash becomes a dot.
//!
//! ```
//! use prost::Message as _;
//! use samsara_proto::onnx::{
//!     GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TypeProto, ValueInfoProto, type_proto,
//! };
//! use samsara_runtime::module::Draft;
//!
//! let port = |name: &str| ValueInfoProto {
//!     name: Some(name.into()),
//!     r#type: Some(TypeProto {
//!         value: Some(type_proto::Value::TensorType(type_proto::Tensor {
//!             elem_type: Some(1),
//!             shape: None,
//!         })),
//!         ..TypeProto::default()
//!     }),
//!     ..ValueInfoProto::default()
//! };
//! let relu = NodeProto {
//!     op_type: Some("Relu".into()),
//!     input: vec!["x".into()],
//!     output: vec!["y".into()],
//!     ..NodeProto::default()
//! };
//! let model = ModelProto {
//!     opset_import: vec![OperatorSetIdProto { version: Some(13), ..Default::default() }],
//!     graph: Some(GraphProto {
//!         name: Some("digits".into()),
//!         node: vec![relu],
//!         input: vec![port("x")],
//!         output: vec![port("y")],
//!         ..GraphProto::default()
//!     }),
//!     ..ModelProto::default()
//! };
//! let draft = Draft::from_onnx(model.encode_to_vec())?;
//! assert_eq!(draft.modules["digits"].body.ops[0].name, "Relu");
//! # Ok::<(), samsara_runtime::onnx_form::ImportError>(())
//! ```

mod body;
mod constant;
mod specialise;

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use samsara_proto::onnx::{FunctionProto, ModelProto, NodeProto};

use self::body::{Callee, Functions, clean};
use super::{OnnxError, bindings, find, model::TARGETS, unsupported};
use crate::{
    config::PlanConfig,
    graph::Names,
    module::{Body, Diagnostics, Draft, Module, check, usual_opset},
};

/// Why a model is no draft.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are no model at all.
    #[error("the bytes are no ONNX model")]
    Undecodable(#[from] prost::DecodeError),
    /// The model holds a program of ours, which is opened, not imported.
    #[error("the model is a program: open it")]
    IsProgram,
    /// It has no graph.
    #[error("the model has no graph")]
    NoGraph,
    /// It has more of something than is allowed.
    #[error("the model has {got} {what}, {cap} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much is allowed.
        cap: u64,
    },
    /// It holds what no draft can.
    #[error(transparent)]
    Model(#[from] OnnxError),
    /// Its parts do not hang together.
    #[error("the model is not sound: {0}")]
    Unsound(Diagnostics),
}

impl Draft {
    /// The draft of a plain ONNX model, within the default limits. Decoding may take some hundred
    /// times the memory of hostile bytes, so bound them where they come from.
    pub fn from_onnx(bytes: impl Into<Bytes>) -> Result<Self, ImportError> {
        Self::from_onnx_within(bytes, &PlanConfig::default())
    }

    /// The same, held to other limits.
    pub fn from_onnx_within(
        bytes: impl Into<Bytes>,
        limits: &PlanConfig,
    ) -> Result<Self, ImportError> {
        // Decoding from shared bytes lets weights stay where they are.
        import(ModelProto::decode(bytes.into())?, limits)
    }
}

fn import(mut model: ModelProto, limits: &PlanConfig) -> Result<Draft, ImportError> {
    if find(&model.metadata_props, TARGETS).is_some() {
        return Err(ImportError::IsProgram);
    }
    specialise::specialise(&mut model, limits.max_nodes.into())?;
    let graph = model.graph.as_ref().ok_or(ImportError::NoGraph)?;
    let of_functions = model.functions.iter().map(|function| function.node.len());
    let parts = of_functions.fold(graph.node.len(), usize::saturating_add);
    let parts = parts.saturating_add(graph.initializer.len()) as u64;
    within("nodes and initialisers", parts, limits.max_nodes.into())?;
    within("functions", model.functions.len() as u64, limits.max_nodes.into())?;

    let opsets = bindings::releases(&model.opset_import)?;
    let mut names = Names::default();
    let main = names.fresh(&clean(graph.name(), "main"));
    let functions = functions(&model, &mut names)?;
    let mut modules = BTreeMap::new();
    for function in &model.functions {
        agree(function, &opsets)?;
        known_releases(&function.node, &functions, &opsets)?;
        let Some(callee) = functions.get(&key(function)) else { continue };
        let body = body::of_function(function, &functions)?;
        modules.insert(callee.module.clone(), module(&callee.module, body));
    }
    known_releases(&graph.node, &functions, &opsets)?;
    modules.insert(main.clone(), module(&main, body::of_graph(graph, &functions)?));
    let mut found = Diagnostics::default();
    modules.values().for_each(|module| check(module, &mut found));
    found.or(()).map_err(ImportError::Unsound)?;
    let opsets = opsets.into_iter().filter(|(domain, version)| *version != usual_opset(domain));
    let (targets, opsets) = ([main].into(), opsets.collect());
    Ok(Draft { modules, targets, opsets, ..Draft::default() })
}

fn within(what: &'static str, got: u64, cap: u64) -> Result<(), ImportError> {
    if got > cap { Err(ImportError::TooMany { what, got, cap }) } else { Ok(()) }
}

fn module(name: &str, body: Body) -> Module {
    Module { name: name.to_owned(), body, bootstrap: None }
}

/// A function is called by its domain, name and overload.
type Key = (String, String, String);

fn key(function: &FunctionProto) -> Key {
    let domain = bindings::standard(function.domain()).to_owned();
    (domain, function.name().to_owned(), function.overload().to_owned())
}

fn functions(model: &ModelProto, names: &mut Names) -> Result<Functions, OnnxError> {
    let mut functions = Functions::new();
    for function in &model.functions {
        let name = function.name();
        let callee = Callee {
            module: names.fresh(&clean(name, "function")),
            inputs: function.input.len(),
            outputs: function.output.len(),
        };
        if functions.insert(key(function), callee).is_some() {
            let name = name.to_owned();
            return Err(OnnxError::Duplicate { what: "function", name });
        }
    }
    Ok(functions)
}

/// A function must mean the same release of a domain as the model: a program has one of each.
fn agree(function: &FunctionProto, opsets: &BTreeMap<String, u64>) -> Result<(), OnnxError> {
    for (domain, version) in bindings::releases(&function.opset_import)? {
        let of_model = opsets.get(&domain);
        if of_model.is_some_and(|of_model| *of_model != version) {
            let what = format!("release {version} of {domain:?}, another than the model");
            return Err(unsupported(function.name(), what));
        }
    }
    Ok(())
}

/// Every op must be meant by some release.
fn known_releases(
    nodes: &[NodeProto],
    functions: &Functions,
    opsets: &BTreeMap<String, u64>,
) -> Result<(), OnnxError> {
    for node in nodes {
        let domain = bindings::standard(node.domain());
        if !opsets.contains_key(domain) && !functions.contains_key(&body::called(node)) {
            let what = format!("an op of {domain:?}, of which the model imports no release");
            return Err(unsupported(node.op_type(), what));
        }
    }
    Ok(())
}
