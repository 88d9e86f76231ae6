//! Drafts as ONNX models.
//!
//! Law: the functions and the metadata hold everything. The main graph is drawn from them for other
//! tools and is not read back.

use std::collections::{BTreeMap, BTreeSet};

use samsara_proto::onnx::{
    FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    ValueInfoProto,
};

use super::{
    BOOTSTRAP, COMPONENT, FORMAT_VERSION, MODULE, OnnxError, SYSCALL, bindings, entry, find,
    function, join, layout, port_type, split, unsupported,
};
use crate::{
    module::{Body, Draft, Module, OpKind, Port, PortPath},
    schema::{PortType, TypeTable},
};

/// The ONNX release that functions have typed values and metadata from.
const IR_VERSION: i64 = 10;

const PRODUCER: &str = "samsara";
pub(super) const TARGETS: &str = "samsara.targets";
const EXPORTS: &str = "samsara.exports";
/// Before the name of a slot.
const SLOT: &str = "samsara.slot.";
/// The same before the settings of its component.
const CONFIG: &str = "samsara.config.";

/// The model of this draft.
pub fn to_onnx(draft: &Draft) -> ModelProto {
    let opsets = opsets(draft);
    let functions = draft.modules.iter().flat_map(|(name, module)| {
        let body = function::write(MODULE, name, &module.body, &opsets);
        let bootstrap = module.bootstrap.as_ref();
        let bootstrap = bootstrap.map(|body| function::write(BOOTSTRAP, name, body, &opsets));
        [Some(body), bootstrap].into_iter().flatten()
    });
    let exports: Vec<_> = draft.exports.iter().map(PortPath::to_string).collect();
    let mut metadata = vec![
        entry(TARGETS, join(draft.targets.iter().map(String::as_str))),
        // A path has one slash, so that pairs of names are paths again.
        entry(EXPORTS, join(exports.iter().map(String::as_str))),
    ];
    let named =
        |prefix: &str, (name, held): (&String, &String)| entry(format!("{prefix}{name}"), held);
    metadata.extend(draft.slots.iter().map(|slot| named(SLOT, slot)));
    metadata.extend(draft.configs.iter().map(|config| named(CONFIG, config)));
    metadata.extend(bindings::write(draft));
    metadata.extend(layout::write(&draft.layout));
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some(PRODUCER.to_owned()),
        // The form's version, not the build's: a fixed build must give the same program.
        producer_version: Some(FORMAT_VERSION.to_string()),
        functions: functions.collect(),
        graph: Some(main_graph(draft)),
        opset_import: opsets,
        metadata_props: metadata,
        ..ModelProto::default()
    }
}

/// The domains that a draft uses, all of ours included.
fn opsets(draft: &Draft) -> Vec<OperatorSetIdProto> {
    let opset = |domain: &str| OperatorSetIdProto {
        domain: Some(domain.to_owned()),
        version: Some(bindings::opset(draft, domain)),
    };
    let ops = draft.modules.values().flat_map(Module::bodies).flat_map(|(_, body)| &body.ops);
    let foreign = ops
        .filter_map(|op| match &op.kind {
            OpKind::Tensor { domain, .. } => Some(domain.as_str()),
            _ => None,
        })
        .chain(draft.opsets.keys().map(String::as_str));
    let all: BTreeSet<&str> =
        [BOOTSTRAP, COMPONENT, MODULE, SYSCALL, ""].into_iter().chain(foreign).collect();
    all.into_iter().map(opset).collect()
}

