//! Roles, backends and releases of ops, as a model bears them.
//!
//! Law: what is the usual is not written into a draft, so that a draft that says nothing comes back
//! as one that says nothing.

use std::collections::{BTreeMap, BTreeSet};

use samsara_proto::onnx::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

use super::{OnnxError, entry, find, model::under, unsupported};
use crate::{
    module::{Draft, usual_opset},
    role::Role,
};

/// Before the name of a slot that is taken for roles.
const ROLES: &str = "samsara.roles.";
const BACKENDS: &str = "samsara.backends";
/// No name of a backend holds it.
const SEPARATOR: &str = ",";

pub(super) fn write(draft: &Draft) -> Vec<StringStringEntryProto> {
    let roles = draft.roles.iter().map(|(slot, roles)| {
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        entry(format!("{ROLES}{slot}"), names.join(SEPARATOR))
    });
    let backends =
        (!draft.backends.is_empty()).then(|| entry(BACKENDS, draft.backends.join(SEPARATOR)));
    roles.chain(backends).collect()
}

pub(super) fn roles(
    metadata: &[StringStringEntryProto],
) -> Result<BTreeMap<String, BTreeSet<Role>>, OnnxError> {
    let role = |slot: &str, name: &str| {
        Role::named(name).ok_or_else(|| unsupported(slot, format!("the role {name:?}")))
    };
    let roles = under(metadata, ROLES, "slot")?.into_iter().map(|(slot, names)| {
        let roles =
            names.split(SEPARATOR).map(|name| role(&slot, name)).collect::<Result<_, _>>()?;
        Ok((slot, roles))
    });
    roles.collect()
}

pub(super) fn backends(metadata: &[StringStringEntryProto]) -> Vec<String> {
    let names = find(metadata, BACKENDS).unwrap_or_default();
    names.split(SEPARATOR).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The release that a draft means by a domain.
pub(super) fn opset(draft: &Draft, domain: &str) -> i64 {
    let version = draft.opsets.get(domain).copied().unwrap_or_else(|| usual_opset(domain));
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// The releases that are not the usual ones.
pub(super) fn opsets(model: &ModelProto) -> Result<BTreeMap<String, u64>, OnnxError> {
    let mut opsets = releases(&model.opset_import)?;
    opsets.retain(|domain, version| *version != usual_opset(domain));
    Ok(opsets)
}

/// The releases by their domains, the standard one under its short name.
pub(super) fn releases(imports: &[OperatorSetIdProto]) -> Result<BTreeMap<String, u64>, OnnxError> {
    let mut releases = BTreeMap::new();
    for import in imports {
        let domain = standard(import.domain());
        let version = u64::try_from(import.version()).ok().filter(|version| *version > 0);
        let version = version.ok_or_else(|| {
            unsupported("the model", format!("release {} of {domain:?}", import.version()))
        })?;
        if releases.insert(domain.to_owned(), version).is_some() {
            return Err(OnnxError::Duplicate { what: "domain", name: domain.to_owned() });
        }
    }
    Ok(releases)
}

/// The standard domain has two names.
pub(super) fn standard(domain: &str) -> &str {
    if domain == "ai.onnx" { "" } else { domain }
}
