//! What a component is told outside of any op: its timers, and events of the Node.
//!
//! Law: a callback gives nothing. It runs in an execution of its own, and what it returns is only
//! whether it failed.

use std::{marker::PhantomData, sync::Arc};

use super::{AnyComponent, Component, Ops, handler::own, registry::RegistrationError};
use crate::{
    context::{ComponentTimerKind, Cx},
    error::{OpError, OpErrorKind},
    value::{FromValue, Value},
};

/// What a callback may return: nothing, or a `Result` of that.
pub trait Outcome {
    /// Whether it failed.
    fn outcome(self) -> Result<(), OpError>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), OpError> {
        Ok(())
    }
}

impl<E: Into<OpError>> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), OpError> {
        self.map_err(Into::into)
    }
}

/// What a callback is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// A timer rings.
    Timer(ComponentTimerKind),
    /// An event happened.
    Event(Value),
}

/// A callback, its types forgotten.
pub(crate) trait ErasedCallback: Send + Sync {
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        told: Told,
    ) -> Result<(), OpError>;
}

struct OnTimer<C, F>(F, PhantomData<fn(C)>);

impl<C, F, R> ErasedCallback for OnTimer<C, F>
where
    C: Component,
    F: Fn(&mut C, &mut Cx<'_>, ComponentTimerKind) -> R + Send + Sync,
    R: Outcome,
{
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        told: Told,
    ) -> Result<(), OpError> {
        match told {
            Told::Timer(kind) => self.0(own(component)?, cx, kind).outcome(),
            Told::Event(_) => Err(OpError::failed("told an event, wanted a timer")),
        }
    }
}

struct OnEvent<C, F, V>(F, PhantomData<fn(C, V)>);

impl<C, F, V, R> ErasedCallback for OnEvent<C, F, V>
where
    C: Component,
    F: Fn(&mut C, &mut Cx<'_>, V) -> R + Send + Sync,
    V: FromValue,
    R: Outcome,
{
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        told: Told,
    ) -> Result<(), OpError> {
        let Told::Event(value) = told else {
            return Err(OpError::failed("told a timer, wanted an event"));
        };
        let value = V::from_value(value)
            .map_err(|mismatch| OpError::new(OpErrorKind::BadArgument, mismatch.to_string()))?;
        self.0(own(component)?, cx, value).outcome()
    }
}

impl<C: Component> Ops<C> {
    /// Declares what is called when a timer of the component rings, see
    /// [`TimeCtx::schedule`](crate::context::TimeCtx::schedule).
    pub fn on_timer<R: Outcome + 'static>(
        &mut self,
        callback: impl Fn(&mut C, &mut Cx<'_>, ComponentTimerKind) -> R + Send + Sync + 'static,
    ) -> &mut Self {
        let callback = Arc::new(OnTimer(callback, PhantomData));
        if self.wants.on_timer.replace(callback).is_some() {
            self.note_second("on_timer");
        }
        self
    }

    /// Declares what is called when an event of this kind happens in the Node.
    pub fn on_event<V: FromValue + 'static, R: Outcome + 'static>(
        &mut self,
        kind: &'static str,
        callback: impl Fn(&mut C, &mut Cx<'_>, V) -> R + Send + Sync + 'static,
    ) -> &mut Self {
        let callback = Arc::new(OnEvent(callback, PhantomData));
        if self.wants.on_event.insert(kind, callback).is_some() {
            self.note_second(kind);
        }
        self
    }

    fn note_second(&mut self, op: &'static str) {
        let type_name = self.type_name;
        self.problem.get_or_insert(RegistrationError::DuplicateOp { type_name, op });
    }
}
