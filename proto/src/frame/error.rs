//! Why bytes are no frame.
//!
//! Law: each error says what was wanted and what was there.

use thiserror::Error;

/// Why bytes are no frame. The peer is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// There is not even a prefix.
    #[error("a frame prefix has {wanted} bytes, got {got}")]
    Truncated {
        /// Bytes of a prefix.
        wanted: usize,
        /// Bytes that there were.
        got: usize,
    },
    /// The frame is laid out in another way.
    #[error("frame version {got}, wanted 1")]
    UnknownVersion {
        /// The version that the frame names.
        got: u8,
    },
    /// The header is of a kind that is not known here.
    #[error("frame kind {got}, wanted 1 for an envelope")]
    UnknownKind {
        /// The kind that the frame names.
        got: u8,
    },
    /// The frame claims to be too long.
    #[error("the frame has {got} bytes, at most {cap} are allowed")]
    TooLong {
        /// Bytes of the whole frame.
        got: u64,
        /// How many there may be.
        cap: u64,
    },
    /// The frame claims to have too many segments.
    #[error("the frame has {got} segments, at most {cap} are allowed")]
    TooManySegments {
        /// Segments of the frame.
        got: u16,
        /// How many there may be.
        cap: u16,
    },
    /// Segment table and header do not fit into the frame.
    #[error("segment table and header end at byte {wanted}, the frame at {total}")]
    HeaderTooLong {
        /// Where the header would end.
        wanted: u64,
        /// Bytes of the whole frame.
        total: u64,
    },
    /// There are more or fewer bytes than the prefix says.
    #[error("the prefix tells of {wanted} bytes, got {got}")]
    WrongLength {
        /// Bytes that the prefix tells of.
        wanted: usize,
        /// Bytes that there were.
        got: usize,
    },
    /// Prefix, segment table or header were changed on the way.
    #[error("checksum {got:08x}, the prefix says {wanted:08x}")]
    Checksum {
        /// The checksum in the prefix.
        wanted: u32,
        /// That of the bytes.
        got: u32,
    },
    /// A segment has no bytes: what is empty needs none.
    #[error("segment {segment} is empty")]
    EmptySegment {
        /// Its index.
        segment: usize,
    },
    /// A segment is longer than a payload may be.
    #[error("segment {segment} has {got} bytes, at most {cap} are allowed")]
    SegmentTooLong {
        /// Its index.
        segment: usize,
        /// Its length in bytes.
        got: u64,
        /// How long it may be.
        cap: u64,
    },
    /// The frame ends inside a segment.
    #[error("segment {segment} has {wanted} bytes, the frame ends after {got}")]
    SegmentCut {
        /// Its index.
        segment: usize,
        /// Its length in bytes.
        wanted: usize,
        /// Bytes of it that there were.
        got: usize,
    },
    /// Padding hides content.
    #[error("padding at byte {at} is not zero")]
    DirtyPadding {
        /// Where, from the frame's start.
        at: usize,
    },
    /// Bytes follow the last segment.
    #[error("the content ends at byte {wanted}, the frame at {got}")]
    TrailingBytes {
        /// Where the content ends.
        wanted: usize,
        /// Where the frame ends.
        got: usize,
    },
}
