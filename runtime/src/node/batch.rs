//! A batch: all that moves a Node once.
//!
//! Law: plain data. The same batches move the same Node through the same states, whoever applies
//! them and whenever.

use std::sync::Arc;

use bytes::Bytes;
use samsara_ingress::Admitted;

use crate::{
    codec::{Loader, Saved, Saver, Types, Unreadable, from_bytes, to_bytes},
    config::ValueConfig,
    event::IngressEvent,
    schema::TypeTable,
    time::Nanos,
};

/// The time and the events of one turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The logical time of the turn.
    pub now: Nanos,
    /// Items that were in the mailbox when the batch was taken, its own included: told only beside
    /// envelopes, whose senders may be asked to slow down for it.
    pub depth: u64,
    /// The events, oldest first.
    pub events: Vec<Admitted<IngressEvent>>,
    /// The Node is being cleared: what these events would begin is reported as cancelled.
    pub discard: bool,
}

/// When a Node can make progress without a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// At once.
    Now,
    /// At this time.
    At(Nanos),
    /// Only after a push.
    Never,
}

/// What is written before the events of a batch.
pub(super) struct BatchParts {
    pub(super) now: Nanos,
    pub(super) depth: u64,
    pub(super) discard: bool,
    /// How many events follow.
    pub(super) count: usize,
}

impl BatchParts {
    pub(super) fn save<'e>(
        &self,
        events: impl Iterator<Item = (&'e IngressEvent, u64)>,
        out: &mut Saver,
    ) {
        self.now.save(out);
        self.depth.save(out);
        self.discard.save(out);
        self.count.save(out);
        for (event, weight) in events {
            event.save(out);
            weight.save(out);
        }
    }
}

impl Batch {
    /// Its bytes, as a journal has them.
    pub fn to_bytes(&self) -> Bytes {
        to_bytes(self)
    }

    /// The batch of these bytes, all of them, with native values of these types.
    pub fn read(bytes: &Bytes, natives: &Arc<TypeTable>) -> Result<Self, Unreadable> {
        from_bytes(bytes, &journal_types(natives))
    }
}

/// What reads values that a door has let in, whatever the limits were then.
pub(crate) fn journal_types(natives: &Arc<TypeTable>) -> Types {
    let limits = ValueConfig { max_items: u32::MAX, ..ValueConfig::default() };
    Types { natives: Arc::clone(natives), limits }
}

impl Saved for Batch {
    fn save(&self, out: &mut Saver) {
        let Self { now, depth, events, discard } = self;
        let (now, depth, discard, count) = (*now, *depth, *discard, events.len());
        let events = events.iter().map(|admitted| (&admitted.event, admitted.weight));
        BatchParts { now, depth, discard, count }.save(events, out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let (now, depth, discard) = (Nanos::load(from)?, u64::load(from)?, bool::load(from)?);
        let count = from.length("events")?;
        let admitted = |from: &mut Loader<'_>| {
            let event = IngressEvent::load(from)?;
            Ok(Admitted { event, weight: u64::load(from)? })
        };
        let events = (0..count).map(|_| admitted(from)).collect::<Result<_, _>>()?;
        Ok(Self { now, depth, events, discard })
    }
}
