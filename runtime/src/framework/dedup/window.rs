//! Which of a peer's newest ids have come.
//!
//! Law: an id is new at most once, and below the window nothing is new; a bit an id is all it costs.

use crate::codec::{Kept, Loader, Saved, Saver, Unreadable};

/// One bit for each of the newest ids of a peer, in a circle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    newest: u64,
    words: Vec<u64>,
}

impl Window {
    /// A window of at least `size` ids.
    pub(super) fn new(size: u32) -> Self {
        let words = size.div_ceil(u64::BITS).max(1) as usize;
        Self { newest: 0, words: vec![0; words] }
    }

    /// True if the id is in or above the window and was not noted before.
    pub(super) fn note(&mut self, id: u64) -> bool {
        let size = self.words.len() as u64 * u64::from(u64::BITS);
        if id > self.newest {
            let skipped = (id - self.newest).min(size);
            // Their bits still say what came a whole circle earlier.
            for newer in (id - skipped + 1)..=id {
                self.bit(newer, |word, bit| *word &= !bit);
            }
            self.newest = id;
        } else if self.newest - id >= size {
            return false;
        }
        let mut is_new = false;
        self.bit(id, |word, bit| {
            is_new = *word & bit == 0;
            *word |= bit;
        });
        is_new
    }

    fn bit(&mut self, id: u64, change: impl FnOnce(&mut u64, u64)) {
        let word = (id / u64::from(u64::BITS)) % (self.words.len() as u64).max(1);
        if let Some(word) = self.words.get_mut(word as usize) {
            change(word, 1 << (id % u64::from(u64::BITS)));
        }
    }
}

impl Kept for Window {
    fn save(&self, out: &mut Saver) {
        self.newest.save(out);
        self.words.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let (newest, words): (u64, Vec<u64>) = Saved::load(from)?;
        if words.len() != self.words.len() {
            let reason = format!("{} words, wanted {}", words.len(), self.words.len());
            return Err(Unreadable::invalid("window of ids", reason));
        }
        (self.newest, self.words) = (newest, words);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_in_any_order() {
        let mut window = Window::new(128);
        let ids = [0, 5, 3, 127, 64, 63];
        assert!(ids.into_iter().all(|id| window.note(id)));
        assert!(!ids.into_iter().any(|id| window.note(id)));
    }

    #[test]
    fn below_the_window_nothing_is_new() {
        let mut window = Window::new(128);
        assert!(window.note(128) && window.note(1) && !window.note(0));
        assert!(window.note(129) && !window.note(1) && window.note(2));
    }

    #[test]
    fn a_leap_forgets_everything_and_stops_at_the_last_id() {
        let mut window = Window::new(128);
        assert!((0..128).all(|id| window.note(id)));
        assert!(window.note(u64::MAX) && !window.note(u64::MAX));
        assert!((1..128).all(|below| window.note(u64::MAX - below)));
        assert!(!window.note(u64::MAX - 128) && !window.note(5));
    }

    #[test]
    fn a_short_leap_forgets_only_what_it_leapt_over() {
        let mut window = Window::new(64);
        assert!((0..64).all(|id| window.note(id)));
        assert!(window.note(70));
        assert!((64..70).all(|id| window.note(id)));
        assert!(!(7..64).any(|id| window.note(id)));
    }

    #[test]
    fn a_window_without_size_still_tells_the_newest_apart() {
        let mut window = Window::new(0);
        assert!(window.note(1_000) && !window.note(1_000));
    }
}
