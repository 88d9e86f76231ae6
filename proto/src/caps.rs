//! The caps on one received envelope, the one table that holds everywhere.
//!
//! Law: every number here is checked on raw bytes, before anything is allocated for what exceeds it.

/// Bytes of one whole envelope, frame prefix and segments included: room for a few 4 MiB tensors.
pub const DEFAULT_ENVELOPE_BYTES: u64 = 16 * 1024 * 1024;
/// Fills in one envelope: a fan-in of a large module fits, an amplification attack does not.
pub const DEFAULT_FILLS: u32 = 256;
/// Bytes of one payload or one blob: a layer of weights; larger things are sent in parts.
pub const DEFAULT_PAYLOAD_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of a port path or of a type id: names, never content.
pub const DEFAULT_PATH_BYTES: u32 = 512;
/// Addresses that a peer may claim for itself in one envelope.
pub const DEFAULT_CLAIMED_ADDRESSES: u32 = 8;
/// Bytes of one claimed address: the longest useful multiaddr, relayed, stays far below.
pub const DEFAULT_ADDRESS_BYTES: u32 = 256;
/// Acknowledgements, and likewise refusals, that ride in one envelope.
pub const DEFAULT_ACKS: u32 = 64;
/// Fields that this version does not know: a newer peer may say a little more, not a lot.
pub const DEFAULT_UNKNOWN_FIELDS: u32 = 16;

/// As [`DEFAULT_ENVELOPE_BYTES`], for small devices.
pub const EDGE_ENVELOPE_BYTES: u64 = 256 * 1024;
/// As [`DEFAULT_FILLS`], for small devices.
pub const EDGE_FILLS: u32 = 16;
/// As [`DEFAULT_PAYLOAD_BYTES`], for small devices.
pub const EDGE_PAYLOAD_BYTES: u64 = 64 * 1024;
/// As [`DEFAULT_PATH_BYTES`]: names are as long on small devices.
pub const EDGE_PATH_BYTES: u32 = DEFAULT_PATH_BYTES;
/// As [`DEFAULT_CLAIMED_ADDRESSES`], for small devices.
pub const EDGE_CLAIMED_ADDRESSES: u32 = 4;
/// As [`DEFAULT_ADDRESS_BYTES`]: addresses are as long on small devices.
pub const EDGE_ADDRESS_BYTES: u32 = DEFAULT_ADDRESS_BYTES;
/// As [`DEFAULT_ACKS`], for small devices.
pub const EDGE_ACKS: u32 = 16;
/// As [`DEFAULT_UNKNOWN_FIELDS`]: what a newer peer adds does not depend on the device.
pub const EDGE_UNKNOWN_FIELDS: u32 = DEFAULT_UNKNOWN_FIELDS;

/// What one received envelope may hold at most.
///
/// ```
/// use samsara_proto::EnvelopeCaps;
///
/// assert_eq!(EnvelopeCaps::default().fills, 256);
/// assert_eq!(EnvelopeCaps::edge().payload_bytes, 64 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopeCaps {
    /// Bytes of the whole frame. See [`DEFAULT_ENVELOPE_BYTES`].
    pub envelope_bytes: u64,
    /// Fills, and likewise blobs, in the whole envelope. See [`DEFAULT_FILLS`].
    pub fills: u32,
    /// Bytes of one payload or one blob. See [`DEFAULT_PAYLOAD_BYTES`].
    pub payload_bytes: u64,
    /// Bytes of a port path or of a type id. See [`DEFAULT_PATH_BYTES`].
    pub path_bytes: u32,
    /// Claimed addresses. See [`DEFAULT_CLAIMED_ADDRESSES`].
    pub claimed_addresses: u32,
    /// Bytes of one claimed address. See [`DEFAULT_ADDRESS_BYTES`].
    pub address_bytes: u32,
    /// Acknowledgements, and likewise refusals. See [`DEFAULT_ACKS`].
    pub acks: u32,
    /// Unknown fields, over all messages of the envelope. See [`DEFAULT_UNKNOWN_FIELDS`].
    pub unknown_fields: u32,
}

impl EnvelopeCaps {
    /// Caps for small devices.
    pub const fn edge() -> Self {
        Self {
            envelope_bytes: EDGE_ENVELOPE_BYTES,
            fills: EDGE_FILLS,
            payload_bytes: EDGE_PAYLOAD_BYTES,
            path_bytes: EDGE_PATH_BYTES,
            claimed_addresses: EDGE_CLAIMED_ADDRESSES,
            address_bytes: EDGE_ADDRESS_BYTES,
            acks: EDGE_ACKS,
            unknown_fields: EDGE_UNKNOWN_FIELDS,
        }
    }
}

impl Default for EnvelopeCaps {
    fn default() -> Self {
        Self {
            envelope_bytes: DEFAULT_ENVELOPE_BYTES,
            fills: DEFAULT_FILLS,
            payload_bytes: DEFAULT_PAYLOAD_BYTES,
            path_bytes: DEFAULT_PATH_BYTES,
            claimed_addresses: DEFAULT_CLAIMED_ADDRESSES,
            address_bytes: DEFAULT_ADDRESS_BYTES,
            acks: DEFAULT_ACKS,
            unknown_fields: DEFAULT_UNKNOWN_FIELDS,
        }
    }
}
