//! Joins over envelopes: one value of each sender, round by round.
//!
//! Law: a round ends exactly once, by its count or by its deadline; a sender counts once in it; and
//! what comes out is ordered by the senders' ids, whatever the order of arrival.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::framework::{
//!     GatherRule, GatherTable, Gathering, LatePolicy, OnDeadline, Place,
//! };
//! use samsara_runtime::time::{Nanos, seconds};
//!
//! let (ann, ben) = (PeerId::from(1), PeerId::from(2));
//! let late = LatePolicy::Drop;
//! let rule = GatherRule { count: 2, wait: seconds(30), late, on_deadline: OnDeadline::Partial };
//! let place = |sender| Place { channel: "sales", round: "monday", sender };
//!
//! let mut gather = GatherTable::new(16, 64);
//! let waits = gather.arrive(place(ben), 5, Nanos::ZERO, &rule)?;
//! assert_eq!(waits, Gathering::Waits { have: 1 });
//! let Gathering::Ended(round) = gather.arrive(place(ann), 4, Nanos::ZERO, &rule)? else {
//!     panic!("both are there");
//! };
//! assert_eq!(round.values, [(ann, 4), (ben, 5)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod rule;

use std::collections::{BTreeMap, BTreeSet};

use samsara_proto::PeerId;

pub use self::rule::{GatherRule, LatePolicy, OnDeadline};
use super::bounded::{Bounded, CapReached, Refused};
use super::ring::Ring;
use crate::codec::{Kept, Loader, Saved, Saver, Unreadable, saved};
use crate::time::Nanos;

/// The rounds of a Node's gathers. `C` tells channels apart, `R` rounds, and `V` is what senders
/// send.
#[derive(Clone, Debug, PartialEq)]
pub struct GatherTable<C, R, V> {
    max_rounds: u32,
    max_sender_rounds: u32,
    channels: Bounded<C, Channel<R, V>>,
    deadlines: BTreeSet<(Nanos, C, R)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Channel<R, V> {
    open: BTreeMap<R, Round<V>>,
    /// The rounds that ended last: what comes for one of them is late. It opens no second one.
    ended: Ring<R>,
    late: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Round<V> {
    rule: GatherRule,
    deadline: Nanos,
    /// Who sent first.
    opener: PeerId,
    from: BTreeMap<PeerId, V>,
}

/// Where a value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<C, R> {
    /// The channel.
    pub channel: C,
    /// The round.
    pub round: R,
    /// Who sent it.
    pub sender: PeerId,
}

/// What became of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathering<C, R, V> {
    /// Its round waits for others.
    Waits {
        /// How many senders the round has.
        have: u32,
    },
    /// It was the last one.
    Ended(Gathered<C, R, V>),
    /// The sender is in the round already; what it sent first stands.
    Duplicate(V),
    /// The round has ended.
    Late(V),
    /// The sender has opened as many rounds as it may, and they are still open.
    Crowded(V),
}

/// A round that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered<C, R, V> {
    /// The channel.
    pub channel: C,
    /// The round.
    pub round: R,
    /// How it ended.
    pub outcome: GatherOutcome,
    /// What was sent, ordered by sender.
    pub values: Vec<(PeerId, V)>,
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatherOutcome {
    /// Everyone came.
    Whole,
    /// The deadline came first, and those who came are the result.
    Partial,
    /// The deadline came first, which is a failure.
    TimedOut,
}

impl<C: Ord + Copy, R: Ord + Clone, V> GatherTable<C, R, V> {
    /// At most `max_channels` channels, each with at most `max_rounds` open, and as many ended
    /// ones remembered.
    pub const fn new(max_channels: u32, max_rounds: u32) -> Self {
        let channels = Bounded::new("gathering channels", max_channels);
        let deadlines = BTreeSet::new();
        Self { max_rounds, max_sender_rounds: max_rounds, channels, deadlines }
    }

    /// The same, where one sender opens at most so many of the rounds that are open on a channel.
    pub const fn with_sender_rounds(mut self, max_sender_rounds: u32) -> Self {
        self.max_sender_rounds = max_sender_rounds;
        self
    }

