//! The bytes of a snapshot.
//!
//! Law: magic, version, length and checksum stand first and are verified before anything behind
//! them is read.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    CURRENT_SNAPSHOT_SPEC_VERSION, Components, DecodeError, NamedComponentSnapshot, NodeSnapshot,
    SnapshotHeader,
};
use crate::codec::{Saved, Saver, Types, from_bytes, to_bytes};

const MAGIC: [u8; 8] = *b"SAMSARA\n";
/// Keeps this hash from being one of anything else that is hashed.
const CONTEXT: &str = "samsara snapshot checksum, layout 1";
const CHECKSUM_BYTES: usize = 32;

type Checksum = [u8; CHECKSUM_BYTES];

/// Room for names and lengths, so that writing seldom moves what was written.
const FRAME_SLACK: usize = 16 * 1024;

/// What stands in front of the body.
const HEAD_BYTES: usize = MAGIC.len() + size_of::<u32>() + size_of::<u64>() + CHECKSUM_BYTES;

pub(super) fn encode(snapshot: &NodeSnapshot) -> Bytes {
    let states = snapshot.components.iter().map(|component| component.state_bytes.len());
    let parts = snapshot.parts.values().map(Bytes::len);
    let mut out = Saver::behind(HEAD_BYTES, states.chain(parts).sum::<usize>() + FRAME_SLACK);
    snapshot.save(&mut out);
    let mut bytes = out.into_vec();
    if let Some((head, body)) = bytes.split_at_mut_checked(HEAD_BYTES) {
        let version = CURRENT_SNAPSHOT_SPEC_VERSION.to_le_bytes();
        let (length, sum) = ((body.len() as u64).to_le_bytes(), checksum(body));
        let fields = MAGIC.into_iter().chain(version).chain(length).chain(sum);
        head.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
    }
    bytes.into()
}

pub(super) fn decode(bytes: &Bytes) -> Result<NodeSnapshot, DecodeError> {
    let (magic, rest) = bytes.split_first_chunk().ok_or(DecodeError::NoSnapshot)?;
    if *magic != MAGIC {
        return Err(DecodeError::NoSnapshot);
    }
    let (version, rest) = rest.split_first_chunk().ok_or(DecodeError::NoSnapshot)?;
    let got = u32::from_le_bytes(*version);
    if got != CURRENT_SNAPSHOT_SPEC_VERSION {
        let expected = CURRENT_SNAPSHOT_SPEC_VERSION;
        return Err(DecodeError::SpecVersionMismatch { got, expected });
    }
    let (length, rest) = rest.split_first_chunk().ok_or(DecodeError::NoSnapshot)?;
    let (sum, body) = rest.split_first_chunk::<CHECKSUM_BYTES>().ok_or(DecodeError::NoSnapshot)?;
    let (got, expected) = (body.len() as u64, u64::from_le_bytes(*length));
    if got != expected {
        return Err(DecodeError::Length { got, expected });
    }
    if checksum(body) != *sum {
        return Err(DecodeError::ChecksumMismatch);
    }
    Ok(from_bytes(&bytes.slice(HEAD_BYTES..), &Types::default())?)
}

/// The hash of what a snapshot says.
pub(super) fn digest(
    header: &SnapshotHeader,
    components: &Components,
    parts: &BTreeMap<String, Bytes>,
) -> Checksum {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    let mut put = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    put(&to_bytes(header));
    for component in components.iter() {
        let NamedComponentSnapshot { slot, type_name, state_bytes } = &**component;
        put(slot.as_bytes());
        put(type_name.as_bytes());
        put(state_bytes);
    }
    for (name, bytes) in parts {
        put(name.as_bytes());
        put(bytes);
    }
    hasher.finalize().into()
}

fn checksum(body: &[u8]) -> Checksum {
    *blake3::Hasher::new_derive_key(CONTEXT).update(body).finalize().as_bytes()
}
