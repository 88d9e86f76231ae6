//! Executions in a pool: begun and ended in constant time, their memory used again.
//!
//! Law: a record is found by its index and by nothing else; there is no scan over live ones.

use samsara_ingress::Charge;

use crate::{context::InboundCtx, framework::TimerId, id::ExecId, plan::ModulePlan, value::Value};

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
    pub(super) inbound: Option<Box<InboundCtx>>,
    /// What its event weighs, once it has outlived its batch.
    pub(super) charge: Option<Charge>,
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
                self.records.push(Execution {
                    id,
                    module,
                    operands: Vec::new(),
                    missing: Vec::new(),
                    live: 0,
                    half_fed: 0,
                    has_failed: false,
                    has_permits: false,
                    is_watched: false,
                    deadlines: Vec::new(),
                    inbound: None,
                    charge: None,
                });
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
            record.charge = None;
            self.free.push(index);
        }
    }
}
