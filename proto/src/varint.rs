//! The unsigned varint of multiformats: seven bits per byte, the lowest first.
//!
//! Law: a value has one encoding; a padded one, or one over nine bytes, is refused.

/// Bytes of the longest encoding, so values stay below 2^63: a rule of multiformats.
pub(crate) const VARINT_LEN_MAX: usize = 9;

/// Why bytes do not begin with a varint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VarintError {
    /// The bytes end before the varint does.
    Truncated,
    /// The varint goes on after [`VARINT_LEN_MAX`] bytes.
    TooLong,
    /// The last byte adds nothing: the same value fits in fewer bytes.
    NotMinimal,
}

/// The value at the front of `bytes`, and what follows it.
pub(crate) fn split_varint(bytes: &[u8]) -> Result<(u64, &[u8]), VarintError> {
    let mut value = 0;
    let mut rest = bytes;
    for shift in (0..VARINT_LEN_MAX).map(|index| 7 * index) {
        let Some((&byte, after)) = rest.split_first() else {
            return Err(VarintError::Truncated);
        };
        rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte == 0 && shift > 0 {
            return Err(VarintError::NotMinimal);
        }
        if byte & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(VarintError::TooLong)
}

/// Appends the encoding of `value`, which is below 2^63 as every value that was read here is.
pub(crate) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`push_varint`] appends.
pub(crate) fn varint_len(value: u64) -> usize {
    let bits = u64::BITS - value.leading_zeros();
    bits.max(1).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [(u64, usize); 8] = [
        (0, 1),
        (1, 1),
        (0x7f, 1),
        (0x80, 2),
        (0x3fff, 2),
        (0x4000, 3),
        ((1 << 56) - 1, 8),
        ((1 << 63) - 1, 9),
    ];

    #[test]
    fn a_value_reads_back_and_leaves_what_follows() {
        for (value, len) in EDGES {
            let mut bytes = Vec::new();
            push_varint(value, &mut bytes);
            assert_eq!((bytes.len(), varint_len(value)), (len, len), "{value}");

            bytes.push(0xaa);
            assert_eq!(split_varint(&bytes), Ok((value, &[0xaa][..])));
        }
    }

    #[test]
    fn every_proper_prefix_is_truncated() {
        for (value, len) in EDGES {
            let mut bytes = Vec::new();
            push_varint(value, &mut bytes);
            for cut in 0..len {
                assert_eq!(split_varint(&bytes[..cut]), Err(VarintError::Truncated));
            }
        }
    }

    #[test]
    fn padding_is_refused() {
        assert_eq!(split_varint(&[0x80, 0x00]), Err(VarintError::NotMinimal));
        assert_eq!(split_varint(&[0xff, 0x80, 0x00]), Err(VarintError::NotMinimal));
    }

    #[test]
    fn a_tenth_byte_is_refused() {
        assert_eq!(split_varint(&[0xff; 9]), Err(VarintError::TooLong));
        let ten_bytes = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        assert_eq!(split_varint(&ten_bytes), Err(VarintError::TooLong));
    }
}
