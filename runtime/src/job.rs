//! Jobs: work that leaves the turn as a request and comes back as an answer.
//!
//! Law: a request is plain state. Whoever runs it, and in whatever life, an answer that is in the
//! history is never asked for again, and one that is not is asked for again under the same key.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::{
//!     compiler::Compiler, component::{Component, Ops}, config::NodeConfig, error::OpError,
//!     graph::Graph, job::Resources, node::install, time::Nanos,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! /// What the host has: here only words, usually a client or a pool.
//! struct Dictionary(Vec<&'static str>);
//!
//! #[derive(Serialize, Deserialize)]
//! struct Lookup { word: String }
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Speller {}
//!
//! impl Component for Speller {
//!     const TYPE_NAME: &'static str = "demo.speller@1";
//!     fn ops(ops: &mut Ops<Self>) {
//!         ops.job(
//!             "is_word",
//!             |_: &mut Self, word: String| Lookup { word },
//!             |lookup: Lookup, resources: &Resources| -> Result<bool, OpError> {
//!                 Ok(resources.get::<Dictionary>()?.0.contains(&&*lookup.word))
//!             },
//!         );
//!     }
//! }
//!
//! let g = Graph::new("Spell");
//! g.output("known", g.slot("speller").op("is_word", [g.input::<String>("word")]));
//! let program = Compiler::new().bind::<Speller>("speller").compile(g.build()?)?;
//! let mut node = install(PeerId::from(1), [], &program, &["Spell"], NodeConfig::default())?;
//!
//! node.invoke("Spell", [("word", "wheel")])?;
//! node.run_until_idle(Nanos::ZERO);
//! let mut resources = Resources::default();
//! resources.insert(Dictionary(vec!["wheel"]));
//! node.run_jobs(&resources)?;
//! assert_eq!(node.run_until_idle(Nanos::ZERO).output("known"), Some(true));
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```

mod key;
mod resources;

use std::{fmt, sync::Arc};

use bytes::Bytes;

pub use self::{
    key::IdempotencyKey,
    resources::{MissingResource, Resources},
};

use crate::{
    codec::saved,
    completion::{CompletionHandle, CompletionRefused},
    error::OpError,
    id::{CommandId, ExecId},
    value::Value,
};

/// A job that a Node waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingJob {
    pub(crate) exec: ExecId,
    pub(crate) op: Arc<str>,
    pub(crate) key: IdempotencyKey,
    /// The slot of the component that registered the job.
    pub(crate) slot: u32,
    /// The op of that component.
    pub(crate) name: Arc<str>,
    pub(crate) request: Bytes,
    /// Nobody waits for it any more, but the place for its answer is still kept.
    pub(crate) is_moot: bool,
}

saved! { PendingJob { exec, op, key, slot, name, request, is_moot } }

impl PendingJob {
    /// The execution that waits for it.
    pub fn execution(&self) -> ExecId {
        self.exec
    }

    /// The op that waits for it.
    pub fn op(&self) -> &str {
        &self.op
    }

    /// What tells its repetitions from other jobs.
    pub fn key(&self) -> IdempotencyKey {
        self.key
    }
}

/// A job's code, its types forgotten.
pub(crate) trait Runner: Send + Sync {
    fn run(&self, request: &[u8], resources: &Resources) -> Result<Vec<Value>, OpError>;
}

/// A job to run, on any thread. Dropping it, by a panic of what it runs too, fails its op as
/// cancelled.
#[must_use = "dropping a job cancels its op"]
pub struct Job {
    pub(crate) pending: PendingJob,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) handle: CompletionHandle<Self>,
}

/// The answer of a job that the Node did not take, which can be offered again.
pub type JobRefused = CompletionRefused<Job>;

impl Job {
    /// Runs it and answers with what it gives.
    pub fn run(self, resources: &Resources) -> Result<(), Box<JobRefused>> {
        let Self { pending, runner, handle } = self;
        let answer = runner.run(&pending.request, resources);
        handle.settle(answer)
    }

    /// Fails the op instead.
    pub fn fail(self, error: impl Into<OpError>) -> Result<(), Box<JobRefused>> {
        self.handle.fail(error)
    }

    /// What the op waits under.
    pub fn command(&self) -> CommandId {
        self.handle.cmd_id()
    }

    /// The execution that waits for it.
    pub fn execution(&self) -> ExecId {
        self.pending.exec
    }

    /// The op that waits for it.
    pub fn op(&self) -> &str {
        &self.pending.op
    }

    /// What tells its repetitions from other jobs.
    pub fn key(&self) -> IdempotencyKey {
        self.pending.key
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("command", &self.command())
            .field("op", &self.op())
            .field("key", &self.key())
            .finish_non_exhaustive()
    }
}
