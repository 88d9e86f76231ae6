//! Random arrivals, and a Node that they happen to.
//!
//! Law: what happens to a Node is in the trace; each turn's batch and steps are told to whoever
//! watches.

use proptest::{collection::vec, option, prelude::*};
use samsara_proto::PeerId;
use samsara_runtime::{
    completion::CompletionHandle,
    config::{NodeConfig, TurnConfig},
    node::{Batch, Node, install},
    program::Program,
    step::EngineStep,
    time::Nanos,
};

use super::{
    lab::take_desk,
    recipe::{INPUTS, Recipe, recipe},
};

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Some inputs arrive in one execution.
    Invoke([Option<u64>; 3]),
    /// One input arrives.
    Deliver(usize, u64),
    /// An open completion is answered, if there is one.
    Answer(usize, Answering),
    /// Time passes, and the Node takes a turn.
    Turn(u64),
}

/// How a completion is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answering {
    Complete(u64),
    Fail,
    Drop,
}

/// A program, its settings, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(super) recipe: Recipe,
    op_budget: u32,
    turn_events: u32,
    max_parked: u32,
    pub(crate) actions: Vec<Action>,
}

fn action() -> impl Strategy<Value = Action> {
    let input = || option::weighted(0.75, 0..9_u64);
    let answering = prop_oneof![
        3 => (0..9_u64).prop_map(Answering::Complete),
        1 => Just(Answering::Fail),
        1 => Just(Answering::Drop),
    ];
    prop_oneof![
        4 => [input(), input(), input()].prop_map(Action::Invoke),
        1 => (0..INPUTS.len(), 0..9_u64).prop_map(|(input, value)| Action::Deliver(input, value)),
        4 => (any::<usize>(), answering).prop_map(|(pick, how)| Action::Answer(pick, how)),
        5 => prop_oneof![3 => 0..2_u64, 2 => 0..20_u64].prop_map(Action::Turn),
    ]
}

pub(crate) fn story() -> impl Strategy<Value = Story> {
    let limits = (
        prop_oneof![2 => 1..6_u32, 1 => Just(1_000)],
        prop_oneof![1 => 1..4_u32, 1 => Just(256)],
        prop_oneof![1 => 1..6_u32, 4 => Just(1_000)],
    );
    (recipe(), limits, vec(action(), 1..24)).prop_map(|(recipe, limits, actions)| {
        let (op_budget, turn_events, max_parked) = limits;
        Story { recipe, op_budget, turn_events, max_parked, actions }
    })
}

impl Story {
    pub(crate) fn program(&self) -> Program {
        self.recipe.program()
    }

    pub(crate) fn config(&self) -> NodeConfig {
        NodeConfig {
            cycle_op_budget: self.op_budget,
            max_pending_async: self.max_parked,
            turn: TurnConfig { events: self.turn_events, ..TurnConfig::default() },
            ..NodeConfig::default()
        }
    }
}

/// A Node that a story happens to.
pub(crate) struct Stage {
    pub(crate) node: Node,
    pub(crate) now: Nanos,
    /// Completions that nobody has answered yet, oldest first.
    desk: Vec<CompletionHandle<u64>>,
}

impl Stage {
    pub(crate) fn new(program: &Program, config: NodeConfig) -> Self {
        let node = install(PeerId::from(1), [], program, &["Main"], config).expect("it installs");
        // What an earlier story of this thread left on the desk is not this one's.
        drop(take_desk());
        Self { node, now: Nanos::ZERO, desk: Vec::new() }
    }

    /// Lets one thing happen; a turn gives its batch and steps.
    pub(crate) fn act(&mut self, action: &Action) -> Option<(Batch, Vec<EngineStep>)> {
        match action {
            Action::Invoke(values) => {
                let inputs = INPUTS.iter().zip(values).filter_map(|(name, n)| Some((*name, (*n)?)));
                self.node.invoke("Main", inputs).expect("the mailbox has room");
            }
            Action::Deliver(input, value) => {
                let input = INPUTS[*input];
                self.node.deliver_event("Main", input, *value).expect("the mailbox has room");
            }
            Action::Answer(pick, how) => self.answer(*pick, how),
            Action::Turn(time) => return Some(self.turn(self.now + Nanos::new(*time))),
        }
        None
    }

    pub(crate) fn turn(&mut self, now: Nanos) -> (Batch, Vec<EngineStep>) {
        self.now = now;
        let (batch, mut steps) = (self.node.intake(now), Vec::new());
        self.node.apply(&batch, &mut steps);
        self.desk.extend(take_desk());
        (batch, steps)
    }

    fn answer(&mut self, pick: usize, how: &Answering) {
        let Some(place) = pick.checked_rem(self.desk.len()) else { return };
        let handle = self.desk.remove(place);
        match how {
            Answering::Complete(n) => handle.complete(*n).expect("an answer has its place"),
            Answering::Fail => handle.fail("no luck").expect("an answer has its place"),
            Answering::Drop => drop(handle),
        }
    }
}
