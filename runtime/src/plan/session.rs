//! The sessions of a plan's tensor ops.
//!
//! Law: a tensor op is compiled by the first backend that claims it, when the plan is made; so a
//! plan that exists runs. Each op is a region of its own.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    module::{Body, Op},
    role::backend::{Backends, Region, Session},
};

/// Why nobody runs a tensor op.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No backend claims it.
    #[error("{op}: no backend runs {kind}: {}", .reasons.join("; "))]
    Unclaimed {
        /// The op.
        op: String,
        /// The ONNX op.
        kind: String,
        /// What each backend says to it.
        reasons: Vec<String>,
    },
    /// A backend cannot compile what it has claimed.
    #[error("{op}: {backend} claims {kind} and cannot compile it: {reason}")]
    Uncompilable {
        /// The op.
        op: String,
        /// The ONNX op.
        kind: String,
        /// The backend.
        backend: &'static str,
        /// What the backend says.
        reason: String,
    },
}

/// Who compiles the tensor ops of a program, and by which releases they are meant.
pub(crate) struct TensorOps<'a> {
    pub(crate) backends: &'a Backends,
    pub(crate) opsets: &'a BTreeMap<String, u64>,
}

impl TensorOps<'_> {
    /// What runs this op of an ONNX domain in a body; `name` is where calls have brought it.
    pub(super) fn session(
        &self,
        body: &Body,
        op: &Op,
        kind: (&str, &str),
        name: &str,
    ) -> Result<Arc<dyn Session>, SessionError> {
        let mut node = body.tensor_node(op, kind, self.opsets);
        name.clone_into(&mut node.name);
        let (op, kind) = (name.to_owned(), node.kind());
        let backend = match self.backends.claim(&node) {
            Ok(backend) => backend,
            Err(reasons) => return Err(SessionError::Unclaimed { op, kind, reasons }),
        };
        backend.compile(&Region::of(node)).map_err(|error| {
            let (backend, reason) = (backend.name(), error.reason);
            SessionError::Uncompilable { op, kind, backend, reason }
        })
    }
}
