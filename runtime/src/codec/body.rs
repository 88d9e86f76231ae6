//! Bodies: what users of this crate serialise, as bytes.
//!
//! Law: read wholly or not at all, and only where this Node's own state has them. What is claimed
//! in front of a collection is not held against the bytes behind it, so peers never send a body.

use bincode::config::Config;
use serde::{Serialize, de::DeserializeOwned};

use super::Unreadable;

/// Bytes of one body that are read at most, whatever the settings allow.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of the state of one component.
const STATE_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// The bytes of a body, or why its type cannot be written.
pub(crate) fn write_body(body: &impl Serialize) -> Result<Vec<u8>, String> {
    let layout = bincode::config::legacy();
    bincode::serde::encode_to_vec(body, layout).map_err(|error| error.to_string())
}

/// The body of these bytes, all of them.
pub(crate) fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    read(bytes, bincode::config::legacy().with_limit::<BODY_BYTES_MAX>())
}

/// The state of these bytes, all of them, which a checksum has proved to be what was written.
pub(crate) fn read_state<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    read(bytes, bincode::config::legacy().with_limit::<STATE_BYTES_MAX>())
}

fn read<T: DeserializeOwned>(bytes: &[u8], layout: impl Config) -> Result<T, Unreadable> {
    let (body, read) = bincode::serde::decode_from_slice(bytes, layout)
        .map_err(|error| Unreadable::invalid("body", error))?;
    match bytes.len().saturating_sub(read) {
        0 => Ok(body),
        extra => Err(Unreadable::Trailing { extra }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_was_written_reads_back_and_has_fixed_bytes() {
        let body = BTreeMap::from([("a".to_owned(), 1_u16)]);
        let bytes = write_body(&body).expect("it can be written");
        assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a', 1, 0]);
        assert_eq!(read_body(&bytes), Ok(body));
    }

    #[test]
    fn bytes_of_another_length_or_of_nothing_are_refused() {
        let bytes = write_body(&(1_u64, true)).expect("it can be written");
        assert!(matches!(read_body::<(u64, bool)>(&bytes[..8]), Err(Unreadable::Invalid { .. })));
        assert_eq!(read_body::<u64>(&bytes), Err(Unreadable::Trailing { extra: 1 }));
        let claims = u64::MAX.to_le_bytes();
        assert!(matches!(read_body::<Vec<u8>>(&claims), Err(Unreadable::Invalid { .. })));
    }
}
