//! A draft: the modules of a program on their way from authoring to sealing.
//!
//! Law: plain data. A draft promises nothing about itself; the compiler's steps find out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Diagnostics, Module, Problem, Step};

/// Modules, and what is decided about them so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The modules, each under its name.
    pub modules: BTreeMap<String, Module>,
    /// The modules that a Node can run; the others are only called.
    pub targets: BTreeSet<String>,
    /// The component type of each slot.
    pub slots: BTreeMap<String, String>,
    /// The inputs that peers may reach.
    pub exports: BTreeSet<PortPath>,
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
    /// here stays and the other is reported.
    pub(crate) fn absorb(&mut self, other: &Self, found: &mut Diagnostics) {
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
            self.bind(slot, kind, found);
        }
        self.exports.extend(other.exports.iter().cloned());
    }

    /// Binds a slot, unless it is bound to something else.
    pub(crate) fn bind(&mut self, slot: &str, kind: &str, found: &mut Diagnostics) {
        match self.slots.get(slot) {
            Some(first) if first != kind => {
                let (first, second) = (first.clone(), kind.to_owned());
                found.report(Step::Record, "", slot, Problem::BoundTwice { first, second });
            }
            _ => {
                self.slots.insert(slot.to_owned(), kind.to_owned());
            }
        }
    }
}
