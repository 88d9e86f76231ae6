//! Bootstraps as plans of their own, and the order in which they run.
//!
//! Law: the bootstrap of a module stands behind those of all modules that it calls, in its body or
//! its bootstrap; so whoever runs them in that order finds ready what it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::{BootstrapPlan, Call, ModulePlan, PlanError};
use crate::module::{Module, OpKind};

/// Adds the expanded bootstrap of a module of the first `named` plans.
pub(super) fn add(
    plans: &mut Vec<ModulePlan>,
    named: usize,
    plan: ModulePlan,
    errors: &mut Vec<PlanError>,
) {
    let source = plan.sources.iter().chain(&plan.listeners).next();
    if let Some(op) = source.and_then(|op| plan.ops.get(*op as usize)) {
        errors.push(PlanError::SourceInBootstrap { op: op.name.as_ref().to_owned() });
        return;
    }
    let touched = plan.ops.iter().filter_map(|op| match &op.call {
        Call::Component { slot, .. } => Some(*slot),
        Call::Constant(_) | Call::Request(_) | Call::Session(_) => None,
    });
    let slots: BTreeSet<u32> = touched.collect();
    let slots = slots.into_iter().collect();
    let body = u32::try_from(plans.len()).unwrap_or(u32::MAX);
    let modules = plans.get_mut(..named).unwrap_or_default();
    if let Some(module) = modules.iter_mut().find(|module| module.name == plan.name) {
        module.bootstrap = Some(BootstrapPlan { body, slots });
        plans.push(plan);
    }
}

/// Finds for each module the bootstraps that come before its body. Calls end, since the modules
/// have been expanded.
pub(super) fn sort(modules: &BTreeMap<String, Module>, plans: &mut [ModulePlan], named: usize) {
    let index: BTreeMap<&str, u32> = modules.keys().map(String::as_str).zip(0..).collect();
    let mut orders = BTreeMap::<&str, Vec<u32>>::new();
    for name in modules.keys() {
        order(modules, &index, name, &mut orders);
    }
    let plans = plans.get_mut(..named).unwrap_or_default();
    for (plan, order) in plans.iter_mut().zip(orders.into_values()) {
        plan.bootstraps = order;
    }
}

fn order<'m>(
    modules: &'m BTreeMap<String, Module>,
    index: &BTreeMap<&str, u32>,
    name: &'m str,
    orders: &mut BTreeMap<&'m str, Vec<u32>>,
) {
    let Some(module) = modules.get(name).filter(|_| !orders.contains_key(name)) else { return };
    let (mut own, mut seen) = (Vec::new(), BTreeSet::new());
    for (_, body) in module.bodies() {
        for op in &body.ops {
            let OpKind::Call { module: callee } = &op.kind else { continue };
            order(modules, index, callee, orders);
            let before = orders.get(callee.as_str()).into_iter().flatten();
            own.extend(before.copied().filter(|at| seen.insert(*at)));
        }
    }
    if module.bootstrap.is_some() {
        own.extend(index.get(name));
    }
    orders.insert(name, own);
}
