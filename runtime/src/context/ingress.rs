//! Events that an op gives to its own Node.
//!
//! Law: they follow from the call, as its outputs do. They enter no mailbox, so a replay of the call
//! gives them again and no journal has them twice; and a handle of the mailbox is lent to no op, since
//! what it takes now depends on other threads. Work of another thread comes back by a completion or a
//! job.

use super::Cx;
use crate::{
    error::DeliveryError,
    event::InputIndex,
    id::ExecId,
    services::{Deferred, Services, check_size},
    value::IntoValue,
};

/// The way into the Node's own modules, for one call.
///
/// ```
/// use samsara_runtime::{context::Cx, error::OpError};
///
/// /// Has another module of the Node do the rest.
/// fn pass_on(cx: &mut Cx<'_>, total: u64) -> Result<u64, OpError> {
///     cx.ingress().deliver_event("Report", "total", total)?;
///     Ok(total)
/// }
/// ```
pub struct IngressCtx<'a> {
    exec: ExecId,
    services: &'a mut Services,
}

impl IngressCtx<'_> {
    /// Gives one input, in an execution of its own, which begins when the call has returned; its
    /// ops come behind those that are ready then. It begins also when the call fails.
    ///
    /// Refused like what a host offers, and where as many executions are under way as may be.
    pub fn deliver_event(
        &mut self,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<ExecId, DeliveryError> {
        let services = &mut *self.services;
        let index = services.module(module)?;
        let (input, value) = services.input(index, module, input, value)?;
        check_size(value.byte_size(), services.config.max_app_event_bytes)?;
        let Some(room) = services.room.checked_sub(1) else {
            let cap = services.config.engine.max_executions;
            return Err(DeliveryError::TooManyExecutions { cap });
        };
        let exec = services.inner_execs.mint()?;
        services.room = room;
        let input = InputIndex { module: index, input };
        // Deferred now: when the call has returned its execution may have ended, and is known no more.
        let is_echo = services.bus.as_ref().is_some_and(|bus| bus.is_echo(self.exec));
        services.deferred.push_back(Deferred::Begin { exec, is_echo, input, value });
        Ok(exec)
    }
}

impl Cx<'_> {
    /// The way into the Node's own modules.
    pub fn ingress(&mut self) -> IngressCtx<'_> {
        IngressCtx { exec: self.exec, services: self.services }
    }
}

impl std::fmt::Debug for IngressCtx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IngressCtx").field("exec", &self.exec).finish_non_exhaustive()
    }
}
