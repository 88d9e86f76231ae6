//! One turn: a batch goes through the phases of the Node, in their one order.
//!
//! Law: all phases share one budget of ops. What it does not reach is left for the next turn, and
//! told.

use super::{Batch, Node};
use crate::{
    bus::{InfraEvent, NodeEvent},
    event::{Control, IngressEvent},
    exec::{Aborted, Guard, Guarded, Walk},
    services::Answer,
    step::{Cancelled, EngineStep},
};

/// One phase of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// What the batch brings, but answers.
    Ingress,
    /// Ops that are ready.
    Frontier,
    /// Events of the bus.
    Bus,
    /// What is due. It stands before answers: at one instant, expiry beats completion.
    Timers,
    /// Answers to parked ops that the batch brings.
    Completions,
    /// Phases of life that the host has announced.
    Lifecycle,
}

/// The phases in their order.
const PHASES: [Phase; 7] = [
    Phase::Ingress,
    Phase::Frontier,
    Phase::Bus,
    Phase::Timers,
    Phase::Completions,
    Phase::Frontier,
    Phase::Lifecycle,
];

impl Node {
    /// Moves the Node by a batch of its history, as [`apply`](Self::apply) did when it was new.
    ///
    /// Handles of completions that ops open meanwhile lead nowhere: their answers are further on in
    /// the history, or were never given.
    pub fn replay(&mut self, batch: &Batch, steps: &mut Vec<EngineStep>) {
        self.note_history(batch);
        self.services.is_replaying = true;
        self.apply(batch, steps);
        self.services.is_replaying = false;
    }

    /// Moves the Node by one batch and appends what it did to `steps`.
    pub fn apply(&mut self, batch: &Batch, steps: &mut Vec<EngineStep>) {
        self.apply_with(batch, steps, None);
    }

