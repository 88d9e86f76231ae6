//! Backends: who runs the tensor ops of a program.
//!
//! Law: a backend says beforehand what it runs, so that a refusal is known before a program runs;
//! what a session gives depends on its inputs alone.
//!
//! ```
//! use std::sync::Arc;
//!
//! use samsara_runtime::error::OpError;
//! use samsara_runtime::role::backend::{Backend, Claim, CompileError, Fuel, Region, Session, TensorNode};
//! use samsara_runtime::time::Nanos;
//! use samsara_runtime::value::Value;
//!
//! struct OnlyIdentity;
//!
//! impl Backend for OnlyIdentity {
//!     fn name(&self) -> &'static str {
//!         "demo.identity@1"
//!     }
//!
//!     fn claim(&self, node: &TensorNode) -> Claim {
//!         match (node.domain.as_str(), node.op_type.as_str()) {
//!             ("", "Identity") => Claim::Op,
//!             _ => Claim::No("it gives back what it is given, and nothing else".into()),
//!         }
//!     }
//!
//!     fn compile(&self, _: &Region) -> Result<Arc<dyn Session>, CompileError> {
//!         Ok(Arc::new(GiveBack))
//!     }
//! }
//!
//! struct GiveBack;
//!
//! impl Session for GiveBack {
//!     fn cost(&self, _: &[Option<&[u64]>]) -> Nanos {
//!         Nanos::ZERO
//!     }
//!
//!     fn run(
//!         &self,
//!         inputs: &mut [Option<Value>],
//!         outputs: &mut Vec<Value>,
//!         _: &mut Fuel,
//!     ) -> Result<(), OpError> {
//!         outputs.extend(inputs.iter_mut().filter_map(Option::take));
//!         Ok(())
//!     }
//! }
//! ```

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    error::{OpError, OpErrorKind},
    schema::PortType,
    time::Nanos,
    value::Value,
};

/// Who runs tensor ops.
pub trait Backend: Send + Sync + 'static {
    /// Its stable name, `package.kind@version`: sealed programs bear it, for two backends need not
    /// round alike.
    fn name(&self) -> &'static str;

    /// Whether it runs this node, which it is asked before anything is compiled.
    fn claim(&self, node: &TensorNode) -> Claim;

    /// What runs a region all of whose nodes it has claimed.
    fn compile(&self, region: &Region) -> Result<Arc<dyn Session>, CompileError>;
}

/// A compiled region. Every Node that runs the program shares it, so it keeps nothing between runs.
pub trait Session: Send + Sync {
    /// About how long a run takes for inputs of these shapes, on the machine that all costs are
    /// told for; never measured, so that all machines decide alike. `None` is an input that is
    /// absent or no tensor.
    fn cost(&self, shapes: &[Option<&[u64]>]) -> Nanos;

    /// Runs it: appends as many outputs as the region has. It may take its inputs out of their
    /// places. Loops burn `fuel` as they go, so that none of them holds the thread for ever.
    fn run(
        &self,
        inputs: &mut [Option<Value>],
        outputs: &mut Vec<Value>,
        fuel: &mut Fuel,
    ) -> Result<(), OpError>;
}

/// What a backend says to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It does not run it, for this reason.
    No(String),
    /// It runs it by itself.
    Op,
    /// It runs it, and better together with its neighbours.
    Fuse,
}

/// A plain ONNX op.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorNode {
    /// The name of the op, for reports.
    pub name: String,
    /// The ONNX domain, empty for the standard one.
    pub domain: String,
    /// The ONNX op.
    pub op_type: String,
    /// The release of the domain's op set that the op is meant by.
    pub opset: u64,
    /// Its settings.
    pub attributes: BTreeMap<String, Value>,
    /// Where its inputs are among the region's values; `None` for one that is not given.
    pub inputs: Vec<Option<usize>>,
    /// Where its outputs go.
    pub outputs: Vec<usize>,
    /// What is known of the types of its inputs, by position.
    pub input_types: Vec<Option<PortType>>,
    /// What is known of the types of its outputs, by position.
    pub output_types: Vec<Option<PortType>>,
}

impl TensorNode {
    /// Its domain and op, as reports show them.
    pub fn kind(&self) -> String {
        match self.domain.as_str() {
            "" => self.op_type.clone(),
            domain => format!("{domain}.{}", self.op_type),
        }
    }
}

/// Nodes that run as one, in dataflow order; one node is a region too.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The nodes.
    pub nodes: Vec<TensorNode>,
    /// The values that enter, by the position of the inputs of a run; `None` for one that is never
    /// given.
    pub inputs: Vec<Option<usize>>,
    /// The values that leave, by the position of the outputs of a run.
    pub outputs: Vec<usize>,
}

impl Region {
    /// The region of this node alone.
    pub fn of(node: TensorNode) -> Self {
        let (inputs, outputs) = (node.inputs.clone(), node.outputs.clone());
        Self { nodes: vec![node], inputs, outputs }
    }
}

/// A backend cannot compile what it has claimed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CompileError {
    /// Why.
    pub reason: String,
}

/// How much longer a run may take.
#[derive(Debug)]
pub struct Fuel(Nanos);

impl Fuel {
    /// As much as lasts for this time, as costs are told.
    pub const fn lasting(time: Nanos) -> Self {
        Self(time)
    }

    /// What is left.
    pub const fn left(&self) -> Nanos {
        self.0
    }

    /// Burns what work of this cost needs, before it is done. What does not suffice is an error,
    /// and nothing is left then.
    pub fn burn(&mut self, cost: Nanos) -> Result<(), OpError> {
        let left = self.0.get().checked_sub(cost.get());
        self.0 = Nanos::new(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(OpError::new(OpErrorKind::Limit, "it ran out of fuel")),
        }
    }
}

/// The backends that a program is bound to, in the order in which they are asked.
#[derive(Clone, Default)]
pub(crate) struct Backends {
    bound: Vec<Arc<dyn Backend>>,
}

impl Backends {
    pub(crate) fn push(&mut self, backend: Arc<dyn Backend>) {
        self.bound.push(backend);
    }

    /// The first that claims the node, or why none of them does.
    pub(crate) fn claim(&self, node: &TensorNode) -> Result<&Arc<dyn Backend>, Vec<String>> {
        let mut reasons = Vec::new();
        for backend in &self.bound {
            match backend.claim(node) {
                Claim::No(reason) => reasons.push(format!("{}: {reason}", backend.name())),
                Claim::Op | Claim::Fuse => return Ok(backend),
            }
        }
        if reasons.is_empty() {
            reasons.push("no backend is bound".to_owned());
        }
        Err(reasons)
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.bound.iter().map(|backend| backend.name())).finish()
    }
}
