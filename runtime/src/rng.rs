//! Chance as an input: a seeded generator that forks by name.
//!
//! Law: the same seed gives the same numbers on every machine and in every build, and no stream
//! depends on how much another one was used. The sequence is frozen by a test, since journals
//! replay against it.
//!
//! ```
//! use samsara_runtime::rng::Rng;
//!
//! let mut dice = Rng::from_seed(7).fork("dice");
//! let saved = dice.state();
//! let roll = dice.between(1..=6);
//! assert_eq!(Rng::restore(&saved).between(1..=6), roll);
//! ```

use std::ops::RangeInclusive;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A stream of chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    stream: ChaCha8Rng,
}

/// Everything that a stream of chance is: its seed, and how far it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RngState {
    /// The seed of the stream.
    pub seed: [u8; 32],
    /// How many numbers were drawn.
    pub drawn: u64,
}

/// A stream is read in draws of 64 bits, and the generator counts in words of 32.
const WORDS_PER_DRAW: u128 = 2;

impl Rng {
    /// The stream of a whole seed.
    pub fn from_seed_bytes(seed: [u8; 32]) -> Self {
        Self { stream: ChaCha8Rng::from_seed(seed) }
    }

    /// The stream of a small seed, as people write them.
    pub fn from_seed(seed: u64) -> Self {
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().zip(seed.to_le_bytes()) {
            *place = byte;
        }
        Self::from_seed_bytes(bytes)
    }

    /// The independent stream that bears this name.
    ///
    /// It follows from this stream's seed and the name alone: forks may be made in any order, at
    /// any time, and again, and the same name gives the same stream from its beginning.
    pub fn fork(&self, label: &str) -> Self {
        // The label steers a walk through keys. Its length goes first, with a mark that no draw
        // of ours ever uses, so that no label is the beginning of another one's walk.
        let mut key = derive(self.stream.get_seed(), u64::MAX - label.len() as u64);
        for chunk in label.as_bytes().chunks(8) {
            let steer = chunk.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
            key = derive(key, steer);
        }
        Self::from_seed_bytes(key)
    }

    /// 64 bits of chance.
    pub fn next_u64(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number below `bound`, each as likely as the other; 0 if nothing is below it.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // A draw times the bound lands in one of `bound` buckets by its upper half. Draws whose
        // lower half is below this mark are what makes some buckets larger: they are drawn again.
        let uneven = bound.wrapping_neg() % bound;
        loop {
            let spread = u128::from(self.next_u64()) * u128::from(bound);
            if spread as u64 >= uneven {
                return (spread >> 64) as u64;
            }
        }
    }

    /// A number of the range, each as likely as the other; its start if the range is empty.
    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        let span = high.saturating_sub(low);
        match span.checked_add(1) {
            Some(count) => low + self.below(count),
            None => self.next_u64(),
        }
    }

    /// True `part` times out of `of`; never if `of` is 0.
    pub fn chance(&mut self, part: u64, of: u64) -> bool {
        self.below(of) < part && of > 0
    }

    /// Brings the items into a random order, each as likely as the other.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }

    /// One of the items, each as likely as the other; nothing if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// What a snapshot keeps of this stream.
    pub fn state(&self) -> RngState {
        RngState {
            seed: self.stream.get_seed(),
            drawn: (self.stream.get_word_pos() / WORDS_PER_DRAW) as u64,
        }
    }

    /// The stream of a snapshot, exactly where it was.
    pub fn restore(state: &RngState) -> Self {
        let mut stream = ChaCha8Rng::from_seed(state.seed);
        stream.set_word_pos(u128::from(state.drawn) * WORDS_PER_DRAW);
        Self { stream }
    }
}

