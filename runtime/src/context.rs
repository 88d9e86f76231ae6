//! What an op may touch while it runs.
//!
//! Law: everything here comes from the batch or from the Node's own state. There is nothing to wait
//! on and nothing to read that replay would not give again.
//!
//! ```
//! use samsara_runtime::{
//!     component::{Component, ComponentType, Ops},
//!     context::{ComponentTimerKind, Cx},
//!     error::OpError,
//!     time::seconds,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! const FORGET: ComponentTimerKind = ComponentTimerKind::new(1);
//!
//! /// Remembers one text for a minute.
//! #[derive(Default, Serialize, Deserialize)]
//! struct Memory {
//!     text: Option<String>,
//! }
//!
//! impl Component for Memory {
//!     const TYPE_NAME: &'static str = "demo.memory@1";
//!
//!     fn ops(ops: &mut Ops<Self>) {
//!         ops.on("keep", |memory: &mut Self, cx: &mut Cx<'_>, text: String| {
//!             let mut time = cx.time();
//!             let until = time.now() + seconds(60);
//!             time.schedule(FORGET, until)?;
//!             cx.syscalls().add_metric("kept", 1)?;
//!             memory.text = Some(text);
//!             Ok::<_, OpError>(cx.call().op().to_owned())
//!         });
//!         ops.on_timer(|memory, _, _| memory.text = None);
//!     }
//! }
//!
//! ComponentType::of::<Memory>()?;
//! # Ok::<(), samsara_runtime::component::RegistrationError>(())
//! ```

mod bus;
mod call;
mod inbound;
mod ingress;
mod peers;
mod siblings;
mod site;
mod syscalls;
mod time;

use std::sync::Arc;

use samsara_proto::PeerId;

pub use self::{
    call::CurrentCallCtx,
    inbound::InboundCtx,
    ingress::IngressCtx,
    peers::{NetCtx, PeerCtx},
    siblings::{ComponentsView, DependencyError, NamedComponentSnapshot},
    syscalls::SyscallCtx,
    time::TimeCtx,
};
pub(crate) use self::{
    siblings::{AnyComponent, Siblings, Slotted},
    site::{CallSite, SlotEntry, SlotTable},
};
pub use crate::services::ComponentTimerKind;

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
    pub(crate) site: &'a CallSite,
    pub(crate) inbound: Option<&'a InboundCtx>,
    pub(crate) siblings: Siblings<'a>,
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
        ComponentsView { siblings: self.siblings, slots: &self.site.slots }
    }

    /// The clock, and the component's own timers.
    pub fn time(&mut self) -> TimeCtx<'_> {
        let entry = self.site.slots.at(self.siblings.own_slot());
        let (slot, inbound) = (self.own_slot(), self.inbound);
        TimeCtx { slot, entry, inbound, services: self.services }
    }

    /// The call itself.
    pub fn call(&mut self) -> CurrentCallCtx<'_> {
        let Self { exec, op, site, .. } = *self;
        CurrentCallCtx { exec, op, slot: self.own_slot(), site, services: self.services }
    }

    /// Who is known, and how they fare.
    pub fn peers(&mut self) -> PeerCtx<'_> {
        PeerCtx { exec: self.exec, services: self.services }
    }

    /// Ways to others, and how long they take.
    pub fn net(&mut self) -> NetCtx<'_> {
        NetCtx { inbound: self.inbound, services: self.services }
    }

    /// What the syscall ops keep.
    pub fn syscalls(&mut self) -> SyscallCtx<'_> {
        SyscallCtx { services: self.services }
    }

    /// The number of the slot that is called.
    pub(crate) fn own_slot(&self) -> u32 {
        // A plan numbers its slots by 32 bits.
        u32::try_from(self.siblings.own_slot()).unwrap_or(u32::MAX)
    }

    /// What the op was given when it was authored, see
    /// [`Slot::attribute`](crate::graph::Slot::attribute).
    pub fn attribute(&self, name: &str) -> Option<&'a Value> {
        self.site.attributes.get(name)
    }

    /// A new command, to return as [`Promise::under`] and to answer with
    /// [`complete_command`](Self::complete_command). Refused when too many ops wait already.
    pub fn allocate_command_id(&mut self) -> Result<CommandId, OpError> {
        self.services.new_command()
    }

    /// Answers a command, this op's own or another's, when the call has returned. Outputs that are
    /// not as many and of the types that the op declares fail it.
    #[doc(alias = "CompletionSink")]
    pub fn complete_command(&mut self, command: CommandId, outputs: Vec<Value>) {
        self.services.answer_later(command, Answer::Outputs(outputs));
    }

    /// Fails a command, this op's own or another's, when the call has returned.
    #[doc(alias = "CompletionSink")]
    pub fn fail_command(&mut self, command: CommandId, error: OpError) {
        self.services.answer_later(command, Answer::Failed(error));
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
        let handle = CompletionHandle::open(command, &self.services.config, door);
        Ok((handle, Promise::under(command)))
    }
}
