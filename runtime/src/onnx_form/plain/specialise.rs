//! Functions with attribute parameters as plain ones: a copy for each set of attributes that nodes
//! call them with.
//!
//! Law: behind it no node names an attribute of the function that it is in, and none that could not
//! be put there is left out silently. A parameter that has no default and is not given is not
//! there, and neither are the attributes that would have been it, as the format has it.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use samsara_proto::onnx::{AttributeProto, FunctionProto, ModelProto, NodeProto};

use super::{ImportError, Key, body::called, key, within};
use crate::onnx_form::{OnnxError, unsupported};

/// What a function is called with, by the names of its parameters.
type Given = BTreeMap<String, AttributeProto>;

/// Puts copies in the places of functions with parameters, as long as the model has no more than
/// `cap` nodes.
pub(super) fn specialise(model: &mut ModelProto, cap: u64) -> Result<(), ImportError> {
    let takes = |function: &FunctionProto| {
        !function.attribute.is_empty() || !function.attribute_proto.is_empty()
    };
    if !model.functions.iter().any(takes) {
        return Ok(());
    }
    let (templates, plain): (Vec<_>, Vec<_>) =
        std::mem::take(&mut model.functions).into_iter().partition(takes);
    let mut copies = Copies {
        taken: plain.iter().chain(&templates).map(key).collect(),
        templates: by_key(templates)?,
        known: BTreeMap::new(),
        todo: Vec::new(),
        nodes: 0,
        cap,
    };
    model.graph.iter_mut().try_for_each(|graph| copies.calls(&mut graph.node))?;
    model.functions = plain;
    model.functions.iter_mut().try_for_each(|function| copies.calls(&mut function.node))?;
    while let Some(mut copy) = copies.todo.pop() {
        copies.calls(&mut copy.node)?;
        model.functions.push(copy);
    }
    Ok(())
}

fn by_key(templates: Vec<FunctionProto>) -> Result<BTreeMap<Key, FunctionProto>, OnnxError> {
    let mut found = BTreeMap::new();
    for template in templates {
        let name = template.name().to_owned();
        if found.insert(key(&template), template).is_some() {
            return Err(OnnxError::Duplicate { what: "function", name });
        }
    }
    Ok(found)
}

/// The copies that were made.
struct Copies {
    templates: BTreeMap<Key, FunctionProto>,
    /// The overloads of copies by what they were made with.
    known: BTreeMap<(Key, Vec<Vec<u8>>), String>,
    /// What functions are called already.
    taken: BTreeSet<Key>,
    /// Copies whose own calls were not looked at.
    todo: Vec<FunctionProto>,
    /// Nodes that were looked at, or will be.
    nodes: u64,
    cap: u64,
}

impl Copies {
    fn calls(&mut self, nodes: &mut [NodeProto]) -> Result<(), ImportError> {
        nodes.iter_mut().try_for_each(|node| self.call(node))
    }

    /// Has a node call a copy, if it calls a function with parameters.
    fn call(&mut self, node: &mut NodeProto) -> Result<(), ImportError> {
        let template = called(node);
        let Some(function) = self.templates.get(&template) else { return Ok(()) };
        let given = given(function, node)?;
        let written = given.values().map(AttributeProto::encode_to_vec).collect();
        let made_with = (template, written);
        let overload = match self.known.get(&made_with) {
            Some(overload) => overload.clone(),
            None => {
                let mut copy = copy(function, &given)?;
                self.nodes = self.nodes.saturating_add(copy.node.len().max(1) as u64);
                within("nodes and initialisers", self.nodes, self.cap)?;
                let overload = self.fresh(&made_with.0);
                copy.overload = Some(overload.clone());
                self.todo.push(copy);
                self.known.insert(made_with, overload.clone());
                overload
            }
        };
        node.overload = Some(overload);
        node.attribute.clear();
        Ok(())
    }

    /// An overload that no function bears yet.
    fn fresh(&mut self, (domain, name, overload): &Key) -> String {
        let mut number = self.known.len();
        loop {
            number += 1;
            let fresh = format!("{overload}#{number}");
            if self.taken.insert((domain.clone(), name.clone(), fresh.clone())) {
                return fresh;
            }
        }
    }
}

/// What this node gives for the parameters of the function that it calls.
fn given(function: &FunctionProto, node: &NodeProto) -> Result<Given, OnnxError> {
    let own = |proto: &AttributeProto| (proto.name().to_owned(), proto.clone());
    let mut given: Given = function.attribute_proto.iter().map(own).collect();
    let mut seen = BTreeSet::new();
    for proto in &node.attribute {
        let name = proto.name();
        if !function.attribute.iter().any(|known| known == name) && !given.contains_key(name) {
            let what = format!("the attribute {name:?}, which {} has not", function.name());
            return Err(unsupported(node.op_type(), what));
        }
        if proto.ref_attr_name.is_some() {
            return Err(unsupported(node.op_type(), format!("the attribute {name:?} by name")));
        }
        if !seen.insert(name) {
            return Err(OnnxError::Duplicate { what: "attribute", name: name.to_owned() });
        }
        if let Some(default) = given.get(name).filter(|default| default.r#type != proto.r#type) {
            return Err(other_type(node, name, default));
        }
        given.insert(name.to_owned(), proto.clone());
    }
    Ok(given)
}

fn other_type(node: &NodeProto, name: &str, wanted: &AttributeProto) -> OnnxError {
    let what = format!("the attribute {name:?} of another type than {:?}", wanted.r#type());
    unsupported(node.op_type(), what)
}

/// The function without parameters that it is with these.
fn copy(function: &FunctionProto, given: &Given) -> Result<FunctionProto, OnnxError> {
    let mut copy = function.clone();
    copy.attribute.clear();
    copy.attribute_proto.clear();
    for node in &mut copy.node {
        let mut attributes = Vec::new();
        for proto in std::mem::take(&mut node.attribute) {
            let Some(parameter) = &proto.ref_attr_name else {
                attributes.push(proto);
                continue;
            };
            let is_known = function.attribute.contains(parameter);
            match given.get(parameter) {
                Some(held) if held.r#type != proto.r#type => {
                    return Err(other_type(node, proto.name(), held));
                }
                Some(held) => {
                    attributes.push(AttributeProto { name: proto.name.clone(), ..held.clone() });
                }
                None if is_known => {}
                None => {
                    let what = format!("the attribute {parameter:?} of {}", function.name());
                    return Err(unsupported(
                        node.op_type(),
                        format!("{what}, which has none such"),
                    ));
                }
            }
        }
        node.attribute = attributes;
    }
    Ok(copy)
}
