//! Named permits: how many executions may be somewhere at once.
//!
//! Law: a permit belongs to its execution and is free again when that ends, however it ends; a
//! free permit goes to whoever has waited longest, and nobody overtakes a waiter.
//!
//! ```
//! use samsara_runtime::framework::{Acquired, PeerGate, Waiter};
//! use samsara_runtime::id::{CommandId, ExecId};
//!
//! let waiter = |number| {
//!     Some(Waiter { exec: ExecId::new(number)?, command: CommandId::new(number)? })
//! };
//! let (first, second) = waiter(1).zip(waiter(2)).ok_or("not zero")?;
//! let mut gates = PeerGate::new(16, 16);
//! assert_eq!(gates.acquire("upload", 1, first)?, Acquired::Granted);
//! assert_eq!(gates.acquire("upload", 1, second)?, Acquired::Waits);
//! assert_eq!(gates.release_all(first.exec), [second]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bounded::{Bounded, CapReached};
use super::wait_lines::{WaitLines, Waiter};
use crate::codec::{Kept, Loader, Saver, Unreadable, saved};
use crate::id::ExecId;

/// The gates of a Node. One is there while a permit of it is held or waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerGate {
    gates: Bounded<Arc<str>, Gate>,
    waiting: WaitLines,
    /// Which gates an execution holds permits of, so that its end need not ask every gate.
    held: BTreeSet<(ExecId, Arc<str>)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Gate {
    permits: u32,
    /// How many permits each execution holds; never none.
    holders: BTreeMap<ExecId, u32>,
    taken: u32,
}

/// What became of asking for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The permit is there.
    Granted,
    /// The op waits in line.
    Waits,
}

/// Why a gate did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// There are as many gates, or as many wait for this one, as may be.
    #[error(transparent)]
    Full(#[from] CapReached),
    /// The gate is in use with another number of permits.
    #[error("gate {gate:?} has {permits} permits, wanted {wanted}")]
    OtherPermits {
        /// The gate.
        gate: Arc<str>,
        /// How many permits it has.
        permits: u32,
        /// How many the caller says it has.
        wanted: u32,
    },
    /// A gate without permits would let nobody through, ever.
    #[error("gate {gate:?} was asked for with no permits, wanted at least one")]
    NoPermits {
        /// The gate.
        gate: Arc<str>,
    },
    /// The execution holds no permit of this gate.
    #[error("{exec:?} holds no permit of gate {gate:?}")]
    NotHeld {
        /// The gate.
        gate: Arc<str>,
        /// The execution.
        exec: ExecId,
    },
}

impl PeerGate {
    /// At most `max_gates` gates, each with at most `max_waiters` in line.
    pub const fn new(max_gates: u32, max_waiters: u32) -> Self {
        Self {
            gates: Bounded::new("gates", max_gates),
            waiting: WaitLines::new("waiters of a gate", max_waiters),
            held: BTreeSet::new(),
        }
    }

    /// Asks for one of the `permits` permits of this gate.
    pub fn acquire(
        &mut self,
        gate: &str,
        permits: u32,
        waiter: Waiter,
    ) -> Result<Acquired, GateError> {
        if permits == 0 {
            return Err(GateError::NoPermits { gate: gate.into() });
        }
        let new = || Gate { permits, holders: BTreeMap::new(), taken: 0 };
        let entry = self.gates.open(gate, Arc::from, new)?;
        if entry.permits != permits {
            let (gate, wanted) = (gate.into(), permits);
            return Err(GateError::OtherPermits { gate, permits: entry.permits, wanted });
        }
        if entry.taken >= entry.permits {
            self.waiting.join(gate, waiter)?;
            return Ok(Acquired::Waits);
        }
        self.grant(gate, waiter.exec);
        Ok(Acquired::Granted)
    }

    /// Gives one permit back. What comes back is who has it now.
    pub fn release(&mut self, gate: &str, exec: ExecId) -> Result<Option<Waiter>, GateError> {
        if self.take(gate, exec, 1) == 0 {
            return Err(GateError::NotHeld { gate: gate.into(), exec });
        }
        Ok(self.pass_on(gate))
    }

    /// Ends an execution: it leaves every line, and its permits go to those who come back.
    pub fn release_all(&mut self, exec: ExecId) -> Vec<Waiter> {
        self.waiting.leave_all(exec);
        let from = (exec, Arc::from(""));
        let gates: Vec<Arc<str>> = self
            .held
            .range(from..)
            .take_while(|(holder, _)| *holder == exec)
            .map(|(_, gate)| Arc::clone(gate))
            .collect();
        let mut granted = Vec::new();
        for gate in gates {
            let freed = self.take(&gate, exec, u32::MAX);
            granted.extend((0..freed).map_while(|_| self.pass_on(&gate)));
        }
        granted
    }

    /// Leaves the line, as when the op's deadline has passed; false if it did not wait.
    pub fn leave(&mut self, waiter: Waiter) -> bool {
        self.waiting.leave(waiter)
    }

    /// How many wait for this gate.
    pub fn waiters(&self, gate: &str) -> usize {
        self.waiting.len(gate)
    }

    fn grant(&mut self, gate: &str, exec: ExecId) {
        let Some(entry) = self.gates.get_mut(gate) else { return };
        entry.taken = entry.taken.saturating_add(1);
        let count = entry.holders.entry(exec).or_insert(0);
        *count = count.saturating_add(1);
        if *count == 1 {
            self.held.insert((exec, Arc::from(gate)));
        }
    }

    /// Takes up to `most` permits from a holder, and says how many there were.
    fn take(&mut self, gate: &str, exec: ExecId, most: u32) -> u32 {
        let Some(entry) = self.gates.get_mut(gate) else { return 0 };
        let Some(count) = entry.holders.get_mut(&exec) else { return 0 };
        let taken = most.min(*count);
        *count -= taken;
        entry.taken = entry.taken.saturating_sub(taken);
        if *count == 0 {
            entry.holders.remove(&exec);
            self.held.remove(&(exec, Arc::from(gate)));
        }
        taken
    }

    /// Hands a free permit to whoever is first in line; a gate that nobody uses is gone.
    fn pass_on(&mut self, gate: &str) -> Option<Waiter> {
        let next = self.waiting.pop(gate);
        match next {
            Some(waiter) => self.grant(gate, waiter.exec),
            None if self.gates.get(gate).is_some_and(|entry| entry.taken == 0) => {
                self.gates.remove(gate);
            }
            None => {}
        }
        next
    }
}

saved! { Gate { permits, holders, taken } }

impl Kept for PeerGate {
    fn save(&self, out: &mut Saver) {
        self.gates.save(out);
        self.waiting.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.gates.fill(from)?;
        self.held.clear();
        for (name, gate) in self.gates.iter() {
            let taken = gate.holders.values().try_fold(0_u32, |sum, held| sum.checked_add(*held));
            let is_held = gate.holders.values().all(|held| *held > 0);
            if !is_held || taken != Some(gate.taken) || gate.taken > gate.permits {
                return Err(Unreadable::invalid("gates", "their permits do not add up"));
            }
            self.held.extend(gate.holders.keys().map(|exec| (*exec, Arc::clone(name))));
        }
        self.waiting.fill(from)
    }
}

#[cfg(test)]
mod tests;
