//! The inputs that peers may reach, by path.
//!
//! Law: a peer reaches what is listed here and nothing else.

use std::{collections::BTreeSet, sync::Arc};

use samsara_proto::Name;

use super::{ModulePlan, Plan};
use crate::{
    module::PortPath,
    schema::TypeTable,
    services::{Entrance, Entrances},
};

/// An input that peers may reach.
#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) path: Name,
    pub(crate) module: u32,
    pub(crate) input: u32,
}

/// What a path of a peer leads to.
#[derive(Debug)]
pub(crate) enum Reached<'a> {
    Exported(&'a Export),
    /// There is such an input, for the host alone.
    Inner,
    Nothing,
}

impl Plan {
    /// The same plan, with these inputs open to peers, who may send these native types. What is no
    /// input is left out: the compiler has reported it.
    #[must_use]
    pub fn with_exports(mut self, exports: &BTreeSet<PortPath>, natives: &TypeTable) -> Self {
        self.natives = natives.clone();
        let find = |export: &PortPath| {
            let (module, input) = self.find_input(&export.module, &export.port)?;
            Some(Export { path: export.to_string().into(), module, input })
        };
        let mut found: Vec<_> = exports.iter().filter_map(find).collect();
        found.sort_by(|left, right| left.path.cmp(&right.path));
        self.exports = found;
        self
    }

    /// What a peer's path leads to.
    pub(crate) fn reach(&self, path: &Name) -> Reached<'_> {
        let found = self.exports.binary_search_by(|export| export.path.cmp(path));
        if let Some(export) = found.ok().and_then(|at| self.exports.get(at)) {
            return Reached::Exported(export);
        }
        let inner = path.split_once('/').and_then(|(module, port)| self.find_input(module, port));
        if inner.is_some() { Reached::Inner } else { Reached::Nothing }
    }

    fn find_input(&self, module: &str, port: &str) -> Option<(u32, u32)> {
        let index = self.module(module)?;
        Some((index, self.modules.get(index as usize)?.input(port)?))
    }
}

/// The inputs of these modules, by their names.
pub(super) fn entrances(modules: &[ModulePlan]) -> Arc<Entrances> {
    let entrance = |module: &ModulePlan| Entrance {
        module: Arc::clone(&module.name),
        inputs: { module.inputs.iter() }
            .map(|port| (Arc::clone(&port.name), port.ty.clone()))
            .collect(),
    };
    Arc::new(Entrances(modules.iter().map(entrance).collect()))
}
