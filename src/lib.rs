//! samsara: an actor-model multi-node runtime.
//!
//! A program is a dataflow graph. A Node runs one as a deterministic state machine; when it
//! crashes it comes back under a higher incarnation, and what it had acknowledged is still there.
//!
//! A [`System`] carries Nodes in your process, supervised, on a store that outlives it. Beneath it,
//! each part is of use alone: the engine as a library (author a program, install it on a [`Node`],
//! drive it, take it down and set it up again), the mailbox that outlives its reader, links that
//! prove who is at their other end, and the words that Nodes share on the wire.
//!
//! ```
//! use samsara::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Counter { total: u64 }
//!
//! impl Component for Counter {
//!     const TYPE_NAME: &'static str = "demo.counter@1";
//!     fn ops(ops: &mut Ops<Self>) {
//!         ops.on("add", |counter: &mut Self, n: u64| { counter.total += n; counter.total });
//!     }
//! }
//!
//! let g = Graph::new("Count");
//! g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
//! let program = Compiler::new().bind::<Counter>("counter").compile(g.build()?)?;
//!
//! let mut node = install(PeerId::from(1), [], &program, &["Count"], NodeConfig::default())?;
//! node.invoke("Count", [("n", 5u64)])?;
//! assert_eq!(node.run_until_idle(Nanos::ZERO).output::<u64>("total"), Some(5));
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```
//!
//! The same hosted and durable, where it comes back by itself with what it had acknowledged:
//!
//! ```
//! # use samsara::prelude::*;
//! # use serde::{Deserialize, Serialize};
//! #
//! # #[derive(Default, Serialize, Deserialize)]
//! # struct Counter { total: u64 }
//! #
//! # impl Component for Counter {
//! #     const TYPE_NAME: &'static str = "demo.counter@1";
//! #     fn ops(ops: &mut Ops<Self>) {
//! #         ops.on("add", |counter: &mut Self, n: u64| { counter.total += n; counter.total });
//! #     }
//! # }
//! #
//! # fn program() -> Result<Program> {
//! #     let g = Graph::new("Count");
//! #     g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
//! #     Ok(Compiler::new().bind::<Counter>("counter").compile(g.build()?)?)
//! # }
//! #
//! # let data = std::env::temp_dir().join(format!("samsara-facade-{}", std::process::id()));
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let system = System::builder().store(Disk::open(&data)?).start().await?;
//! let count = system.spawn(NodeSpec::new("count-42", program()?)).await?;
//! let reply = count.ask("Count", [("n", 5u64)]).await?;
//! println!("{} in life {}", reply.get::<u64>("total")?, count.incarnation());
//! # assert_eq!(reply.get::<u64>("total")?, 5);
//! system.stop().await?;
//! # std::fs::remove_dir_all(&data)?;
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```
//!
//! [`Node`]: runtime::node::Node
//! [`System`]: actors::System

#[cfg(feature = "command")]
pub mod cli;
pub mod prelude;

#[cfg(feature = "host")]
pub use samsara_actors as actors;
pub use samsara_ingress as ingress;
pub use samsara_proto as proto;
pub use samsara_runtime as runtime;
#[cfg(feature = "host")]
pub use samsara_transport as transport;

/// The programs of the README, so that they stay what they say.
#[cfg(all(doctest, feature = "host"))]
#[doc = include_str!("../README.md")]
pub mod readme {}
