//! Timers: what becomes due, when, and in which order.
//!
//! Law: timers come due by deadline, and those of one deadline in the order they were set. An
//! interval stays on its grid, and ticks that were missed come as one that says how many.
//!
//! ```
//! use samsara_runtime::framework::Scheduler;
//! use samsara_runtime::time::seconds;
//!
//! let mut timers = Scheduler::new(8);
//! timers.schedule(seconds(3), "once")?;
//! timers.schedule_every(seconds(2), seconds(2), "tick")?;
//!
//! let late = seconds(7);
//! let due: Vec<(&str, u64)> = std::iter::from_fn(|| timers.pop_due(late))
//!     .map(|due| (due.payload, due.ticks))
//!     .collect();
//! assert_eq!(due, [("tick", 3), ("once", 1)]);
//! assert_eq!(timers.next_deadline(), Some(seconds(8)));
//! # Ok::<(), samsara_runtime::framework::ScheduleError>(())
//! ```

use std::collections::BTreeMap;

use super::bounded::CapReached;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved};
use crate::id::IdsExhausted;
use crate::time::Nanos;

/// One timer of a [`Scheduler`]: its number in the order they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(u64);

/// The timers of a Node. `K` says whom a timer is for.
#[derive(Clone, Debug)]
pub struct Scheduler<K> {
    cap: u32,
    last: u64,
    /// Made with the first timer, as most Nodes have none.
    set: Option<Box<Set<K>>>,
}

#[derive(Clone, Debug)]
struct Set<K> {
    timers: BTreeMap<(Nanos, TimerId), Timer<K>>,
    deadlines: BTreeMap<TimerId, Nanos>,
}

/// Whether there ever was a timer says nothing: only those that are set do.
impl<K: PartialEq> PartialEq for Scheduler<K> {
    fn eq(&self, other: &Self) -> bool {
        (self.cap, self.last) == (other.cap, other.last) && self.timers().eq(other.timers())
    }
}

impl<K> Scheduler<K> {
    fn timers(&self) -> impl ExactSizeIterator<Item = (&(Nanos, TimerId), &Timer<K>)> {
        self.set.as_ref().map(|set| set.timers.iter()).unwrap_or_default()
    }
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self { timers: BTreeMap::new(), deadlines: BTreeMap::new() }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Timer<K> {
    payload: K,
    period: Option<Nanos>,
}

/// A timer that came due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due<K> {
    /// Which timer.
    pub id: TimerId,
    /// When it became due first; the other ticks follow a period apart.
    pub deadline: Nanos,
    /// How many ticks this one stands for.
    pub ticks: u64,
    /// Whom it is for.
    pub payload: K,
}

