//! A key by which the outside can tell a repetition from something new.
//!
//! Law: a function of the Node, the execution and the op alone, so that a later life gives the same.

use std::fmt;

use samsara_proto::PeerId;
use serde::{Deserialize, Serialize};

use crate::{codec::saved, id::ExecId};

/// Names one call for the services outside: whoever sees it twice need not do the work twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdempotencyKey([u8; 32]);

saved! { IdempotencyKey { 0 } }

impl IdempotencyKey {
    pub(crate) fn of(peer: PeerId, exec: ExecId, op: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        let peer = peer.to_bytes();
        // A length before what varies, so that no two calls are written alike.
        hasher.update(&(peer.len() as u64).to_le_bytes());
        hasher.update(&peer).update(&exec.get().to_le_bytes()).update(op.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_call_is_part_of_its_key() {
        let exec = |number| ExecId::new(number).expect("not zero");
        let key = IdempotencyKey::of(1.into(), exec(2), "op");
        assert_eq!(key, IdempotencyKey::of(1.into(), exec(2), "op"));
        assert_ne!(key, IdempotencyKey::of(2.into(), exec(2), "op"));
        assert_ne!(key, IdempotencyKey::of(1.into(), exec(3), "op"));
        assert_ne!(key, IdempotencyKey::of(1.into(), exec(2), "po"));
        assert_eq!(key.to_string().len(), 64);
    }
}
