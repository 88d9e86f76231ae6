//! The name of a Node or of a host: a multihash, as libp2p writes its peer ids.
//!
//! Law: an id has one encoding in bytes and one in text, and any other is refused.

use std::fmt;
use std::str::FromStr;

use multihash::Multihash;
use sha2::{Digest, Sha256};

use crate::varint::{VARINT_LEN_MAX, VarintError, push_varint, split_varint, varint_len};

/// Multicodec of a digest that is the hashed content itself.
const IDENTITY: u64 = 0x00;
const SHA2_256: u64 = 0x12;

/// What libp2p puts before an ed25519 key that it inlines: its key message, of type ed25519 with
/// 32 bytes of data.
const ED25519_PREFIX: [u8; 4] = [0x08, 0x01, 0x12, 0x20];

/// The longest identity digest that libp2p peers take for a peer id.
const LIBP2P_INLINE_LEN_MAX: usize = 42;

/// The name of a Node or of a host.
///
/// A Node keeps its id over restarts and moves. In production an id holds an ed25519 public key,
/// which the transport proves; a Node that lives on a host may be named by [`PeerId::derive`].
///
/// ```
/// use samsara_proto::PeerId;
///
/// let host = PeerId::from_ed25519_public_key(&[7; 32]);
/// assert_eq!(host.ed25519_public_key(), Some([7; 32]));
///
/// let text = host.to_string();
/// assert!(text.starts_with("12D3KooW"));
/// assert_eq!(text.parse(), Ok(host));
///
/// let node = host.derive("counter");
/// assert_eq!(PeerId::from_bytes(&node.to_bytes()), Ok(node));
///
/// // Small numbers make good names in tests.
/// assert_eq!(PeerId::from(12).to_bytes(), [0, 8, 0, 0, 0, 0, 0, 0, 0, 12]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(Multihash<{ Self::DIGEST_LEN_MAX }>);

impl PeerId {
    /// Bytes of the longest digest: the longest hash in common use is SHA-512.
    pub const DIGEST_LEN_MAX: usize = 64;
    /// Bytes of the longest encoded id: a hash code, one byte of length, a digest.
    pub const ENCODED_LEN_MAX: usize = VARINT_LEN_MAX + 1 + Self::DIGEST_LEN_MAX;
    /// Characters of the longest text: one of base 58 says log256(58) = 0.7322 of a byte.
    pub const TEXT_LEN_MAX: usize = Self::ENCODED_LEN_MAX * 10_000 / 7_322 + 1;

    /// The id of whoever holds the secret half of `key`.
    pub fn from_ed25519_public_key(key: &[u8; 32]) -> Self {
        let mut digest = [0; ED25519_PREFIX.len() + 32];
        let (prefix, rest) = digest.split_at_mut(ED25519_PREFIX.len());
        prefix.copy_from_slice(&ED25519_PREFIX);
        rest.copy_from_slice(key);
        Self::from_digest(IDENTITY, &digest)
    }

    /// The ed25519 public key that this id holds, if it is such an id.
    pub fn ed25519_public_key(&self) -> Option<[u8; 32]> {
        if self.0.code() != IDENTITY {
            return None;
        }
        let key = self.0.digest().strip_prefix(&ED25519_PREFIX)?;
        key.try_into().ok()
    }

    /// The id of the Node that the host `self` calls `name`.
    ///
    /// Whoever is told the name can check that the id belongs to the host.
    #[must_use]
    pub fn derive(&self, name: &str) -> Self {
        // An encoded id tells its own length, so no other host and name give the same input.
        let mut input = Vec::with_capacity(self.encoded_len() + name.len());
        self.write_to(&mut input);
        input.extend_from_slice(name.as_bytes());
        let digest: [u8; 32] = Sha256::digest(&input).into();
        Self::from_digest(SHA2_256, &digest)
    }

    /// Reads an id that fills `bytes` exactly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PeerIdError> {
        if bytes.is_empty() {
            return Err(PeerIdError::Empty);
        }
        let (code, told) = read_varint("hash code", bytes, 0)?;
        let told_at = bytes.len() - told.len();
        let (wanted, digest) = read_varint("digest length", told, told_at)?;
        let at = bytes.len() - digest.len();

