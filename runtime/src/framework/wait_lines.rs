//! Lines of parked ops, one line a name.
//!
//! Law: first come, first served; a line is bounded; and whoever leaves, alone or with its whole
//! execution, is found without a walk through the line.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use super::bounded::CapReached;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved};
use crate::id::{CommandId, ExecId, MintedId};

/// A parked op that waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiter {
    /// The execution that the op belongs to.
    pub exec: ExecId,
    /// What the op waits for.
    pub command: CommandId,
}

/// The lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WaitLines {
    what: &'static str,
    cap: u32,
    joined: u64,
    /// No line in here is empty.
    lines: BTreeMap<Arc<str>, BTreeMap<u64, Waiter>>,
    places: BTreeMap<Waiter, (Arc<str>, u64)>,
}

impl WaitLines {
    /// Lines of at most `cap` waiters each.
    pub(super) const fn new(what: &'static str, cap: u32) -> Self {
        Self { what, cap, joined: 0, lines: BTreeMap::new(), places: BTreeMap::new() }
    }

    /// Joins the end of a line. Whoever waits already keeps the place it has.
    pub(super) fn join(&mut self, name: &str, waiter: Waiter) -> Result<(), CapReached> {
        if self.places.contains_key(&waiter) {
            return Ok(());
        }
        if self.len(name) >= self.cap as usize {
            return Err(CapReached { what: self.what, cap: self.cap });
        }
        let known = self.lines.get_key_value(name).map(|(name, _)| Arc::clone(name));
        let name = known.unwrap_or_else(|| Arc::from(name));
        self.joined = self.joined.saturating_add(1);
        self.places.insert(waiter, (Arc::clone(&name), self.joined));
        self.lines.entry(name).or_default().insert(self.joined, waiter);
        Ok(())
    }

    /// The first of a line, who now waits no more.
    pub(super) fn pop(&mut self, name: &str) -> Option<Waiter> {
        let (_, waiter) = self.lines.get(name)?.first_key_value()?;
        let waiter = *waiter;
        self.leave(waiter);
        Some(waiter)
    }

    /// Leaves the line; false if this one did not wait.
    pub(super) fn leave(&mut self, waiter: Waiter) -> bool {
        let Some((name, place)) = self.places.remove(&waiter) else { return false };
        if let Some(line) = self.lines.get_mut(&name) {
            line.remove(&place);
            if line.is_empty() {
                self.lines.remove(&name);
            }
        }
        true
    }

    /// Takes every waiter of an execution out of every line.
    pub(super) fn leave_all(&mut self, exec: ExecId) {
        let first = Waiter { exec, command: CommandId::from_number(NonZeroU64::MIN) };
        while let Some((&waiter, _)) = self.places.range(first..).next() {
            if waiter.exec != exec {
                break;
            }
            self.leave(waiter);
        }
    }

    /// How many wait in this line.
    pub(super) fn len(&self, name: &str) -> usize {
        self.lines.get(name).map_or(0, BTreeMap::len)
    }
}

saved! { Waiter { exec, command } }

impl Kept for WaitLines {
    fn save(&self, out: &mut Saver) {
        self.joined.save(out);
        self.lines.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let joined = u64::load(from)?;
        let lines = BTreeMap::<Arc<str>, BTreeMap<u64, Waiter>>::load(from)?;
        let mut places = BTreeMap::new();
        for (name, line) in &lines {
            if line.is_empty() || line.len() > self.cap as usize {
                let reason = format!("{} in a line, the cap is {}", line.len(), self.cap);
                return Err(Unreadable::invalid(self.what, reason));
            }
            for (place, waiter) in line {
                let other = places.insert(*waiter, (Arc::clone(name), *place));
                if other.is_some() || *place > joined {
                    return Err(Unreadable::invalid(self.what, "one waits twice"));
                }
            }
        }
        *self = Self { joined, lines, places, ..*self };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::waiter;

    fn popped(lines: &mut WaitLines, name: &str) -> Vec<Waiter> {
        std::iter::from_fn(|| lines.pop(name)).collect()
    }

    #[test]
    fn waiters_are_served_in_the_order_they_came_each_line_by_itself() {
        let mut lines = WaitLines::new("waiters", 4);
        for (name, waiter) in [("a", waiter(9, 9)), ("b", waiter(1, 1)), ("a", waiter(1, 2))] {
            lines.join(name, waiter).expect("there is room");
        }
        assert_eq!(popped(&mut lines, "a"), [waiter(9, 9), waiter(1, 2)]);
        assert_eq!(popped(&mut lines, "b"), [waiter(1, 1)]);
        assert_eq!(lines, WaitLines { joined: 3, ..WaitLines::new("waiters", 4) });
    }

    #[test]
    fn a_full_line_refuses_and_another_line_does_not() {
        let mut lines = WaitLines::new("waiters", 1);
        lines.join("a", waiter(1, 1)).expect("there is room");
        assert_eq!(lines.join("a", waiter(2, 2)), Err(CapReached { what: "waiters", cap: 1 }));
        assert_eq!(lines.join("a", waiter(1, 1)), Ok(()));
        assert_eq!(lines.join("b", waiter(2, 2)), Ok(()));
    }

    #[test]
    fn an_execution_leaves_every_line_and_takes_nobody_along() {
        let mut lines = WaitLines::new("waiters", 4);
        for (name, waiter) in [("a", waiter(1, 1)), ("b", waiter(2, 2)), ("b", waiter(2, 3))] {
            lines.join(name, waiter).expect("there is room");
        }
        lines.join("b", waiter(3, 4)).expect("there is room");
        lines.leave_all(waiter(2, 2).exec);
        assert!(!lines.leave(waiter(2, 3)));
        assert_eq!(popped(&mut lines, "a"), [waiter(1, 1)]);
        assert_eq!(popped(&mut lines, "b"), [waiter(3, 4)]);
    }
}
