//! Runs of tensor ops.
//!
//! Law: a run that would cost more than its fuel does not begin; one that burns it up fails. Either
//! way the op has failed, and nothing else has happened.

use crate::{
    error::{OpError, OpErrorKind},
    role::backend::{Fuel, Session},
    time::Nanos,
    value::Value,
};

/// Runs a session over the inputs of an op.
pub(super) fn run(
    session: &dyn Session,
    inputs: &mut [Option<Value>],
    outputs: &mut Vec<Value>,
    fuel: Nanos,
) -> Result<(), OpError> {
    let shapes: Vec<_> = inputs.iter().map(|input| shape(input.as_ref()?)).collect();
    let cost = session.cost(&shapes);
    if cost > fuel {
        let (cost, fuel) = (cost.get(), fuel.get());
        let reason = format!("costs {cost} ns, one run has fuel for {fuel}");
        return Err(OpError::new(OpErrorKind::Limit, reason));
    }
    session.run(inputs, outputs, &mut Fuel::lasting(fuel))
}

fn shape(input: &Value) -> Option<&[u64]> {
    match input {
        Value::Tensor(tensor) => Some(tensor.shape()),
        _ => None,
    }
}