    /// Takes a value into its round. A new round is refused where as many are open as may be.
    pub fn arrive(
        &mut self,
        mut place: Place<C, R>,
        value: V,
        now: Nanos,
        rule: &GatherRule,
    ) -> Result<Gathering<C, R, V>, Refused<V>> {
        let cap = self.max_rounds;
        let new = || Channel { open: BTreeMap::new(), ended: Ring::new(cap), late: 0 };
        let channel = match self.channels.open(&place.channel, |channel| *channel, new) {
            Ok(channel) => channel,
            Err(reason) => return Err(Refused { given: value, reason }),
        };
        if channel.has_ended(&place.round, now) {
            let Some(next) = channel.on_late(&place.round, now, rule.late) else {
                return Ok(Gathering::Late(value));
            };
            place.round = next;
        }
        if !channel.open.contains_key(&place.round) {
            if channel.open.len() >= cap as usize {
                let reason = CapReached { what: "open rounds", cap };
                return Err(Refused { given: value, reason });
            }
            if channel.opened_by(&place.sender) >= self.max_sender_rounds as usize {
                return Ok(Gathering::Crowded(value));
            }
        }
        let round = channel.open.entry(place.round.clone()).or_insert_with(|| {
            let deadline = now + rule.wait;
            self.deadlines.insert((deadline, place.channel, place.round.clone()));
            Round { rule: *rule, deadline, opener: place.sender, from: BTreeMap::new() }
        });
        if round.from.contains_key(&place.sender) {
            return Ok(Gathering::Duplicate(value));
        }
        round.from.insert(place.sender, value);
        let have = u32::try_from(round.from.len()).unwrap_or(u32::MAX);
        if have < round.rule.count {
            return Ok(Gathering::Waits { have });
        }
        let ended = self.end(place.channel, place.round, GatherOutcome::Whole);
        Ok(ended.map_or(Gathering::Waits { have }, Gathering::Ended))
    }

    /// Ends the next round whose time is up: by deadline, then by channel and round.
    pub fn pop_expired(&mut self, now: Nanos) -> Option<Gathered<C, R, V>> {
        let (deadline, channel, round) = self.deadlines.first()?.clone();
        if deadline > now {
            return None;
        }
        let rule = self.channels.get(&channel)?.open.get(&round)?.rule;
        let outcome = match rule.on_deadline {
            OnDeadline::Partial => GatherOutcome::Partial,
            OnDeadline::Fail => GatherOutcome::TimedOut,
        };
        self.end(channel, round, outcome)
    }

    /// When the next round is out of time.
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.deadlines.first().map(|(deadline, _, _)| *deadline)
    }

    /// How many late values were counted on this channel.
    pub fn late(&self, channel: C) -> u64 {
        self.channels.get(&channel).map_or(0, |channel| channel.late)
    }

    /// How many late values were counted on all channels.
    pub fn late_in_all(&self) -> u64 {
        let late = self.channels.iter().map(|(_, channel)| channel.late);
        late.fold(0, u64::saturating_add)
    }

    /// How many rounds are open.
    pub fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether no round is open.
    pub fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    fn end(&mut self, channel: C, round: R, outcome: GatherOutcome) -> Option<Gathered<C, R, V>> {
        let entry = self.channels.get_mut(&channel)?;
        let ended = entry.open.remove(&round)?;
        entry.ended.push(round.clone());
        self.deadlines.remove(&(ended.deadline, channel, round.clone()));
        Some(Gathered { channel, round, outcome, values: ended.from.into_iter().collect() })
    }
}

impl<R: Ord + Clone, V> Channel<R, V> {
    /// At its deadline a round takes nothing more, though nobody has ended it yet.
    fn has_ended(&self, round: &R, now: Nanos) -> bool {
        self.open.get(round).is_some_and(|open| open.deadline <= now)
            || self.ended.iter().any(|ended| ended == round)
    }

    fn opened_by(&self, sender: &PeerId) -> usize {
        self.open.values().filter(|round| round.opener == *sender).count()
    }

    /// The round that takes what came too late for its own.
    fn on_late(&mut self, round: &R, now: Nanos, policy: LatePolicy) -> Option<R> {
        match policy {
            LatePolicy::Drop => None,
            LatePolicy::Count => {
                self.late = self.late.saturating_add(1);
                None
            }
            LatePolicy::Next => {
                let mut open = self.open.iter().filter(|(_, open)| open.deadline > now);
                open.find(|(other, _)| *other > round).map(|(other, _)| other.clone())
            }
        }
    }
}

saved! { Round<V> { rule, deadline, opener, from } }

impl<C: Saved + Ord + Copy, R: Saved + Ord + Clone, V: Saved> Kept for GatherTable<C, R, V> {
    fn save(&self, out: &mut Saver) {
        self.channels.save_with(out, |channel, out| {
            channel.open.save(out);
            channel.ended.save(out);
            channel.late.save(out);
        });
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let cap = self.max_rounds;
        self.deadlines.clear();
        let deadlines = &mut self.deadlines;
        self.channels.fill_with(from, |channel, from| {
            let open = BTreeMap::<R, Round<V>>::load(from)?;
            if open.len() > cap as usize {
                let reason = format!("{} of them, the cap is {cap}", open.len());
                return Err(Unreadable::invalid("open rounds", reason));
            }
            let due = |(key, round): (&R, &Round<V>)| (round.deadline, *channel, key.clone());
            deadlines.extend(open.iter().map(due));
            let mut ended = Ring::new(cap);
            ended.fill(from)?;
            Ok(Channel { open, ended, late: u64::load(from)? })
        })
    }
}

#[cfg(test)]
mod tests;
