//! A draft: the modules of a program on their way from authoring to sealing.
//!
//! Law: plain data. A draft promises nothing about itself; the compiler's steps find out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Diagnostics, Layout, Module, Problem, Step};
use crate::role::Role;

/// Modules, and what is decided about them so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The modules, each under its name.
    pub modules: BTreeMap<String, Module>,
    /// The modules that a Node can run; the others are only called.
    pub targets: BTreeSet<String>,
    /// The component type of each slot.
    pub slots: BTreeMap<String, String>,
    /// The settings of components that are made with some, as JSON, each under its slot.
    pub configs: BTreeMap<String, String>,
    /// The roles that each slot is taken for.
    pub roles: BTreeMap<String, BTreeSet<Role>>,
    /// The names of the backends that tensor ops are offered to, in this order.
    pub backends: Vec<String>,
    /// The releases of ONNX domains that tensor ops are meant by, where they are not the usual ones.
    pub opsets: BTreeMap<String, u64>,
    /// The inputs that peers may reach.
    pub exports: BTreeSet<PortPath>,
    /// Where its parts run.
    pub layout: Layout,
}

/// A port by its module and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortPath {
    /// The module.
    pub module: String,
    /// The port.
    pub port: String,
}

impl std::fmt::Display for PortPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.module, self.port)
    }
}

impl Draft {
    /// Takes over what another draft holds, its targets excepted. Where the two disagree, what is
    /// here stays and the other is reported; `by` says who binds a slot, here and there.
    pub(crate) fn absorb(
        &mut self,
        other: &Self,
        by: impl Fn(&str) -> Vec<String>,
        found: &mut Diagnostics,
    ) {
        for (name, module) in &other.modules {
            match self.modules.get(name) {
                Some(known) if known != module => {
                    found.report(Step::Record, name, "", Problem::TwoModules);
                }
                Some(_) => {}
                None => {
                    self.modules.insert(name.clone(), module.clone());
                }
            }
        }
        for (slot, kind) in &other.slots {
            let config = other.configs.get(slot).map(String::as_str);
            self.bind(slot, kind, config, || by(slot), found);
        }
        for (slot, roles) in &other.roles {
            self.roles.entry(slot.clone()).or_default().extend(roles);
        }
        for backend in &other.backends {
            self.offer(backend);
        }
        for (domain, second) in &other.opsets {
            let first = *self.opsets.entry(domain.clone()).or_insert(*second);
            if first != *second {
                let problem = Problem::TwoOpsets { domain: domain.clone(), first, second: *second };
                found.report(Step::Record, "", "", problem);
            }
        }
        self.exports.extend(other.exports.iter().cloned());
        // What is known under these names came with the same modules, or is reported with them.
        let Layout { placed, channels } = other.layout.clone();
        self.layout.placed.extend(placed);
        self.layout.channels.extend(channels);
    }

    /// Offers tensor ops to a backend, after those that they are offered to already.
    pub(crate) fn offer(&mut self, backend: &str) {
        if !self.backends.iter().any(|known| known == backend) {
            self.backends.push(backend.to_owned());
        }
    }

    /// Binds a slot, unless it is bound to something else.
    pub(crate) fn bind(
        &mut self,
        slot: &str,
        kind: &str,
        config: Option<&str>,
        by: impl FnOnce() -> Vec<String>,
        found: &mut Diagnostics,
    ) {
        let known = self.slots.get(slot).map(String::as_str);
        let known_config = self.configs.get(slot).map(String::as_str);
        match known {
            Some(first) if (first, known_config) != (kind, config) => {
                let (first, second) = (binding(first, known_config), binding(kind, config));
                let mut contributors = by();
                contributors.dedup();
                let problem = Problem::BoundTwice { first, second, contributors };
                found.report(Step::Record, "", slot, problem);
            }
            _ => {
                self.slots.insert(slot.to_owned(), kind.to_owned());
                self.configs.extend(config.map(|config| (slot.to_owned(), config.to_owned())));
            }
        }
    }
}

/// A binding as reports show it; settings may be long.
fn binding(kind: &str, config: Option<&str>) -> String {
    match config {
        Some(config) => format!("{kind} with {}", crate::error::cut_detail(config, 255)),
        None => kind.to_owned(),
    }
}
