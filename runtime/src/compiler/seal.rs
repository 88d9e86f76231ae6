//! The last step: a program's bytes, and the stamp that proves them whole.
//!
//! Law: the content hash covers every byte before it and is the end of the file, so no flipped,
//! missing or added byte goes unseen. A sealed file is still an ONNX model: the stamp is one more
//! metadata entry, which protobuf lets follow at the end.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use samsara_proto::onnx::{ModelProto, StringStringEntryProto};

use super::{OpenError, open};
use crate::{
    component::Registry,
    config::PlanConfig,
    module::{Diagnostics, Draft, Problem, Step},
    onnx_form::{FORMAT_VERSION, to_onnx},
    program::{ContentHash, Program},
};

/// The metadata entry of the format's version; only sealing writes it.
pub(super) const VERSION_KEY: &str = "samsara.format_version";
/// The metadata entry of the stamp.
pub(super) const HASH_KEY: &str = "samsara.content_hash";

/// Writes a draft down. What its bytes are opened as must be the draft again.
pub(super) fn seal(
    draft: &Draft,
    registry: &Arc<Registry>,
    limits: &PlanConfig,
) -> Result<Program, Diagnostics> {
    let unsealable = |reason: String| {
        let mut found = Diagnostics::default();
        found.report(Step::Seal, "", "", Problem::Unsealable { reason });
        found
    };
    let bytes = sealed(draft, FORMAT_VERSION);
    match open::open(bytes, Arc::clone(registry), limits) {
        Ok(program) if program.draft() == draft => Ok(program),
        Ok(_) => Err(unsealable("it reads back as another one".to_owned())),
        // Only a stage can have brought these in behind the step that looks for them.
        Err(OpenError::Broken(found)) => Err(found),
        Err(OpenError::Unplannable(errors)) => {
            let mut found = Diagnostics::default();
            let reason = errors.to_string();
            found.report(Step::Seal, "", "", Problem::Unplannable { reason });
            Err(found)
        }
        Err(error) => Err(unsealable(error.to_string())),
    }
}

/// The sealed bytes of a draft, in this version of the format.
pub(super) fn sealed(draft: &Draft, version: u32) -> Bytes {
    let mut model = to_onnx(draft);
    model.metadata_props.push(entry(VERSION_KEY, version.to_string()));
    let mut bytes = model.encode_to_vec();
    bytes.extend(stamp(ContentHash::of(&bytes)));
    bytes.into()
}

/// The bytes that follow a content of this hash; always as many.
pub(super) fn stamp(hash: ContentHash) -> Vec<u8> {
    let metadata_props = vec![entry(HASH_KEY, hash.to_string())];
    ModelProto { metadata_props, ..ModelProto::default() }.encode_to_vec()
}

fn entry(key: &str, value: String) -> StringStringEntryProto {
    StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) }
}
