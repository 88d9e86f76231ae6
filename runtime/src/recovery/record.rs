//! One record of the log, and the chain that binds those of one Node.
//!
//! Law: a record that reads back is the one that was written there: its header is checked with the
//! salt of its segment, its payload by the header, and its place among those of its Node by a hash
//! over all of them. Bytes, little-endian:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | length of the payload |
//! | 4 | 4 | CRC of the segment's salt and of all else up to the payload |
//! | 8 | 8 | lsn |
//! | 16 | 8 | durable lsn, as known when this was written |
//! | 24 | 8 | count of the Node's own records |
//! | 32 | 32 | hash over the Node's records up to this one |
//! | 64 | 4 | CRC of the payload |
//! | 68 | 1 | kind |
//! | 69 | 1 | length of the Node's id |
//! | 70 | 2 | zero |
//! | 72 | | the Node's id, the payload, zeros up to a multiple of 8 |

use std::fmt;

use samsara_proto::PeerId;

/// Bytes of a record before the Node's id.
pub(super) const FIXED: usize = 72;
/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 8;
/// Bytes of the longest record without its payload.
pub(super) const OVERHEAD_MAX: usize = FIXED + PeerId::ENCODED_LEN_MAX + ALIGN;

/// The number of a record in its log. They rise by one from 1, over all Nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

impl Lsn {
    /// Before the first record.
    pub const ZERO: Self = Self(0);

    /// The record of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next one, if numbers have not run out.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// What one turn took.
    Batch,
    /// An event or an execution that is not to be run at its batch.
    Abort,
    /// An event that was put aside.
    DeadLetter,
    /// What a host has taken of the outputs.
    Ack,
}

impl RecordKind {
    /// All kinds, with their numbers on the disk.
    const NUMBERED: [(Self, u8); 4] =
        [(Self::Batch, 1), (Self::Abort, 2), (Self::DeadLetter, 3), (Self::Ack, 4)];

    pub(super) fn number(self) -> u8 {
        let numbered = Self::NUMBERED.iter().find(|(kind, _)| *kind == self);
        numbered.map_or(0, |(_, number)| *number)
    }

    fn of(number: u8) -> Option<Self> {
        Self::NUMBERED.iter().find(|(_, known)| *known == number).map(|(kind, _)| *kind)
    }
}

/// How far a Node's own records go: how many, and a hash over all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Records of this Node so far.
    pub count: u64,
    /// The hash over them.
    pub chain: [u8; 32],
}

impl Head {
    /// The head after one more record, if the count has not run out.
    pub fn after(&self, node: &PeerId, kind: RecordKind, payload: &[u8]) -> Option<Self> {
        let count = self.count.checked_add(1)?;
        let node = node.to_bytes();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.chain);
        hasher.update(&count.to_le_bytes());
        hasher.update(&[kind.number()]);
        hasher.update(&(node.len() as u64).to_le_bytes());
        hasher.update(&node);
        hasher.update(payload);
        Some(Self { count, chain: *hasher.finalize().as_bytes() })
    }
}

/// A record as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number in the log.
    pub lsn: Lsn,
    /// The last record that was known to be durable when this one was written.
    pub durable: Lsn,
    /// Whose it is.
    pub node: PeerId,
    /// How far the Node's records go with this one.
    pub head: Head,
    /// What it is about.
    pub kind: RecordKind,
    /// What it says.
    pub payload: &'a [u8],
}

/// Why bytes are no record of their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end, or are zeros, where a record is to be.
    #[error("nothing is there")]
    Absent,
    /// The header does not match its checksum.
    #[error("the header does not match its checksum")]
    HeaderChecksum,
    /// The payload does not match its checksum, or is cut off.
    #[error("the payload does not match its checksum")]
    PayloadChecksum,
    /// The record is whole and its number is another's.
    #[error("the record there is {found}")]
    OtherLsn {
        /// The number it bears.
        found: Lsn,
    },
    /// The record is whole and does not follow from those before it of its Node.
    #[error("the record does not follow from those before it of its node")]
    Chain,
    /// The record is whole and says something that this version does not know.
    #[error("the record is of a kind or a node that is not understood")]
    NotUnderstood,
    /// The header of the segment does not match its checksum, or is another segment's.
    #[error("the header of the segment is not its own")]
    SegmentHeader,
}

/// The part of a record that its header's checksum covers, as it stands on the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix<'a> {
    bytes: &'a [u8],
    pub(super) lsn: Lsn,
    pub(super) durable: Lsn,
    payload_len: usize,
}

