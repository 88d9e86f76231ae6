//! Headers made to cost much memory or time per byte.
//!
//! Law: each starts as an honest envelope does, so that only the cap it aims at can refuse it.

/// Makes a header of about so many bytes.
pub type Hostile = fn(usize) -> Vec<u8>;

/// Every attack by name.
pub const HEADERS: &[(&str, Hostile)] = &[
    ("empty fills", |len| repeat(&field(15, &[]), len)),
    ("empty acks", |len| repeat(&field(10, &[]), len)),
    ("empty refusals", |len| repeat(&field(16, &[]), len)),
    ("empty addresses", |len| repeat(&field(19, &[]), len)),
    ("empty blobs in one fill", |len| header(&field(15, &[0x22, 0].repeat(len / 2)))),
    ("one blob in each fill", |len| repeat(&field(15, &field(4, &[])), len)),
    ("a trace again and again", |len| repeat(&field(17, &[]), len)),
    ("sources again and again", |len| repeat(&field(2, &[]), len)),
    ("unknown numbers", |len| repeat(&[0xf8, 0x7f, 0], len)),
    ("unknown texts", |len| repeat(&field(2000, &[]), len)),
    ("unknown fields in a fill", |len| header(&field(15, &[0x38, 0].repeat(len / 2)))),
    ("one huge unknown field", |len| header(&field(2000, &vec![0; len]))),
    ("part numbers", |len| header(&field(14, &vec![1; len]))),
    ("part numbers, unpacked", |len| repeat(&[0x70, 1], len)),
    ("a long port", |len| header(&field(15, &field(1, &vec![b'a'; len])))),
    ("a long address", |len| header(&field(19, &vec![4; len]))),
    ("long varints", |len| repeat(&[0xa0, 0x80, 0x80, 0x80, 0, 0x80, 0x80, 0x80, 0], len)),
    ("an endless varint", |len| header(&vec![0xff; len])),
    ("fills in fills", |len| header(&nest(15, len))),
    ("unknown messages in unknown messages", |len| header(&nest(2000, len))),
    ("groups in groups", |len| header(&vec![0xf3; len])),
    ("a fill that claims to be endless", |len| {
        let claim = [0x7a, 0xff, 0xff, 0xff, 0xff, 0x0f];
        header(&[claim.as_slice(), &vec![0; len]].concat())
    }),
    ("a payload that claims to be endless", |len| {
        let claim = [0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        header(&field(15, &[claim.as_slice(), &vec![0; len]].concat()))
    }),
];

/// An honest schema version, and then `rest`.
fn header(rest: &[u8]) -> Vec<u8> {
    [&[8, 1], rest].concat()
}

fn repeat(unit: &[u8], len: usize) -> Vec<u8> {
    header(&unit.repeat(len / unit.len()))
}

/// A length-delimited field.
pub fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 8);
    push_varint(number << 3 | 2, &mut bytes);
    push_varint(content.len() as u64, &mut bytes);
    bytes.extend(content);
    bytes
}

/// Appends a number as protobuf writes it.
pub fn push_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// One field in another, each as long as what it holds, built from the inside out and backwards
/// because lengths come before content.
fn nest(number: u64, len: usize) -> Vec<u8> {
    let mut reversed = Vec::with_capacity(len + 16);
    while reversed.len() < len {
        let mut key = Vec::new();
        push_varint(number << 3 | 2, &mut key);
        push_varint(reversed.len() as u64, &mut key);
        reversed.extend(key.into_iter().rev());
    }
    reversed.reverse();
    reversed
}
