//! Dead letters: events that were given up, to be looked at, offered once more, or thrown away.
//!
//! Law: bounded, and nothing leaves by itself. Who is full refuses to give up more, and its Node
//! stays where it is until somebody makes room. A replay gives the same letters again, but those
//! that the history says are gone.

use std::collections::{BTreeMap, BTreeSet};

use samsara_proto::PeerId;

use super::record::Lsn;
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable, saved, saved_enum},
    event::IngressEvent,
    framework::CapReached,
    id::ExecId,
    node::{Aborted, Batch},
};

/// Names a dead letter: the record of its batch, and what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId {
    /// The record.
    pub at: Lsn,
    /// What was given up there.
    pub what: LetterOf,
}

/// What of a batch was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterOf {
    /// The event at this place, which would have begun something.
    Event(u32),
    /// An execution that had begun before.
    Execution(ExecId),
}

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterSource {
    /// The host, or the Node itself.
    Host,
    /// A peer, which was told once.
    Peer(PeerId),
}

/// An event, or an execution without one, that was given up.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Who it was from.
    pub source: LetterSource,
    /// The execution that was given up, if it is known.
    pub exec: Option<ExecId>,
    /// The event; nothing if the execution had begun before its batch.
    pub event: Option<IngressEvent>,
    /// Why, for people.
    pub reason: String,
}

saved_enum! { LetterOf: "what a letter is of" { 1 = Event(place), 2 = Execution(exec) } }
saved_enum! { LetterSource: "source of a letter" { 1 = Host, 2 = Peer(peer) } }
saved! {
    LetterId { at, what }
    DeadLetter { source, exec, event, reason }
}

/// The dead letters of a Node.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetters {
    letters: BTreeMap<LetterId, DeadLetter>,
    cap: u32,
}

impl DeadLetters {
    /// A store of so many letters.
    pub fn new(cap: u32) -> Self {
        Self { letters: BTreeMap::new(), cap }
    }

    /// Whether so many more have room: asked before anything is given up.
    pub fn may_put(&self, more: usize) -> Result<(), CapReached> {
        let cap = self.cap;
        if self.letters.len().saturating_add(more) > cap as usize {
            return Err(CapReached { what: "dead letters", cap });
        }
        Ok(())
    }

    /// The letters, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (LetterId, &DeadLetter)> {
        self.letters.iter().map(|(id, letter)| (*id, letter))
    }

    /// One of them.
    pub fn read(&self, id: LetterId) -> Option<&DeadLetter> {
        self.letters.get(&id)
    }

    pub(super) fn has(&self, id: LetterId) -> bool {
        self.letters.contains_key(&id)
    }

    /// Takes a letter out, to be thrown away or offered once more. Its history has to be told, by a
    /// record of [`gone_payload`](super::gone_payload), or the next replay brings it back.
    pub fn take(&mut self, id: LetterId) -> Option<DeadLetter> {
        self.letters.remove(&id)
    }

    /// Puts in what a batch has left behind. What is there already, or gone, stays so.
    pub(super) fn put(
        &mut self,
        letters: impl IntoIterator<Item = (LetterId, DeadLetter)>,
        gone: &BTreeSet<LetterId>,
    ) {
        for (id, letter) in letters.into_iter().filter(|(id, _)| !gone.contains(id)) {
            self.letters.entry(id).or_insert(letter);
        }
    }
}

impl Kept for DeadLetters {
    fn save(&self, out: &mut Saver) {
        self.letters.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        // More than may be put now stay all the same: they are no less lost.
        self.letters = Saved::load(from)?;
        Ok(())
    }
}

/// The letters of executions that were given up at a batch.
pub(super) fn of_aborted(
    at: Lsn,
    batch: &Batch,
    aborted: &[Aborted],
    reason: &str,
) -> Vec<(LetterId, DeadLetter)> {
    let letter = |aborted: &Aborted| {
        let place = aborted.event.and_then(|place| u32::try_from(place).ok());
        let event = aborted.event.and_then(|place| batch.events.get(place));
        let event = event.map(|admitted| admitted.event.clone());
        let what = place.map_or(LetterOf::Execution(aborted.exec), LetterOf::Event);
        (LetterId { at, what }, dead(event, Some(aborted.exec), reason))
    };
    aborted.iter().map(letter).collect()
}

/// The letters of a batch that was given up whole: what it would have begun.
pub(super) fn of_batch(at: Lsn, batch: &Batch, reason: &str) -> Vec<(LetterId, DeadLetter)> {
    let letter = |(place, event): (u32, &IngressEvent)| {
        let exec = match event {
            IngressEvent::AppEvent { exec, .. } | IngressEvent::Invoke { exec, .. } => Some(*exec),
            IngressEvent::InvokeAs(asked) => Some(asked.exec),
            IngressEvent::EnvelopeFrom(_) => None,
            _ => return None,
        };
        let id = LetterId { at, what: LetterOf::Event(place) };
        Some((id, dead(Some(event.clone()), exec, reason)))
    };
    (0..).zip(batch.events.iter().map(|admitted| &admitted.event)).filter_map(letter).collect()
}

fn dead(event: Option<IngressEvent>, exec: Option<ExecId>, reason: &str) -> DeadLetter {
    let source = match &event {
        Some(IngressEvent::EnvelopeFrom(from)) => LetterSource::Peer(from.src_peer),
        _ => LetterSource::Host,
    };
    DeadLetter { source, exec, event, reason: reason.to_owned() }
}