/// Why a timer was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There are as many as may be.
    #[error(transparent)]
    Full(#[from] CapReached),
    /// An interval of no length would tick without end.
    #[error("the period is zero, wanted at least one nanosecond")]
    ZeroPeriod,
    /// Every number was used.
    #[error(transparent)]
    IdsExhausted(#[from] IdsExhausted),
}

impl<K: Clone> Scheduler<K> {
    /// No timers yet, and at most `cap` ever.
    pub const fn new(cap: u32) -> Self {
        Self { cap, last: 0, set: None }
    }

    /// Sets a timer; one whose deadline has passed is due at once.
    pub fn schedule(&mut self, deadline: Nanos, payload: K) -> Result<TimerId, ScheduleError> {
        self.set(deadline, Timer { payload, period: None })
    }

    /// Sets an interval: due first at `first`, then once each `period`, until it is cancelled.
    pub fn schedule_every(
        &mut self,
        first: Nanos,
        period: Nanos,
        payload: K,
    ) -> Result<TimerId, ScheduleError> {
        if period == Nanos::ZERO {
            return Err(ScheduleError::ZeroPeriod);
        }
        self.set(first, Timer { payload, period: Some(period) })
    }

    fn set(&mut self, deadline: Nanos, timer: Timer<K>) -> Result<TimerId, ScheduleError> {
        if self.len() >= self.cap as usize {
            return Err(CapReached { what: "timers", cap: self.cap }.into());
        }
        self.last = self.last.checked_add(1).ok_or(IdsExhausted { names: "timer" })?;
        let id = TimerId(self.last);
        self.place(id, deadline, timer);
        Ok(id)
    }

    fn place(&mut self, id: TimerId, deadline: Nanos, timer: Timer<K>) {
        let set = self.set.get_or_insert_default();
        set.timers.insert((deadline, id), timer);
        set.deadlines.insert(id, deadline);
    }

    /// The timer that was set last: the next ones are above it.
    pub const fn last(&self) -> TimerId {
        TimerId(self.last)
    }

    /// Takes a timer back; nothing if it is not set any more.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        let set = self.set.as_mut()?;
        let deadline = set.deadlines.remove(&id)?;
        set.timers.remove(&(deadline, id)).map(|timer| timer.payload)
    }

    /// Takes all timers back but those whose payload is to stay.
    pub fn retain(&mut self, mut stays: impl FnMut(&K) -> bool) {
        let Some(set) = &mut self.set else { return };
        let Set { timers, deadlines } = &mut **set;
        timers.retain(|(_, id), timer| {
            let stays = stays(&timer.payload);
            if !stays {
                deadlines.remove(id);
            }
            stays
        });
    }

    /// When the next timer is due.
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.timers().next().map(|((deadline, _), _)| *deadline)
    }

    /// The next timer that is due. An interval is set again, past `now`, so that calling until
    /// nothing is due ends.
    pub fn pop_due(&mut self, now: Nanos) -> Option<Due<K>> {
        let set = self.set.as_mut()?;
        let first = set.timers.first_entry()?;
        let (deadline, id) = *first.key();
        if deadline > now {
            return None;
        }
        let timer = first.remove();
        set.deadlines.remove(&id);
        let payload = timer.payload.clone();
        let Some(period) = timer.period else {
            return Some(Due { id, deadline, ticks: 1, payload });
        };
        let passed = (now - deadline).get().checked_div(period.get()).unwrap_or(0);
        let ticks = passed.saturating_add(1);
        let ahead = period.get().checked_mul(ticks).map(Nanos::new);
        // A tick past the end of time never comes, so an interval that would get there is over.
        if let Some(next) = ahead.and_then(|ahead| deadline.checked_add(ahead)) {
            self.place(id, next, timer);
        }
        Some(Due { id, deadline, ticks, payload })
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.timers().len()
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

saved! {
    TimerId { 0 }
    Timer<K> { payload, period }
}

impl<K: Saved> Kept for Scheduler<K> {
    fn save(&self, out: &mut Saver) {
        self.last.save(out);
        self.set.as_ref().map_or(&BTreeMap::new(), |set| &set.timers).save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let (last, cap) = (u64::load(from)?, self.cap);
        let timers = BTreeMap::<(Nanos, TimerId), Timer<K>>::load(from)?;
        let deadlines: BTreeMap<_, _> = timers.keys().map(|(due, id)| (*id, *due)).collect();
        if timers.len() > cap as usize {
            let reason = format!("{} of them, the cap is {cap}", timers.len());
            return Err(Unreadable::invalid("timers", reason));
        }
        let is_minted = deadlines.keys().all(|id| id.0 <= last);
        let has_length = timers.values().all(|timer| timer.period != Some(Nanos::ZERO));
        if deadlines.len() != timers.len() || !is_minted || !has_length {
            return Err(Unreadable::invalid("timers", "they contradict each other"));
        }
        let set = (!timers.is_empty()).then(|| Box::new(Set { timers, deadlines }));
        *self = Self { cap, last, set };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(timers: &mut Scheduler<char>, now: u64) -> Vec<(char, u64, u64)> {
        std::iter::from_fn(|| timers.pop_due(Nanos::new(now)))
            .map(|due| (due.payload, due.deadline.get(), due.ticks))
            .collect()
    }

    #[test]
    fn timers_come_by_deadline_and_then_in_the_order_they_were_set() {
        let mut timers = Scheduler::new(8);
        for (at, payload) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'e')] {
            timers.schedule(Nanos::new(at), payload).expect("there is room");
        }
        assert_eq!(due(&mut timers, 2), []);
        assert_eq!(due(&mut timers, 5), [('a', 3, 1), ('b', 3, 1), ('c', 5, 1), ('d', 5, 1)]);
        assert_eq!(timers.next_deadline(), Some(Nanos::new(9)));
    }

    #[test]
    fn missed_ticks_come_as_one_and_the_next_stays_on_the_grid() {
        let mut timers = Scheduler::new(8);
        timers.schedule_every(Nanos::new(10), Nanos::new(4), 'x').expect("there is room");
        assert_eq!(due(&mut timers, 10), [('x', 10, 1)]);
        assert_eq!(due(&mut timers, 23), [('x', 14, 3)]);
        assert_eq!(timers.next_deadline(), Some(Nanos::new(26)));
        assert_eq!(due(&mut timers, 26), [('x', 26, 1)]);
    }

    #[test]
    fn the_timer_one_over_the_cap_is_refused_until_one_is_gone() {
        let mut timers = Scheduler::new(2);
        let first = timers.schedule(Nanos::ZERO, 'a').expect("there is room");
        timers.schedule(Nanos::ZERO, 'b').expect("there is room");
        let full = ScheduleError::Full(CapReached { what: "timers", cap: 2 });
        assert_eq!(timers.schedule(Nanos::ZERO, 'c'), Err(full));
        assert_eq!(timers.cancel(first), Some('a'));
        assert!(timers.schedule(Nanos::ZERO, 'c').is_ok());
        assert_eq!(due(&mut timers, 0), [('b', 0, 1), ('c', 0, 1)]);
    }

    #[test]
    fn a_cancelled_timer_never_comes_and_cannot_be_cancelled_again() {
        let mut timers = Scheduler::new(2);
        let id = timers.schedule_every(Nanos::new(1), Nanos::new(1), 'a').expect("there is room");
        assert_eq!(due(&mut timers, 3), [('a', 1, 3)]);
        assert_eq!((timers.cancel(id), timers.cancel(id)), (Some('a'), None));
        assert_eq!(due(&mut timers, 9), []);
        let left = timers.set.map_or(0, |set| set.timers.len() + set.deadlines.len());
        assert_eq!(left, 0);
    }

    #[test]
    fn an_interval_ends_with_time_and_one_without_length_is_refused() {
        let mut timers = Scheduler::new(2);
        assert_eq!(
            timers.schedule_every(Nanos::ZERO, Nanos::ZERO, 'z'),
            Err(ScheduleError::ZeroPeriod)
        );
        timers.schedule_every(Nanos::ZERO, Nanos::new(1), 'a').expect("there is room");
        assert_eq!(due(&mut timers, u64::MAX), [('a', 0, u64::MAX), ('a', u64::MAX, 1)]);
        assert!(timers.is_empty());
    }
}
