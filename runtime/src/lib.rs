//! The deterministic heart of samsara: everything that decides, and nothing that does.
//!
//! Law: sans-IO. What leaves this crate is a function of what entered it. There is no clock, no
//! randomness of its own, no thread, no hash order and no memory address that could reach an
//! output; time, chance and bytes come in as arguments. `clippy.toml` beside this crate bans the
//! ways out, each with its reason.
//!
//! The modules stand in ranks, and each imports only from those before it:
//!
//! | rank | modules | what they are |
//! |---|---|---|
//! | 0 | [`id`], [`time`], [`rng`], [`reserve`], [`error`], [`config`] | words and laws |
//! | 1 | [`tensor`], [`value`], [`schema`], [`peer`], [`codec`] | what flows, and state as bytes |
//! | 2 | [`role`], [`framework`], [`module`], [`graph`], [`onnx_form`], [`bus`] | authoring; one primitive a file |
//! | 3 | [`event`], [`completion`], [`job`], [`step`], [`context`], [`component`] | what enters, what leaves, what ops may touch |
//! | 4 | [`plan`], [`program`], [`compiler`] | a program, dense and sealed |
//! | 5 | [`delivery`], [`snapshot`], [`node`] | streams between Nodes; a Node taken down, and at work |
//! | 6 | [`storage`], [`recovery`], [`supervision`] | files, the log of a store, lives and who gets another |
//! | 7 | [`hosting`] | one Node and its host, act for act |
//!
//! ```
//! use samsara_runtime::config::NodeConfig;
//! use samsara_runtime::schema::{PortType, TypeTable, decode, encode};
//! use samsara_runtime::value::Value;
//!
//! let config = NodeConfig { cycle_op_budget: 10, ..NodeConfig::default() };
//! config.validate()?;
//!
//! let sent = encode(&Value::from(7_u64));
//! let got = decode(
//!     &PortType::U64,
//!     sent.type_id.as_str(),
//!     sent.payload,
//!     &sent.blobs,
//!     &TypeTable::default(),
//!     &config.value,
//! )?;
//! assert_eq!(got, Value::U64(7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bus;
pub mod codec;
pub mod compiler;
pub mod completion;
pub mod component;
pub mod config;
pub mod context;
pub mod delivery;
pub mod error;
pub mod event;
mod exec;
pub mod framework;
pub mod graph;
pub mod hosting;
pub mod id;
pub mod job;
pub mod module;
pub mod node;
pub mod onnx_form;
pub mod peer;
pub mod plan;
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
pub mod program;
pub mod recovery;
pub mod reserve;
pub mod rng;
pub mod role;
pub mod schema;
mod services;
pub mod snapshot;
pub mod step;
pub mod storage;
pub mod supervision;
mod syscall;
pub mod tensor;
pub mod time;
pub mod value;
