//! What most programs need, in one line: `use samsara::prelude::*`.

pub use crate::{
    proto::{Address, PeerId},
    runtime::{
        compiler::Compiler,
        completion::{CompletionHandle as Completion, Promise},
        component::{Component, Ops, Registry},
        config::NodeConfig,
        context::{ComponentTimerKind, Cx, RuntimeResourceRef},
        error::{DeliveryError, OpError},
        graph::{Graph, Wire},
        job::{IdempotencyKey, Job, Resources},
        node::{Batch, Installation, Node, Wakeup, install},
        program::Program,
        step::{EngineStep, Steps},
        tensor::{Dtype, Tensor},
        time::{Nanos, millis, seconds},
        value::{FromValue, IntoValue, Value},
    },
};

#[cfg(feature = "host")]
pub use crate::{
    actors::{CallError, Disk, Invocation, NodeRef, Reply, SpawnError, Switch, System},
    runtime::{
        id::Incarnation,
        recovery::{Durability, NodeSpec},
        supervision::Policy,
    },
    transport::Identity,
};

/// What a program that may fail in several ways returns.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
