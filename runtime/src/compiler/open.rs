//! Opening a sealed program.
//!
//! Law: bytes are a program only if their stamp fits and every check that compiling makes holds
//! again; a stamp proves that nothing was changed, not that the writer meant well.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use prost::Message as _;
use samsara_proto::onnx::ModelProto;

use super::{
    Surroundings, check,
    seal::{HASH_KEY, VERSION_KEY, stamp},
};
use crate::{
    component::Registry,
    config::PlanConfig,
    module::Diagnostics,
    onnx_form::{FORMAT_VERSION, OnnxError, from_onnx},
    plan::{Plan, PlanErrors, TensorOps},
    program::{ContentHash, Program},
};

/// Why bytes are no program that can run here.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// They were never sealed.
    #[error("the bytes are no sealed program")]
    NotCompiled,
    /// They were sealed and changed afterwards.
    #[error("the program was changed after it was sealed")]
    SealMismatch,
    /// They were sealed by another release.
    #[error("the program's format is version {got}, wanted {expected}")]
    IncompatibleVersion {
        /// The version it says.
        got: String,
        /// The version that can be read here.
        expected: u32,
    },
    /// Components of the program are not known here.
    #[error("the registry lacks {}", .missing.join(", "))]
    UnregisteredComponent {
        /// `slot: type name` or `backend: name`, each.
        missing: Vec<String>,
    },
    /// They are no model at all.
    #[error("the bytes are no ONNX model")]
    Undecodable(#[from] prost::DecodeError),
    /// The model is no program.
    #[error("the model holds no program")]
    Malformed(#[from] OnnxError),
    /// The program is not sound.
    #[error("the program is not sound: {0}")]
    Broken(Diagnostics),
    /// The program is sound, and cannot be run here.
    #[error(transparent)]
    Unplannable(#[from] PlanErrors),
}

impl Program {
    /// The program of these sealed bytes, over the components of this registry.
    pub fn open(bytes: impl Into<Bytes>, registry: Arc<Registry>) -> Result<Self, OpenError> {
        Self::open_within(bytes, registry, &PlanConfig::default())
    }

    /// The same, held to other limits than the default ones.
    pub fn open_within(
        bytes: impl Into<Bytes>,
        registry: Arc<Registry>,
        limits: &PlanConfig,
    ) -> Result<Self, OpenError> {
        open(bytes.into(), registry, limits)
    }
}

pub(super) fn open(
    bytes: Bytes,
    registry: Arc<Registry>,
    limits: &PlanConfig,
) -> Result<Program, OpenError> {
    let content_hash = verify(&bytes)?;
    // Decoding from shared bytes lets large constants stay where they are.
    let model = ModelProto::decode(bytes.clone())?;
    let version = model.metadata_props.iter().find(|entry| entry.key() == VERSION_KEY);
    let got = version.map_or("none", |entry| entry.value());
    if got != FORMAT_VERSION.to_string() {
        let (got, expected) = (got.to_owned(), FORMAT_VERSION);
        return Err(OpenError::IncompatibleVersion { got, expected });
    }
    let draft = from_onnx(&model, registry.natives())?;
    let mut slots = BTreeMap::new();
    let mut missing = Vec::new();
    for (slot, type_name) in &draft.slots {
        match registry.find(type_name) {
            Some(kind) => {
                slots.insert(slot.clone(), kind.clone());
            }
            None => missing.push(format!("{slot}: {type_name}")),
        }
    }
    let backends = draft.backends.iter().filter(|name| registry.backend(name).is_none());
    missing.extend(backends.map(|name| format!("backend: {name}")));
    if !missing.is_empty() {
        return Err(OpenError::UnregisteredComponent { missing });
    }
    let around = Surroundings { registry: &registry, limits };
    let draft = check(draft, &around).map_err(OpenError::Broken)?;
    let backends = around.backends(&draft);
    let tensor_ops = TensorOps { backends: &backends, opsets: &draft.opsets };
    let plan = Plan::build(&draft.modules, &slots, &tensor_ops, limits)?
        .with_exports(&draft.exports, registry.natives());
    Ok(Program::new(bytes, content_hash, draft, registry, slots, plan))
}

/// The hash of the content, if the stamp behind it says the same.
fn verify(bytes: &[u8]) -> Result<ContentHash, OpenError> {
    let stamp_len = stamp(ContentHash::of(&[])).len();
    let content = bytes.len().checked_sub(stamp_len).and_then(|end| bytes.split_at_checked(end));
    if let Some((content, found)) = content {
        let hash = ContentHash::of(content);
        if stamp(hash) == found {
            return Ok(hash);
        }
    }
    // Either mark shows that it was sealed once; no single change can remove both.
    let holds = |mark: &str| bytes.windows(mark.len()).any(|part| part == mark.as_bytes());
    let was_sealed = holds(VERSION_KEY) || holds(HASH_KEY);
    Err(if was_sealed { OpenError::SealMismatch } else { OpenError::NotCompiled })
}
