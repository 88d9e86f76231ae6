//! Why an envelope is not taken, from a peer or from a caller.
//!
//! Law: each error names the field, what was allowed and what was there; those about a peer's
//! bytes also say where.

use thiserror::Error;

use crate::{FrameError, PeerIdError};

/// Why a peer's bytes are no envelope. The peer is to blame; `at` counts from the header's start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame around the envelope is wrong.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The envelope follows another schema; 0 means that it names none.
    #[error("schema version {got}, wanted {wanted}", wanted = crate::wire::SCHEMA)]
    UnknownVersion {
        /// The version that the envelope names.
        got: u64,
    },
    /// The header ends inside a field.
    #[error("field {field} at byte {at} is cut short")]
    Truncated {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
    },
    /// A varint has more than ten bytes or more than 64 bits.
    #[error("varint of field {field} at byte {at} exceeds 64 bits")]
    VarintTooLong {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
    },
    /// A key has field number 0, or a larger one than protobuf has.
    #[error("field key {key} at byte {at} has no valid field number")]
    BadKey {
        /// Where the key starts.
        at: usize,
        /// The key.
        key: u64,
    },
    /// An unknown field is a group, or of no wire type at all.
    #[error("unknown field at byte {at} has wire type {got}, wanted one that can be skipped")]
    Unskippable {
        /// Where the field starts.
        at: usize,
        /// Its wire type.
        got: u64,
    },
    /// A known field has another field's wire type.
    #[error("field {field} at byte {at} has wire type {got}, wanted {wanted}")]
    WireType {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
        /// Its wire type in the schema.
        wanted: u64,
        /// Its wire type here.
        got: u64,
    },
    /// A field that may occur once occurs again.
    #[error("field {field} at byte {at} occurs a second time")]
    Duplicate {
        /// The field's name.
        field: &'static str,
        /// Where the second one starts.
        at: usize,
    },
    /// A repeated field, or unknown fields together, occur too often.
    #[error("field {field} at byte {at} is one more than the {cap} allowed")]
    TooMany {
        /// The field's name; `unknown` for fields of no known number.
        field: &'static str,
        /// Where the first one too many starts.
        at: usize,
        /// How many may occur.
        cap: u32,
    },
    /// A field's content is too long.
    #[error("field {field} at byte {at} has {got} bytes, at most {cap} are allowed")]
    TooLong {
        /// The field's name; `envelope` for the whole.
        field: &'static str,
        /// Where the field starts.
        at: usize,
        /// Its length in bytes.
        got: u64,
        /// How long it may be.
        cap: u64,
    },
    /// A number does not fit its type, or an enum value is unknown.
    #[error("field {field} at byte {at} is {got}, at most {max} is known")]
    OutOfRange {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
        /// Its value.
        got: u64,
        /// The largest value it may have.
        max: u64,
    },
    /// A text is not UTF-8.
    #[error("field {field} at byte {at} is not UTF-8")]
    NotUtf8 {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
    },
    /// A peer id is none.
    #[error("field {field} at byte {at} is no peer id")]
    PeerId {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
        /// What is wrong with the id.
        source: PeerIdError,
    },
    /// The list of segment parts comes too late to be checked while reading.
    #[error("segment_parts at byte {at} comes after the first fill")]
    PartsAfterFills {
        /// Where the list starts.
        at: usize,
    },
    /// The list of segment parts does not ascend.
    #[error("segment_parts at byte {at} names part {got}, wanted {least} or later")]
    PartsOutOfOrder {
        /// Where the entry starts.
        at: usize,
        /// The part that it names.
        got: u64,
        /// The first part that it may name.
        least: u64,
    },
    /// A segment belongs to a part that no fill has.
    #[error("segment_parts names part {part}, but there are {parts}")]
    NoSuchPart {
        /// The part that is named.
        part: u64,
        /// How many parts there are.
        parts: u64,
    },
    /// The header names more or fewer segments than the frame carries.
    #[error("the header names {named} segments, the frame carries {carried}")]
    SegmentCount {
        /// Segments that the header names.
        named: usize,
        /// Segments that the frame carries.
        carried: usize,
    },
    /// A part has content in the header although a segment holds it.
    #[error("field {field} at byte {at} has content both here and in a segment")]
    PartTwice {
        /// The field's name.
        field: &'static str,
        /// Where the field starts.
        at: usize,
    },
}

/// Why an envelope cannot be sent. The caller is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The envelope claims another schema.
    #[error("schema version {got}, wanted {wanted}", wanted = crate::wire::SCHEMA)]
    UnknownVersion {
        /// The version that the envelope names.
        got: u32,
    },
    /// A list has too many entries.
    #[error("field {field} has more entries than the {cap} allowed")]
    TooMany {
        /// The field's name.
        field: &'static str,
        /// How many may be in it.
        cap: u32,
    },
    /// Content is too long.
    #[error("field {field} has {got} bytes, at most {cap} are allowed")]
    TooLong {
        /// The field's name; `envelope` for the whole.
        field: &'static str,
        /// Its length in bytes.
        got: u64,
        /// How long it may be.
        cap: u64,
    },
    /// An enum value is unknown.
    #[error("field {field} is {got}, which is no known value")]
    UnknownValue {
        /// The field's name.
        field: &'static str,
        /// Its value.
        got: i32,
    },
    /// A peer id is none.
    #[error("field {field} is no peer id")]
    PeerId {
        /// The field's name.
        field: &'static str,
        /// What is wrong with the id.
        source: PeerIdError,
    },
    /// Segments are named although only the codec may do so.
    #[error("segment_parts has {got} entries, wanted none: the codec fills it")]
    SegmentParts {
        /// How many entries there are.
        got: usize,
    },
}
