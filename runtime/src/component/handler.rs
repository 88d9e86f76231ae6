//! Ops as typed closures: the arguments say what the op takes, the result says what it gives.
//!
//! Law: an argument reaches a handler as the type it declares, or the op fails with a reason and
//! the handler is not called.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    marker::PhantomData,
    sync::Arc,
};

use super::{
    AnyComponent, Component, Wants,
    registry::{RegistrationError, Signature},
};
use crate::{
    completion::{Replies, Reply},
    context::Cx,
    error::{OpError, OpErrorKind},
    job::Runner,
    role::Role,
    schema::{PortType, PortTyped},
    value::{FromValue, Value},
};

/// The inputs of one call, by position; one that did not arrive is `None`.
pub(crate) type Arguments<'a> = &'a mut [Option<Value>];

/// An op's code, its types forgotten.
pub(crate) trait ErasedHandler: Send + Sync {
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        arguments: Arguments<'_>,
        outputs: &mut Vec<Value>,
    ) -> Result<Reply, OpError>;

    /// The types of the outputs.
    fn outputs(&self) -> &[PortType];

    /// How to do what the op leaves to others, if it does.
    fn runner(&self) -> Option<&Arc<dyn Runner>> {
        None
    }
}

impl dyn ErasedHandler {
    /// Whether these may be its outputs; how many there are is seen when they are given.
    pub(crate) fn check(&self, outputs: &[Value]) -> Result<(), OpError> {
        for (at, (wanted, output)) in self.outputs().iter().zip(outputs).enumerate() {
            if let Err(mismatch) = wanted.accepts(output) {
                let reason = format!("output {at}: {mismatch}");
                return Err(OpError::new(OpErrorKind::BadOutput, reason));
            }
        }
        Ok(())
    }
}

/// One argument of a handler: a Rust type, or an `Option` of one for an input that may be missing.
pub trait Argument: Sized {
    /// The type of the port.
    fn port_type() -> PortType;

    /// Takes it out of its place.
    fn take(place: &mut Option<Value>, position: usize) -> Result<Self, OpError>;
}

impl<T: FromValue + PortTyped> Argument for T {
    fn port_type() -> PortType {
        <T as PortTyped>::port_type()
    }

    #[inline]
    fn take(place: &mut Option<Value>, position: usize) -> Result<Self, OpError> {
        let Some(value) = place.take() else {
            return Err(bad_argument(position, "it is missing"));
        };
        T::from_value(value).map_err(|mismatch| bad_argument(position, mismatch))
    }
}

impl<T: FromValue + PortTyped> Argument for Option<T> {
    fn port_type() -> PortType {
        <T as PortTyped>::port_type()
    }

    fn take(place: &mut Option<Value>, position: usize) -> Result<Self, OpError> {
        if place.is_none() { Ok(None) } else { T::take(place, position).map(Some) }
    }
}

#[cold]
fn bad_argument(position: usize, problem: impl Display) -> OpError {
    OpError::new(OpErrorKind::BadArgument, format!("argument {position}: {problem}"))
}

/// A closure that can be an op of the component `C`. `Shape` only tells the closures' forms apart.
pub trait Handler<C, Shape>: Send + Sync + 'static {
    /// What it returns.
    type Answer;

    /// The types that it takes.
    fn inputs() -> Vec<PortType>;

    /// Calls it.
    fn call(
        &self,
        component: &mut C,
        cx: &mut Cx<'_>,
        arguments: &mut [Option<Value>],
    ) -> Result<Self::Answer, OpError>;
}

/// The form of a handler that also takes the call's context.
#[derive(Debug)]
pub struct WithCx;

