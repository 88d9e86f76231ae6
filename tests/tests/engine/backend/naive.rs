//! A backend of four ops over f32, by plain loops.

use std::sync::Arc;

use samsara_runtime::{
    error::OpError,
    role::backend::{Backend, Claim, CompileError, Fuel, Region, Session, TensorNode},
    tensor::Tensor,
    time::Nanos,
    value::Value,
};

/// Runs `Add`, `Mul`, `Relu` and `MatMul` of one shape each, except those that a test takes away.
pub(crate) struct Naive {
    pub(crate) name: &'static str,
    /// Claimed no more.
    pub(crate) without: &'static [&'static str],
    /// Claimed, and not compiled.
    pub(crate) breaks: &'static [&'static str],
}

impl Default for Naive {
    fn default() -> Self {
        Self { name: "test.naive@1", without: &[], breaks: &[] }
    }
}

/// One claimed op.
#[derive(Clone, Copy)]
enum Op {
    Add,
    Mul,
    Relu,
    MatMul,
    /// Never ends but for its fuel.
    Spin,
}

fn known(node: &TensorNode) -> Option<Op> {
    Some(match (node.domain.as_str(), node.op_type.as_str()) {
        ("", "Add") => Op::Add,
        ("", "Mul") => Op::Mul,
        ("", "Relu") => Op::Relu,
        ("", "MatMul") => Op::MatMul,
        ("test", "Spin") => Op::Spin,
        _ => return None,
    })
}

impl Backend for Naive {
    fn name(&self) -> &'static str {
        self.name
    }

    fn claim(&self, node: &TensorNode) -> Claim {
        let without = self.without.contains(&node.op_type.as_str());
        match known(node) {
            Some(_) if node.domain.is_empty() && node.opset < 13 => {
                Claim::No(format!("it knows release 13, not {}", node.opset))
            }
            Some(_) if !without => Claim::Op,
            _ => Claim::No("it has no such loop".into()),
        }
    }

    fn compile(&self, region: &Region) -> Result<Arc<dyn Session>, CompileError> {
        let refused = |reason: &str| CompileError { reason: reason.into() };
        let [node] = region.nodes.as_slice() else { return Err(refused("one node at a time")) };
        if self.breaks.contains(&node.op_type.as_str()) {
            return Err(refused("out of registers"));
        }
        Ok(Arc::new(known(node).ok_or_else(|| refused("never claimed"))?))
    }
}

impl Session for Op {
    fn cost(&self, shapes: &[Option<&[u64]>]) -> Nanos {
        let elements = |shape: &Option<&[u64]>| shape.map_or(1, |dims| dims.iter().product());
        Nanos::new(shapes.iter().map(elements).sum())
    }

    fn run(
        &self,
        inputs: &mut [Option<Value>],
        outputs: &mut Vec<Value>,
        fuel: &mut Fuel,
    ) -> Result<(), OpError> {
        let tensor = |at: usize| match inputs.get(at) {
            Some(Some(Value::Tensor(tensor))) => Ok(tensor.clone()),
            _ => Err(OpError::failed("wanted a tensor")),
        };
        let left = tensor(0)?;
        let result = match self {
            Self::Add => pairs(&left, &tensor(1)?, |left, right| left + right)?,
            Self::Mul => pairs(&left, &tensor(1)?, |left, right| left * right)?,
            Self::Relu => pairs(&left, &left, |left, _| left.max(0.0))?,
            Self::MatMul => product(&left, &tensor(1)?)?,
            Self::Spin => loop {
                fuel.burn(Nanos::new(1))?;
            },
        };
        outputs.push(Value::Tensor(result));
        Ok(())
    }
}

fn numbers(tensor: &Tensor) -> Result<&[f32], OpError> {
    tensor.as_slice().map_err(|error| OpError::failed(error.to_string()))
}

fn made(shape: &[u64], elements: &[f32]) -> Result<Tensor, OpError> {
    Tensor::from_slice(shape, elements).map_err(|error| OpError::failed(error.to_string()))
}

fn pairs(left: &Tensor, right: &Tensor, of: fn(f32, f32) -> f32) -> Result<Tensor, OpError> {
    if left.shape() != right.shape() {
        return Err(OpError::failed(format!("{:?} and {:?}", left.shape(), right.shape())));
    }
    let each = numbers(left)?.iter().zip(numbers(right)?);
    made(left.shape(), &each.map(|(left, right)| of(*left, *right)).collect::<Vec<_>>())
}

fn product(left: &Tensor, right: &Tensor) -> Result<Tensor, OpError> {
    let (&[rows, inner], &[other, columns]) = (left.shape(), right.shape()) else {
        return Err(OpError::failed("wanted two matrices"));
    };
    if inner != other {
        return Err(OpError::failed(format!("{inner} columns meet {other} rows")));
    }
    let (a, b) = (numbers(left)?, numbers(right)?);
    let mut out = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let term =
                |at: u64| a[(row * inner + at) as usize] * b[(at * columns + column) as usize];
            out.push((0..inner).map(term).sum::<f32>());
        }
    }
    made(&[rows, columns], &out)
}
