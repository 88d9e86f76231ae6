//! The second step: the form of every body, and its ops in dataflow order.
//!
//! Law: after this step an op stands behind all whose values it reads; ops that were in order
//! already stay where they are.

use super::{Surroundings, link::some};
use crate::module::{
    Body, Diagnostics, Draft, PortPath, Problem, Step, check, check_name, dataflow,
};

pub(super) fn validate(mut draft: Draft, _: &Surroundings<'_>, found: &mut Diagnostics) -> Draft {
    if draft.targets.is_empty() {
        found.report(Step::Validate, "", "", Problem::NoTarget);
    }
    let known = |name: &String| draft.modules.contains_key(name);
    for target in draft.targets.iter().filter(|target| !known(target)) {
        let (module, available) = (target.clone(), some(draft.modules.keys()));
        found.report(Step::Validate, target, "", Problem::UnknownModule { module, available });
    }
    for export in draft.exports.iter().filter(|export| !is_target_input(&draft, export)) {
        found.report(Step::Validate, &export.module, &export.port, Problem::BadExport);
    }
    for slot in draft.slots.keys() {
        check_name("slot", slot, |problem| found.report(Step::Validate, "", slot, problem));
    }
    for (key, module) in &mut draft.modules {
        if *key != module.name {
            let problem = Problem::Misfiled { key: key.clone() };
            found.report(Step::Validate, &module.name, "", problem);
        }
        check(module, found);
        module.bodies_mut().for_each(|(_, body)| sort(body));
    }
    draft
}

fn is_target_input(draft: &Draft, export: &PortPath) -> bool {
    let target = draft.targets.get(&export.module);
    let module = target.and_then(|name| draft.modules.get(name));
    module.is_some_and(|module| module.body.inputs.iter().any(|port| port.name == export.port))
}

fn sort(body: &mut Body) {
    let sorted = dataflow(body).sorted;
    let mut ops: Vec<_> = std::mem::take(&mut body.ops).into_iter().map(Some).collect();
    body.ops = sorted.into_iter().filter_map(|at| ops.get_mut(at)?.take()).collect();
}
