//! A stable, seeded mutator: ordinary tests feed the targets with it.
//!
//! Law: seed and corpus decide every input. Frames are mostly changed behind their checksum, which
//! is then made right, because a mutator that never gets past it tests only the checksum.

use crate::framing::{Parts, join, seal, split};
use crate::hostile::{HEADERS, field, push_varint};
use crate::random::Random;

/// Most inputs stay below this.
const INPUT_BYTES: usize = 64 * 1024;
/// All inputs stay below this, roughly.
const INPUT_BYTES_MAX: usize = 1024 * 1024;

/// An endless source of inputs, each a corpus entry with a few changes or an outright attack.
///
/// ```
/// use samsara_fuzz::Mutator;
///
/// let corpus = [b"seed".to_vec()];
/// let mut one = Mutator::new(1, &corpus);
/// let mut two = Mutator::new(1, &corpus);
/// assert_eq!(one.next_input(), two.next_input());
/// ```
#[derive(Clone, Debug)]
pub struct Mutator {
    random: Random,
    seeds: Vec<Seed>,
    input: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Seed {
    bytes: Vec<u8>,
    /// Set when the bytes are a whole frame.
    parts: Option<Parts>,
}

impl Mutator {
    /// Inputs that `seed` draws from `corpus`.
    pub fn new(seed: u64, corpus: &[Vec<u8>]) -> Self {
        let seeds = corpus.iter().map(|it| Seed { bytes: it.clone(), parts: split(it) }).collect();
        Self { random: Random::new(seed), seeds, input: Vec::new() }
    }

    /// The next input.
    pub fn next_input(&mut self) -> &[u8] {
        let index = self.random.below(self.seeds.len());
        let seed = self.seeds.get(index).cloned();
        let Seed { bytes, parts } = seed.unwrap_or(Seed { bytes: Vec::new(), parts: None });
        self.input = match parts {
            Some(parts) if !self.random.one_in(4) => self.change_parts(parts),
            Some(_) => self.change_frame(bytes),
            None => self.change_plain(bytes),
        };
        &self.input
    }

    /// A frame with a right checksum and a wrong inside.
    fn change_parts(&mut self, mut parts: Parts) -> Vec<u8> {
        if self.random.one_in(64) {
            parts = Parts { header: self.attack(), segments: Vec::new() };
        } else {
            self.change(&mut parts.header);
        }
        if self.random.one_in(16) {
            match self.random.below(3) {
                0 => parts.segments.push(vec![7; self.random.below(3000)]),
                1 => drop(parts.segments.pop()),
                _ => parts.segments.iter_mut().for_each(|it| it.truncate(self.random.below(2000))),
            }
        }
        join(&parts)
    }

    /// A frame that is wrong anywhere, half the time with a checksum that hides it.
    fn change_frame(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        self.change(&mut bytes);
        if self.random.one_in(2) {
            seal(&mut bytes);
        }
        bytes
    }

    fn change_plain(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.random.one_in(64) {
            // Targets that read raw headers take their segment count from the first byte.
            return [vec![0], self.attack()].concat();
        }
        self.change(&mut bytes);
        bytes
    }

    fn attack(&mut self) -> Vec<u8> {
        let cap = if self.random.one_in(64) { INPUT_BYTES_MAX } else { INPUT_BYTES / 8 };
        let len = self.random.below(cap);
        match HEADERS.get(self.random.below(HEADERS.len())) {
            Some((_, attack)) => attack(len),
            None => Vec::new(),
        }
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.random.below(4) {
            match self.random.below(12) {
                0..3 => self.change_byte(bytes),
                3 => self.change_range(bytes),
                4 => self.splice(bytes),
                5 => self.write_number(bytes),
                6 => self.inflate_varint(bytes),
                7 => bytes.truncate(self.random.below(bytes.len())),
                8 => self.add_field(bytes),
                _ => self.change_field(bytes),
            }
            bytes.truncate(INPUT_BYTES);
        }
    }

    fn change_byte(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.below(bytes.len());
        let (bit, byte) = (self.random.below(8), self.random.byte());
        match (self.random.below(4), bytes.get_mut(at)) {
            (0 | 1, Some(place)) => *place ^= 1 << bit,
            (2, Some(place)) => *place = [0, 1, 0x7f, 0x80, 0xff, byte][bit % 6],
            _ => bytes.insert(at, byte),
        }
    }