macro_rules! handlers {
    ($(($($name:ident $at:tt),*))*) => {
        $(
            impl<C, R, F, $($name: Argument),*> Handler<C, fn($($name),*) -> R> for F
            where
                F: Fn(&mut C, $($name),*) -> R + Send + Sync + 'static,
            {
                type Answer = R;

                fn inputs() -> Vec<PortType> {
                    vec![$($name::port_type()),*]
                }

                #[inline]
                fn call(
                    &self,
                    component: &mut C,
                    _: &mut Cx<'_>,
                    arguments: &mut [Option<Value>],
                ) -> Result<R, OpError> {
                    let [$($name),*] = arguments else { return Err(wrong_arity(arguments.len())) };
                    Ok(self(component, $($name::take($name, $at)?),*))
                }
            }

            impl<C, R, F, $($name: Argument),*> Handler<C, (WithCx, fn($($name),*) -> R)> for F
            where
                F: Fn(&mut C, &mut Cx<'_>, $($name),*) -> R + Send + Sync + 'static,
            {
                type Answer = R;

                fn inputs() -> Vec<PortType> {
                    vec![$($name::port_type()),*]
                }

                #[inline]
                fn call(
                    &self,
                    component: &mut C,
                    cx: &mut Cx<'_>,
                    arguments: &mut [Option<Value>],
                ) -> Result<R, OpError> {
                    let [$($name),*] = arguments else { return Err(wrong_arity(arguments.len())) };
                    Ok(self(component, cx, $($name::take($name, $at)?),*))
                }
            }
        )*
    };
}

#[expect(non_snake_case, reason = "the macro names a place after the type that is taken from it")]
mod arities {
    use super::{Argument, Cx, Handler, OpError, PortType, Value, WithCx, wrong_arity};

    handlers! {
        ()
        (A 0)
        (A 0, B 1)
        (A 0, B 1, D 2)
        (A 0, B 1, D 2, E 3)
        (A 0, B 1, D 2, E 3, G 4)
        (A 0, B 1, D 2, E 3, G 4, H 5)
    }
}

#[cold]
fn wrong_arity(got: usize) -> OpError {
    OpError::new(OpErrorKind::BadArgument, format!("called with {got} inputs"))
}

struct Typed<C, F, Shape> {
    handler: F,
    outputs: Vec<PortType>,
    types: PhantomData<fn(C, Shape)>,
}

impl<C, Shape, F> ErasedHandler for Typed<C, F, Shape>
where
    C: Component,
    Shape: 'static,
    F: Handler<C, Shape, Answer: Replies>,
{
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        arguments: Arguments<'_>,
        outputs: &mut Vec<Value>,
    ) -> Result<Reply, OpError> {
        self.handler.call(own(component)?, cx, arguments)?.reply(outputs)
    }

    fn outputs(&self) -> &[PortType] {
        &self.outputs
    }
}

/// The component as the type that declares what is called.
#[inline]
pub(super) fn own<C: Component>(component: &mut dyn AnyComponent) -> Result<&mut C, OpError> {
    let component: &mut dyn Any = component;
    let other = || OpError::new(OpErrorKind::Failed, "the slot holds another component");
    component.downcast_mut().ok_or_else(other)
}

/// One declared op.
#[derive(Clone)]
pub(crate) struct DeclaredOp {
    pub(crate) signature: Signature,
    pub(crate) handler: Arc<dyn ErasedHandler>,
}

/// Where a component declares its ops, see [`Component::ops`].
pub struct Ops<C> {
    pub(super) type_name: &'static str,
    pub(super) declared: BTreeMap<&'static str, DeclaredOp>,
    pub(super) wants: Wants,
    pub(super) problem: Option<RegistrationError>,
    pub(super) claims: BTreeSet<Role>,
    pub(super) component: PhantomData<fn(C)>,
}

impl<C: Component> Ops<C> {
    /// Declares an op: `|component: &mut Self, a: A, b: B| …`, or with `cx: &mut Cx` second.
    pub fn on<Shape: 'static, H>(&mut self, name: &'static str, handler: H) -> &mut Self
    where
        H: Handler<C, Shape, Answer: Replies>,
    {
        let outputs = H::Answer::outputs();
        let signature = Signature { inputs: H::inputs(), outputs: outputs.clone() };
        self.declare(name, signature, Typed { handler, outputs, types: PhantomData })
    }

    pub(super) fn declare(
        &mut self,
        name: &'static str,
        signature: Signature,
        handler: impl ErasedHandler + 'static,
    ) -> &mut Self {
        let (type_name, handler) = (self.type_name, Arc::new(handler));
        if self.declared.insert(name, DeclaredOp { signature, handler }).is_some() {
            self.problem.get_or_insert(RegistrationError::DuplicateOp { type_name, op: name });
        }
        self
    }
}
