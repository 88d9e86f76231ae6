//! The ways into a Node's modules, by their names: of the host, and of the Node's own ops.
//!
//! Law: only modules that the Node was asked to run are found; what is given has the type of its
//! input, or is refused with what was wanted and what was there.

use std::sync::Arc;

use super::Services;
use crate::{
    error::DeliveryError,
    module::part_name,
    schema::PortType,
    value::{IntoValue, Value},
};

/// The modules of a plan and their inputs, in the order of the plan, which is that of the names.
#[derive(Debug, Default)]
pub(crate) struct Entrances(pub(crate) Vec<Entrance>);

/// One module.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) module: Arc<str>,
    pub(crate) inputs: Vec<(Arc<str>, PortType)>,
}

impl Entrances {
    fn find(&self, module: &str) -> Option<u32> {
        let found = self.0.binary_search_by(|entrance| (*entrance.module).cmp(module)).ok()?;
        u32::try_from(found).ok()
    }
}

impl Services {
    /// The module of this name that may be meant, or this Node's part of it.
    pub(crate) fn find_module(&self, module: &str, may: impl Fn(u32) -> bool) -> Option<u32> {
        let find = |name: &str| self.entrances.find(name).filter(|index| may(*index));
        let place = || self.bindings.as_ref()?.place.as_deref();
        find(module).or_else(|| find(&part_name(module, place()?)))
    }

    /// The module of this name, if it runs here.
    pub(crate) fn module(&self, module: &str) -> Result<u32, DeliveryError> {
        let found = self.find_module(module, |index| self.targets.contains(&index));
        found.ok_or_else(|| {
            let name = |index: &u32| self.entrances.0.get(*index as usize);
            let names = self.targets.iter().filter_map(name);
            DeliveryError::UnknownModule {
                module: module.to_owned(),
                available: names.map(|entrance| entrance.module.as_ref().to_owned()).collect(),
            }
        })
    }

    /// The input of this name, and what goes there.
    pub(crate) fn input(
        &self,
        index: u32,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<(u32, Value), DeliveryError> {
        let inputs = self.entrances.0.get(index as usize).map_or(&[][..], |found| &found.inputs);
        let found = (0..).zip(inputs).find(|(_, (name, _))| **name == *input);
        let Some((at, (_, ty))) = found else {
            return Err(DeliveryError::UnknownInput {
                module: module.to_owned(),
                input: input.to_owned(),
                available: inputs.iter().map(|(name, _)| name.as_ref().to_owned()).collect(),
            });
        };
        let mismatch = |expected: String, got: String| DeliveryError::TypeMismatch {
            module: module.to_owned(),
            input: input.to_owned(),
            expected,
            got,
        };
        let value =
            value.into_value().map_err(|nested| mismatch(ty.to_string(), nested.to_string()))?;
        match ty.accepts(&value) {
            Ok(()) => Ok((at, value)),
            Err(wrong) => Err(mismatch(wrong.expected.into_owned(), wrong.got.into_owned())),
        }
    }
}

/// Whether so many bytes may come in at once.
pub(crate) fn check_size(byte_count: u64, cap: u64) -> Result<(), DeliveryError> {
    if byte_count > cap { Err(DeliveryError::OversizePayload { byte_count, cap }) } else { Ok(()) }
}
