//! Outputs that a host has not taken yet.
//!
//! Law: what a program gives its host is numbered, and offered in order until the host says that it
//! has it, over any number of lives: the number tells a second offer from a first. None is dropped;
//! a Node with as many as may wait takes no turn.

use std::collections::VecDeque;

use super::outputs::OutputMark;
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable},
    step::EngineStep,
};

/// One output, by its number among all steps of its Node.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The number. Numbers rise, with gaps where a step is none that a host takes.
    pub number: u64,
    /// A value of a module output, or of a topic.
    pub step: EngineStep,
}

/// What waits for the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Offers {
    taken: u64,
    waiting: VecDeque<Offer>,
    cap: u32,
}

impl Offers {
    /// Nothing, with room for so many: one turn may go beyond.
    pub fn new(cap: u32) -> Self {
        Self { taken: 0, waiting: VecDeque::new(), cap }
    }

    /// What waits, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Offer> {
        self.waiting.iter()
    }

    /// Up to which number the host has all.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether the host has to take something before more can be given.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= self.cap as usize
    }

    /// Notes that the host has all up to this number.
    pub fn take_up_to(&mut self, number: u64) {
        self.taken = self.taken.max(number);
        while self.waiting.front().is_some_and(|offer| offer.number <= self.taken) {
            self.waiting.pop_front();
        }
    }

    /// Notes the steps of a turn that follow this mark.
    pub(super) fn note(&mut self, before: &OutputMark, steps: &[EngineStep]) {
        for (place, step) in (1..).zip(steps) {
            let number = before.count.saturating_add(place);
            if Self::takes(step) {
                self.put(number, step.clone());
            }
        }
    }

    /// Whether a step is for the host.
    pub(super) fn takes(step: &EngineStep) -> bool {
        matches!(step, EngineStep::AppEvent { .. } | EngineStep::AppEmitted { .. })
    }

    /// Puts in an output, behind all others.
    pub(super) fn put(&mut self, number: u64, step: EngineStep) {
        if number > self.taken {
            self.waiting.push_back(Offer { number, step });
        }
    }
}

impl Saved for Offer {
    fn save(&self, out: &mut Saver) {
        self.number.save(out);
        match &self.step {
            EngineStep::AppEvent { exec, module, port, value } => {
                0_u8.save(out);
                exec.save(out);
                module.save(out);
                port.save(out);
                value.save(out);
            }
            EngineStep::AppEmitted { exec, topic, value } => {
                1_u8.save(out);
                exec.save(out);
                topic.save(out);
                value.save(out);
            }
            // Only those two are offered.
            _ => 2_u8.save(out),
        }
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let number = u64::load(from)?;
        let step = match u8::load(from)? {
            0 => EngineStep::AppEvent {
                exec: Saved::load(from)?,
                module: Saved::load(from)?,
                port: Saved::load(from)?,
                value: Saved::load(from)?,
            },
            1 => EngineStep::AppEmitted {
                exec: Saved::load(from)?,
                topic: Saved::load(from)?,
                value: Saved::load(from)?,
            },
            tag => return Err(Unreadable::invalid("offer", format!("no variant {tag}"))),
        };
        Ok(Self { number, step })
    }
}

impl Kept for Offers {
    fn save(&self, out: &mut Saver) {
        self.taken.save(out);
        self.waiting.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        (self.taken, self.waiting) = (Saved::load(from)?, Saved::load(from)?);
        let numbers = || self.waiting.iter().map(|offer| offer.number);
        let are_rising = numbers().zip(numbers().skip(1)).all(|(one, next)| one < next);
        if !are_rising || numbers().next().is_some_and(|first| first <= self.taken) {
            return Err(Unreadable::invalid("offers", "their numbers do not rise"));
        }
        Ok(())
    }
}
