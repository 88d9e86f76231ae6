//! What an op answers: its outputs now, or a promise to answer later.
//!
//! Law: what an op declares to give is what its Rust type says.

use crate::{
    error::{OpError, OpErrorKind},
    id::CommandId,
    schema::{PortType, PortTyped},
    value::{IntoValue, Value},
};

/// What a handler may return: one output, several as a tuple, a
/// [`Promise`](super::Promise) of these, or a `Result` of any.
pub trait Replies {
    /// The types of the outputs.
    fn outputs() -> Vec<PortType>;

    /// Writes the outputs down, or says why there are none now.
    fn reply(self, outputs: &mut Vec<Value>) -> Result<Reply, OpError>;
}

/// Whether an op has answered.
#[doc(alias = "DispatchResult")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Its outputs are written.
    #[doc(alias = "Immediate")]
    Now,
    /// It answers later.
    #[doc(alias = "Async")]
    Later(CommandId),
}

fn put(value: impl IntoValue, outputs: &mut Vec<Value>) -> Result<(), OpError> {
    let value = value.into_value();
    outputs.push(value.map_err(|nested| OpError::new(OpErrorKind::BadOutput, nested.to_string()))?);
    Ok(())
}

impl<T: IntoValue + PortTyped> Replies for T {
    fn outputs() -> Vec<PortType> {
        vec![T::port_type()]
    }

    fn reply(self, outputs: &mut Vec<Value>) -> Result<Reply, OpError> {
        put(self, outputs)?;
        Ok(Reply::Now)
    }
}

impl<R: Replies, E: Into<OpError>> Replies for Result<R, E> {
    fn outputs() -> Vec<PortType> {
        R::outputs()
    }

    fn reply(self, outputs: &mut Vec<Value>) -> Result<Reply, OpError> {
        self.map_err(Into::into)?.reply(outputs)
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),+))+) => {
        $(impl<$($name: IntoValue + PortTyped),+> Replies for ($($name,)+) {
            fn outputs() -> Vec<PortType> {
                vec![$($name::port_type()),+]
            }

            fn reply(self, outputs: &mut Vec<Value>) -> Result<Reply, OpError> {
                $(put(self.$at, outputs)?;)+
                Ok(Reply::Now)
            }
        })+
    };
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