        let too_long =
            PeerIdError::DigestTooLong { got: wanted, cap: Self::DIGEST_LEN_MAX, at: told_at };
        let Ok(wanted) = usize::try_from(wanted) else {
            return Err(too_long);
        };
        if wanted > Self::DIGEST_LEN_MAX {
            return Err(too_long);
        }
        let got = digest.len();
        if got < wanted {
            let part = "digest";
            return Err(PeerIdError::Truncated { part, wanted, got, at });
        }
        if got > wanted {
            return Err(PeerIdError::TrailingBytes { wanted: at + wanted, got: at + got });
        }
        Multihash::wrap(code, digest).map(Self).map_err(|_| too_long)
    }

    /// The id as libp2p encodes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        self.write_to(&mut bytes);
        bytes
    }

    /// Appends what [`PeerId::to_bytes`] returns, [`PeerId::encoded_len`] bytes.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        push_varint(self.0.code(), out);
        // One byte says any length up to 127, and the digest has 64 at most.
        out.push(self.0.size());
        out.extend_from_slice(self.0.digest());
    }

    /// How many bytes [`PeerId::to_bytes`] returns.
    pub fn encoded_len(&self) -> usize {
        varint_len(self.0.code()) + 1 + self.0.digest().len()
    }

    /// Whether libp2p peers take this id: they know two kinds of multihash only.
    pub(crate) fn is_libp2p(&self) -> bool {
        match self.0.code() {
            IDENTITY => self.0.digest().len() <= LIBP2P_INLINE_LEN_MAX,
            code => code == SHA2_256,
        }
    }

    fn from_digest<const N: usize>(code: u64, digest: &[u8; N]) -> Self {
        const { assert!(N <= Self::DIGEST_LEN_MAX) };
        Self(Multihash::wrap(code, digest).expect("the digest fits, checked at compile time"))
    }
}

/// The id that holds `number`, big-endian: for tests and examples, since nobody can prove it.
impl From<u64> for PeerId {
    fn from(number: u64) -> Self {
        Self::from_digest(IDENTITY, &number.to_be_bytes())
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&bs58::encode(self.to_bytes()).into_string())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

impl FromStr for PeerId {
    type Err = PeerIdError;

    fn from_str(text: &str) -> Result<Self, PeerIdError> {
        let too_long = PeerIdError::TextTooLong { got: text.len(), cap: Self::TEXT_LEN_MAX };
        // Base 58 takes quadratic time, so a hostile text is refused before it is decoded.
        if text.len() > Self::TEXT_LEN_MAX {
            return Err(too_long);
        }
        // No text decodes to more bytes than it has characters.
        let mut bytes = [0; Self::TEXT_LEN_MAX];
        let len = bs58::decode(text).onto(&mut bytes).map_err(|error| match error {
            bs58::decode::Error::InvalidCharacter { index, .. }
            | bs58::decode::Error::NonAsciiCharacter { index } => invalid_character(text, index),
            _ => too_long.clone(),
        })?;
        Self::from_bytes(bytes.get(..len).ok_or(too_long)?)
    }
}

/// Why bytes or text are no peer id. Offsets count bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerIdError {
    /// There was nothing to read.
    #[error("a peer id is wanted, nothing is there")]
    Empty,
    /// The input ends within a part.
    #[error("{part} at byte {at} of a peer id wants {wanted} bytes, {got} are there")]
    Truncated {
        /// Which part is cut.
        part: &'static str,
        /// Bytes it needs, at least.
        wanted: usize,
        /// Bytes that are there.
        got: usize,
        /// Where the part begins.
        at: usize,
    },
    /// A number goes on after the nine bytes that it may have.
    #[error("{part} at byte {at} of a peer id wants at most 9 bytes, it has more")]
    VarintTooLong {
        /// Which number.
        part: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A number is padded with zeros, which would give one id two encodings.
    #[error("{part} at byte {at} of a peer id wants its shortest form, it is padded")]
    VarintNotMinimal {
        /// Which number.
        part: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// The digest is longer than an id can hold.
    #[error("digest length at byte {at} of a peer id wants at most {cap}, it is {got}")]
    DigestTooLong {
        /// The length that was told.
        got: u64,
        /// The longest that is allowed.
        cap: usize,
        /// Where the length is told.
        at: usize,
    },
    /// Something follows the digest.
    #[error("a peer id wants to end after {wanted} bytes, {got} are there")]
    TrailingBytes {
        /// Bytes of the id.
        wanted: usize,
        /// Bytes that are there.
        got: usize,
    },
    /// A character is not of the base 58 alphabet of bitcoin.
    #[error("a base58 character is wanted at byte {at} of a peer id, {found:?} is there")]
    InvalidCharacter {
        /// The character.
        found: char,
        /// Where it is.
        at: usize,
    },
    /// The text is longer than that of any id.
    #[error("text of a peer id wants at most {cap} bytes, it has {got}")]
    TextTooLong {
        /// Bytes of the text.
        got: usize,
        /// Bytes of the longest text.
        cap: usize,
    },
}

fn read_varint<'a>(
    part: &'static str,
    bytes: &'a [u8],
    at: usize,
) -> Result<(u64, &'a [u8]), PeerIdError> {
    split_varint(bytes).map_err(|error| match error {
        VarintError::Truncated => {
            let got = bytes.len();
            PeerIdError::Truncated { part, wanted: got + 1, got, at }
        }
        VarintError::TooLong => PeerIdError::VarintTooLong { part, at },
        VarintError::NotMinimal => PeerIdError::VarintNotMinimal { part, at },
    })
}

fn invalid_character(text: &str, at: usize) -> PeerIdError {
    let found = text.get(at..).and_then(|rest| rest.chars().next());
    PeerIdError::InvalidCharacter { found: found.unwrap_or(char::REPLACEMENT_CHARACTER), at }
}
