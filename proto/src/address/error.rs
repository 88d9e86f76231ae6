//! Why bytes, text or protocols are no address.
//!
//! Law: an error tells what was wanted, what was there, and at which byte of the input.

use crate::{PeerId, PeerIdError};

/// Why bytes, text or protocols are no address. Offsets count bytes of what was given: of the text,
/// or of the encoded form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There was nothing to read.
    #[error("an address is wanted, nothing is there")]
    Empty,
    /// The encoded address is over its cap.
    #[error("an address wants at most {cap} bytes, it has {got}")]
    TooLong {
        /// Bytes of the address.
        got: usize,
        /// Bytes of the longest address.
        cap: usize,
    },
    /// The text is longer than that of any address.
    #[error("text of an address wants at most {cap} bytes, it has {got}")]
    TextTooLong {
        /// Bytes of the text.
        got: usize,
        /// Bytes of the longest text.
        cap: usize,
    },
    /// The text does not start with a slash.
    #[error("a slash is wanted at the start of an address, {found:?} is there")]
    MissingSlash {
        /// The first character.
        found: char,
    },
    /// Nothing follows a slash where a protocol should, as in `/tls/` and `//tls`.
    #[error("a protocol name is wanted at byte {at} of an address, nothing is there")]
    MissingProtocol {
        /// Where the name should begin.
        at: usize,
    },
    /// No protocol of ours has this name.
    #[error("a known protocol is wanted at byte {at} of an address, {name:?} is there")]
    UnknownProtocol {
        /// The name.
        name: String,
        /// Where it begins.
        at: usize,
    },
    /// No protocol of ours has this code.
    #[error("a known protocol code is wanted at byte {at} of an address, {code} is there")]
    UnknownCode {
        /// The code.
        code: u64,
        /// Where it begins.
        at: usize,
    },
    /// The value of a protocol is absent or has no bytes.
    #[error("{protocol} wants {wanted} at byte {at} of an address, nothing is there")]
    MissingValue {
        /// Which protocol.
        protocol: &'static str,
        /// What its value should be.
        wanted: &'static str,
        /// Where the value should begin.
        at: usize,
    },
    /// The value of a protocol is of another kind.
    #[error("{protocol} wants {wanted} at byte {at} of an address, {value:?} is there")]
    InvalidValue {
        /// Which protocol.
        protocol: &'static str,
        /// What its value should be.
        wanted: &'static str,
        /// The value, with U+FFFD for what is not UTF-8.
        value: String,
        /// Where it begins.
        at: usize,
    },
    /// The bytes end within a part.
    #[error("{part} at byte {at} of an address wants {wanted} bytes, {got} are there")]
    Truncated {
        /// Which part is cut: a protocol by name, its length, or a protocol code.
        part: &'static str,
        /// Bytes it needs, at least.
        wanted: u64,
        /// Bytes that are there.
        got: usize,
        /// Where the part begins.
        at: usize,
    },
    /// A number goes on after the nine bytes that it may have.
    #[error("{part} at byte {at} of an address wants at most 9 bytes, it has more")]
    VarintTooLong {
        /// Which number.
        part: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A number is padded with zeros, which would give one address two encodings.
    #[error("{part} at byte {at} of an address wants its shortest form, it is padded")]
    VarintNotMinimal {
        /// Which number.
        part: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// The value of `/p2p` is no peer id; the offsets in the source count from `at`.
    #[error("p2p at byte {at} of an address wants a peer id")]
    InvalidPeer {
        /// Where the value begins.
        at: usize,
        /// What is wrong with it.
        source: PeerIdError,
    },
    /// The value of `/p2p` is a peer id that libp2p peers, and so other readers, do not take.
    #[error(
        "p2p at byte {at} of an address wants a sha2-256 id or an identity of at most 42 bytes, \
         {peer} is there"
    )]
    ForeignPeer {
        /// The id.
        peer: PeerId,
        /// Where it begins.
        at: usize,
    },
    /// The address names another peer than the one that was to be added.
    #[error("peer {wanted} is wanted in an address, {found} is there")]
    OtherPeer {
        /// The peer to be added.
        wanted: Box<PeerId>,
        /// The peer that is named.
        found: Box<PeerId>,
    },
}