    #[inline]
    pub(super) fn apply_with(
        &mut self,
        batch: &Batch,
        steps: &mut Vec<EngineStep>,
        guarded: Option<Guarded<'_>>,
    ) -> Vec<Aborted> {
        let first_step = steps.len();
        self.services.now = self.clock.observe(batch.now);
        let engine = &mut **self.engine.get_or_insert_default();
        // Taken apart, so that it is lent for no longer than the walk.
        let guard = guarded
            .map(|Guarded { aborted, about_to_run }| Guard::of(Guarded { aborted, about_to_run }));
        let walk = Walk {
            plan: self.program.plan(),
            engine,
            components: &mut self.components,
            services: &mut self.services,
            steps,
            guard,
        };
        let budget = walk.services.config.cycle_op_budget;
        let mut turn = Turn { walk, targets: &self.targets, batch, budget };
        if batch.discard {
            turn.discard();
        } else {
            PHASES.iter().for_each(|phase| turn.pass(*phase));
        }
        turn.end();
        turn.walk.tell_replies(first_step);
        let aborted = turn.walk.guard.map_or_else(Vec::new, |guard| guard.into_aborted());
        let mut held = self.beside.as_mut().and_then(|beside| beside.held.take());
        engine.settle_births(|weight| held.as_mut()?.split(weight));
        self.set_doors();
        if !self.services.is_replaying {
            self.show(steps.get(first_step..).unwrap_or_default());
        }
        aborted
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
            Phase::Bus => self.budget -= self.walk.hear(self.budget),
            Phase::Timers => self.budget -= self.walk.ring(self.budget),
            Phase::Completions => self.completions(),
            Phase::Lifecycle => self.lifecycle(),
        }
    }

    fn ingress(&mut self) {
        let walk = &mut self.walk;
        for (at, admitted) in self.batch.events.iter().enumerate() {
            let weight = admitted.weight;
            walk.guard.iter_mut().for_each(|guard| guard.event = Some(at));
            match &admitted.event {
                IngressEvent::AppEvent { exec, input, value } => {
                    walk.begin(*exec, input.module, weight, [(input.input, value)]);
                }
                IngressEvent::Invoke { exec, module, inputs } => {
                    let inputs = inputs.iter().map(|(input, value)| (*input, value));
                    walk.begin(*exec, *module, weight, inputs);
                }
                IngressEvent::InvokeAs(asked) => walk.ask(asked, weight),
                IngressEvent::Completion { .. } | IngressEvent::CompletionFailed { .. } => {}
                IngressEvent::AppIngressError { error, count } => {
                    if let Some(bus) = &mut walk.services.bus {
                        let (error, count) = (error.clone(), *count);
                        let event = InfraEvent::IngressError { error, count };
                        bus.publish(None, NodeEvent::Infra(event));
                    }
                }
                IngressEvent::EnvelopeFrom(from) => {
                    walk.receive(self.targets, from, weight, self.batch.depth);
                }
                IngressEvent::SendFailed(failed) => walk.fail_send(failed),
                IngressEvent::Control(Control::Peers(change)) => walk.change_peers(change),
                IngressEvent::Control(Control::Start) => {
                    self.targets.iter().for_each(|module| walk.start(*module));
                }
                IngressEvent::Control(Control::Bootstrap(asked)) => walk.bootstrap(asked),
                IngressEvent::Control(Control::Lifecycle(_)) => {}
                IngressEvent::Control(Control::Clear) => walk.clear(),
                IngressEvent::Control(Control::Begin { .. }) => walk.begin_life(),
            }
        }
        walk.guard.iter_mut().for_each(|guard| guard.event = None);
    }

    fn completions(&mut self) {
        let walk = &mut self.walk;
        for admitted in &self.batch.events {
            let (command, answer) = match &admitted.event {
                IngressEvent::Completion { command, outputs } => {
                    (*command, Answer::Outputs(outputs.clone()))
                }
                IngressEvent::CompletionFailed { command, error } => {
                    (*command, Answer::Failed(error.clone()))
                }
                _ => continue,
            };
            walk.services.note_answer(command);
            walk.answer(command, answer);
        }
    }

    fn lifecycle(&mut self) {
        for admitted in &self.batch.events {
            if let IngressEvent::Control(Control::Lifecycle(phase)) = &admitted.event {
                self.walk.fire_lifecycle(self.targets, phase);
                self.budget -= self.walk.run(self.budget);
            }
        }
    }

    /// Reports what asks for work as cancelled. What changes the Node itself holds all the same.
    fn discard(&mut self) {
        let walk = &mut self.walk;
        for admitted in &self.batch.events {
            let dropped = match &admitted.event {
                IngressEvent::AppEvent { exec, .. } | IngressEvent::Invoke { exec, .. } => {
                    Cancelled::Event { exec: *exec }
                }
                IngressEvent::InvokeAs(asked) => Cancelled::Event { exec: asked.exec },
                IngressEvent::Completion { command, .. }
                | IngressEvent::CompletionFailed { command, .. } => {
                    walk.services.note_answer(*command);
                    Cancelled::Answer { command: *command }
                }
                IngressEvent::EnvelopeFrom(from) => {
                    walk.pass_over(from, self.batch.depth);
                    Cancelled::Request { what: "envelope" }
                }
                IngressEvent::SendFailed(failed) => {
                    walk.fail_send(failed);
                    continue;
                }
                IngressEvent::Control(Control::Peers(change)) => {
                    walk.change_peers(change);
                    continue;
                }
                IngressEvent::AppIngressError { .. } => Cancelled::Request { what: "refusals" },
                IngressEvent::Control(Control::Bootstrap(_)) => {
                    Cancelled::Request { what: "bootstrap" }
                }
                IngressEvent::Control(Control::Lifecycle(_)) => {
                    Cancelled::Request { what: "lifecycle phase" }
                }
                IngressEvent::Control(Control::Start) => {
                    self.targets.iter().for_each(|module| walk.start(*module));
                    continue;
                }
                IngressEvent::Control(Control::Clear) => {
                    walk.clear();
                    continue;
                }
                IngressEvent::Control(Control::Begin { .. }) => {
                    walk.begin_life();
                    continue;
                }
            };
            walk.cancel(dropped);
        }
    }

    /// Counts the turn, and tells what it leaves behind.
    fn end(&mut self) {
        // What was answered last goes on with this turn, so that nothing is left between turns.
        self.walk.run(0);
        let Walk { engine, services, steps, .. } = &mut self.walk;
        engine.note_turn(self.batch.events.len());
        let ready = engine.ready();
        let unheard = services.bus.as_ref().map_or(0, |bus| bus.depth().0);
        if ready > 0 || (self.budget == 0 && unheard > 0) {
            steps.push(EngineStep::CycleBudgetExceeded { ready });
        }
        self.walk.tell_waiting_bootstrap();
    }
}
