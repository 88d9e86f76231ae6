//! What an op may touch while it runs.
//!
//! Law: everything here comes from the batch or from the Node's own state. There is nothing to wait
//! on and nothing to read that replay would not give again.

mod inbound;
mod siblings;

use std::{collections::BTreeMap, sync::Arc};

use samsara_proto::PeerId;

pub(crate) use self::siblings::AnyComponent;
pub use self::{inbound::InboundCtx, siblings::ComponentsView};

use crate::{
    completion::{CompletionHandle, Promise, Replies},
    error::OpError,
    id::{CommandId, ExecId},
    rng::Rng,
    services::{Answer, Services},
    time::Nanos,
    value::Value,
};

/// What the Node lends to an op for one call.
pub struct RuntimeResourceRef<'a> {
    pub(crate) exec: ExecId,
    pub(crate) op: &'a Arc<str>,
    pub(crate) attributes: &'a BTreeMap<String, Value>,
    pub(crate) inbound: Option<&'a InboundCtx>,
    pub(crate) siblings: ComponentsView<'a>,
    pub(crate) services: &'a mut Services,
}

/// The short name of [`RuntimeResourceRef`].
pub type Cx<'a> = RuntimeResourceRef<'a>;

impl<'a> RuntimeResourceRef<'a> {
    /// The logical time of this batch.
    pub fn now(&self) -> Nanos {
        self.services.now
    }

    /// Seeded randomness, part of the Node's state.
    pub fn rng(&mut self) -> &mut Rng {
        self.services.rng()
    }

    /// The Node's own id.
    pub fn own_peer(&self) -> PeerId {
        self.services.peer
    }

    /// The execution that this call is part of.
    pub fn execution(&self) -> ExecId {
        self.exec
    }

    /// The op's name, its path through the modules that call it included.
    pub fn op(&self) -> &'a str {
        self.op
    }

    /// What brought this execution about, if a peer did.
    pub fn inbound(&self) -> Option<&'a InboundCtx> {
        self.inbound
    }

    /// The other components of the Node, to read.
    pub fn components(&self) -> ComponentsView<'a> {
        self.siblings
    }

    /// What the op was given when it was authored, see
    /// [`Slot::attribute`](crate::graph::Slot::attribute).
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// A new command, to return as [`Promise::under`] and to answer with
    /// [`complete_command`](Self::complete_command). Refused when too many ops wait already.
    pub fn allocate_command_id(&mut self) -> Result<CommandId, OpError> {
        self.services.new_command()
    }

    /// Answers a command, this op's own or another's, when the call has returned. The number of
    /// outputs is checked against the op's, their types are not.
    pub fn complete_command(&mut self, command: CommandId, outputs: Vec<Value>) {
        self.services.answered.push_back((command, Answer::Outputs(outputs)));
    }

    /// Fails a command, this op's own or another's, when the call has returned.
    pub fn fail_command(&mut self, command: CommandId, error: OpError) {
        self.services.answered.push_back((command, Answer::Failed(error)));
    }

    /// A promise to return from the op, and the handle that keeps it from any thread.
    ///
    /// Refused at the cap on parked ops and awaited answers. While a Node
    /// [replays](crate::node::Node::replay), the handle's answer is refused: the one that counts is
    /// in the history, or lost with the life that owed it.
    pub fn open_completion<R: Replies>(
        &mut self,
    ) -> Result<(CompletionHandle<R>, Promise<R>), OpError> {
        let command = self.services.await_answer()?;
        let door = (!self.services.is_replaying).then_some(&self.services.handle);
        let result_bytes_max = self.services.config.max_completion_result_bytes;
        Ok(CompletionHandle::open(command, result_bytes_max, door))
    }
}