    /// Removes or repeats a stretch.
    fn change_range(&mut self, bytes: &mut Vec<u8>) {
        let start = self.random.below(bytes.len());
        let end = start + self.random.below((bytes.len() - start).min(64) + 1);
        if self.random.one_in(2) {
            bytes.drain(start..end);
        } else {
            let copy = bytes[start..end].repeat(1 + self.random.below(8));
            bytes.splice(start..start, copy);
        }
    }

    /// Goes on as another seed does.
    fn splice(&mut self, bytes: &mut Vec<u8>) {
        let other = self.random.below(self.seeds.len());
        let Some(other) = self.seeds.get(other) else { return };
        let other = other.parts.as_ref().map_or(&other.bytes, |parts| &parts.header);
        bytes.truncate(self.random.below(bytes.len() + 1));
        bytes.extend(&other[self.random.below(other.len())..]);
    }

    /// Writes over some bytes with a number in the manner of frames.
    fn write_number(&mut self, bytes: &mut [u8]) {
        let number = self.random.magnitude().to_le_bytes();
        let at = self.random.below(bytes.len());
        let len = 1 << self.random.below(4);
        for (place, byte) in bytes.iter_mut().skip(at).zip(number).take(len) {
            *place = byte;
        }
    }

    /// Makes a byte into a longer varint of the same or of another value.
    fn inflate_varint(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.below(bytes.len());
        let Some(&byte) = bytes.get(at) else { return };
        let mut varint = Vec::new();
        if self.random.one_in(2) {
            varint.push(byte | 0x80);
            varint.resize(1 + self.random.below(11), 0x80);
            varint.push(0);
        } else {
            push_varint(self.random.magnitude(), &mut varint);
        }
        bytes.splice(at..=at, varint);
    }

    /// Appends a whole field, known or unknown.
    fn add_field(&mut self, bytes: &mut Vec<u8>) {
        let number = if self.random.one_in(8) {
            self.random.magnitude() >> 3
        } else {
            self.random.below(24) as u64
        };
        match self.random.below(3) {
            0 => {
                push_varint(number << 3, bytes);
                push_varint(self.random.magnitude(), bytes);
            }
            1 => {
                push_varint(number << 3 | 1, bytes);
                bytes.extend(self.random.next().to_le_bytes());
            }
            _ => {
                let content: Vec<u8> =
                    (0..self.random.below(24)).map(|_| self.random.byte()).collect();
                bytes.extend(field(number, &content));
            }
        }
    }

    /// Repeats, moves or removes one whole field, so that the rest stays well-formed.
    fn change_field(&mut self, bytes: &mut Vec<u8>) {
        let fields = fields(bytes);
        let Some(&(start, end)) = fields.get(self.random.below(fields.len())) else { return };
        let Some(&(to, _)) = fields.get(self.random.below(fields.len())) else { return };
        let copy = bytes[start..end].to_vec();
        match self.random.below(3) {
            0 => drop(bytes.drain(start..end)),
            1 => drop(bytes.splice(to..to, copy.repeat(1 + self.random.below(3)))),
            _ if to <= start => {
                bytes.drain(start..end);
                bytes.splice(to..to, copy);
            }
            _ => {
                bytes.splice(to..to, copy);
                bytes.drain(start..end);
            }
        }
    }
}

/// Where each top-level field starts and ends, as far as the bytes are protobuf.
fn fields(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(end) = field_end(bytes, at) {
        fields.push((at, end));
        at = end;
    }
    fields
}

fn field_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (key, content) = varint(bytes, at)?;
    let end = match key & 7 {
        0 => varint(bytes, content)?.1,
        1 => content + 8,
        2 => {
            let (len, content) = varint(bytes, content)?;
            content.checked_add(usize::try_from(len).ok()?)?
        }
        5 => content + 4,
        _ => return None,
    };
    (end <= bytes.len()).then_some(end)
}

fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, at + index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_changed_frames_get_past_the_checksum() {
        let frame = join(&Parts { header: field(15, &[1, 2, 3]), segments: vec![vec![9; 70]] });
        let mut mutator = Mutator::new(3, &[frame]);
        let past = (0..1000).filter(|_| split(mutator.next_input()).is_some()).count();
        assert!(past > 700, "only {past} of 1000");
    }

    #[test]
    fn inputs_stay_within_their_bound() {
        let mut mutator = Mutator::new(4, &[vec![8, 1], Vec::new()]);
        let longest = (0..20_000).map(|_| mutator.next_input().len()).max();
        assert!(longest.is_some_and(|len| len <= 2 * INPUT_BYTES_MAX), "{longest:?}");
    }
}
