//! Frames taken apart and put together without the code under test.
//!
//! Law: `join` of what `split` gave is the frame again, and its checksum is right whatever the
//! header holds, so that hostile headers get past it.

const PREFIX_LEN: usize = 16;
const ALIGN: usize = 64;

/// A frame's header and segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The raw header.
    pub header: Vec<u8>,
    /// The raw segments.
    pub segments: Vec<Vec<u8>>,
}

/// Takes a frame apart, if it is one with a right checksum.
pub fn split(frame: &[u8]) -> Option<Parts> {
    let table_len = 4 * usize::from(u16::from_le_bytes(array(frame, 8)?));
    let header_start = PREFIX_LEN + table_len;
    let header_end = header_start.checked_add(length(frame, 4)?)?;
    let header = frame.get(header_start..header_end)?;
    if u32::from_le_bytes(array(frame, 12)?) != checksum(frame, header_end)? {
        return None;
    }
    let mut end = header_end;
    let mut segments = Vec::new();
    for place in (PREFIX_LEN..header_start).step_by(4) {
        let start = end.next_multiple_of(ALIGN);
        end = start.checked_add(length(frame, place)?)?;
        segments.push(frame.get(start..end)?.to_vec());
    }
    (end == frame.len()).then(|| Parts { header: header.to_vec(), segments })
}

/// Puts a frame together.
pub fn join(parts: &Parts) -> Vec<u8> {
    let Parts { header, segments } = parts;
    let mut frame = vec![0; 4];
    frame.extend((header.len() as u32).to_le_bytes());
    frame.extend((segments.len() as u16).to_le_bytes());
    frame.extend([1, 1, 0, 0, 0, 0]);
    for segment in segments {
        frame.extend((segment.len() as u32).to_le_bytes());
    }
    frame.extend(header);
    for segment in segments {
        frame.resize(frame.len().next_multiple_of(ALIGN), 0);
        frame.extend(segment);
    }
    let body_len = (frame.len() - PREFIX_LEN) as u32;
    write(&mut frame, 0, body_len);
    seal(&mut frame);
    frame
}

/// Makes the checksum right for whatever lengths the prefix claims, where they fit.
pub fn seal(frame: &mut [u8]) {
    let claimed = || {
        let table_len = 4 * usize::from(u16::from_le_bytes(array(frame, 8)?));
        let header_end = length(frame, 4)?.checked_add(PREFIX_LEN + table_len)?;
        checksum(frame, header_end)
    };
    if let Some(sum) = claimed() {
        write(frame, 12, sum);
    }
}

/// CRC-32 as zip and Ethernet have it, bit by bit.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
        })
    })
}

fn checksum(frame: &[u8], header_end: usize) -> Option<u32> {
    let summed = frame.get(..12)?.iter().chain(frame.get(PREFIX_LEN..header_end)?);
    Some(crc32(summed.copied()))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn length(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(array(bytes, at)?)).ok()
}

fn write(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = value.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_has_its_published_check_value() {
        assert_eq!(crc32("123456789".bytes()), 0xcbf4_3926);
    }

    #[test]
    fn a_frame_put_together_comes_apart_the_same() {
        let parts = Parts { header: vec![8, 1], segments: vec![vec![1; 100], vec![2; 3]] };
        assert_eq!(split(&join(&parts)), Some(parts));
    }
}
