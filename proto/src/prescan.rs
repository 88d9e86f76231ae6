//! One walk over a header's raw bytes that decides whether prost may decode it.
//!
//! Law: what the prescan accepts prost accepts, what exceeds a cap is refused before anything is
//! allocated for it, and the walk itself allocates nothing.

mod cursor;
mod parts;
mod rules;

use cursor::Cursor;
use parts::Parts;
use rules::{ENVELOPE, Kind, Many, Rule};

use crate::wire::SCHEMA;
use crate::{DecodeError, EnvelopeCaps, PeerId};

/// A field number has 29 bits, so no key is larger than this.
const KEY_MAX: u64 = u32::MAX as u64;

/// Checks `header` against every cap and rule of the wire schema.
pub(crate) fn prescan(
    header: &[u8],
    segments: usize,
    caps: &EnvelopeCaps,
) -> Result<(), DecodeError> {
    let (got, cap) = (header.len() as u64, caps.envelope_bytes);
    if got > cap {
        return Err(DecodeError::TooLong { field: "envelope", at: 0, got, cap });
    }
    let mut scan = Scan {
        caps,
        version: 0,
        unknown: 0,
        counts: [0; Many::COUNT],
        parts: Parts::new(),
        refusal: None,
    };
    let walked = scan.message(ENVELOPE, Cursor::new(header));
    match (walked, scan.refusal) {
        (Ok(()), None) if scan.version == u64::from(SCHEMA) => scan.parts.finish(segments),
        (_, None) => Err(DecodeError::UnknownVersion { got: scan.version }),
        (_, Some(refusal)) => Err(refusal),
    }
}

struct Scan<'a> {
    caps: &'a EnvelopeCaps,
    version: u64,
    unknown: u32,
    counts: [u32; Many::COUNT],
    parts: Parts<'a>,
    refusal: Option<DecodeError>,
}

/// Says that the refusal is in [`Scan::refusal`]: results that carry the error itself would make
/// every field pass through memory.
struct Refused;

impl<'a> Scan<'a> {
    fn message(&mut self, rules: &'static [Rule], mut cursor: Cursor<'a>) -> Result<(), Refused> {
        let mut seen = 0_u32;
        while !cursor.is_empty() {
            let at = cursor.at();
            let key = self.number("key", at, &mut cursor)?;
            let (number, wire_type) = (key >> 3, key & 7);
            let Some(rule) = rule_of(rules, number) else {
                self.unknown_field(at, key, &mut cursor)?;
                continue;
            };
            let field = rule.name;
            if wire_type != rule.wire_type {
                let (wanted, got) = (rule.wire_type, wire_type);
                return self.refuse(DecodeError::WireType { field, at, wanted, got });
            }
            match rule.many {
                Some(many) => self.count(many, field, at)?,
                // Rules are fewer than 32, so the shift holds.
                None if seen & (1 << number) != 0 => {
                    return self.refuse(DecodeError::Duplicate { field, at });
                }
                None => seen |= 1 << number,
            }
            self.field(rule, at, &mut cursor)?;
        }
        Ok(())
    }