/// One step of a walk through keys.
fn derive(key: [u8; 32], steer: u64) -> [u8; 32] {
    let mut stream = ChaCha8Rng::from_seed(key);
    stream.set_stream(steer);
    let mut next = [0; 32];
    stream.fill_bytes(&mut next);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(rng: &mut Rng, count: usize) -> Vec<u64> {
        (0..count).map(|_| rng.next_u64()).collect()
    }

    #[test]
    fn the_sequence_is_frozen() {
        // Computed by a second implementation of the cipher and of the walk.
        let root =
            [7_037_237_572_835_827_407, 5_440_448_899_038_119_230, 14_725_191_807_199_933_458];
        assert_eq!(draws(&mut Rng::from_seed(1), 3), root);
        let short = [7_927_556_277_838_454_119, 9_166_713_838_969_578_267, 524_871_380_483_720_294];
        assert_eq!(draws(&mut Rng::from_seed(1).fork("jitter"), 3), short);
        let long = [14_579_496_990_150_530_509, 16_123_885_830_109_610_827];
        assert_eq!(draws(&mut Rng::from_seed(1).fork("long label"), 2), long);

        let mut rng = Rng::from_seed(1);
        let bounded: Vec<u64> = (0..8).map(|_| rng.below(100)).collect();
        assert_eq!(bounded, [38, 29, 79, 91, 85, 13, 73, 78]);
        let mut cards: Vec<u32> = (0..8).collect();
        rng.shuffle(&mut cards);
        assert_eq!(cards, [6, 0, 2, 4, 1, 5, 7, 3]);
    }

    #[test]
    fn a_fork_does_not_depend_on_how_much_was_drawn() {
        let mut used = Rng::from_seed(3);
        draws(&mut used, 100);
        assert_eq!(used.fork("a"), Rng::from_seed(3).fork("a"));
    }

    #[test]
    fn forks_of_different_names_differ_from_each_other_and_from_the_parent() {
        let parent = Rng::from_seed(3);
        let labels =
            ["", "a", "b", "a\0", "aaaaaaaa", "aaaaaaaa\0", "\0\0\0\0\0\0\0\0", "aaaaaaaaa"];
        let mut streams: Vec<Vec<u64>> =
            labels.iter().map(|label| draws(&mut parent.fork(label), 4)).collect();
        streams.push(draws(&mut parent.clone(), 4));
        streams.push(draws(&mut parent.fork("a").fork("a"), 4));
        let count = streams.len();
        streams.sort();
        streams.dedup();
        assert_eq!(streams.len(), count);
    }

    #[test]
    fn a_restored_stream_goes_on_exactly_where_it_was() {
        for drawn in [0, 1, 7, 8, 31, 32, 33, 1_000] {
            let mut rng = Rng::from_seed(11).fork("x");
            draws(&mut rng, drawn);
            let mut restored = Rng::restore(&rng.state());
            assert_eq!(restored.state().drawn, drawn as u64);
            assert_eq!(draws(&mut restored, 70), draws(&mut rng, 70));
        }
    }

    #[test]
    fn every_number_below_the_bound_is_as_likely_as_the_other() {
        // Three draws fall on two buckets. Without drawing again, odd buckets would get two of
        // them in the first half of the buckets (even ones in the second): a third would be even.
        let bound = (u64::MAX / 3) * 2;
        let mut rng = Rng::from_seed(5);
        let draws = (0..6_000).map(|_| rng.below(bound));
        let (even, odd): (Vec<u64>, Vec<u64>) =
            draws.filter(|&number| number < bound / 2).partition(|number| number.is_multiple_of(2));
        let percent = 100 * even.len() / (even.len() + odd.len());
        assert!((45..=55).contains(&percent), "{percent} % are even");
    }

    #[test]
    fn bounds_hold_at_their_edges() {
        let mut rng = Rng::from_seed(6);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
        assert_eq!(rng.between(4..=4), 4);
        let (start, end) = (9, 3);
        assert_eq!(rng.between(start..=end), 9);
        rng.between(0..=u64::MAX);
        assert!((0..100).all(|_| (1..=6).contains(&rng.between(1..=6))));
        assert!((0..100).all(|_| !rng.chance(0, 5) && rng.chance(5, 5) && !rng.chance(1, 0)));
        assert_eq!(rng.pick::<u8>(&[]), None);
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_reaches_every_order() {
        let mut rng = Rng::from_seed(8);
        let mut orders: Vec<[u8; 3]> = Vec::new();
        for _ in 0..200 {
            let mut items = [1, 2, 3];
            rng.shuffle(&mut items);
            orders.push(items);
        }
        orders.sort_unstable();
        orders.dedup();
        assert_eq!(orders.len(), 6);
    }
}
