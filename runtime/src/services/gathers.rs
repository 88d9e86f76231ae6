//! What gathers hold between executions.
//!
//! Law: while a round is open there is exactly one timer, and it is due with the first round that
//! runs out.

use bytes::Bytes;

use super::{Alarm, Services};
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable, saved},
    config::StateConfig,
    framework::{
        CapReached, GatherRule, GatherTable, Gathered, Gathering, Place, ScheduleError, TimerId,
    },
    schema::encode,
    time::Nanos,
    value::Value,
};

saved! { GatherAt { module, op } }
saved! { Sent { round, value } }

/// A gather op, by its module and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GatherAt {
    pub(crate) module: u32,
    pub(crate) op: u32,
}

/// A round by the canonical bytes of its value: equal values are one round, and numbers keep their
/// order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoundKey(Bytes);

/// What one sender sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) round: Value,
    pub(crate) value: Value,
}

/// A round that ended.
pub(crate) type Round = Gathered<GatherAt, RoundKey, Sent>;

/// The open rounds, and the timer that ends them.
#[derive(Debug)]
pub(crate) struct Gathers {
    table: GatherTable<GatherAt, RoundKey, Sent>,
    timer: Option<(Nanos, TimerId)>,
}

/// Why a gather cannot take what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GatherError {
    #[error("the round value has {got} bytes, wanted at most {cap}")]
    LargeRound { got: u64, cap: u32 },
    #[error("the gather waits for {got} senders, wanted at most {cap}")]
    ManySenders { got: u32, cap: u32 },
    #[error(transparent)]
    NoRoom(#[from] CapReached),
    #[error(transparent)]
    NoTimer(#[from] ScheduleError),
}

impl Gathers {
    pub(super) const fn new(state: &StateConfig) -> Self {
        let table = GatherTable::new(state.max_names, state.gather_rounds);
        Self { table: table.with_sender_rounds(state.gather_sender_rounds), timer: None }
    }

    /// Values that came too late, where a gather counts them.
    pub(crate) fn late(&self) -> u64 {
        self.table.late_in_all()
    }
}

impl Services {
    /// Takes what a peer sent into its round.
    pub(crate) fn gather(
        &mut self,
        place: Place<GatherAt, RoundKey>,
        sent: Sent,
        rule: &GatherRule,
    ) -> Result<Gathering<GatherAt, RoundKey, Sent>, GatherError> {
        let (got, cap) = (rule.count, self.config.state.gather_senders);
        if got > cap {
            return Err(GatherError::ManySenders { got, cap });
        }
        let now = self.now;
        if self.stores().gathers.timer.is_none() {
            // Should there be no timer left, it must show before the round knows of the sender.
            let due = now + rule.wait;
            let timer = self.timers.schedule(due, Alarm::Gather)?;
            self.stores().gathers.timer = Some((due, timer));
        }
        let arrived = self.stores().gathers.table.arrive(place, sent, now, rule);
        self.set_gather_timer();
        arrived.map_err(|refused| refused.reason.into())
    }

    /// Ends the next round that is out of time; its timer has just rung.
    pub(crate) fn pop_round(&mut self) -> Option<Round> {
        let now = self.now;
        let gathers = &mut self.stores().gathers;
        gathers.timer = None;
        let ended = gathers.table.pop_expired(now);
        self.set_gather_timer();
        ended
    }

    /// Moves the timer to the first round that will run out.
    fn set_gather_timer(&mut self) {
        let gathers = &mut self.stores().gathers;
        let (next, timer) = (gathers.table.next_deadline(), gathers.timer);
        if next == timer.map(|(due, _)| due) {
            return;
        }
        if let Some((_, timer)) = timer {
            self.timers.cancel(timer);
        }
        // There is room for one: it was cancelled just now, or has just rung.
        let timer =
            next.and_then(|due| Some((due, self.timers.schedule(due, Alarm::Gather).ok()?)));
        self.stores().gathers.timer = timer;
    }
}

impl RoundKey {
    /// The key of this value, if it is no larger than `cap` bytes.
    pub(crate) fn of(round: &Value, cap: u32) -> Result<Self, GatherError> {
        let got = round.byte_size();
        if got > cap.into() {
            return Err(GatherError::LargeRound { got, cap });
        }
        let mut key = Vec::new();
        match round {
            Value::U64(number) => key.extend(number.to_be_bytes()),
            Value::I64(number) => key.extend(number.wrapping_sub(i64::MIN).to_be_bytes()),
            _ => {
                let encoded = encode(round);
                key.extend(encoded.payload);
                encoded.blobs.iter().for_each(|blob| key.extend(blob));
            }
        }
        // Behind the content, so that it keeps its order; no type id has a zero in it.
        key.push(0);
        key.extend(round.type_id().as_str().bytes());
        Ok(Self(key.into()))
    }
}

impl Saved for RoundKey {
    fn save(&self, out: &mut Saver) {
        self.0.save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self(Bytes::load(from)?))
    }
}

impl Kept for Gathers {
    fn save(&self, out: &mut Saver) {
        self.table.save(out);
        self.timer.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        self.table.fill(from)?;
        self.timer = Option::load(from)?;
        Ok(())
    }
}