    #[inline]
    fn field(
        &mut self,
        rule: &'static Rule,
        at: usize,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Refused> {
        let field = rule.name;
        match rule.kind {
            Kind::Varint { max } => {
                let got = self.number(field, at, cursor)?;
                if got > max {
                    return self.refuse(DecodeError::OutOfRange { field, at, got, max });
                }
            }
            Kind::Schema => {
                self.version = self.number(field, at, cursor)?;
                if self.version != u64::from(SCHEMA) {
                    return self.refuse(DecodeError::UnknownVersion { got: self.version });
                }
            }
            Kind::Fixed64 => self.skip(8, field, at, cursor)?,
            Kind::Peer => {
                let bytes = self.content(field, at, u64::MAX, cursor)?.rest();
                self.peer(field, at, bytes)?;
            }
            Kind::Text => {
                let bytes = self.content(field, at, self.caps.path_bytes.into(), cursor)?.rest();
                self.text(field, at, bytes)?;
            }
            Kind::Payload => {
                let content = self.content(field, at, self.caps.payload_bytes, cursor)?;
                let checked = self.parts.payload(field, at, content);
                self.keep(checked)?;
            }
            Kind::Blob => {
                let content = self.content(field, at, self.caps.payload_bytes, cursor)?;
                let checked = self.parts.blob(field, at, content);
                self.keep(checked)?;
            }
            Kind::Address => {
                self.content(field, at, self.caps.address_bytes.into(), cursor)?;
            }
            Kind::SegmentParts => {
                let list = self.content(field, at, u64::MAX, cursor)?;
                let checked = self.parts.begin(at, list);
                self.keep(checked)?;
            }
            Kind::Message(rules) => {
                let content = self.content(field, at, u64::MAX, cursor)?;
                self.message(rules, content)?;
            }
            Kind::Fill(rules) => {
                let content = self.content(field, at, u64::MAX, cursor)?;
                let checked = self.parts.begin_fill();
                self.keep(checked)?;
                self.message(rules, content)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn number(
        &mut self,
        field: &'static str,
        at: usize,
        cursor: &mut Cursor<'a>,
    ) -> Result<u64, Refused> {
        match cursor.varint() {
            Some(number) => Ok(number),
            None => self.refuse(cursor.varint_error(field, at)),
        }
    }

    /// What a length-delimited field holds, if that is not longer than `cap`.
    #[inline]
    fn content(
        &mut self,
        field: &'static str,
        at: usize,
        cap: u64,
        cursor: &mut Cursor<'a>,
    ) -> Result<Cursor<'a>, Refused> {
        let got = self.number(field, at, cursor)?;
        if got > cap {
            return self.refuse(DecodeError::TooLong { field, at, got, cap });
        }
        match cursor.split(got) {
            Some(content) => Ok(content),
            None => self.refuse(DecodeError::Truncated { field, at }),
        }
    }

    #[inline]
    fn skip(
        &mut self,
        len: usize,
        field: &'static str,
        at: usize,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Refused> {
        match cursor.skip(len) {
            Some(()) => Ok(()),
            None => self.refuse(DecodeError::Truncated { field, at }),
        }
    }

    #[inline]
    fn text(&mut self, field: &'static str, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        // Names are mostly ASCII, which takes half the time to see.
        if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
            Ok(())
        } else {
            self.refuse(DecodeError::NotUtf8 { field, at })
        }
    }

    fn peer(&mut self, field: &'static str, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        if bytes.is_empty() || is_short_peer_id(bytes) {
            return Ok(());
        }
        match PeerId::from_bytes(bytes) {
            Ok(_) => Ok(()),
            Err(source) => self.refuse(DecodeError::PeerId { field, at, source }),
        }
    }

    #[inline]
    fn count(&mut self, many: Many, field: &'static str, at: usize) -> Result<(), Refused> {
        let cap = many.cap(self.caps);
        match self.counts.get_mut(many as usize) {
            Some(count) if *count < cap => {
                *count += 1;
                Ok(())
            }
            _ => self.refuse(DecodeError::TooMany { field, at, cap }),
        }
    }

    #[cold]
    fn unknown_field(
        &mut self,
        at: usize,
        key: u64,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Refused> {
        let field = "unknown";
        if key >> 3 == 0 || key > KEY_MAX {
            return self.refuse(DecodeError::BadKey { at, key });
        }
        let cap = self.caps.unknown_fields;
        if self.unknown >= cap {
            return self.refuse(DecodeError::TooMany { field, at, cap });
        }
        self.unknown += 1;
        match key & 7 {
            0 => self.number(field, at, cursor).map(|_| ()),
            1 => self.skip(8, field, at, cursor),
            2 => self.content(field, at, u64::MAX, cursor).map(|_| ()),
            5 => self.skip(4, field, at, cursor),
            // Groups nest without a length, and 6 and 7 mean nothing.
            got => self.refuse(DecodeError::Unskippable { at, got }),
        }
    }

    #[inline]
    fn keep(&mut self, checked: Result<(), DecodeError>) -> Result<(), Refused> {
        match checked {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(error),
        }
    }

    #[cold]
    fn refuse<T>(&mut self, error: DecodeError) -> Result<T, Refused> {
        self.refusal = Some(error);
        Err(Refused)
    }
}

/// Whether the bytes are a peer id whose hash code and length are one byte each, as nearly all are:
/// seen at a glance, where reading the id would copy it.
#[inline]
fn is_short_peer_id(bytes: &[u8]) -> bool {
    let [code, len, digest @ ..] = bytes else { return false };
    let len = usize::from(*len);
    *code < 0x80 && len == digest.len() && len <= PeerId::DIGEST_LEN_MAX
}

/// Rules stand in order of field number, from 1.
#[inline]
fn rule_of(rules: &'static [Rule], number: u64) -> Option<&'static Rule> {
    rules.get(usize::try_from(number.checked_sub(1)?).ok()?)
}
