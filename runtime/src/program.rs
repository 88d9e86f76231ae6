//! A sealed program: bytes that a Node can be installed from, and the components to do it with.
//!
//! Law: a program is only made by the compiler's checks, whether it was compiled here or opened
//! from bytes; so whoever holds one need not check it again.
//!
//! ```
//! use samsara_runtime::{
//!     compiler::{Compiler, OpenError},
//!     graph::Graph,
//!     program::Program,
//! };
//!
//! let g = Graph::new("Echo");
//! g.output("said", g.pass_through(g.input::<String>("text")));
//! let program = Compiler::new().compile(g.build()?)?;
//! assert!(program.modules().contains_key("Echo"));
//!
//! let mut changed = program.bytes().to_vec();
//! changed[30] ^= 1;
//! let opened = Program::open(changed, program.registry().clone());
//! assert_eq!(opened, Err(OpenError::SealMismatch));
//! # Ok::<(), samsara_runtime::module::Diagnostics>(())
//! ```

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    codec::saved,
    component::{ComponentType, Registry},
    module::{Channel, Draft, Module},
    plan::Plan,
};

/// A sealed program. A clone shares it.
#[derive(Clone)]
pub struct Program {
    inner: Arc<Inner>,
}

struct Inner {
    bytes: Bytes,
    content_hash: ContentHash,
    draft: Draft,
    registry: Arc<Registry>,
    slots: BTreeMap<String, ComponentType>,
    plan: Arc<Plan>,
}

impl Program {
    /// For the compiler alone, which has checked that these belong together.
    pub(crate) fn new(
        bytes: Bytes,
        content_hash: ContentHash,
        draft: Draft,
        registry: Arc<Registry>,
        slots: BTreeMap<String, ComponentType>,
        plan: Plan,
    ) -> Self {
        let plan = Arc::new(plan);
        Self { inner: Arc::new(Inner { bytes, content_hash, draft, registry, slots, plan }) }
    }

    /// The sealed bytes, which [`open`](Self::open) takes.
    pub fn bytes(&self) -> &Bytes {
        &self.inner.bytes
    }

    /// The hash of all that the program is.
    pub fn content_hash(&self) -> ContentHash {
        self.inner.content_hash
    }

    /// What the program is made of.
    pub fn draft(&self) -> &Draft {
        &self.inner.draft
    }

    /// All modules, those included that are only called.
    pub fn modules(&self) -> &BTreeMap<String, Module> {
        &self.inner.draft.modules
    }

    /// The names of the modules that a Node can run.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.inner.draft.targets.iter().map(String::as_str)
    }

    /// The channels between the places of its modules.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.inner.draft.layout.channels.values()
    }

    /// The kind of component in each slot.
    pub fn slots(&self) -> &BTreeMap<String, ComponentType> {
        &self.inner.slots
    }

    /// The dense form, which all Nodes that run the program share.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.inner.plan
    }

    /// The kinds of components that the program was compiled or opened with.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.inner.registry
    }
}

/// Two programs are equal if their bytes are.
impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.content_hash() == other.content_hash()
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("targets", &self.inner.draft.targets)
            .field("content_hash", &format_args!("{}", self.content_hash()))
            .finish_non_exhaustive()
    }
}

/// A blake3 hash of a program's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of this content.
    pub fn of(content: &[u8]) -> Self {
        Self(*blake3::hash(content).as_bytes())
    }

    /// The hash of these bytes, as it was told elsewhere.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

saved! { ContentHash { 0 } }
