//! What an op may know of the call that it is in.
//!
//! Law: a latch is set once in an execution, and is gone when that ends.

use std::{collections::BTreeMap, sync::Arc};

use samsara_proto::PeerId;

use super::site::CallSite;
use crate::{
    error::{OpError, OpErrorKind},
    id::ExecId,
    job::IdempotencyKey,
    services::Services,
    value::Value,
};

/// The call that is under way.
pub struct CurrentCallCtx<'a> {
    pub(super) exec: ExecId,
    pub(super) op: &'a Arc<str>,
    pub(super) slot: u32,
    pub(super) site: &'a CallSite,
    pub(super) services: &'a mut Services,
}

impl<'a> CurrentCallCtx<'a> {
    /// The op's name, its path through the modules that call it included.
    pub fn op(&self) -> &'a str {
        self.op
    }

    /// The execution that this call is part of.
    pub fn execution(&self) -> ExecId {
        self.exec
    }

    /// The Node's own id.
    pub fn own_peer(&self) -> PeerId {
        self.services.peer
    }

    /// The slot that the component is in.
    pub fn slot(&self) -> &'a str {
        self.site.slots.at(self.slot as usize).map_or("", |slot| &slot.name)
    }

    /// What the op was given when it was authored, see
    /// [`Slot::attribute`](crate::graph::Slot::attribute).
    pub fn attribute(&self, name: &str) -> Option<&'a Value> {
        self.site.attributes.get(name)
    }

    /// All that the op was given when it was authored.
    pub fn attributes(&self) -> &'a BTreeMap<String, Value> {
        &self.site.attributes
    }

    /// A key of this call alone, to hand to services outside: when the Node comes back and calls
    /// again, it is the same, so that they can tell.
    pub fn idempotency_key(&self) -> IdempotencyKey {
        IdempotencyKey::of(self.services.peer, self.exec, self.op)
    }

    /// Sets the latch of this name: true for who sets it, false for all who come later in this
    /// execution and op. Refused when too many are set.
    pub fn latch(&mut self, name: &str) -> Result<bool, OpError> {
        let set = self.services.stores().latches.set(self.exec, self.op, name);
        set.map_err(|full| OpError::new(OpErrorKind::Limit, full.to_string()))
    }
}

impl std::fmt::Debug for CurrentCallCtx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { exec, op, .. } = self;
        f.debug_struct("CurrentCallCtx").field("exec", exec).field("op", op).finish_non_exhaustive()
    }
}
