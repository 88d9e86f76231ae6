//! The messages that Nodes exchange, generated from `samsara/wire/v1/wire.proto`.
//!
//! Law: these are bare words; only [`EnvelopeCodec`](crate::EnvelopeCodec) turns bytes of a peer
//! into them.
//!
//! ```
//! use samsara_proto::wire::{Fill, SCHEMA, WireEnvelope};
//!
//! let greeting = WireEnvelope {
//!     schema: SCHEMA,
//!     fills: vec![Fill {
//!         port: "greeter/name".into(),
//!         type_id: "text@1".into(),
//!         payload: "Ada".into(),
//!         ..Fill::default()
//!     }],
//!     ..WireEnvelope::default()
//! };
//! assert!(greeting.source.is_empty(), "the host itself speaks");
//! ```

mod fill;

pub use fill::Fill;

/// The version of the envelope that this crate speaks, and the only one it takes.
pub const SCHEMA: u32 = 1;

include!("generated/samsara.wire.v1.rs");
