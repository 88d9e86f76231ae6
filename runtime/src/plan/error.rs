//! Why a program cannot be planned.
//!
//! Law: each names the op and what it wanted; all are told together.

use super::SessionError;

/// Why a program cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A call names no module.
    #[error("{op}: no module {module:?}")]
    UnknownModule {
        /// The op that calls.
        op: String,
        /// The name it calls.
        module: String,
    },
    /// A slot is not bound.
    #[error("{op}: slot {slot:?} is not bound")]
    UnboundSlot {
        /// The op.
        op: String,
        /// The slot.
        slot: String,
    },
    /// A component or the engine has no such op.
    #[error("{op}: {wanted:?} is not an op of {of}")]
    UnresolvedOp {
        /// The op.
        op: String,
        /// What it wants to be.
        wanted: String,
        /// Where it was looked for.
        of: String,
    },
    /// An op has more or fewer inputs or outputs than what it calls.
    #[error("{op}: has {got} {what}, wanted {wanted}")]
    Arity {
        /// The op.
        op: String,
        /// Inputs or outputs.
        what: &'static str,
        /// How many are wanted.
        wanted: usize,
        /// How many there are.
        got: usize,
    },
    /// Nobody runs a tensor op.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A constant has no value.
    #[error("{op}: constant without a value")]
    NoValue {
        /// The op.
        op: String,
    },
    /// A bootstrap runs once, so nothing in it can begin executions of itself.
    #[error("{op}: begins executions of itself, which nothing in a bootstrap may")]
    SourceInBootstrap {
        /// The op.
        op: String,
    },
    /// Calls go deeper than allowed, or in a circle.
    #[error("{op}: calls are nested deeper than {cap}")]
    TooDeep {
        /// The op.
        op: String,
        /// Levels allowed.
        cap: u32,
    },
    /// The program grows beyond the limits when its calls are expanded.
    #[error("module {module:?} expands to more than {cap} {what}")]
    TooLarge {
        /// The module.
        module: String,
        /// Ops or steps.
        what: &'static str,
        /// How many are allowed.
        cap: u64,
    },
}

/// Everything that keeps a program from being planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .errors.iter().map(PlanError::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PlanErrors {
    /// Each of them.
    pub errors: Vec<PlanError>,
}
