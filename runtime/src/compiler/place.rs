//! The fourth step: each place of a module becomes a module of its own.
//!
//! Law: a value is at one place, and only a channel carries it to another. A channel's receiving
//! end is an exported input of its name; its sending end is an op that knows the place it sends to
//! and nothing of who is there. Stages that move ops stand before this step.

mod cut;

use std::collections::BTreeSet;

use super::Surroundings;
use crate::module::{
    CHANNEL, Channel, Diagnostics, Draft, Module, OpKind, PlaceProblem, Placement, PortPath,
    Problem, Step,
};

pub(super) fn place(mut draft: Draft, _: &Surroundings<'_>, found: &mut Diagnostics) -> Draft {
    check_channels(&draft, found);
    let placed: BTreeSet<String> = { draft.modules.values() }
        .filter(|module| has_places(&draft, module))
        .map(|module| module.name.clone())
        .collect();
    if placed.is_empty() {
        return draft;
    }
    check_calls(&draft, &placed, found);
    for name in placed {
        let Some(module) = draft.modules.remove(&name) else { continue };
        let [body, bootstrap] = ["", "bootstrap/"].map(|prefix| {
            draft.layout.placed.remove(&format!("{prefix}{name}")).unwrap_or_default()
        });
        let mut wrong = Diagnostics::default();
        let cut = cut::cut(&module, &body, &bootstrap, &mut wrong);
        rename(&mut draft, &name, &body, &cut);
        for part in cut.parts {
            let name = part.name.clone();
            if wrong.is_empty() {
                // The halves of what is wrong as a whole would only say so again.
                crate::module::check(&part, found);
            }
            if draft.modules.insert(name.clone(), part).is_some() {
                found.report(Step::Place, &name, "", Problem::TwoModules);
            }
        }
        for channel in cut.channels {
            let (module, port) = (channel.module.clone(), channel.name.clone());
            draft.layout.channels.insert(PortPath { module, port }, channel);
        }
        found.append(wrong);
    }
    draft
}

fn has_places(draft: &Draft, module: &Module) -> bool {
    let is_placed = |prefix| draft.layout.placed.contains_key(&format!("{prefix}{}", module.name));
    let is_channel = |name: &String| name == CHANNEL;
    let ops = module.bodies().flat_map(|(_, body)| &body.ops);
    is_placed("") || is_placed("bootstrap/") || { ops }
        .any(|op| matches!(&op.kind, OpKind::Syscall(name) if is_channel(name)))
}

/// A call happens at one place, and so must all that it calls.
fn check_calls(draft: &Draft, placed: &BTreeSet<String>, found: &mut Diagnostics) {
    for (name, module) in &draft.modules {
        for (prefix, body) in module.bodies() {
            for op in &body.ops {
                let OpKind::Call { module } = &op.kind else { continue };
                if placed.contains(module) {
                    let problem = PlaceProblem::PlacedCallee { module: module.clone() };
                    found.report(Step::Place, name, format!("{prefix}{}", op.name), problem.into());
                }
            }
        }
    }
}

/// Targets and exports of a module are those of its parts.
fn rename(draft: &mut Draft, name: &str, placement: &Placement, cut: &cut::Cut) {
    if draft.targets.remove(name) {
        draft.targets.extend(cut.parts.iter().map(|part| part.name.clone()));
    }
    let own = |export: &PortPath| export.module == name;
    let (exports, others) = std::mem::take(&mut draft.exports).into_iter().partition(own);
    draft.exports = others;
    let exports: BTreeSet<PortPath> = exports;
    draft.exports.extend(exports.into_iter().map(|PortPath { port, .. }| PortPath {
        module: cut::part_of(name, placement.inputs.get(&port)),
        port,
    }));
    let ports = cut.channels.iter().flat_map(|channel| {
        let module = channel.receives();
        channel.ports().map(move |port| PortPath { module: module.clone(), port })
    });
    draft.exports.extend(ports);
}

/// Both ends of each channel are there, the receiving one within reach of peers.
fn check_channels(draft: &Draft, found: &mut Diagnostics) {
    for channel in draft.layout.channels.values() {
        if let Some(what) = lacking(draft, channel) {
            let name = channel.name.clone();
            let problem = PlaceProblem::BadChannel { name, what };
            found.report(Step::Place, &channel.module, &channel.name, problem.into());
        }
    }
}

fn lacking(draft: &Draft, channel: &Channel) -> Option<String> {
    let (sends, receives) = (channel.sends(), channel.receives());
    for end in [&sends, &receives] {
        if !draft.targets.contains(end) || !draft.modules.contains_key(end) {
            return Some(format!("its end {end:?} among the targets"));
        }
    }
    let mut paths = channel.ports().map(|port| PortPath { module: receives.clone(), port });
    let hidden = paths.find(|path| !draft.exports.contains(path));
    hidden.map(|path| format!("its input {path}, exported"))
}

#[cfg(test)]
mod tests;