impl<'a> Prefix<'a> {
    /// The header at the start of these bytes, if its checksum says that it is one.
    pub(super) fn read(bytes: &'a [u8], salt: u64) -> Option<Self> {
        let node_len = usize::from(*bytes.get(69)?);
        let bytes = bytes.get(..FIXED.checked_add(node_len)?)?;
        if header_crc(bytes, salt)? != u32_at(bytes, 4)? {
            return None;
        }
        Some(Self {
            bytes,
            lsn: Lsn(u64_at(bytes, 8)?),
            durable: Lsn(u64_at(bytes, 16)?),
            payload_len: usize::try_from(u32_at(bytes, 0)?).ok()?,
        })
    }

    /// Bytes of the whole record.
    pub(super) fn record_len(&self) -> Option<usize> {
        padded(self.bytes.len().checked_add(self.payload_len)?)
    }

    /// The record, from the bytes that this header begins.
    fn record<'b>(&self, bytes: &'b [u8]) -> Result<Record<'b>, Fault> {
        let from = self.bytes.len();
        let record = self.record_len().and_then(|len| bytes.get(from..len));
        let split = record.and_then(|record| record.split_at_checked(self.payload_len));
        let (payload, padding) = split.ok_or(Fault::PayloadChecksum)?;
        let expected = u32_at(self.bytes, 64).ok_or(Fault::HeaderChecksum)?;
        if crc32fast::hash(payload) != expected || padding.iter().any(|byte| *byte != 0) {
            return Err(Fault::PayloadChecksum);
        }
        let understood = || {
            let chain = self.bytes.get(32..64)?.try_into().ok()?;
            let head = Head { count: u64_at(self.bytes, 24)?, chain };
            let kind = RecordKind::of(*self.bytes.get(68)?)?;
            let node = PeerId::from_bytes(self.bytes.get(FIXED..)?).ok()?;
            let zero = self.bytes.get(70..72)? == [0, 0];
            let (lsn, durable) = (self.lsn, self.durable);
            zero.then_some(Record { lsn, durable, node, head, kind, payload })
        };
        understood().ok_or(Fault::NotUnderstood)
    }
}

/// The record at the start of these bytes, and its length.
pub(super) fn read(bytes: &[u8], salt: u64) -> Result<(Record<'_>, usize), Fault> {
    let start = bytes.get(..FIXED).ok_or(Fault::Absent)?;
    if start.iter().all(|byte| *byte == 0) {
        return Err(Fault::Absent);
    }
    let prefix = Prefix::read(bytes, salt).ok_or(Fault::HeaderChecksum)?;
    let record = prefix.record(bytes)?;
    Ok((record, prefix.record_len().ok_or(Fault::PayloadChecksum)?))
}

/// Appends a record that lacks what is known only when it is written: see [`seal`].
pub(super) fn push(
    out: &mut Vec<u8>,
    lsn: Lsn,
    node: &PeerId,
    head: &Head,
    kind: RecordKind,
    payload: &[u8],
) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(&u32::try_from(payload.len()).ok()?.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&lsn.0.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&head.count.to_le_bytes());
    out.extend_from_slice(&head.chain);
    out.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    out.extend_from_slice(&[kind.number(), u8::try_from(node.encoded_len()).ok()?, 0, 0]);
    node.write_to(out);
    out.extend_from_slice(payload);
    let len = padded(out.len() - start)?;
    out.resize(start + len, 0);
    Some(())
}

/// The length and number of the record that begins these bytes, sealed or not.
pub(super) fn measure(bytes: &[u8]) -> Option<(usize, Lsn)> {
    let payload_len = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let before = FIXED.checked_add(usize::from(*bytes.get(69)?))?;
    Some((padded(before.checked_add(payload_len)?)?, Lsn(u64_at(bytes, 8)?)))
}

/// Puts into a record what is known only when it is written.
pub(super) fn seal(bytes: &mut [u8], durable: Lsn, salt: u64) -> Option<()> {
    bytes.get_mut(16..24)?.copy_from_slice(&durable.0.to_le_bytes());
    let before = FIXED.checked_add(usize::from(*bytes.get(69)?))?;
    let crc = header_crc(bytes.get(..before)?, salt)?;
    bytes.get_mut(4..8)?.copy_from_slice(&crc.to_le_bytes());
    Some(())
}

fn header_crc(header: &[u8], salt: u64) -> Option<u32> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(header.get(..4)?);
    hasher.update(header.get(8..)?);
    Some(hasher.finalize())
}

fn padded(len: usize) -> Option<usize> {
    len.checked_next_multiple_of(ALIGN)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}
