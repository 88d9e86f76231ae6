//! What waits to be sent.
//!
//! Law: entries leave in the order they came. Effective ones are never evicted; a best-effort one
//! that makes room is handed to the caller and counted.
//!
//! ```
//! use samsara_runtime::framework::{Delivery, OutboundQueue};
//!
//! let mut outbound = OutboundQueue::new(2, 75);
//! assert_eq!(outbound.push(Delivery::BestEffort, "gossip")?, None);
//! assert_eq!(outbound.push(Delivery::Effective, "payment")?, None);
//! assert_eq!(outbound.push(Delivery::Effective, "receipt")?, Some("gossip"));
//! assert!(outbound.is_busy());
//! # Ok::<(), samsara_runtime::framework::Refused<&str>>(())
//! ```

use std::collections::VecDeque;

use super::bounded::{CapReached, Refused};
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved_enum};

/// What a channel promises about its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// The effect happens once, whatever crashes in between.
    Effective,
    /// It may be dropped.
    BestEffort,
}

impl Delivery {
    /// The word that it is written as.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::BestEffort => "best_effort",
        }
    }

    /// What this word says.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Effective, Self::BestEffort].into_iter().find(|class| class.word() == word)
    }
}

/// The queue of a Node's sends, in two lines that share one order and one cap.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundQueue<E> {
    cap: u32,
    high: u64,
    pushed: u64,
    dropped: u64,
    effective: VecDeque<(u64, E)>,
    best_effort: VecDeque<(u64, E)>,
}

impl<E> OutboundQueue<E> {
    /// At most `cap` entries, busy from `high_percent` of that.
    pub const fn new(cap: u32, high_percent: u32) -> Self {
        let high = cap as u64 * high_percent as u64;
        Self {
            cap,
            high: high.div_ceil(100),
            pushed: 0,
            dropped: 0,
            effective: VecDeque::new(),
            best_effort: VecDeque::new(),
        }
    }

    /// Adds an entry at the end. If there is no room the oldest best-effort entry comes back,
    /// which may be this one; if there is none, the entry itself is refused.
    pub fn push(&mut self, delivery: Delivery, entry: E) -> Result<Option<E>, Refused<E>> {
        let is_full = self.len() >= self.cap as usize;
        match delivery {
            Delivery::Effective if is_full && self.best_effort.is_empty() => {
                let reason = CapReached { what: "outbound entries", cap: self.cap };
                return Err(Refused { given: entry, reason });
            }
            Delivery::Effective => self.effective.push_back((self.pushed, entry)),
            Delivery::BestEffort => self.best_effort.push_back((self.pushed, entry)),
        }
        self.pushed = self.pushed.saturating_add(1);
        if !is_full {
            return Ok(None);
        }
        self.dropped = self.dropped.saturating_add(1);
        Ok(self.best_effort.pop_front().map(|(_, entry)| entry))
    }

    /// The entry that has waited longest.
    pub fn pop(&mut self) -> Option<(Delivery, E)> {
        let place = |line: &VecDeque<(u64, E)>| line.front().map_or(u64::MAX, |(place, _)| *place);
        let (delivery, line) = if place(&self.effective) < place(&self.best_effort) {
            (Delivery::Effective, &mut self.effective)
        } else {
            (Delivery::BestEffort, &mut self.best_effort)
        };
        line.pop_front().map(|(_, entry)| (delivery, entry))
    }

    /// Whether new work from outside is to be refused. What can be evicted does not count.
    pub fn is_busy(&self) -> bool {
        self.effective.len() as u64 >= self.high
    }

    /// How many best-effort entries were dropped.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.effective.len() + self.best_effort.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<E: Saved> Kept for OutboundQueue<E> {
    fn save(&self, out: &mut Saver) {
        self.pushed.save(out);
        self.dropped.save(out);
        self.effective.save(out);
        self.best_effort.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        (self.pushed, self.dropped) = Saved::load(from)?;
        self.effective = Saved::load(from)?;
        self.best_effort = Saved::load(from)?;
        if self.len() > self.cap as usize {
            let reason = format!("{} of them, the cap is {}", self.len(), self.cap);
            return Err(Unreadable::invalid("outbound entries", reason));
        }
        Ok(())
    }
}

saved_enum! { Delivery: "class of delivery" { 0 = Effective, 1 = BestEffort } }

#[cfg(test)]
mod tests {
    use super::*;
    use Delivery::{BestEffort, Effective};

    fn queue(entries: &[(Delivery, u8)]) -> OutboundQueue<u8> {
        let mut queue = OutboundQueue::new(4, 75);
        for (delivery, entry) in entries {
            assert_eq!(queue.push(*delivery, *entry), Ok(None));
        }
        queue
    }

    #[test]
    fn both_classes_leave_in_the_one_order_they_came() {
        let entries = [(BestEffort, 1), (Effective, 2), (Effective, 3), (BestEffort, 4)];
        let mut queue = queue(&entries);
        let left: Vec<(Delivery, u8)> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(left, entries);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_oldest_best_effort_entry_makes_room_for_either_class() {
        let mut queue = queue(&[(Effective, 1), (BestEffort, 2), (BestEffort, 3), (Effective, 4)]);
        assert_eq!(queue.push(BestEffort, 5), Ok(Some(2)));
        assert_eq!(queue.push(Effective, 6), Ok(Some(3)));
        let left: Vec<u8> = std::iter::from_fn(|| queue.pop()).map(|(_, entry)| entry).collect();
        assert_eq!((left, queue.dropped()), (vec![1, 4, 5, 6], 2));
    }

    #[test]
    fn effective_entries_are_never_evicted() {
        let mut queue = queue(&[1, 2, 3, 4].map(|entry| (Effective, entry)));
        assert_eq!(queue.push(BestEffort, 5), Ok(Some(5)));
        let reason = CapReached { what: "outbound entries", cap: 4 };
        assert_eq!(queue.push(Effective, 6), Err(Refused { given: 6, reason }));
        let left: Vec<u8> = std::iter::from_fn(|| queue.pop()).map(|(_, entry)| entry).collect();
        assert_eq!(left, [1, 2, 3, 4]);
    }

    #[test]
    fn busy_begins_at_the_high_mark_of_what_cannot_be_evicted() {
        let mut queue = queue(&[(Effective, 1), (Effective, 2), (BestEffort, 3), (BestEffort, 4)]);
        assert!(!queue.is_busy());
        assert_eq!(queue.push(Effective, 5), Ok(Some(3)));
        assert!(queue.is_busy());
        queue.pop();
        assert!(!queue.is_busy());
    }
}
