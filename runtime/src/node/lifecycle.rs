//! The phases of a Node's life, as its host announces them.
//!
//! Law: a phase comes by an event in a batch, so that it is journaled and replays; taking a
//! snapshot or stopping does not announce it by itself.

use std::collections::BTreeSet;

use super::Node;
use crate::{
    error::DeliveryError,
    event::{Control, IngressEvent},
    plan::Call,
    syscall::Request,
};

/// The phases that every Node has.
pub const PHASES: [&str; 2] = ["Shutdown", "Snapshot"];

/// Why a phase was not announced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// No op is enrolled in a phase of this name, and it is none of those that every Node has.
    #[error("no phase {phase:?}, there are {available:?}")]
    UnknownPhase {
        /// The name.
        phase: String,
        /// The phases there are.
        available: Vec<String>,
    },
    /// The mailbox did not take the event.
    #[error(transparent)]
    Refused(#[from] DeliveryError),
}

impl Node {
    /// Announces a phase: in the next turn the ops that are enrolled in it trigger, each in an
    /// execution of its own.
    pub fn fire_lifecycle(&mut self, phase: &str) -> Result<(), LifecycleError> {
        let phases = self.phases();
        if !phases.contains(phase) {
            let available = phases.into_iter().map(str::to_owned).collect();
            return Err(LifecycleError::UnknownPhase { phase: phase.to_owned(), available });
        }
        Ok(self.push_control(Control::Lifecycle(phase.into()))?)
    }

    fn phases(&self) -> BTreeSet<&str> {
        let mut phases = BTreeSet::from(PHASES);
        for module in
            self.targets.iter().filter_map(|at| self.program.plan().modules.get(*at as usize))
        {
            let ops = module.listeners.iter().filter_map(|op| module.ops.get(*op as usize));
            phases.extend(ops.filter_map(|op| match &op.call {
                Call::Request(Request::LifecyclePhase(phase)) => Some(&**phase),
                _ => None,
            }));
        }
        phases
    }

    /// Asks something of the Node itself, by its mailbox.
    pub(super) fn push_control(&self, control: Control) -> Result<(), DeliveryError> {
        let event = IngressEvent::Control(control);
        let weight = event.weight();
        self.handle.try_push(event, weight).map_err(|refused| refused.refusal)?;
        Ok(())
    }
}
