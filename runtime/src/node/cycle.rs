//! One turn: a batch goes through the phases of the Node, in their one order.
//!
//! Law: all phases share one budget of ops. What it does not reach is left for the next turn, and
//! told.

use super::{Batch, Node};
use crate::{
    event::{Control, IngressEvent},
    exec::Walk,
    services::Answer,
    step::EngineStep,
};

/// One phase of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// What the batch brings.
    Ingress,
    /// Ops that are ready.
    Frontier,
    /// What is due.
    Timers,
}

/// The phases in their order.
const PHASES: [Phase; 4] = [Phase::Ingress, Phase::Frontier, Phase::Timers, Phase::Frontier];

impl Node {
    /// Moves the Node by a batch of its history, as [`apply`](Self::apply) did when it was new.
    ///
    /// Handles of completions that ops open meanwhile lead nowhere: their answers are further on in
    /// the history, or were never given.
    pub fn replay(&mut self, batch: &Batch, steps: &mut Vec<EngineStep>) {
        self.services.is_replaying = true;
        self.apply(batch, steps);
        self.services.is_replaying = false;
    }

    /// Moves the Node by one batch and appends what it did to `steps`.
    pub fn apply(&mut self, batch: &Batch, steps: &mut Vec<EngineStep>) {
        self.services.now = self.clock.observe(batch.now);
        let engine = &mut **self.engine.get_or_insert_default();
        let walk = Walk {
            plan: &self.plan,
            engine,
            components: &mut self.components,
            services: &mut self.services,
            steps,
        };
        let budget = walk.services.config.cycle_op_budget;
        let mut turn = Turn { walk, targets: &self.targets, batch, budget };
        PHASES.iter().for_each(|phase| turn.pass(*phase));
        let ready = engine.ready();
        if ready > 0 {
            steps.push(EngineStep::CycleBudgetExceeded { ready });
        }
        let mut held = self.held.take();
        engine.settle_births(|weight| held.as_mut()?.split(weight));
    }
}

/// A batch on its way through the Node.
struct Turn<'a> {
    walk: Walk<'a>,
    targets: &'a [u32],
    batch: &'a Batch,
    /// Ops that may still fire.
    budget: u32,
}

impl Turn<'_> {
    fn pass(&mut self, phase: Phase) {
        match phase {
            Phase::Ingress => self.ingress(),
            Phase::Frontier => self.budget -= self.walk.run(self.budget),
            Phase::Timers => self.budget -= self.walk.ring(self.budget),
        }
    }

    fn ingress(&mut self) {
        let walk = &mut self.walk;
        for admitted in &self.batch.events {
            let weight = admitted.weight;
            match &admitted.event {
                IngressEvent::AppEvent { exec, input, value } => {
                    walk.begin(*exec, input.module, weight, [(input.input, value)]);
                }
                IngressEvent::Invoke { exec, module, inputs } => {
                    let inputs = inputs.iter().map(|(input, value)| (*input, value));
                    walk.begin(*exec, *module, weight, inputs);
                }
                IngressEvent::Completion { command, outputs } => {
                    walk.services.note_answer(*command);
                    walk.answer(*command, Answer::Outputs(outputs.clone()));
                }
                IngressEvent::CompletionFailed { command, error } => {
                    walk.services.note_answer(*command);
                    walk.answer(*command, Answer::Failed(error.clone()));
                }
                IngressEvent::EnvelopeFrom(from) => {
                    walk.receive(self.targets, from, weight, self.batch.depth);
                }
                IngressEvent::SendFailed(failed) => walk.fail_send(failed),
                IngressEvent::Control(Control::Peers(change)) => walk.change_peers(change),
                IngressEvent::Control(Control::Start) => {
                    self.targets.iter().for_each(|module| walk.start(*module));
                }
            }
        }
    }
}
