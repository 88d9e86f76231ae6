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
    AnyComponent, Component,
    registry::{RegistrationError, Signature},
};
use crate::{
    completion::{Replies, Reply},
    context::Cx,
    error::{OpError, OpErrorKind},
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
    /// What it takes and gives.
    fn signature() -> Signature;

    /// Calls it.
    fn call(
        &self,
        component: &mut C,
        cx: &mut Cx<'_>,
        arguments: &mut [Option<Value>],
        outputs: &mut Vec<Value>,
    ) -> Result<Reply, OpError>;
}

/// The form of a handler that also takes the call's context.
#[derive(Debug)]
pub struct WithCx;

macro_rules! handlers {
    ($(($($name:ident $at:tt),*))*) => {
        $(
            impl<C, R: Replies, F, $($name: Argument),*> Handler<C, fn($($name),*) -> R> for F
            where
                F: Fn(&mut C, $($name),*) -> R + Send + Sync + 'static,
            {
                fn signature() -> Signature {
                    Signature { inputs: vec![$($name::port_type()),*], outputs: R::outputs() }
                }

                #[inline]
                fn call(
                    &self,
                    component: &mut C,
                    _: &mut Cx<'_>,
                    arguments: &mut [Option<Value>],
                    outputs: &mut Vec<Value>,
                ) -> Result<Reply, OpError> {
                    let [$($name),*] = arguments else { return Err(wrong_arity(arguments.len())) };
                    self(component, $($name::take($name, $at)?),*).reply(outputs)
                }
            }

            impl<C, R: Replies, F, $($name: Argument),*> Handler<C, (WithCx, fn($($name),*) -> R)>
                for F
            where
                F: Fn(&mut C, &mut Cx<'_>, $($name),*) -> R + Send + Sync + 'static,
            {
                fn signature() -> Signature {
                    Signature { inputs: vec![$($name::port_type()),*], outputs: R::outputs() }
                }

                #[inline]
                fn call(
                    &self,
                    component: &mut C,
                    cx: &mut Cx<'_>,
                    arguments: &mut [Option<Value>],
                    outputs: &mut Vec<Value>,
                ) -> Result<Reply, OpError> {
                    let [$($name),*] = arguments else { return Err(wrong_arity(arguments.len())) };
                    self(component, cx, $($name::take($name, $at)?),*).reply(outputs)
                }
            }
        )*
    };
}

#[expect(non_snake_case, reason = "the macro names a place after the type that is taken from it")]
mod arities {
    use super::{
        Argument, Cx, Handler, OpError, Replies, Reply, Signature, Value, WithCx, wrong_arity,
    };

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
    types: PhantomData<fn(C, Shape)>,
}

impl<C: Component, Shape: 'static, F: Handler<C, Shape>> ErasedHandler for Typed<C, F, Shape> {
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        arguments: Arguments<'_>,
        outputs: &mut Vec<Value>,
    ) -> Result<Reply, OpError> {
        let component: &mut dyn Any = component;
        let Some(component) = component.downcast_mut::<C>() else {
            return Err(OpError::new(OpErrorKind::Failed, "the slot holds another component"));
        };
        self.handler.call(component, cx, arguments, outputs)
    }
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
    pub(super) problem: Option<RegistrationError>,
    pub(super) claims: BTreeSet<Role>,
    pub(super) component: PhantomData<fn(C)>,
}

impl<C: Component> Ops<C> {
    /// Declares an op: `|component: &mut Self, a: A, b: B| …`, or with `cx: &mut Cx` second.
    pub fn on<Shape: 'static>(
        &mut self,
        name: &'static str,
        handler: impl Handler<C, Shape>,
    ) -> &mut Self {
        fn signature<C, Shape, F: Handler<C, Shape>>(_: &F) -> Signature {
            F::signature()
        }
        let signature = signature(&handler);
        let handler = Arc::new(Typed { handler, types: PhantomData });
        let type_name = self.type_name;
        if self.declared.insert(name, DeclaredOp { signature, handler }).is_some() {
            self.problem.get_or_insert(RegistrationError::DuplicateOp { type_name, op: name });
        }
        self
    }
}
