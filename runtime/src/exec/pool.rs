//! Executions in a pool: begun and ended in constant time, their memory used again.
//!
//! Law: a record is found by its index and by nothing else; there is no scan over live ones.

use std::num::NonZeroU64;

use samsara_ingress::Charge;

use super::{OpAt, kept::Around};
use crate::{
    codec::{Loader, Saved, Saver, Unreadable},
    context::InboundCtx,
    framework::TimerId,
    id::{ExecId, MintedId},
    plan::{ModulePlan, Plan},
    value::Value,
};

/// The place of an execution in the pool.
pub(super) type ExecIndex = u32;

/// One execution.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) id: ExecId,
    pub(super) module: u32,
    pub(super) operands: Vec<Option<Value>>,
    /// For each op, how many arrivals it still waits for.
    pub(super) missing: Vec<u16>,
    /// Ops that are ready or parked, and deadlines that are open.
    pub(super) live: u32,
    /// Ops that have part of their inputs.
    pub(super) half_fed: u32,
    /// An op of it failed, or ended it there by design: what waits for the rest is not starved.
    pub(super) has_failed: bool,
    /// It may hold permits, or wait for some.
    pub(super) has_permits: bool,
    /// Somebody wants to know of its end.
    pub(super) is_watched: bool,
    /// Timers of its deadline ops.
    pub(super) deadlines: Vec<(u32, TimerId)>,
    /// The envelope behind it.
    pub(super) inbound: Option<InboundCtx>,
    /// What its event weighs, once it has outlived its batch.
    pub(super) weight: u64,
    /// As much of the mailbox's budget, unless the batch is one of the past.
    pub(super) charge: Option<Charge>,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            id: ExecId::from_number(NonZeroU64::MIN),
            module: 0,
            operands: Vec::new(),
            missing: Vec::new(),
            live: 0,
            half_fed: 0,
            has_failed: false,
            has_permits: false,
            is_watched: false,
            deadlines: Vec::new(),
            inbound: None,
            weight: 0,
            charge: None,
        }
    }
}

/// All executions, and the memory of ended ones.
#[derive(Debug, Default)]
pub(super) struct Pool {
    records: Vec<Execution>,
    free: Vec<ExecIndex>,
}

impl Pool {
    pub(super) fn live(&self) -> usize {
        self.records.len() - self.free.len()
    }

    /// The executions that have not ended, in the order of their places; for a host that asks, and
    /// for a clear.
    pub(super) fn alive(&self) -> impl Iterator<Item = (ExecIndex, &Execution)> {
        (0..).zip(&self.records).filter(|(_, execution)| execution.live > 0)
    }

    #[inline]
    pub(super) fn at(&mut self, index: ExecIndex) -> Option<&mut Execution> {
        self.records.get_mut(index as usize)
    }

    pub(super) fn begin(&mut self, id: ExecId, module: u32, plan: &ModulePlan) -> ExecIndex {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.records.push(Execution::default());
                u32::try_from(self.records.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(record) = self.at(index) {
            record.id = id;
            record.module = module;
            record.operands.resize_with(plan.operands, || None);
            record.missing.clear();
            record.missing.extend_from_slice(&plan.missing);
            record.live = 0;
            record.half_fed = 0;
            record.has_failed = false;
            record.has_permits = false;
            record.is_watched = false;
        }
        index
    }

    pub(super) fn end(&mut self, index: ExecIndex) {
        if let Some(record) = self.at(index) {
            record.operands.clear();
            record.deadlines.clear();
            record.inbound = None;
            (record.weight, record.charge) = (0, None);
            self.free.push(index);
        }
    }
}

impl Execution {
    fn save(&self, out: &mut Saver) {
        self.id.save(out);
        self.module.save(out);
        self.operands.save(out);
        self.missing.save(out);
        self.live.save(out);
        self.half_fed.save(out);
        self.has_failed.save(out);
        self.has_permits.save(out);
        self.is_watched.save(out);
        self.deadlines.save(out);
        self.inbound.save(out);
        self.weight.save(out);
    }

    fn load(from: &mut Loader<'_>, around: &mut Around<'_>) -> Result<Self, Unreadable> {
        let mut execution = Self {
            id: Saved::load(from)?,
            module: Saved::load(from)?,
            operands: Saved::load(from)?,
            missing: Saved::load(from)?,
            live: Saved::load(from)?,
            half_fed: Saved::load(from)?,
            has_failed: Saved::load(from)?,
            has_permits: Saved::load(from)?,
            is_watched: Saved::load(from)?,
            deadlines: Saved::load(from)?,
            inbound: Saved::load(from)?,
            weight: Saved::load(from)?,
            charge: None,
        };
        execution.charge = (around.charge)(execution.weight);
        let wrong = |what: &str| Err(Unreadable::invalid("execution", what));
        let Some(plan) = around.plan.modules.get(execution.module as usize) else {
            return wrong("its module is not in the plan");
        };
        let is_its = |op: u32| (op as usize) < plan.ops.len();
        if execution.operands.len() != plan.operands || execution.missing.len() != plan.ops.len() {
            return wrong("its operands are not those of its module");
        }
        if execution.live == 0 || !execution.deadlines.iter().all(|(op, _)| is_its(*op)) {
            return wrong("it has ended, or waits for ops that are not in its module");
        }
        Ok(execution)
    }
}

impl Pool {
    /// Writes the executions down at their places, which timers name too.
    pub(super) fn save(&self, out: &mut Saver) {
        (self.records.len() as u64).save(out);
        for execution in &self.records {
            (execution.live > 0).save(out);
            if execution.live > 0 {
                execution.save(out);
            }
        }
        self.free.save(out);
    }

    pub(super) fn load(from: &mut Loader<'_>, around: &mut Around<'_>) -> Result<Self, Unreadable> {
        let wrong = |what: &str| Err(Unreadable::invalid("executions", what));
        let mut records = Vec::new();
        for _ in 0..from.length("executions")? {
            records.push(match bool::load(from)? {
                true => Execution::load(from, around)?,
                false => Execution::default(),
            });
        }
        let free: Vec<ExecIndex> = Saved::load(from)?;
        let is_free = |index: &ExecIndex| {
            records.get(*index as usize).is_some_and(|execution: &Execution| execution.live == 0)
        };
        let distinct: std::collections::BTreeSet<_> = free.iter().collect();
        let ended = records.iter().filter(|execution| execution.live == 0).count();
        if !free.iter().all(is_free) || distinct.len() != free.len() || ended != free.len() {
            return wrong("their places contradict each other");
        }
        Ok(Self { records, free })
    }

    /// Whether an op of a live execution is at this place.
    pub(super) fn has(&self, plan: &Plan, at: OpAt) -> bool {
        let execution = self.records.get(at.exec as usize).filter(|execution| execution.live > 0);
        let module = execution.and_then(|execution| plan.modules.get(execution.module as usize));
        module.is_some_and(|module| (at.op as usize) < module.ops.len())
    }
}
