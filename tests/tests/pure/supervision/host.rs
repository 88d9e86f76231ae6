//! A host that does what it is told, in whatever order a test or a seed wants.

use std::collections::VecDeque;

use samsara_runtime::config::SupervisionConfig;
use samsara_runtime::rng::Rng;
use samsara_runtime::supervision::{
    Cause, ChildId, ChildKind, ChildState, Decision, Event, Life, Policy, Supervisor,
};
use samsara_runtime::time::{Nanos, seconds};

pub(super) struct Host {
    pub(super) supervisor: Supervisor,
    pub(super) children: Vec<ChildId>,
    pub(super) now: Nanos,
    /// All that was decided, in order.
    pub(super) decided: Vec<Decision>,
    /// What was decided and is not answered.
    pub(super) open: VecDeque<Decision>,
    rng: Rng,
}

impl Host {
    /// A host with these children, each told to start.
    pub(super) fn of(policy: Policy, kinds: &[ChildKind]) -> Self {
        let mut supervisor = Supervisor::new(policy, SupervisionConfig::default());
        let add = |kind: &ChildKind| supervisor.add(*kind).expect("there is room");
        let children: Vec<ChildId> = kinds.iter().map(add).collect();
        let (decided, open, rng) = (Vec::new(), VecDeque::new(), Rng::from_seed(1));
        let mut host =
            Self { supervisor, children: children.clone(), now: seconds(1), decided, open, rng };
        for child in children {
            host.tell(Event::Start { child });
        }
        host
    }

    pub(super) fn tell(&mut self, event: Event) -> Vec<Decision> {
        let decisions = self.supervisor.handle(event, self.now, &mut self.rng);
        self.decided.extend(&decisions);
        self.open.extend(&decisions);
        decisions
    }

    pub(super) fn exit(&mut self, position: usize, cause: Cause) -> Vec<Decision> {
        let (child, life) = (self.children[position], self.life(position));
        self.tell(Event::Exited { child, life, cause })
    }

    /// Does what was asked for, oldest first, until nothing is open.
    pub(super) fn answer_all(&mut self) {
        while let Some(decision) = self.open.pop_front() {
            if let Some(answer) = answer(decision) {
                self.tell(answer);
            }
        }
    }

    /// Does what was asked for, and lets time pass, until nothing is to come.
    pub(super) fn run(&mut self) {
        self.answer_all();
        while let Some(at) = self.supervisor.next_wakeup() {
            self.now = at;
            self.tell(Event::Tick);
            self.answer_all();
        }
    }

    pub(super) fn life(&self, position: usize) -> Life {
        self.supervisor.life(self.children[position]).expect("it was added")
    }

    pub(super) fn state(&self, position: usize) -> ChildState {
        self.supervisor.state(self.children[position]).expect("it was added")
    }

    pub(super) fn states(&self) -> Vec<ChildState> {
        (0..self.children.len()).map(|position| self.state(position)).collect()
    }
}

/// What a host says when it has done what was asked for.
pub(super) fn answer(decision: Decision) -> Option<Event> {
    match decision {
        Decision::Do { child, life, step } => Some(Event::Done { child, life, step }),
        Decision::Stop { child, life, .. }
        | Decision::Join { child, life, .. }
        | Decision::Kill { child, life } => Some(Event::Joined { child, life }),
        Decision::Ended { .. }
        | Decision::Quarantine { .. }
        | Decision::Escalate { .. }
        | Decision::Closed => None,
    }
}
