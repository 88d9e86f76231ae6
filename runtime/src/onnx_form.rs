//! The ONNX form of a program: what is sealed, sent and drawn.
//!
//! Law: the form is valid ONNX, and a draft comes back from it as it went in; the same draft gives
//! the same model. Whatever a stranger's model holds, reading it ends in a draft or in an error.
//!
//! | part of a draft | in the model |
//! |---|---|
//! | module | a function of the domain `samsara.module`; its bootstrap is one of `samsara.bootstrap` |
//! | component op | a node `slot/op` of the domain `samsara.component` |
//! | call | a node of the domain `samsara.module` |
//! | syscall, constant | a node of the domain `samsara.syscall` |
//! | tensor op | a node of its own ONNX domain |
//! | value | a `value_info` of its function, in order |
//! | port names, activation | metadata of the function, of the node |
//! | target | a node of the main graph, its ports `Module/port` |
//! | targets, slots, exports, configs, roles, backends, places, channels | metadata of the model |
//! | releases of ops | opset imports |
//!
//! ```
//! use samsara_runtime::graph::Graph;
//! use samsara_runtime::onnx_form::{from_onnx, to_onnx};
//! use samsara_runtime::schema::TypeTable;
//!
//! let g = Graph::new("Echo");
//! g.output("said", g.pass_through(g.input::<String>("text")));
//! let draft = g.build()?;
//! assert_eq!(from_onnx(&to_onnx(&draft), &TypeTable::default())?, draft);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attribute;
mod bindings;
mod function;
mod layout;
mod model;
mod node;
mod plain;
mod port_type;
mod tensor;

use samsara_proto::onnx::StringStringEntryProto;

use crate::schema::DecodeError;

pub use self::model::{from_onnx, to_onnx};
pub use self::plain::ImportError;

/// The release of this form; what is sealed in another one is refused.
pub const FORMAT_VERSION: u32 = 1;

/// What all our own types and functions belong to.
const MODULE: &str = "samsara.module";
const BOOTSTRAP: &str = "samsara.bootstrap";
const COMPONENT: &str = "samsara.component";
const SYSCALL: &str = "samsara.syscall";

/// Why a model is no draft.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// A part lacks something.
    #[error("{of} lacks {what}")]
    Lacks {
        /// The part.
        of: String,
        /// What it lacks.
        what: &'static str,
    },
    /// A part holds something that no draft can.
    #[error("{of} has {what}")]
    Unsupported {
        /// The part.
        of: String,
        /// What it holds.
        what: String,
    },
    /// A value of a function is not among those it lists.
    #[error("{of} names the value {name:?}, which its function does not list")]
    UnknownValue {
        /// The function or node.
        of: String,
        /// The value's name.
        name: String,
    },
    /// Two parts of one kind bear one name.
    #[error("two {what}s are named {name:?}")]
    Duplicate {
        /// What they are.
        what: &'static str,
        /// Their name.
        name: String,
    },
    /// A tensor's elements are in a file.
    #[error("{of} keeps its elements outside of the model")]
    ExternalData {
        /// The tensor, or the node that has it.
        of: String,
    },
    /// An attribute cannot be decoded.
    #[error("{of}: the attribute {name:?} cannot be read")]
    Value {
        /// The node.
        of: String,
        /// The attribute.
        name: String,
        /// Why.
        source: Box<DecodeError>,
    },
}

fn unsupported(of: &str, what: impl Into<String>) -> OnnxError {
    OnnxError::Unsupported { of: of.to_owned(), what: what.into() }
}

/// A metadata entry.
fn entry(key: impl Into<String>, value: impl Into<String>) -> StringStringEntryProto {
    StringStringEntryProto { key: Some(key.into()), value: Some(value.into()) }
}

/// The value of a metadata entry.
fn find<'a>(entries: &'a [StringStringEntryProto], key: &str) -> Option<&'a str> {
    entries.iter().find(|entry| entry.key() == key).map(StringStringEntryProto::value)
}

/// Names in one text: no name holds a slash.
fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join("/")
}

fn split(names: &str) -> impl Iterator<Item = &str> {
    names.split('/').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
