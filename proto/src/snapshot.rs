//! A Node's snapshot for other languages, generated from `samsara/snapshot/v1/snapshot.proto`.
//!
//! Law: headers are typed, bodies are opaque; whoever does not know a body carries it unharmed.
//!
//! ```
//! use prost::Message;
//! use samsara_proto::snapshot::{NamedComponentSnapshot, NodeSnapshot};
//!
//! let counter = NamedComponentSnapshot {
//!     type_name: "counter".into(),
//!     state_bytes: vec![3].into(),
//!     ..NamedComponentSnapshot::default()
//! };
//! let snapshot = NodeSnapshot { components: vec![counter], ..NodeSnapshot::default() };
//!
//! let bytes = snapshot.encode_to_vec();
//! assert_eq!(NodeSnapshot::decode(bytes.as_slice()), Ok(snapshot));
//! ```

include!("generated/samsara.snapshot.v1.rs");
