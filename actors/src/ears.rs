//! What a Node says, as its host hears it.
//!
//! Law: an output is passed on once in a process, by its number, however often lives repeat it.
//! Nobody who listens holds the Node up.

use std::collections::VecDeque;

use samsara_proto::PeerId;
use samsara_runtime::{
    delivery::CourierStep,
    hosting::{Ground, Journal, Word},
    step::EngineStep,
};
use tokio::sync::broadcast;

use crate::call::Waiters;

/// One thing that a Node let out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// Its number among all that the Node let out, over all its lives.
    pub number: u64,
    /// What it is.
    pub step: EngineStep,
    /// An earlier life may have let it out.
    pub is_again: bool,
}

/// Outputs that a listener may be behind before it misses some, which it is told.
const OUTLET: usize = 1_024;
/// Words of trouble that are remembered of one Node.
const TROUBLES: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Ears {
    pub(crate) waiters: Waiters,
    /// The last output that was passed on.
    heard: u64,
    /// What is to be carried between Nodes.
    pub(crate) carried: Vec<CourierStep>,
    /// A snapshot was written.
    pub(crate) has_captured: bool,
    outlet: Option<broadcast::Sender<Output>>,
    troubles: VecDeque<String>,
}

impl Ears {
    pub(crate) fn listen(&mut self) -> broadcast::Receiver<Output> {
        let outlet = self.outlet.get_or_insert_with(|| broadcast::channel(OUTLET).0);
        outlet.subscribe()
    }

    /// A life that remembers nothing has begun: its outputs are counted anew.
    pub(crate) fn forget(&mut self) {
        self.waiters.forget_kept();
        self.heard = 0;
    }

    pub(crate) fn note_trouble(&mut self, trouble: String) {
        if self.troubles.len() >= TROUBLES {
            self.troubles.pop_front();
        }
        self.troubles.push_back(trouble);
    }

    pub(crate) fn troubles(&self) -> impl Iterator<Item = &String> {
        self.troubles.iter()
    }

    fn hear(&mut self, word: Word<'_>) {
        match word {
            Word::Acked { events, .. } => {
                events.iter().for_each(|admitted| self.waiters.note_kept(&admitted.event));
            }
            Word::Left { number, step, is_again } => self.pass_on(number, step, is_again),
            Word::Carry(step) => self.carried.push(step),
            Word::Captured { .. } => self.has_captured = true,
            Word::Rotten { file } => self.note_trouble(format!("snapshot {file} is not whole")),
            Word::GaveUp { abort } => {
                let (at, target) = (abort.at, abort.target);
                self.note_trouble(format!("{target:?} of batch {at} was given up"));
            }
            Word::Raised { brought, .. } => {
                brought.iter().for_each(|exec| self.waiters.keep(*exec))
            }
            _ => {}
        }
    }

    fn pass_on(&mut self, number: u64, step: &EngineStep, is_again: bool) {
        if number <= self.heard {
            return;
        }
        self.heard = number;
        self.waiters.note_step(step);
        if let Some(outlet) = &self.outlet {
            // An outlet without a listener is shut at the next turn of one.
            let _ = outlet.send(Output { number, step: step.clone(), is_again });
        }
    }
}

/// What a Node stands on during a turn.
pub(crate) struct Stand<'s, J> {
    pub(crate) journal: &'s mut J,
    pub(crate) ears: &'s mut Ears,
}

impl<J: Journal> Ground for Stand<'_, J> {
    type Journal = J;

    fn journal(&mut self) -> &mut J {
        self.journal
    }

    fn hear(&mut self, _: &PeerId, word: Word<'_>) {
        self.ears.hear(word);
    }
}
