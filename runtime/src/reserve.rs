//! The one seam through which memory is asked for where a caller or a peer chose the size.
//!
//! Law: being out of memory is an answer, not an abort; and a test may make any single
//! reservation fail, within the object it holds and nowhere else.
//!
//! ```
//! use samsara_runtime::reserve::Reserve;
//!
//! let mut memory = Reserve::failing_at(1);
//! assert_eq!(memory.copy(b"first")?.as_ref(), b"first");
//! assert!(memory.copy(b"second").is_err());
//! assert!(memory.copy(b"third").is_ok());
//! # Ok::<(), samsara_runtime::reserve::AllocFailReason>(())
//! ```

use bytes::Bytes;

/// Reserves memory, and counts how often it did.
#[derive(Clone, Debug, Default)]
pub struct Reserve {
    asked: u64,
    fails_at: Option<u64>,
}

/// Why memory was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum AllocFailReason {
    /// No allocation can ever be this large.
    #[error("{items} items of {item_bytes} bytes are more than an address can span")]
    Overflow {
        /// Items asked for.
        items: u64,
        /// Bytes of each.
        item_bytes: u64,
    },
    /// The memory is not there now.
    #[error("{bytes} bytes were wanted and memory is used up")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
}

impl Reserve {
    /// Memory as the machine has it.
    pub const fn new() -> Self {
        Self { asked: 0, fails_at: None }
    }

    /// Memory whose reservation number `nth`, counted from 0, is refused. Counting what a whole
    /// operation asks for and then failing each in turn reaches every site.
    pub const fn failing_at(nth: u64) -> Self {
        Self { asked: 0, fails_at: Some(nth) }
    }

    /// How many reservations were asked for.
    pub const fn asked(&self) -> u64 {
        self.asked
    }

    /// An empty vector with room for exactly this many items.
    pub fn vec<T>(&mut self, items: usize) -> Result<Vec<T>, AllocFailReason> {
        let nth = self.asked;
        self.asked = nth.saturating_add(1);
        let bytes = match items.checked_mul(size_of::<T>()) {
            Some(bytes) if bytes <= isize::MAX as usize => bytes as u64,
            _ => {
                let item_bytes = size_of::<T>() as u64;
                return Err(AllocFailReason::Overflow { items: items as u64, item_bytes });
            }
        };
        let mut vec = Vec::new();
        if self.fails_at == Some(nth) || vec.try_reserve_exact(items).is_err() {
            return Err(AllocFailReason::OutOfMemory { bytes });
        }
        Ok(vec)
    }

    /// A copy of the bytes that nothing else holds.
    pub fn copy(&mut self, bytes: &[u8]) -> Result<Bytes, AllocFailReason> {
        let mut copy = self.vec(bytes.len())?;
        copy.extend_from_slice(bytes);
        Ok(Bytes::from(copy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_named_reservation_fails() {
        for nth in 0..4 {
            let mut memory = Reserve::failing_at(nth);
            let failed: Vec<bool> = (0..5).map(|_| memory.copy(b"abc").is_err()).collect();
            let expected: Vec<bool> = (0..5).map(|at| at == nth).collect();
            assert_eq!(failed, expected);
            assert_eq!(memory.asked(), 5);
        }
    }

    #[test]
    fn an_impossible_size_is_refused_before_it_is_tried() {
        assert_eq!(
            Reserve::new().vec::<u64>(usize::MAX),
            Err(AllocFailReason::Overflow { items: usize::MAX as u64, item_bytes: 8 })
        );
    }

    #[test]
    fn memory_that_is_not_there_is_an_answer() {
        let items = isize::MAX as usize;
        assert_eq!(
            Reserve::new().vec::<u8>(items),
            Err(AllocFailReason::OutOfMemory { bytes: items as u64 })
        );
    }

    #[test]
    fn a_failure_stays_with_the_object_that_was_told_to_fail() {
        let mut failing = Reserve::failing_at(0);
        let mut sound = Reserve::new();
        assert!(failing.copy(b"x").is_err());
        assert!(sound.copy(b"x").is_ok());
    }
}
