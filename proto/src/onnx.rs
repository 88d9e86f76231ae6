//! The ONNX model format, generated from `onnx.proto`.
//!
//! Law: complete, so that every field of a public model survives a round trip.
//!
//! ```
//! use prost::Message;
//! use samsara_proto::onnx::{GraphProto, ModelProto, NodeProto};
//!
//! let relu = NodeProto {
//!     op_type: Some("Relu".into()),
//!     input: vec!["x".into()],
//!     output: vec!["y".into()],
//!     ..NodeProto::default()
//! };
//! let graph = GraphProto { node: vec![relu], ..GraphProto::default() };
//! let model = ModelProto { graph: Some(graph), ..ModelProto::default() };
//!
//! let bytes = model.encode_to_vec();
//! assert_eq!(ModelProto::decode(bytes.as_slice()), Ok(model));
//! ```
#![expect(missing_docs, reason = "fields are documented by the public ONNX schema")]

include!("generated/onnx.rs");