/// One node for each target that has ports.
fn main_graph(draft: &Draft) -> GraphProto {
    let targets = draft.targets.iter().filter_map(|name| draft.modules.get(name));
    let targets: Vec<_> = targets
        .filter(|module| !module.body.inputs.is_empty() || !module.body.outputs.is_empty())
        .collect();
    let info = |name: String, body: &Body, port: &Port| {
        let ty = body.value(port.value).and_then(|value| value.ty.as_ref());
        ValueInfoProto {
            name: Some(name),
            r#type: Some(port_type::write_ranked(ty.unwrap_or(&PortType::Any))),
            ..ValueInfoProto::default()
        }
    };
    let inputs = targets.iter().flat_map(|module| {
        let body = &module.body;
        body.inputs.iter().map(move |port| info(input_name(module, port), body, port))
    });
    let outputs = targets.iter().flat_map(|module| {
        let body = &module.body;
        body.outputs.iter().map(move |port| info(output_name(module, port), body, port))
    });
    let node = |module: &&Module| NodeProto {
        name: Some(module.name.clone()),
        op_type: Some(module.name.clone()),
        domain: Some(MODULE.to_owned()),
        input: module.body.inputs.iter().map(|port| input_name(module, port)).collect(),
        output: module.body.outputs.iter().map(|port| output_name(module, port)).collect(),
        ..NodeProto::default()
    };
    GraphProto {
        name: Some("main".to_owned()),
        input: inputs.collect(),
        output: outputs.collect(),
        node: targets.iter().map(node).collect(),
        ..GraphProto::default()
    }
}

fn input_name(module: &Module, port: &Port) -> String {
    format!("{}/{}", module.name, port.name)
}

/// The same for an output; if an input bears its name, a graph needs another one.
fn output_name(module: &Module, port: &Port) -> String {
    let is_taken = module.body.inputs.iter().any(|input| input.name == port.name);
    let out = if is_taken { "/out" } else { "" };
    format!("{}/{}{out}", module.name, port.name)
}

/// The draft of this model. Natives in it are read by `types`.
pub fn from_onnx(model: &ModelProto, types: &TypeTable) -> Result<Draft, OnnxError> {
    let mut modules = BTreeMap::<String, Module>::new();
    let mut bootstraps = BTreeMap::<&str, Body>::new();
    for proto in &model.functions {
        let (name, body) = (proto.name(), function::read(proto, types)?);
        let is_new = match proto.domain() {
            _ if !proto.overload().is_empty() => {
                return Err(unsupported(name, "an overload"));
            }
            MODULE => {
                let module = Module { name: name.to_owned(), body, bootstrap: None };
                modules.insert(name.to_owned(), module).is_none()
            }
            BOOTSTRAP => bootstraps.insert(name, body).is_none(),
            domain => return Err(unsupported(name, format!("the domain {domain:?}"))),
        };
        if !is_new {
            return Err(duplicate_function(proto));
        }
    }
    for (name, body) in bootstraps {
        let module = modules.get_mut(name);
        let module = module.ok_or_else(|| unsupported(name, "a bootstrap and no body"))?;
        module.bootstrap = Some(body);
    }
    let metadata = &model.metadata_props;
    let listed = |key| split(find(metadata, key).unwrap_or_default());
    let targets = listed(TARGETS).map(str::to_owned).collect();
    let layout = layout::read(metadata, &modules)?;
    Ok(Draft {
        modules,
        targets,
        slots: under(metadata, SLOT, "slot")?,
        configs: under(metadata, CONFIG, "config")?,
        roles: bindings::roles(metadata)?,
        backends: bindings::backends(metadata),
        opsets: bindings::opsets(model)?,
        exports: exports(listed(EXPORTS))?,
        layout,
    })
}

fn duplicate_function(proto: &FunctionProto) -> OnnxError {
    OnnxError::Duplicate { what: "function", name: proto.name().to_owned() }
}

/// The metadata whose keys begin so, by what follows.
pub(super) fn under(
    metadata: &[StringStringEntryProto],
    prefix: &str,
    what: &'static str,
) -> Result<BTreeMap<String, String>, OnnxError> {
    let mut found = BTreeMap::new();
    for entry in metadata {
        let Some(name) = entry.key().strip_prefix(prefix) else { continue };
        if found.insert(name.to_owned(), entry.value().to_owned()).is_some() {
            return Err(OnnxError::Duplicate { what, name: name.to_owned() });
        }
    }
    Ok(found)
}

fn exports<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<BTreeSet<PortPath>, OnnxError> {
    let mut exports = BTreeSet::new();
    while let Some(module) = names.next() {
        let Some(port) = names.next() else {
            return Err(unsupported(EXPORTS, "a module without a port"));
        };
        exports.insert(PortPath { module: module.to_owned(), port: port.to_owned() });
    }
    Ok(exports)
}
